//! Everything an audit can find, one variant per rule.

use yufu_base::{AccountId, CommandId, InstitutionId};
use yufu_engine::BatchError;
use yufu_log::{ChainError, Seq};
use yufu_machine::ClassId;

/// Something in the log that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Irregularity {
    /// The chain of records does not hold; nothing after it was audited.
    #[error("the chain of records does not hold, nothing from here on was audited: {0}")]
    Chain(ChainError),
    /// The log does not lead through a head that was published.
    #[error(
        "the log does not lead through the published head of record {0}: it was rewritten or cut off; compare it with other copies"
    )]
    Checkpoint(Seq),
    /// A record does not decode; nothing after it was audited.
    #[error("the record does not decode, nothing from here on was audited: {0}")]
    Batch(BatchError),
    /// A record is stamped earlier than the one before it.
    #[error("the record is stamped earlier than the one before it")]
    StampDecreased,
    /// A record was written under other rules than those in force.
    #[error("the record was written under machine version {found}, where {in_force} is in force")]
    MachineVersion {
        /// The version that it names.
        found: u16,
        /// The version in force.
        in_force: u16,
    },
    /// Replaying gives another state than a checkpoint names.
    #[error(
        "replaying up to record {0} gives another state than the checkpoint in this record names"
    )]
    State(Seq),
    /// Replaying gives other outcomes than the log commits to.
    #[error(
        "replaying the commands up to record {0} gives other outcomes than this record commits to: the answers given then were not those of the rules"
    )]
    Outcomes(Seq),
    /// A command is not signed with the key it names.
    #[error("the signature is not one of the key the command names")]
    Signature,
    /// A command was done that its submitter's current key has not signed.
    #[error("done, though {0} has not signed it with its current key")]
    Key(InstitutionId),
    /// A command was done that its submitter may not give.
    #[error("done, though {0} has no right to it")]
    Permission(InstitutionId),
    /// An id was answered a second time with something else than the first answer.
    #[error("the command id was used before and is answered otherwise now")]
    IdUsedTwice,
    /// A command was admitted under an id that is older than ids are remembered, or from the future.
    #[error(
        "admitted, though its id was made before ids are remembered, or after they are accepted"
    )]
    IdOutOfTime,
    /// A command was done with an amount of nothing or of another currency, or to itself.
    #[error("done, though its amount or its accounts are none to move money by")]
    Malformed,
    /// A command was done on an account that is not there, or not the submitter's.
    #[error("done, though wallet {0} is not one the submitter may use here")]
    Wallet(AccountId),
    /// A wallet or an institution was opened twice.
    #[error("done, though what it opens is there already")]
    OpenedTwice,
    /// A command took more than was there.
    #[error("done, though it takes more than is held: {0}")]
    Overdrawn(String),
    /// A payment was done beyond a limit.
    #[error("done, though it exceeds the {limit} limit of wallet {account}")]
    Limit {
        /// Which limit.
        limit: &'static str,
        /// Whose.
        account: AccountId,
    },
    /// A command was done on a wallet that was closed or dormant, or not rested long enough.
    #[error("done, though where wallet {0} stands does not admit it")]
    Standing(AccountId),
    /// A command was done against what a sub-wallet is: below one wallet, for one payee.
    #[error("done, though wallet {0} is, or is not, a sub-wallet that may do this")]
    SubWallet(AccountId),
    /// A command was done beyond what all wallets of a class at a bank may hold together.
    #[error("done, though the wallets of class {class} at {bank} hold more than they may together")]
    Aggregate {
        /// The bank.
        bank: InstitutionId,
        /// The class.
        class: ClassId,
    },
    /// A command was done that the version in force does not know, or that is not the next one.
    #[error("done, though version {0} of the rules does not admit it then")]
    Version(u16),
    /// A list was answered for another number of orders than it has, or one order as a list.
    #[error("answered for another number of orders than it has")]
    Answers,
    /// A command was done on something that is not there: a hold, a transfer, a freeze.
    #[error("done, though nothing is there under {0} to do it with")]
    Unknown(CommandId),
    /// A command was done on what is another institution's.
    #[error("done, though {0} is another institution's to do this with")]
    NotTheirs(CommandId),
    /// More was posted, refunded, disputed or corrected than was left of it.
    #[error("done, though it takes more than is left of {0}")]
    MoreThanLeft(CommandId),
    /// Something was begun that ends too late, or has ended.
    #[error("done, though its deadline lies behind, too far ahead, or none may be set")]
    Deadline,
    /// Something left a wallet that is frozen, or one below it.
    #[error("done, though it takes from wallet {0}, which is frozen, or from below it")]
    Frozen(AccountId),
    /// A command was done that another ledger, or nobody, could have asked for; or the machine knows
    /// another ledger, or what it is dealt with by, otherwise.
    #[error("what was said to, by or about the ledger {0} does not fit: it is no peer, or another")]
    Peer(InstitutionId),
    /// A payment to or from another ledger was done, or resolved, otherwise than the rules say.
    #[error("number {number} to or from {peer} does not fit: it was not its turn, or came to else")]
    Transit {
        /// The other ledger.
        peer: InstitutionId,
        /// The number.
        number: u64,
    },
    /// A keyset was used that is not there, another bank's, over or inactive; or the machine knows it,
    /// or what is out of it, otherwise.
    #[error("keyset {0} does not fit: it may not be used so, or the machine knows it otherwise")]
    Keyset(u32),
    /// A note was spent, or an output promised, that was before, or is no denomination.
    #[error(
        "done, though a note or an output of keyset {0} was used before, or is of no denomination"
    )]
    Note(u32),
    /// Notes were exchanged for something they are not worth.
    #[error("done, though the notes are not worth what was given for them")]
    NotesUneven,
    /// More came back of a keyset than went out.
    #[error("done, though more came back of keyset {0} than went out: its keys are in other hands")]
    BeyondIssued(u32),
    /// What is pending for a wallet is not what was recomputed.
    #[error(
        "{machine} are pending {way} wallet {account} by the machine and {recomputed} recomputed"
    )]
    Promised {
        /// `by` or `to`.
        way: &'static str,
        /// The wallet.
        account: AccountId,
        /// In the machine, in minor units.
        machine: u64,
        /// Recomputed, in minor units.
        recomputed: i128,
    },
    /// What the machine says all wallets of a class at a bank hold is not what was recomputed.
    #[error(
        "the wallets of class {class} at {bank} hold {machine} by the machine and {recomputed} recomputed"
    )]
    Holdings {
        /// The bank.
        bank: InstitutionId,
        /// The class.
        class: ClassId,
        /// In the machine, in minor units.
        machine: u128,
        /// Recomputed, in minor units.
        recomputed: i128,
    },
    /// A wallet does not stand, or is not of the class, that the recomputed books say.
    #[error(
        "wallet {0} has another class, standing, freeze or wallet above it by the machine than recomputed"
    )]
    WalletState(AccountId),
    /// A command was refused for a reason that the record of payments does not bear out.
    #[error("refused for a reason that the recomputed books do not bear out: {0}")]
    Refusal(String),
    /// A balance of the machine is not the one recomputed.
    #[error("account {account} holds {machine} by the machine and {recomputed} recomputed")]
    Balance {
        /// The account.
        account: AccountId,
        /// In the machine, in minor units.
        machine: u64,
        /// Recomputed, in minor units.
        recomputed: i128,
    },
    /// A total of the machine is not the one recomputed.
    #[error("the {total} are {machine} by the machine and {recomputed} recomputed")]
    Total {
        /// Which total.
        total: &'static str,
        /// In the machine, in minor units.
        machine: u128,
        /// Recomputed, in minor units.
        recomputed: i128,
    },
    /// Debits and credits of all accounts differ.
    #[error("all debits are {debits} and all credits {credits}: they must be equal")]
    DoubleEntry {
        /// Sum of all debits, in minor units.
        debits: u128,
        /// Sum of all credits, in minor units.
        credits: u128,
    },
}

impl Irregularity {
    /// The stable code of the rule, in words.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Chain(ChainError::Missing { .. }) => "chain.missing",
            Self::Chain(ChainError::CutOff { .. }) => "chain.cut_off",
            Self::Chain(ChainError::EpochDecreased { .. }) => "chain.epoch_decreased",
            Self::Chain(ChainError::Altered { .. }) => "chain.altered",
            Self::Chain(_) => "chain.unreadable",
            Self::Checkpoint(_) => "chain.checkpoint",
            Self::Batch(_) => "record.malformed",
            Self::StampDecreased => "record.stamp_decreased",
            Self::MachineVersion { .. } => "record.machine_version",
            Self::State(_) => "record.checkpoint",
            Self::Outcomes(_) => "record.outcomes",
            Self::Signature => "command.signature",
            Self::Key(_) => "command.key",
            Self::Permission(_) => "command.permission",
            Self::IdUsedTwice => "command.id_used_twice",
            Self::IdOutOfTime => "command.id_out_of_time",
            Self::Malformed => "command.malformed",
            Self::Wallet(_) => "command.wallet",
            Self::OpenedTwice => "command.opened_twice",
            Self::Overdrawn(_) => "command.overdrawn",
            Self::Limit { .. } => "command.limit",
            Self::Standing(_) => "command.standing",
            Self::SubWallet(_) => "command.sub_wallet",
            Self::Aggregate { .. } => "command.aggregate",
            Self::Version(_) => "command.version",
            Self::Answers => "command.answers",
            Self::Unknown(_) => "command.unknown",
            Self::NotTheirs(_) => "command.not_theirs",
            Self::MoreThanLeft(_) => "command.more_than_left",
            Self::Deadline => "command.deadline",
            Self::Frozen(_) => "command.frozen",
            Self::Peer(_) => "books.peer",
            Self::Transit { .. } => "books.transit",
            Self::Keyset(_) => "books.keyset",
            Self::Note(_) => "command.note",
            Self::NotesUneven => "command.notes_uneven",
            Self::BeyondIssued(_) => "command.beyond_issued",
            Self::Promised { .. } => "books.promised",
            Self::Holdings { .. } => "books.holdings",
            Self::WalletState(_) => "books.wallet",
            Self::Refusal(_) => "command.refusal",
            Self::Balance { .. } => "books.balance",
            Self::Total { .. } => "books.total",
            Self::DoubleEntry { .. } => "books.double_entry",
        }
    }
}
