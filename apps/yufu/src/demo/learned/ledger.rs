//! What the central bank has in its log since it was last looked at: by name, and by nothing but the log.

use anyhow::Result;
use std::collections::BTreeSet;
use std::path::PathBuf;
use yufu_engine::decode_batch;
use yufu_log::{Head, SqliteLog, VerifiedRecords};
use yufu_machine::{Action, Authorisation, Direction, Machine};

/// A log, read up to some record.
pub(super) struct Ledger {
    path: PathBuf,
    head: Head,
}

impl Ledger {
    /// The log at `path`, nothing of it read.
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, head: Head::EMPTY }
    }

    /// What commands since the last call told, refused ones included: they stay in the log too.
    pub(super) fn changes(&mut self) -> Result<BTreeSet<String>> {
        let log = SqliteLog::open_read_only(&self.path)?;
        let mut told = BTreeSet::new();
        for record in VerifiedRecords::new(&log, self.head) {
            let record = record?;
            for command in decode_batch::<Machine>(&record.payload)?.commands {
                told.extend(names(&command.order.action));
            }
            self.head = record.head();
        }
        Ok(told)
    }
}

/// What an action says, in words.
pub(super) fn names(action: &Action) -> BTreeSet<String> {
    let inner = match action {
        Action::Each { orders } => orders.as_slice(),
        Action::Chain { orders } => orders.as_slice(),
        _ => &[],
    };
    let own = tells(action).iter().map(|&name| name.to_owned());
    own.chain(inner.iter().flat_map(|order| names(&order.action))).collect()
}

/// The words. Every action also says which institution submits it, and when.
#[expect(clippy::too_many_lines, reason = "a flat list of what each action says")]
fn tells(action: &Action) -> &'static [&'static str] {
    match action {
        Action::Genesis { .. }
        | Action::RegisterBank { .. }
        | Action::ReplaceKey { .. }
        | Action::SetPolicy { .. }
        | Action::SetHoldingRules { .. }
        | Action::ActivateVersion { .. }
        | Action::RegisterAuthority { .. }
        | Action::SetDeadlines { .. }
        | Action::RegisterPeer { .. }
        | Action::SetPeer { .. }
        | Action::SettleTransit { .. }
        | Action::SetNoteRules { .. }
        // A mint's keys, the same for everybody.
        | Action::RegisterKeyset { .. }
        | Action::DeactivateKeyset { .. }
        | Action::ExpireKeyset { .. }
        // What is in a list is named by itself.
        | Action::Each { .. }
        | Action::Chain { .. } => &[],
        Action::CreateReserves { .. }
        | Action::CancelReserves { .. }
        | Action::Issue { .. }
        | Action::Redeem { .. }
        | Action::SupplyPaper { .. }
        | Action::ReturnPaper { .. }
        | Action::CreditDeposits { .. }
        | Action::Correspond { .. }
        | Action::Exchange {
            direction: Direction::PaperToDeposit | Direction::DepositToPaper,
            ..
        } => &["bank", "amount"],
        Action::OpenWallet { .. } | Action::SetClass { .. } => {
            &["account id", "wallet class", "bank"]
        }
        Action::Exchange { .. } => &["account id", "amount", "bank", "form of money"],
        Action::Pay { authorisation: Authorisation::Ordinary, .. } => {
            &["payer account id", "payee account id", "amount", "bank", "digest of the order"]
        }
        Action::Pay { authorisation: Authorisation::SteppedUp { .. }, .. } => &[
            "payer account id",
            "payee account id",
            "amount",
            "bank",
            "digest of the order",
            "digest of a presentation",
        ],
        Action::PayAvailable { authorisation: Authorisation::Ordinary, .. }
        | Action::HoldPayment { authorisation: Authorisation::Ordinary, .. } => {
            &["payer account id", "payee account id", "amount", "bank", "digest of the order"]
        }
        Action::PayAvailable { .. } | Action::HoldPayment { .. } | Action::SendAbroad { .. } => &[
            "payer account id",
            "payee account id",
            "amount",
            "bank",
            "digest of the order",
            "digest of a presentation",
        ],
        Action::PostHold { .. } => &["amount", "bank"],
        Action::ReleaseHold { .. } => &["bank"],
        Action::Refund { .. } => &["amount", "bank", "digest of the order"],
        Action::DisputePayment { .. } => &["amount", "bank", "digest of a complaint"],
        Action::Correct { .. } => &["amount", "bank", "digest of a reason"],
        Action::OrderFreeze { .. } => &["account id", "digest of a legal reference"],
        Action::ConfirmFreeze { .. } | Action::LiftFreeze { .. } => &[],
        Action::CloseWallet { .. } | Action::FlagDormant { .. } => &["account id", "bank"],
        Action::Reactivate { .. } => &["account id", "bank", "digest of a presentation"],
        Action::OpenSubWallet { .. } => &[
            "account id",
            "account id of the wallet above",
            "payee account id",
            "limits",
            "bank",
            "digest of the order",
        ],
        Action::FundSubWallet { .. } => &["account id", "amount", "bank", "digest of the order"],
        Action::ReceiveFromAbroad { .. } => {
            &["payee account id", "amount", "bank", "digest of the order"]
        }
        Action::MintNotes { minting } if minting.authorisation == Authorisation::Ordinary => {
            &["payer account id", "amount", "bank", "blinded outputs", "digest of the order"]
        }
        Action::MintNotes { .. } => &[
            "payer account id",
            "amount",
            "bank",
            "blinded outputs",
            "digest of the order",
            "digest of a presentation",
        ],
        Action::SwapNotes { .. } => &["amount", "bank", "blinded outputs", "points of spent notes"],
        Action::MeltNotes { melting } if melting.change.is_empty() => {
            &["payee account id", "amount", "bank", "points of spent notes"]
        }
        Action::MeltNotes { .. } => {
            &["payee account id", "amount", "bank", "blinded outputs", "points of spent notes"]
        }
    }
}
