//! `yufu wallet`, the part about whole accounts: purses, moving to another wallet, recovery, linked
//! accounts, sub-wallets.

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum AccountAction {
    /// Open a purse without identity.
    #[command(
        subcommand,
        after_help = "Examples:\n  yufu wallet --as somebody purse open bank-of-jiangcheng +8613800138000\n  yufu wallet --as somebody purse code 048213"
    )]
    Purse(PurseAction),
    /// Make the key for an account that is to move into this wallet, and show it to the old one.
    ///
    /// A payee shows one too, for a sub-wallet that somebody opens for it.
    #[command(after_help = "Example:\n  yufu wallet --as new-phone invite")]
    Invite,
    /// Sign that another wallet commands an account from now on: what that wallet takes it over with.
    ///
    /// Good for an hour, once. This wallet is refused as soon as the other one has taken over.
    #[command(
        after_help = "Example:\n  yufu wallet --as mei --from bank-of-jiangcheng hand-over eyJr..."
    )]
    HandOver {
        /// What the other wallet showed with `invite`.
        invitation: String,
    },
    /// Take over an account that another wallet handed over to this one.
    #[command(after_help = "Example:\n  yufu wallet --as new-phone take-over eyJh...")]
    TakeOver {
        /// What the old wallet signed with `hand-over`.
        order: String,
    },
    /// Recover an account in your name after its wallet was lost: you show your identity number.
    ///
    /// The old key is not needed, and stops at once. For some hours the account keeps to its ordinary
    /// limits. A purse has no name, and cannot be recovered.
    #[command(
        after_help = "Examples:\n  yufu wallet --as new-phone recover bank-of-jiangcheng\n  yufu wallet --as new-phone recover bank-of-jiangcheng --class II"
    )]
    Recover {
        /// The bank.
        bank: String,
        /// The account's class [default: the one that the bank opens for an identity].
        #[arg(long, conflicts_with = "account")]
        class: Option<String>,
        /// The account, if you know it.
        #[arg(long)]
        account: Option<String>,
    },
    /// Link a bank account, for the class that it gives.
    ///
    /// Without a statement: shows what your other bank is to state. Take it to a branch there.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei link\n  yufu wallet --as mei link eyJh... --class II"
    )]
    Link {
        /// The other bank's statement.
        statement: Option<String>,
        /// The class wanted [default: the one that the bank gives for a linked account].
        #[arg(long)]
        class: Option<String>,
    },
    /// Push a smaller wallet with limits of its own to one payee.
    #[command(
        subcommand,
        after_help = "Examples:\n  yufu wallet --as mei sub-wallet list\n  yufu wallet --as mei sub-wallet fund 0192f0c1-... 50"
    )]
    SubWallet(SubWalletAction),
}

#[derive(Subcommand)]
pub(crate) enum PurseAction {
    /// Ask for one: a code is sent to your telephone, or a token from a counter opens it at once.
    #[command(
        after_help = "Examples:\n  yufu wallet --as somebody purse open bank-of-jiangcheng +8613800138000\n  yufu wallet --as somebody purse open bank-of-jiangcheng --token dGhl..."
    )]
    Open {
        /// The bank.
        bank: String,
        /// A telephone number: +, country, number.
        #[arg(required_unless_present = "token", conflicts_with = "token")]
        phone: Option<String>,
        /// A token from a counter of this bank, instead of a number.
        // One in 64 begins with a hyphen.
        #[arg(long, allow_hyphen_values = true)]
        token: Option<String>,
        /// The class of the purse [default: the one that the bank opens without identity].
        #[arg(long)]
        class: Option<String>,
    },
    /// Answer the code that was sent.
    #[command(after_help = "Example:\n  yufu wallet --as somebody purse code 048213")]
    Code {
        /// Six digits.
        code: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum SubWalletAction {
    /// Open one below your account.
    #[command(
        after_help = "Example:\n  yufu wallet --as mei sub-wallet open eyJr... 0192f0c1-... 'Metro' --per-payment 10 --per-day 30 --balance 100"
    )]
    Open(SubWalletOpening),
    /// Move money into one.
    #[command(after_help = "Example:\n  yufu wallet --as mei sub-wallet fund 0192f0c1-... 50")]
    Fund {
        /// The sub-wallet's account.
        account: String,
        /// The amount in major units: 18.00
        amount: String,
        /// The id of an order that was not answered [default: a new one].
        #[arg(long)]
        id: Option<String>,
    },
    /// List those that were opened from this wallet.
    #[command(after_help = "Example:\n  yufu wallet --as mei sub-wallet list")]
    List,
    /// Close one; what it holds comes back.
    #[command(after_help = "Example:\n  yufu wallet --as mei sub-wallet close 0192f0c1-...")]
    Close {
        /// The sub-wallet's account.
        account: String,
        /// The id of an order that was not answered [default: a new one].
        #[arg(long)]
        id: Option<String>,
    },
    /// Keep one that somebody opened for a key of this wallet.
    #[command(
        after_help = "Example:\n  yufu wallet --as metro sub-wallet take bank-of-jiangcheng 0192f0c1-..."
    )]
    Take {
        /// The bank.
        bank: String,
        /// The sub-wallet's account.
        account: String,
    },
}

#[derive(Args)]
pub(crate) struct SubWalletOpening {
    /// The key that is to pay from it: what the payee's wallet shows with `invite`.
    pub(crate) key: String,
    /// The one account that it pays.
    pub(crate) payee: String,
    /// The payee's name.
    pub(crate) payee_name: String,
    /// The most that one payment may be, in major units.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) per_payment: String,
    /// The most that may be paid in a day, in major units.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) per_day: String,
    /// The most that it may hold, in major units.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) balance: String,
    /// The id of an order that was not answered [default: a new one].
    #[arg(long)]
    pub(crate) id: Option<String>,
}

#[cfg(test)]
mod tests {
    use crate::command_line::Arguments;
    use clap::Parser as _;

    #[test]
    fn a_token_may_begin_with_a_hyphen() {
        let line = "yufu wallet --as somebody purse open some-bank --token -D_K5mFjm1puNQ";
        assert!(Arguments::try_parse_from(line.split(' ')).is_ok());
    }
}
