//! What is ordered: an institution's signed order, and the actions an order may ask for.
//! Borsh of these types is the format of the log; a snapshot test keeps it from drifting.

use borsh::{BorshDeserialize, BorshSerialize};
use yufu_base::{
    AccountId, Amount, CommandId, Currency, Digest, InstitutionId, PublicKey, Signature,
};
use yufu_registry::{ClassId, HoldingRules, Policy};

/// Separates the signature of an order from every other use of the same key.
const SIGNING_TAG: &[u8] = b"yufu.command.v1\0";

/// A signed order. Whoever puts it before the machine has verified `signature` over
/// [`Submission::signing_bytes`] with `key`; the machine holds `key` against the registry.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Submission {
    /// Who submits it.
    pub institution: InstitutionId,
    /// The key it is signed with.
    pub key: PublicKey,
    /// What is to be done.
    pub order: Order,
    /// ES256 over the signing bytes.
    pub signature: Signature,
}

/// What is to be done, under an id that makes repeats harmless.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Order {
    /// Chosen by the client; carries its creation time.
    pub id: CommandId,
    /// What is to be done.
    pub action: Action,
}

/// What an order may ask for. The order of the variants is part of the log's format: new ones
/// go last.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Action {
    /// Opens the ledger. Only the first command, signed by the central bank it names.
    Genesis {
        /// The one currency of this log.
        currency: Currency,
        /// The central bank.
        central_bank: InstitutionId,
        /// Its first key.
        key: PublicKey,
        /// The first policy.
        policy: Policy,
    },
    /// Central bank: registers a bank and opens its accounts.
    RegisterBank {
        /// Its name.
        bank: InstitutionId,
        /// Its first key.
        key: PublicKey,
    },
    /// Central bank for anyone, an institution for itself: makes `key` the current key.
    ReplaceKey {
        /// Whose key.
        institution: InstitutionId,
        /// The key from now on.
        key: PublicKey,
    },
    /// Central bank: puts a policy in force. It keeps every class there ever was.
    SetPolicy {
        /// The policy from now on.
        policy: Policy,
    },
    /// Central bank: new M0 as reserves of a bank.
    CreateReserves {
        /// Whose reserves.
        bank: InstitutionId,
        /// How much.
        amount: Amount,
    },
    /// Central bank: reserves cease to exist.
    CancelReserves {
        /// Whose reserves.
        bank: InstitutionId,
        /// How much.
        amount: Amount,
    },
    /// Central bank: digital cash to a bank against its reserves.
    Issue {
        /// To which bank.
        bank: InstitutionId,
        /// How much.
        amount: Amount,
    },
    /// Central bank: digital cash of a bank back into its reserves.
    Redeem {
        /// From which bank.
        bank: InstitutionId,
        /// How much.
        amount: Amount,
    },
    /// Central bank: notes to a bank against its reserves.
    SupplyPaper {
        /// To which bank.
        bank: InstitutionId,
        /// How much.
        amount: Amount,
    },
    /// Central bank: notes of a bank back into its reserves.
    ReturnPaper {
        /// From which bank.
        bank: InstitutionId,
        /// How much.
        amount: Amount,
    },
    /// Bank: opens a wallet it operates.
    OpenWallet {
        /// Drawn at random by the bank; opaque.
        account: AccountId,
        /// Its class.
        class: ClassId,
    },
    /// Bank: credits its depositors in all (it lends).
    CreditDeposits {
        /// How much.
        amount: Amount,
    },
    /// Bank: an exchange at its desk.
    Exchange {
        /// From which form of money into which.
        direction: Direction,
        /// How much.
        amount: Amount,
    },
    /// The payer's bank: a payment from wallet to wallet, final at once.
    Pay {
        /// From this wallet, operated by the submitter.
        payer: AccountId,
        /// To this wallet, at any bank.
        payee: AccountId,
        /// How much.
        amount: Amount,
        /// Commitment to the order the payer's wallet signed.
        order: Digest,
        /// What authorises it.
        authorisation: Authorisation,
    },
    /// Central bank: puts holding rules in force. Wallets that hold more keep it.
    SetHoldingRules {
        /// The rules from now on.
        rules: HoldingRules,
    },
    /// Bank: gives a wallet another class, up or down. What it holds has to fit.
    SetClass {
        /// Operated by the submitter.
        account: AccountId,
        /// Its class from now on.
        class: ClassId,
    },
    /// Bank: closes a wallet for good. An empty one; of a sub-wallet, what is left goes back to
    /// the wallet above it.
    CloseWallet {
        /// Operated by the submitter.
        account: AccountId,
    },
    /// Bank: a wallet in which nothing moved for as long as the policy says rests until its
    /// holder comes forward.
    FlagDormant {
        /// Operated by the submitter.
        account: AccountId,
    },
    /// Bank: the holder of a dormant wallet came forward.
    Reactivate {
        /// Operated by the submitter.
        account: AccountId,
        /// Commitment to the presentation (or, without identity, to the repeated verification).
        evidence: Digest,
    },
    /// Bank: opens a wallet below another, for payments to one payee within limits of its own.
    OpenSubWallet {
        /// Drawn at random by the bank; opaque.
        account: AccountId,
        /// The holder's wallet, operated by the submitter.
        parent: AccountId,
        /// The one wallet it may pay, at any bank.
        payee: AccountId,
        /// Its own limits, none wider than those of the parent's class.
        limits: SubLimits,
        /// Commitment to the order the holder signed.
        order: Digest,
    },
    /// Bank: moves money from a wallet to one below it. Counts as no payment.
    FundSubWallet {
        /// The wallet below, operated by the submitter.
        account: AccountId,
        /// How much.
        amount: Amount,
        /// Commitment to the order the holder signed.
        order: Digest,
    },
}

/// The limits of a sub-wallet, in minor units; those of the class above it hold as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SubLimits {
    /// The most one payment may be.
    pub per_payment: u64,
    /// The most that may be paid in one calendar day of the policy.
    pub per_day: u64,
    /// The most it may hold.
    pub balance: u64,
}

/// From which form of money into which, and the wallet where one takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Direction {
    /// Notes in, digital cash into the wallet.
    PaperToDigital(AccountId),
    /// Digital cash from the wallet, notes out.
    DigitalToPaper(AccountId),
    /// From a deposit into the wallet.
    DepositToDigital(AccountId),
    /// From the wallet into a deposit.
    DigitalToDeposit(AccountId),
    /// Notes in, into a deposit.
    PaperToDeposit,
    /// From a deposit, notes out.
    DepositToPaper,
}

/// What authorises a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Authorisation {
    /// The wallet's key: the class's ordinary limits hold.
    Ordinary,
    /// A presentation whose signed transaction data name exactly this payment: the class's
    /// stepped-up limits hold, if it has any.
    SteppedUp {
        /// Commitment to the presentation.
        presentation: Digest,
    },
}

impl Submission {
    /// The bytes an institution signs: a tag, then borsh of its name and the order.
    #[must_use]
    pub fn signing_bytes(institution: &InstitutionId, order: &Order) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        write_signing_bytes(institution, order, &mut bytes);
        bytes
    }
}

/// Appends the signing bytes to `bytes`.
#[expect(
    clippy::expect_used,
    reason = "INVARIANT: a vector takes every write, and no part of an order has 2^32 elements"
)]
pub(crate) fn write_signing_bytes(institution: &InstitutionId, order: &Order, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(SIGNING_TAG);
    borsh::to_writer(&mut *bytes, &(institution, order)).expect("a vector takes every write");
}
