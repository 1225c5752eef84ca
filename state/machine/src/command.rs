//! What is ordered: an institution's signed order, and the actions an order may ask for.
//! Borsh of these types is the format of the log; a snapshot test keeps it from drifting.

use borsh::{BorshDeserialize, BorshSerialize};
use yufu_base::{
    AccountId, Amount, CommandId, Currency, Digest, InstitutionId, PublicKey, Signature,
};
use yufu_registry::{ClassId, Policy};

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
