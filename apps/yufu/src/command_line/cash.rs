//! `yufu wallet cash`: bearer notes.

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum CashAction {
    /// Withdraw notes from an account: the bank signs them without seeing them.
    ///
    /// They rest for a random time, up to a day, before they are spent, so that nobody tells by the time who
    /// paid. Withdraw ahead, and sums that others withdraw too: 50, 100, 200, 500.
    #[command(after_help = "Example:\n  yufu wallet --as mei cash withdraw 100")]
    Withdraw {
        /// The amount in major units: 100.00
        amount: String,
    },
    /// Pay: prints the token to hand over, or sends it where a request says.
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei cash pay 18\n  yufu wallet --as mei cash pay --request creqA..."
    )]
    Pay(CashPayment),
    /// Receive a token: its notes are changed at once for notes that only you have.
    #[command(
        after_help = "Examples:\n  yufu wallet --as shop cash receive cashuB...\n  yufu wallet --as shop cash receive --offline cashuB..."
    )]
    Receive {
        /// The token: cashuB...
        token: String,
        /// Without network: notes locked to a key of this wallet, with proofs, are taken and collected later.
        #[arg(long)]
        offline: bool,
        /// Take so much in all without network in notes that are not locked to this wallet, which the payer can spend
        /// again [default: the limit that `risk-limit` set].
        #[arg(long, requires = "offline", value_name = "AMOUNT")]
        risk_limit: Option<String>,
        /// What opens a hash lock: 64 hexadecimal digits.
        #[arg(long, conflicts_with = "offline")]
        preimage: Option<String>,
    },
    /// Redeem notes to an account.
    #[command(after_help = "Example:\n  yufu wallet --as shop cash redeem 50")]
    Redeem {
        /// The amount in major units.
        amount: String,
    },
    /// Ask for a payment: prints the request to show to the payer.
    #[command(
        after_help = "Examples:\n  yufu wallet --as shop cash request 18 --locked\n  yufu wallet --as shop cash request 18 --offline"
    )]
    Request {
        /// The amount in major units [default: what the payer likes].
        amount: Option<String>,
        /// Only notes that are locked to a fresh key of this wallet.
        #[arg(long)]
        locked: bool,
        /// Without network: locked as well, in notes of banks that `prepare` learned of; the payer's wallet sends proofs.
        #[arg(long)]
        offline: bool,
    },
    /// Get ready to take notes without network: learns the keys by which the banks' notes are known.
    #[command(after_help = "Example:\n  yufu wallet --as shop cash prepare")]
    Prepare,
    /// Show or set how much is taken without network in notes that are not locked to this wallet.
    ///
    /// Their payer can spend them again until they are collected. At the beginning it is nothing.
    #[command(
        after_help = "Examples:\n  yufu wallet --as shop cash risk-limit 50\n  yufu wallet --as shop cash risk-limit 0"
    )]
    RiskLimit {
        /// So much in all, in major units; 0 is nothing.
        amount: Option<String>,
    },
    /// Get tokens with your identity, for cash that you pay in without saying who you are.
    ///
    /// The allowance service is shown a pseudonym that is there for nothing else, and counts so many batches in a month
    /// over all banks. The bank signs the tokens without seeing them. Get them ahead: nobody tells by the time then.
    #[command(after_help = "Example:\n  yufu wallet --as mei cash allowance bank-of-jiangcheng")]
    Allowance {
        /// The bank where they are good.
        bank: String,
    },
    /// Pay in cash at a counter with a token, without an account: prints what the counter needs to see.
    ///
    /// `settle` takes the notes once it is paid. A token is used only if it comes to that.
    #[command(after_help = "Example:\n  yufu wallet --as mei cash top-up bank-of-jiangcheng 200")]
    TopUp {
        /// The bank.
        bank: String,
        /// The amount in major units.
        amount: String,
    },
    /// Make an invoice that is paid into an account, for a payer whose wallet knows no other way.
    #[command(after_help = "Example:\n  yufu wallet --as shop cash invoice 18")]
    Invoice {
        /// The amount in major units.
        amount: String,
    },
    /// Have an account pay for the withdrawal that somebody's wallet shows an invoice for.
    #[command(after_help = "Example:\n  yufu wallet --as mei cash pay-invoice lnbcrt...")]
    PayInvoice {
        /// The invoice: lnbcrt...
        invoice: String,
    },
    /// Make a fresh key, for somebody to lock notes to.
    #[command(after_help = "Example:\n  yufu wallet --as shop cash key")]
    Key,
    /// List what notes there are, what rests, what is under way, and when notes end.
    #[command(after_help = "Example:\n  yufu wallet --as mei cash list")]
    List,
    /// Go on with what is under way, collect what was taken without network, change notes that end soon.
    #[command(after_help = "Example:\n  yufu wallet --as mei cash settle")]
    Settle,
    /// Take back a payment that nobody has taken.
    #[command(after_help = "Example:\n  yufu wallet --as mei cash take-back 3")]
    TakeBack {
        /// The payment's number, as `list` shows it.
        number: u64,
    },
    /// Print the token of a payment again.
    #[command(after_help = "Example:\n  yufu wallet --as mei cash token 3")]
    Token {
        /// The payment's number, as `list` shows it.
        number: u64,
    },
    /// Print the words that bring your notes back.
    #[command(after_help = "Example:\n  yufu wallet --as mei cash words")]
    Words,
    /// Ask the mints what they signed for this wallet's words, and keep what is unspent.
    ///
    /// After a restore from a backup this comes first. With --from-words in a wallet without notes, the words are
    /// asked for (or taken from YUFU_WALLET_WORDS).
    #[command(
        after_help = "Examples:\n  yufu wallet --as mei cash restore\n  yufu wallet --as new-phone cash restore --from-words"
    )]
    Restore {
        /// Notes of other words than this wallet has made.
        #[arg(long)]
        from_words: bool,
        /// At these banks [default: all of the trust list].
        #[arg(long = "bank", value_name = "BANK")]
        banks: Vec<String>,
    },
}

impl CashAction {
    /// Whether it needs nobody else.
    pub(crate) const fn is_offline(&self) -> bool {
        matches!(
            self,
            Self::List
                | Self::Words
                | Self::Key
                | Self::Token { .. }
                | Self::RiskLimit { .. }
                | Self::Request { offline: true, .. }
                | Self::Receive { offline: true, .. }
        )
    }
}

#[derive(Args)]
pub(crate) struct CashPayment {
    /// The amount in major units.
    #[arg(required_unless_present = "request")]
    pub(crate) amount: Option<String>,
    /// What the payee asks for: creqA...
    #[arg(long, value_name = "REQUEST")]
    pub(crate) request: Option<String>,
    /// Lock the notes to this key of the payee, with proofs for a payee without network; what is not taken in a week can be
    /// taken back.
    #[arg(long, value_name = "KEY", conflicts_with = "request")]
    pub(crate) to_key: Option<String>,
    /// The payee has no network: send proofs along, on notes made for it.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Spend notes that rest too: the bank may then tell by the time that it was you.
    #[arg(long)]
    pub(crate) hurry: bool,
}
