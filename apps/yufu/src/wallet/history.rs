//! The one history of what a wallet got, showed and paid: parties, purposes and claim names; never values.

use serde::{Deserialize, Serialize};
use yufu_trust::Receipt;

/// One event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// When, in seconds since the epoch.
    pub at: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Credentials were received.
    Received {
        /// From whom.
        issuer: String,
        /// Of which type.
        vct: String,
        /// How many, each for one use.
        count: usize,
    },
    /// Something was shown.
    Disclosed {
        /// To whom.
        party: String,
        /// What for.
        purpose: String,
        /// The names of the claims shown.
        claims: Vec<String>,
        /// The wallet's own receipt: commits to the request and the names.
        receipt: Box<Receipt>,
        /// The other side's receipt, signed by it.
        signed_receipt: Option<String>,
        /// The signed request, which both receipts commit to.
        request: String,
    },
    /// Something was asked, and declined.
    Declined {
        /// By whom.
        party: String,
        /// Why it was declined.
        reason: String,
        /// The signed request; unknown for entries of the first version.
        #[serde(default)]
        request: Option<String>,
    },
    /// A payment was made.
    Paid {
        /// To whom.
        payee: String,
        /// The payee's account.
        account: String,
        /// How much, in minor units.
        amount_minor: u64,
        /// Of which currency; unknown for entries of the first version.
        #[serde(default)]
        currency: Option<String>,
        /// The order's id.
        order: String,
        /// Whether an identity was shown to lift the limit.
        stepped_up: bool,
    },
    /// Somebody asked what they may not, or not in this way: nobody was asked, nothing was shown.
    Refused {
        /// Who asked, as registered; their client id if no registration holds.
        party: String,
        /// The rule that the request breaks.
        reason: String,
        /// The signed request, if it is evidence to report with.
        request: Option<String>,
    },
    /// A payment was refused by a rule; nothing moved.
    PaymentRefused {
        /// To whom.
        payee: String,
        /// How much, in minor units.
        amount_minor: u64,
        /// Of which currency.
        currency: String,
        /// The order's id.
        order: String,
        /// The rule's code.
        code: String,
    },
    /// A relying party was reported.
    Reported {
        /// Which.
        party: String,
        /// Why.
        reason: String,
        /// The registrar's number of the report, if it took it.
        report: Option<String>,
    },
    /// Copies were deleted by the person.
    Discarded {
        /// Of which type.
        vct: String,
        /// How many.
        count: usize,
    },
    /// A party was asked to delete what it had been shown.
    DeletionAsked {
        /// Which.
        party: String,
        /// `erased` or `kept`.
        state: String,
        /// Until when it is kept, in seconds since the epoch.
        kept_until: Option<u64>,
    },
    /// The holder enrolled in a programme, or showed anew to be alive.
    Enrolled {
        /// The agency.
        agency: String,
        /// The programme.
        programme: String,
    },
    /// A programme was to pay to another account from then on.
    PayoutChanged {
        /// The agency.
        agency: String,
        /// The programme.
        programme: String,
        /// The account.
        account: String,
    },
    /// The holder left a programme.
    LeftProgramme {
        /// The agency.
        agency: String,
        /// The programme.
        programme: String,
    },
    /// A programme's payment for a month was seen as settled.
    Benefit {
        /// The agency.
        agency: String,
        /// The programme.
        programme: String,
        /// The month.
        month: String,
        /// How much, in minor units of the ledger's currency.
        amount_minor: u64,
        /// `paid` or `returned`.
        state: String,
        /// Why it came back, if it did.
        reason: Option<String>,
    },
    /// Signed that another wallet commands an account.
    HandedOver {
        /// The bank.
        bank: String,
        /// The account.
        account: String,
    },
    /// An account was taken over from another wallet, or recovered.
    TookOver {
        /// The bank.
        bank: String,
        /// The account.
        account: String,
    },
    /// Another wallet commands an account: it was let go here.
    AccountMoved {
        /// The bank.
        bank: String,
        /// The account.
        account: String,
    },
    /// Bearer notes were withdrawn from an account.
    CashWithdrawn {
        /// The bank whose notes they are.
        bank: String,
        /// How much, in minor units.
        amount_minor: u64,
        /// Of which currency.
        currency: String,
    },
    /// Bearer notes were given to somebody, whom they do not name.
    CashPaid {
        /// What the payment is called in this wallet.
        number: u64,
        /// How much, in minor units.
        amount_minor: u64,
        /// Of which currency.
        currency: String,
    },
    /// Bearer notes came from somebody.
    CashReceived {
        /// The bank whose notes they are.
        bank: String,
        /// How much, in minor units.
        amount_minor: u64,
        /// Of which currency.
        currency: String,
    },
    /// Bearer notes were taken from somebody without network: they are to be collected yet.
    CashTakenOffline {
        /// The bank whose notes they are.
        bank: String,
        /// How much, in minor units.
        amount_minor: u64,
        /// Of which currency.
        currency: String,
    },
    /// Whoever took bearer notes that were locked to a hash showed its preimage.
    CashOpened {
        /// What the payment is called in this wallet.
        number: u64,
        /// The preimage, in hexadecimal.
        preimage: String,
    },
    /// Bearer notes that were given to somebody are back.
    CashTakenBack {
        /// The bank whose notes they are.
        bank: String,
        /// How much, in minor units.
        amount_minor: u64,
        /// Of which currency.
        currency: String,
    },
    /// Others spent these bearer notes before.
    CashLost {
        /// The bank whose notes they were.
        bank: String,
        /// How much, in minor units.
        amount_minor: u64,
        /// Of which currency.
        currency: String,
    },
    /// Bearer notes were redeemed to an account.
    CashRedeemed {
        /// The bank whose notes they were.
        bank: String,
        /// How much, in minor units.
        amount_minor: u64,
        /// Of which currency.
        currency: String,
    },
    /// The issuer withdrew the key that signed credentials: they count no more.
    Voided {
        /// Who issued them.
        issuer: String,
        /// Of which type.
        vct: String,
        /// How many there were.
        count: usize,
    },
    /// A sheet was written that freezes everything.
    SheetWritten,
    /// Another wallet was frozen with its sheet.
    Froze {
        /// At these institutions.
        institutions: Vec<String>,
    },
    /// A backup was written.
    BackedUp,
    /// The wallet was made from a backup.
    Restored,
}
