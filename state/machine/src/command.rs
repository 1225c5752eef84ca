//! What is ordered: an institution's signed order, and the actions an order may ask for.
//! Borsh of these types is the format of the log; a snapshot test keeps it from drifting.

mod abroad;
mod content;
mod notes;
mod orders;

pub use abroad::{Resolution, ReturnReason, Sending, Transit};
pub(crate) use content::content;
pub use notes::{Melting, Minting, Swapping};
pub use orders::{Chain, Orders, OrdersError};

use borsh::{BorshDeserialize, BorshSerialize};
use yufu_base::{
    AccountId, Amount, CommandId, Currency, Digest, InstitutionId, PublicKey, Signature, Timestamp,
};
use yufu_mint::{KeysetNumber, KeysetTerms};
use yufu_registry::{ClassId, Correspondent, Deadlines, HoldingRules, NoteRules, Peering, Policy};

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
    /// Central bank: puts the next version of the machine's rules in force, from the next command
    /// on. What follows needs version 2.
    ActivateVersion {
        /// The version after the one in force.
        version: u16,
    },
    /// Central bank: registers an authority that the law lets order freezes.
    RegisterAuthority {
        /// Its name.
        authority: InstitutionId,
        /// Its first key.
        key: PublicKey,
    },
    /// Central bank: says how long what is pending may stay so; without it nothing may be pending.
    SetDeadlines {
        /// From now on, for what is begun from now on.
        deadlines: Option<Deadlines>,
    },
    /// Orders of one institution under one signature, done one after another. Each has its own id
    /// and its own outcome, as if it had been submitted by itself.
    Each {
        /// The orders.
        orders: Orders,
    },
    /// Transfers of one institution that are all done, or none of them.
    Chain {
        /// The transfers, in their order.
        orders: Chain,
    },
    /// The payer's bank: a payment of as much as the payer has, up to a most.
    PayAvailable {
        /// From this wallet, operated by the submitter.
        payer: AccountId,
        /// To this wallet, at any bank.
        payee: AccountId,
        /// The most that is paid.
        most: Amount,
        /// Whether the payer's wallet is closed with it. It then has to be empty afterwards.
        close: bool,
        /// Commitment to the order the payer's wallet signed.
        order: Digest,
        /// What authorises it.
        authorisation: Authorisation,
    },
    /// The payer's bank: a payment whose amount is not final yet is held. It counts against the
    /// limits from now on, and lapses by itself. The payee's bank posts or releases it.
    HoldPayment {
        /// From this wallet, operated by the submitter.
        payer: AccountId,
        /// To this wallet, at any bank.
        payee: AccountId,
        /// The most it may become.
        amount: Amount,
        /// From when on it has lapsed.
        expires: Timestamp,
        /// Commitment to the order the payer's wallet signed.
        order: Digest,
        /// What authorises it.
        authorisation: Authorisation,
    },
    /// Of a held payment the payee's bank, of a disputed one the payee's bank (it concedes) or the
    /// central bank (it decides): posts a hold, in full or in part; the rest is released.
    PostHold {
        /// The command that made the hold.
        hold: CommandId,
        /// How much is posted.
        amount: Amount,
    },
    /// Of a held payment the payee's bank, of a disputed one the payer's bank (it withdraws) or the
    /// central bank (it decides): releases a hold; nothing moves.
    ReleaseHold {
        /// The command that made the hold.
        hold: CommandId,
    },
    /// The payee's bank: pays back what was paid, in full or in part, never more in all.
    Refund {
        /// The command that made the payment (of a held one, that posted it).
        of: CommandId,
        /// How much goes back.
        amount: Amount,
        /// Commitment to the order the payee's wallet signed.
        order: Digest,
    },
    /// The payer's bank: holds what was paid in the payee's wallet until it is decided, or lapses,
    /// in full or in part.
    DisputePayment {
        /// The command that made the payment (of a held one, that posted it).
        of: CommandId,
        /// How much is disputed.
        amount: Amount,
        /// From when on it has lapsed.
        expires: Timestamp,
        /// Commitment to the payer's complaint.
        evidence: Digest,
    },
    /// Whoever made it: takes back an exchange, an issue or a credit that was a mistake, in full or
    /// in part, by a transfer the other way round that names it.
    Correct {
        /// The command that made it.
        of: CommandId,
        /// How much of it was a mistake.
        amount: Amount,
        /// Commitment to the reason.
        reason: Digest,
    },
    /// Authority: orders that nothing leaves a wallet. Not in force before another authority has
    /// confirmed it; lapses by itself.
    OrderFreeze {
        /// Which wallet, with those below it.
        account: AccountId,
        /// Commitment to the legal reference.
        legal_reference: Digest,
        /// From when on it has lapsed.
        until: Timestamp,
    },
    /// Another authority: puts a freeze that was ordered in force.
    ConfirmFreeze {
        /// The command that ordered it.
        freeze: CommandId,
    },
    /// Either of the two authorities: ends a freeze before its time.
    LiftFreeze {
        /// The command that ordered it.
        freeze: CommandId,
    },
    /// Central bank: registers another ledger as a peer, and opens the account of what is on its way
    /// there. What follows needs version 3.
    RegisterPeer {
        /// Its name: that of its central bank.
        peer: InstitutionId,
        /// The key with which it says what goes here and what became of what went there.
        key: PublicKey,
        /// The currency it holds.
        currency: Currency,
        /// How it is dealt with.
        peering: Peering,
    },
    /// Central bank: deals with a peer otherwise from now on.
    SetPeer {
        /// Its name.
        peer: InstitutionId,
        /// From now on.
        peering: Peering,
    },
    /// Bank: says what it does for a peer from now on.
    Correspond {
        /// For which.
        peer: InstitutionId,
        /// What it does; `None` is nothing.
        correspondent: Option<Correspondent>,
    },
    /// The payer's bank: a payment to a wallet of another ledger.
    SendAbroad {
        /// The payment.
        sending: Box<Sending>,
    },
    /// Peer: a payment came from there. What it comes to is kept, and is no part of the outcome.
    ReceiveFromAbroad {
        /// This ledger: to no other is it said.
        ledger: InstitutionId,
        /// The payment.
        transit: Box<Transit>,
        /// Up to this number all is settled there, and can be forgotten here.
        settled: u64,
    },
    /// Peer: what became of a payment that went there.
    SettleTransit {
        /// This ledger: to no other is it said.
        ledger: InstitutionId,
        /// Which.
        number: u64,
        /// What became of it.
        resolution: Resolution,
    },
    /// Central bank: puts rules for bearer notes in force; without them no new ones are made. What
    /// follows needs version 4.
    SetNoteRules {
        /// From now on.
        rules: Option<NoteRules>,
    },
    /// Bank: registers a keyset, and with its first one opens the account of what backs its notes.
    RegisterKeyset {
        /// The digest of its id and public keys.
        keys: Digest,
        /// What it is registered with, for good.
        terms: KeysetTerms,
    },
    /// Bank: its keyset signs nothing any more; its notes are redeemed until it is over.
    DeactivateKeyset {
        /// Which.
        keyset: KeysetNumber,
    },
    /// Bank: its keyset is over and is forgotten; what is still out of it leaves the money supply.
    ExpireKeyset {
        /// Which.
        keyset: KeysetNumber,
    },
    /// The payer's bank: money from a wallet becomes notes.
    MintNotes {
        /// Which.
        minting: Box<Minting>,
    },
    /// The notes' bank: notes become new ones, of it or of another bank.
    SwapNotes {
        /// Which.
        swapping: Box<Swapping>,
    },
    /// The notes' bank: notes become money in a wallet.
    MeltNotes {
        /// Which.
        melting: Box<Melting>,
    },
}

impl Action {
    /// The first version of the machine's rules that knows it.
    #[must_use]
    pub const fn since(&self) -> u16 {
        match self {
            Self::RegisterAuthority { .. }
            | Self::SetDeadlines { .. }
            | Self::Each { .. }
            | Self::Chain { .. }
            | Self::PayAvailable { .. }
            | Self::HoldPayment { .. }
            | Self::PostHold { .. }
            | Self::ReleaseHold { .. }
            | Self::Refund { .. }
            | Self::DisputePayment { .. }
            | Self::Correct { .. }
            | Self::OrderFreeze { .. }
            | Self::ConfirmFreeze { .. }
            | Self::LiftFreeze { .. } => 2,
            Self::RegisterPeer { .. }
            | Self::SetPeer { .. }
            | Self::Correspond { .. }
            | Self::SendAbroad { .. }
            | Self::ReceiveFromAbroad { .. }
            | Self::SettleTransit { .. } => 3,
            Self::SetNoteRules { .. }
            | Self::RegisterKeyset { .. }
            | Self::DeactivateKeyset { .. }
            | Self::ExpireKeyset { .. }
            | Self::MintNotes { .. }
            | Self::SwapNotes { .. }
            | Self::MeltNotes { .. } => 4,
            _ => 1,
        }
    }

    /// The wallets between which it moves money, if it says so itself.
    pub(crate) const fn wallets(&self) -> [Option<AccountId>; 2] {
        match self {
            Self::Pay { payer, payee, .. }
            | Self::PayAvailable { payer, payee, .. }
            | Self::HoldPayment { payer, payee, .. } => [Some(*payer), Some(*payee)],
            _ => [None, None],
        }
    }

    /// Whether it moves money and opens nothing, so that it may stand in a [`Chain`].
    #[must_use]
    pub const fn is_transfer(&self) -> bool {
        matches!(
            self,
            Self::Pay { .. }
                | Self::PayAvailable { close: false, .. }
                | Self::HoldPayment { .. }
                | Self::PostHold { .. }
                | Self::ReleaseHold { .. }
                | Self::Refund { .. }
                | Self::Exchange { .. }
                | Self::FundSubWallet { .. }
        )
    }
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
    /// Works out ahead what the machine would else have to: what each order of a list commits to.
    /// To be called where the signature is verified.
    pub fn prepare(&self) {
        if let Action::Each { orders } = &self.order.action {
            orders.contents(&self.institution);
        }
    }

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
