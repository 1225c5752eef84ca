//! What moves, for whoever keeps a history of it: a machine that notes each transfer with the order
//! that caused it. Nothing of it is part of the state.

use crate::books::Books;
use crate::command::{Action, Resolution};
use crate::machine::Machine;
use yufu_ledger::{Account, AccountNumber, HoldPurpose, Transfer, TransferKind};
use yufu_registry::ClassId;

impl Machine {
    /// Notes from now on what moves, until it is taken with [`Machine::take_transfers`].
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.traced = true;
        if let Some(books) = &mut self.books {
            books.ledger.begin_trace();
        }
        self
    }

    /// What moved since this was last asked, in its order; nothing unless it is [`Machine::traced`].
    pub fn take_transfers(&mut self) -> Vec<Transfer> {
        self.books.as_mut().map(|books| books.ledger.take_transfers()).unwrap_or_default()
    }

    /// The accounts opened after the first `from` there are, each with its number, in their order.
    pub fn opened_after(
        &self,
        from: u32,
    ) -> impl Iterator<Item = (AccountNumber, &Account<ClassId>)> {
        let place = usize::try_from(from).unwrap_or(usize::MAX);
        let opened = self.books.iter().flat_map(move |books| books.ledger.opened_after(place));
        opened.zip(from..).map(|(account, number)| (AccountNumber(number), account))
    }
}

impl Books {
    /// What a transfer that `action` causes will be.
    pub(crate) fn transfer_kind(&self, action: &Action) -> TransferKind {
        match action {
            Action::Pay { .. } | Action::PayAvailable { .. } => TransferKind::Payment,
            Action::PostHold { hold, .. } => match self.ledger.hold(*hold).map(|h| h.purpose()) {
                Some(HoldPurpose::Dispute { .. }) => TransferKind::Dispute,
                Some(HoldPurpose::Payment) | None => TransferKind::HeldPayment,
            },
            Action::Refund { .. } => TransferKind::Refund,
            Action::Correct { .. } => TransferKind::Correction,
            Action::Exchange { .. } => TransferKind::Exchange,
            Action::FundSubWallet { .. } => TransferKind::Filling,
            Action::CloseWallet { .. } => TransferKind::Emptying,
            Action::SendAbroad { .. } => TransferKind::Sent,
            Action::ReceiveFromAbroad { .. } => TransferKind::Received,
            Action::SettleTransit { resolution: Resolution::Credited, .. } => TransferKind::Settled,
            Action::SettleTransit { .. } => TransferKind::Returned,
            Action::MintNotes { .. } => TransferKind::Withdrawal,
            Action::MeltNotes { .. } => TransferKind::Redemption,
            Action::SwapNotes { .. } => TransferKind::NoteExchange,
            Action::ExpireKeyset { .. } => TransferKind::NoteExpiry,
            Action::CreateReserves { .. }
            | Action::CancelReserves { .. }
            | Action::Issue { .. }
            | Action::Redeem { .. }
            | Action::SupplyPaper { .. }
            | Action::ReturnPaper { .. }
            | Action::CreditDeposits { .. } => TransferKind::Movement,
            _ => TransferKind::Other,
        }
    }
}
