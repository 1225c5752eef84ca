//! Refusals: one variant per rule, in order of precedence. Where a command breaks several
//! rules, the first one answers.

mod code;
mod limit;

pub use limit::{LimitExceeded, LimitKind, StepUp};

use borsh::{BorshDeserialize, BorshSerialize};
use yufu_base::{AccountId, CommandId, Currency, InstitutionId, Timestamp};
use yufu_ledger::AccountKind;
use yufu_mint::{KeysetError, NoteError};
use yufu_registry::{ClassId, Role};

/// Why a command was refused. Amounts are in minor units of the ledger's currency.
///
/// Refusals down to [`Refusal::NotInForce`] are given before a command is admitted and are not
/// remembered under its id: the submitter is not established, or time cures them; nor are
/// [`Refusal::TransitAhead`] and [`Refusal::TransitsUnsettled`], which time cures too. All other later
/// ones are remembered, and a repeat gets the same refusal: try again under a new id.
///
/// The numbers are the log's and never change; the order of the variants is the precedence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Refusal {
    /// Nothing is done before the genesis command.
    #[error("the ledger is not open: its central bank submits the genesis command first")]
    NotOpen = 0,
    /// The submitter is not registered.
    #[error("{0} is not registered here: ask the central bank to register it")]
    SubmitterUnknown(InstitutionId) = 1,
    /// The order is not signed with the submitter's current key.
    #[error("the order is not signed with the current key of {0}: sign it again with that key")]
    KeyNotCurrent(InstitutionId) = 2,
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
    } = 3,
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
    } = 4,
    /// The id was used for another order.
    #[error("the command id was used for a different order: give each order an id of its own")]
    IdReused = 5,
    /// The rules in force do not know the command yet.
    #[error(
        "version {in_force} of the rules is in force and this command needs version {needed}: the central bank activates it first"
    )]
    NotInForce {
        /// The version in force.
        in_force: u16,
        /// The first version that knows it.
        needed: u16,
    } = 37,
    /// The ledger was opened before.
    #[error("the ledger is open already: a log has one genesis command")]
    AlreadyOpen = 6,
    /// The submitter may not do this.
    #[error("only {needed} may do this", needed = who(*.needed))]
    NotPermitted {
        /// The role that may; for keys, the central bank or the institution itself.
        needed: Role,
    } = 7,
    /// A version is not the one after the one in force.
    #[error("version {0} of the rules is in force: only the one after it can be activated")]
    NotNextVersion(u16) = 38,
    /// A transfer of a chain was refused, and with it all of them.
    #[error("order {place} of the chain is refused, so none is done: {of}")]
    ChainRefused {
        /// The place of the order, from 0.
        place: u32,
        /// Why it is refused.
        of: Box<Refusal>,
    } = 39,
    /// The name is taken.
    #[error("{0} is registered already: replace its key, or choose another name")]
    InstitutionRegistered(InstitutionId) = 8,
    /// The order names an institution that is not registered.
    #[error("{0} is not registered: the central bank registers institutions")]
    InstitutionUnknown(InstitutionId) = 9,
    /// The order names an institution that is no bank.
    #[error("{0} is not a bank: only banks have reserves, vaults and wallets")]
    NotABank(InstitutionId) = 10,
    /// The order names an institution that is no peer.
    #[error("{0} is no peer: the central bank registers other ledgers")]
    NotAPeer(InstitutionId) = 52,
    /// A peer said it to another ledger.
    #[error("this is said to the ledger {0}: deliver it there")]
    OtherLedger(InstitutionId) = 53,
    /// Nothing new goes to the peer.
    #[error("nothing goes to {0} now: try again later, or send it another way")]
    PeerClosed(InstitutionId) = 54,
    /// Nothing is on its way under the number.
    #[error("nothing is on its way under number {0}: it was settled, or never left")]
    TransitUnknown(u64) = 55,
    /// The number is settled, by the peer's own word.
    #[error("number {0} is settled by your own word, and forgotten: look it up in your own log")]
    TransitSettled(u64) = 56,
    /// Something else came under the number.
    #[error("number {0} came before and said something else: what was said first holds")]
    TransitDiffers(u64) = 57,
    /// Numbers before it have not come.
    #[error("number {expected} comes next: send what is missing, then this one again")]
    TransitAhead {
        /// The number that comes next.
        expected: u64,
    } = 58,
    /// Too many that came are not settled by the peer.
    #[error("{0} are unsettled, the most there may be: settle them, say so, then send this again")]
    TransitsUnsettled(u32) = 59,
    /// No rules for bearer notes are in force.
    #[error("no bearer notes are made here: the central bank sets rules for them first")]
    NoNoteRules = 64,
    /// A keyset is not there, not the submitter's, or not what it has to be.
    #[error("{0}")]
    Keyset(KeysetError) = 65,
    /// Notes are not taken, or outputs not promised.
    #[error("{0}")]
    Notes(NoteError) = 66,
    /// What goes into an exchange of notes is not what comes out of it.
    #[error(
        "the notes are worth {taken} after fees and {given} is asked for them (minor units): ask for exactly that"
    )]
    NotesUneven {
        /// What the notes are worth after the fee.
        taken: u64,
        /// What was asked for them.
        given: u64,
    } = 67,
    /// The notes may be paid to registered payees alone, or the payee is none.
    #[error("wallet {0} is of no registered payee: these notes may be paid to one only")]
    NotRegisteredPayee(AccountId) = 68,
    /// The policy has no such class.
    #[error("the policy has no wallet class {0}: choose one it has")]
    ClassUnknown(ClassId) = 11,
    /// A new policy lacks a class that wallets may have.
    #[error("the new policy lacks class {0}, which wallets may have: keep it")]
    ClassRemoved(ClassId) = 12,
    /// No deadlines are set.
    #[error("nothing may be pending here: the central bank sets deadlines first")]
    NoDeadlines = 40,
    /// A deadline lies behind, or too far ahead.
    #[error("the deadline has to lie after {now} ms and at {latest} ms at the latest", now = .now.millis(), latest = .latest.millis())]
    Deadline {
        /// The ledger's clock.
        now: Timestamp,
        /// The latest there may be.
        latest: Timestamp,
    } = 41,
    /// The named bank gives nothing at the peer now.
    #[error("{0} gives nothing there now: name a bank that does")]
    NoOffer(InstitutionId) = 60,
    /// No transfer is remembered under the id.
    #[error(
        "no transfer {0} can be taken back: it was none, was refused, or is too long ago; pay back by an ordinary payment"
    )]
    TransferUnknown(CommandId) = 42,
    /// The transfer is another institution's.
    #[error("{0} is not yours to do this with: whose it is has to")]
    NotYours(CommandId) = 43,
    /// Nothing is held under the id.
    #[error("nothing is held under {0}: it was posted, released, has lapsed, or never was")]
    HoldUnknown(CommandId) = 44,
    /// No freeze is pending or in force under the id.
    #[error("no freeze {0} is there to do this with: it was lifted, has lapsed, or never was")]
    FreezeUnknown(CommandId) = 45,
    /// The freeze was confirmed before.
    #[error("freeze {0} is in force already")]
    FreezeInForce(CommandId) = 46,
    /// Whoever ordered a freeze cannot confirm it.
    #[error("another authority than the one that ordered freeze {0} has to confirm it")]
    SameAuthority(CommandId) = 47,
    /// No rule knows dormant wallets.
    #[error("no rule flags wallets dormant: the central bank sets after how many days one does")]
    NoDormancy = 13,
    /// The account id is taken.
    #[error("account {0} exists already: draw a new id at random")]
    AccountExists(AccountId) = 14,
    /// There is no such wallet.
    #[error("there is no wallet {0}: check the account id")]
    AccountUnknown(AccountId) = 15,
    /// The wallet is operated by another bank.
    #[error("wallet {0} is operated by another bank: submit through that one")]
    OtherBank(AccountId) = 16,
    /// The wallet is closed for good.
    #[error("wallet {0} is closed: use another one")]
    AccountClosed(AccountId) = 17,
    /// The wallet is dormant.
    #[error("wallet {0} is dormant: its holder lifts that by showing an identity at its bank")]
    AccountDormant(AccountId) = 18,
    /// Nothing leaves the wallet while a freeze order is in force.
    #[error("wallet {0} is frozen by order of two authorities: its bank tells the legal reference")]
    AccountFrozen(AccountId) = 48,
    /// Pending transfers hang on the wallet.
    #[error("wallet {0} has pending transfers: post or release them, or wait until they lapse")]
    HasHolds(AccountId) = 49,
    /// The wallet is not dormant, so there is nothing to lift.
    #[error("wallet {0} is not dormant: use it as it is")]
    NotDormant(AccountId) = 19,
    /// Something moved in the wallet not long enough ago.
    #[error("something moved in the wallet lately: it may be flagged dormant from {earliest} ms on", earliest = .earliest.millis())]
    MovedLately {
        /// From when on it may be flagged, if nothing moves until then.
        earliest: Timestamp,
    } = 20,
    /// The wallet lies below another one, and that one decides.
    #[error("wallet {0} is a sub-wallet: do this with the wallet above it")]
    IsSubWallet(AccountId) = 21,
    /// The wallet lies below no other.
    #[error("wallet {0} is no sub-wallet: name one that lies below another wallet")]
    NotSubWallet(AccountId) = 22,
    /// There are as many wallets below this one as there may be.
    #[error("wallet {0} has 16 sub-wallets, the most there may be: close one first")]
    TooManySubWallets(AccountId) = 23,
    /// Wallets below it are still open.
    #[error("wallet {0} has open sub-wallets: close them first, what they hold comes back")]
    HasSubWallets(AccountId) = 24,
    /// A limit of a sub-wallet would be wider than that of the class above it.
    #[error(
        "a limit of the sub-wallet is wider than that of class {0} above it: choose smaller ones"
    )]
    SubLimitWider(ClassId) = 25,
    /// A sub-wallet pays one payee only.
    #[error("the sub-wallet pays {0} only: pay others from the wallet above it")]
    OtherPayee(AccountId) = 26,
    /// The wallet has this class.
    #[error("the wallet is of class {0} already: name another one")]
    ClassUnchanged(ClassId) = 27,
    /// A wallet that is to be closed holds something.
    #[error("the wallet holds {0} (minor units): take it out first, then close it")]
    NotEmpty(u64) = 28,
    /// Payer and payee are one.
    #[error("payer and payee are the same wallet: name two different ones")]
    SameAccount = 29,
    /// The amount is nothing.
    #[error("the amount is zero: expected at least one minor unit")]
    AmountZero = 30,
    /// The amount is of another currency.
    #[error(
        "the amount is in {given} and this ledger holds {ledger}: submit it to the ledger of {given}"
    )]
    CurrencyDiffers {
        /// The ledger's currency.
        ledger: Currency,
        /// The amount's currency.
        given: Currency,
    } = 31,
    /// The amount that is to arrive is not in the peer's currency.
    #[error("the amount to arrive is in {given} and the peer holds {peer}: name one in {peer}")]
    PeerCurrency {
        /// The peer's currency.
        peer: Currency,
        /// The amount's currency.
        given: Currency,
    } = 61,
    /// The named bank gives less for the amount.
    #[error(
        "at most {most} arrive for that, and {requested} are asked (minor units): ask for a new quote"
    )]
    OfferedLess {
        /// The most that arrives, in the peer's minor units.
        most: u64,
        /// What was to arrive.
        requested: u64,
    } = 62,
    /// Too many are on their way to the peer.
    #[error("{0} are on their way there, the most there may be: wait until some are resolved")]
    TooManyInTransit(u32) = 63,
    /// More would be taken back than was transferred.
    #[error(
        "of {of}, {left} can still be taken back and {requested} is asked (minor units): ask for less"
    )]
    MoreThanTransferred {
        /// The transfer.
        of: CommandId,
        /// What can still be taken back.
        left: u64,
        /// What was asked for.
        requested: u64,
    } = 50,
    /// More would be posted than is held.
    #[error("{held} is held and {requested} is to be posted (minor units): post less")]
    MoreThanHeld {
        /// What is held.
        held: u64,
        /// What was to be posted.
        requested: u64,
    } = 51,
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
    } = 32,
    /// The turnover of an account would not fit 64 bits.
    #[error("the turnover of {words} would pass 2^64 minor units: use another account", words = .0.words())]
    OutOfRange(AccountKind) = 33,
    /// A limit of the wallet's class is exceeded.
    #[error("{0}")]
    LimitExceeded(LimitExceeded) = 34,
    /// The payee's wallet may not hold that much. What it holds and may hold is not told: it is
    /// the payee's business.
    #[error(
        "the payee's wallet may not hold that much more: pay less, or ask the payee for another wallet"
    )]
    PayeeFull = 35,
    /// No more accounts or institutions can be registered.
    #[error("the ledger is full: no more accounts or institutions can be opened in this log")]
    Full = 36,
}

impl From<KeysetError> for Refusal {
    fn from(error: KeysetError) -> Self {
        Self::Keyset(error)
    }
}

impl From<NoteError> for Refusal {
    fn from(error: NoteError) -> Self {
        Self::Notes(error)
    }
}

const fn who(role: Role) -> &'static str {
    match role {
        Role::CentralBank => "the central bank (or, for its own key, an institution itself)",
        Role::Bank => "a bank",
        Role::Authority => "an authority",
        Role::Peer => "a peer ledger",
    }
}
