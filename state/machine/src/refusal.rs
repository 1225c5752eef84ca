//! Refusals: one variant per rule, in order of precedence. Where a command breaks several
//! rules, the first one answers.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use yufu_base::{AccountId, Currency, InstitutionId, Timestamp};
use yufu_ledger::AccountKind;
use yufu_registry::{ClassId, Role};

/// Why a command was refused. Amounts are in minor units of the ledger's currency.
///
/// Refusals down to [`Refusal::IdReused`] are given before a command is admitted and are not
/// remembered under its id: the submitter is not established, or time cures them. All later
/// ones are remembered, and a repeat gets the same refusal: try again under a new id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, BorshSerialize, BorshDeserialize)]
pub enum Refusal {
    /// Nothing is done before the genesis command.
    #[error("the ledger is not open: its central bank submits the genesis command first")]
    NotOpen,
    /// The submitter is not registered.
    #[error("{0} is not registered here: ask the central bank to register it")]
    SubmitterUnknown(InstitutionId),
    /// The order is not signed with the submitter's current key.
    #[error("the order is not signed with the current key of {0}: sign it again with that key")]
    KeyNotCurrent(InstitutionId),
    /// The id is older than ids are remembered.
    #[error(
        "the command id was made at {created} ms and ids before {oldest} ms are forgotten: look up whether the command was done, and only then submit it under a new id",
        created = .created.millis(), oldest = .oldest.millis()
    )]
    IdExpired {
        /// When the id was made.
        created: Timestamp,
        /// The oldest creation time still accepted.
        oldest: Timestamp,
    },
    /// The id was made too far ahead of the ledger's clock.
    #[error(
        "the command id was made at {created} ms and ids after {newest} ms are not accepted yet: set the client's clock",
        created = .created.millis(), newest = .newest.millis()
    )]
    IdFromFuture {
        /// When the id was made.
        created: Timestamp,
        /// The newest creation time accepted.
        newest: Timestamp,
    },
    /// The id was used for another order.
    #[error("the command id was used for a different order: give each order an id of its own")]
    IdReused,
    /// The ledger was opened before.
    #[error("the ledger is open already: a log has one genesis command")]
    AlreadyOpen,
    /// The submitter may not do this.
    #[error("only {needed} may do this", needed = who(*.needed))]
    NotPermitted {
        /// The role that may; for keys, the central bank or the institution itself.
        needed: Role,
    },
    /// The name is taken.
    #[error("{0} is registered already: replace its key, or choose another name")]
    InstitutionRegistered(InstitutionId),
    /// The order names an institution that is not registered.
    #[error("{0} is not registered: the central bank registers institutions")]
    InstitutionUnknown(InstitutionId),
    /// The order names an institution that is no bank.
    #[error("{0} is not a bank: only banks have reserves, vaults and wallets")]
    NotABank(InstitutionId),
    /// The policy has no such class.
    #[error("the policy has no wallet class {0}: choose one it has")]
    ClassUnknown(ClassId),
    /// A new policy lacks a class that wallets may have.
    #[error("the new policy lacks class {0}, which wallets may have: keep it")]
    ClassRemoved(ClassId),
    /// No rule knows dormant wallets.
    #[error("no rule flags wallets dormant: the central bank sets after how many days one does")]
    NoDormancy,
    /// The account id is taken.
    #[error("account {0} exists already: draw a new id at random")]
    AccountExists(AccountId),
    /// There is no such wallet.
    #[error("there is no wallet {0}: check the account id")]
    AccountUnknown(AccountId),
    /// The wallet is operated by another bank.
    #[error("wallet {0} is operated by another bank: submit through that one")]
    OtherBank(AccountId),
    /// The wallet is closed for good.
    #[error("wallet {0} is closed: use another one")]
    AccountClosed(AccountId),
    /// The wallet is dormant.
    #[error("wallet {0} is dormant: its holder lifts that by showing an identity at its bank")]
    AccountDormant(AccountId),
    /// The wallet is not dormant, so there is nothing to lift.
    #[error("wallet {0} is not dormant: use it as it is")]
    NotDormant(AccountId),
    /// Something moved in the wallet not long enough ago.
    #[error("something moved in the wallet lately: it may be flagged dormant from {earliest} ms on", earliest = .earliest.millis())]
    MovedLately {
        /// From when on it may be flagged, if nothing moves until then.
        earliest: Timestamp,
    },
    /// The wallet lies below another one, and that one decides.
    #[error("wallet {0} is a sub-wallet: do this with the wallet above it")]
    IsSubWallet(AccountId),
    /// The wallet lies below no other.
    #[error("wallet {0} is no sub-wallet: name one that lies below another wallet")]
    NotSubWallet(AccountId),
    /// There are as many wallets below this one as there may be.
    #[error("wallet {0} has 16 sub-wallets, the most there may be: close one first")]
    TooManySubWallets(AccountId),
    /// Wallets below it are still open.
    #[error("wallet {0} has open sub-wallets: close them first, what they hold comes back")]
    HasSubWallets(AccountId),
    /// A limit of a sub-wallet would be wider than that of the class above it.
    #[error(
        "a limit of the sub-wallet is wider than that of class {0} above it: choose smaller ones"
    )]
    SubLimitWider(ClassId),
    /// A sub-wallet pays one payee only.
    #[error("the sub-wallet pays {0} only: pay others from the wallet above it")]
    OtherPayee(AccountId),
    /// The wallet has this class.
    #[error("the wallet is of class {0} already: name another one")]
    ClassUnchanged(ClassId),
    /// A wallet that is to be closed holds something.
    #[error("the wallet holds {0} (minor units): take it out first, then close it")]
    NotEmpty(u64),
    /// Payer and payee are one.
    #[error("payer and payee are the same wallet: name two different ones")]
    SameAccount,
    /// The amount is nothing.
    #[error("the amount is zero: expected at least one minor unit")]
    AmountZero,
    /// The amount is of another currency.
    #[error(
        "the amount is in {given} and this ledger holds {ledger}: submit it to the ledger of {given}"
    )]
    CurrencyDiffers {
        /// The ledger's currency.
        ledger: Currency,
        /// The amount's currency.
        given: Currency,
    },
    /// An account that is to give holds too little.
    #[error(
        "{words} holds {available} and {requested} is to be taken (minor units): take less, or fill it first",
        words = .account.words()
    )]
    InsufficientFunds {
        /// Which kind of account.
        account: AccountKind,
        /// What it holds.
        available: u64,
        /// What was to be taken.
        requested: u64,
    },
    /// The turnover of an account would not fit 64 bits.
    #[error("the turnover of {words} would pass 2^64 minor units: use another account", words = .0.words())]
    OutOfRange(AccountKind),
    /// A limit of the wallet's class is exceeded.
    #[error("{0}")]
    LimitExceeded(LimitExceeded),
    /// The payee's wallet may not hold that much. What it holds and may hold is not told: it is
    /// the payee's business.
    #[error(
        "the payee's wallet may not hold that much more: pay less, or ask the payee for another wallet"
    )]
    PayeeFull,
    /// No more accounts or institutions can be registered.
    #[error("the ledger is full: no more accounts or institutions can be opened in this log")]
    Full,
}

/// A limit that is exceeded, what remains of it, and what would lift it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LimitExceeded {
    /// Which limit.
    pub kind: LimitKind,
    /// The limit that holds, in minor units.
    pub limit: u64,
    /// What remains of it, in minor units.
    pub remaining: u64,
    /// What was asked for, in minor units.
    pub requested: u64,
    /// What would lift it; `None` if nothing would.
    pub step_up: Option<StepUp>,
}

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum LimitKind {
    /// Of one payment.
    Single,
    /// Of one calendar day.
    Daily,
    /// Of one calendar year.
    Yearly,
    /// Of what the wallet may hold, its sub-wallets included.
    Balance,
    /// Of what all wallets of the class at the bank may hold together.
    Aggregate,
    /// Of one payment from a sub-wallet.
    SubSingle,
    /// Of one calendar day of a sub-wallet.
    SubDaily,
    /// Of what a sub-wallet may hold.
    SubBalance,
}

/// What would lift a limit.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum StepUp {
    /// A presentation of an identity suffices for this payment.
    Presentation,
    /// A wallet of one of these classes would be allowed to.
    Classes(Vec<ClassId>),
}

impl Refusal {
    /// The stable code of the rule, in words.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOpen => "ledger.not_open",
            Self::SubmitterUnknown(_) => "command.submitter_unknown",
            Self::KeyNotCurrent(_) => "command.key_not_current",
            Self::IdExpired { .. } => "command.id_expired",
            Self::IdFromFuture { .. } => "command.id_from_future",
            Self::IdReused => "command.id_reused",
            Self::AlreadyOpen => "ledger.already_open",
            Self::NotPermitted { .. } => "command.not_permitted",
            Self::InstitutionRegistered(_) => "institution.registered",
            Self::InstitutionUnknown(_) => "institution.unknown",
            Self::NotABank(_) => "institution.not_a_bank",
            Self::ClassUnknown(_) => "class.unknown",
            Self::ClassRemoved(_) => "policy.class_removed",
            Self::NoDormancy => "policy.no_dormancy",
            Self::AccountExists(_) => "account.exists",
            Self::AccountUnknown(_) => "account.unknown",
            Self::OtherBank(_) => "account.other_bank",
            Self::AccountClosed(_) => "account.closed",
            Self::AccountDormant(_) => "account.dormant",
            Self::NotDormant(_) => "account.not_dormant",
            Self::MovedLately { .. } => "account.moved_lately",
            Self::IsSubWallet(_) => "account.is_sub_wallet",
            Self::NotSubWallet(_) => "account.not_sub_wallet",
            Self::TooManySubWallets(_) => "account.too_many_sub_wallets",
            Self::HasSubWallets(_) => "account.has_sub_wallets",
            Self::SubLimitWider(_) => "sub_wallet.limit_wider",
            Self::OtherPayee(_) => "sub_wallet.other_payee",
            Self::ClassUnchanged(_) => "class.unchanged",
            Self::NotEmpty(_) => "account.not_empty",
            Self::SameAccount => "transfer.same_account",
            Self::AmountZero => "transfer.amount_zero",
            Self::CurrencyDiffers { .. } => "transfer.currency_differs",
            Self::InsufficientFunds { .. } => "transfer.insufficient_funds",
            Self::OutOfRange(_) => "transfer.out_of_range",
            Self::LimitExceeded(exceeded) => match exceeded.kind {
                LimitKind::Single => "transfer.limit_exceeded.single",
                LimitKind::Daily => "transfer.limit_exceeded.daily",
                LimitKind::Yearly => "transfer.limit_exceeded.yearly",
                LimitKind::Balance => "transfer.limit_exceeded.balance",
                LimitKind::Aggregate => "transfer.limit_exceeded.aggregate",
                LimitKind::SubSingle => "sub_wallet.limit_exceeded.single",
                LimitKind::SubDaily => "sub_wallet.limit_exceeded.daily",
                LimitKind::SubBalance => "sub_wallet.limit_exceeded.balance",
            },
            Self::PayeeFull => "transfer.payee_full",
            Self::Full => "ledger.full",
        }
    }

    /// Whether it was given before the command was admitted, and so is not remembered.
    #[must_use]
    pub const fn before_admission(&self) -> bool {
        matches!(
            self,
            Self::NotOpen
                | Self::SubmitterUnknown(_)
                | Self::KeyNotCurrent(_)
                | Self::IdExpired { .. }
                | Self::IdFromFuture { .. }
                | Self::IdReused
        )
    }
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, remaining, requested, .. } = self;
        let what = match self.kind {
            LimitKind::Single => "one payment may be",
            LimitKind::Daily => "may be paid in a day",
            LimitKind::Yearly => "may be paid in a year",
            LimitKind::Balance => "the wallet may hold",
            LimitKind::Aggregate => "all wallets of the class at the bank may hold",
            LimitKind::SubSingle => "one payment from the sub-wallet may be",
            LimitKind::SubDaily => "may be paid from the sub-wallet in a day",
            LimitKind::SubBalance => "the sub-wallet may hold",
        };
        write!(
            f,
            "{requested} asked, at most {limit} {what}, {remaining} remains (minor units): "
        )?;
        match &self.step_up {
            Some(StepUp::Presentation) => f.write_str("confirm with an identity, or ask for less"),
            Some(StepUp::Classes(classes)) => {
                write!(f, "ask for less, or use a wallet of class")?;
                for (place, class) in classes.iter().enumerate() {
                    write!(f, "{} {class}", if place == 0 { "" } else { " or" })?;
                }
                Ok(())
            }
            None => f.write_str("ask for less; no step-up lifts this limit"),
        }
    }
}

const fn who(role: Role) -> &'static str {
    match role {
        Role::CentralBank => "the central bank (or, for its own key, an institution itself)",
        Role::Bank => "a bank",
    }
}
