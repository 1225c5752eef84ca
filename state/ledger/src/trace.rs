//! What moved, for whoever keeps a history: noted only where that is asked for, and no part of the
//! books. Its place is [`Ledger::commit`], where every balance changes.

use crate::account::Account;
use crate::ledger::{Ledger, Slot};
use crate::posting::Entry;
use yufu_base::{AccountId, CommandId};

/// The place of an account among all, in the order in which they were opened, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountNumber(pub u32);

/// What a transfer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransferKind {
    /// A payment from wallet to wallet.
    Payment,
    /// A held payment, posted in full or in part.
    HeldPayment,
    /// A disputed payment that went back to its payer.
    Dispute,
    /// A refund by the payee.
    Refund,
    /// A correction of what was entered by mistake.
    Correction,
    /// One side of an exchange at a bank's desk.
    Exchange,
    /// Between the central bank and a bank, or a bank's credit to its depositors.
    Movement,
    /// Into a sub-wallet, from the wallet above it.
    Filling,
    /// What was left of a sub-wallet that was closed, into the wallet above it.
    Emptying,
    /// A payment to another ledger: from the wallet, on its way.
    Sent,
    /// A payment from another ledger: from its correspondent to the wallet.
    Received,
    /// What was on its way arrived: to the correspondent.
    Settled,
    /// What was on its way came back.
    Returned,
    /// From a wallet into bearer notes.
    Withdrawal,
    /// From bearer notes into a wallet.
    Redemption,
    /// From the notes of one bank into those of another, or a fee for notes.
    NoteExchange,
    /// What was still out of a keyset when it was over.
    NoteExpiry,
    /// Anything else.
    Other,
}

/// One debit and one credit of the same amount, and what both accounts held afterwards; in minor
/// units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The order that caused it: of a list or a chain, the one in it.
    pub command: CommandId,
    /// What it was.
    pub kind: TransferKind,
    /// The account that was debited.
    pub debit: AccountNumber,
    /// The account that was credited.
    pub credit: AccountNumber,
    /// How much.
    pub amount: u64,
    /// The balance of the debited account afterwards.
    pub debit_balance: u64,
    /// The balance of the credited account afterwards.
    pub credit_balance: u64,
}

/// What moved since it was last taken.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    cause: (CommandId, TransferKind),
    transfers: Vec<Transfer>,
}

impl<C> Ledger<C> {
    /// Notes from now on what moves, until it is taken with [`Ledger::take_transfers`].
    pub fn begin_trace(&mut self) {
        let cause = (CommandId::at(yufu_base::Timestamp::default(), 0), TransferKind::Other);
        self.trace = Some(Box::new(Trace { cause, transfers: Vec::new() }));
    }

    /// Whether what moves is noted.
    #[must_use]
    pub const fn is_traced(&self) -> bool {
        self.trace.is_some()
    }

    /// What moves next is caused by `command`.
    pub fn trace_cause(&mut self, command: CommandId, kind: TransferKind) {
        if let Some(trace) = &mut self.trace {
            trace.cause = (command, kind);
        }
    }

    /// What moved since this was last asked, in its order; nothing if it is not noted.
    pub fn take_transfers(&mut self) -> Vec<Transfer> {
        self.trace.as_mut().map(|trace| std::mem::take(&mut trace.transfers)).unwrap_or_default()
    }

    /// The accounts opened after the first `from`, in their order.
    pub fn opened_after(&self, from: usize) -> impl Iterator<Item = &Account<C>> {
        (from..self.len()).filter_map(|place| {
            u32::try_from(place).ok().map(|place| self.at(Slot::at_place(place)))
        })
    }

    /// How many transfers are noted: what an undone chain goes back to.
    pub(crate) fn traced(&self) -> usize {
        self.trace.as_ref().map_or(0, |trace| trace.transfers.len())
    }

    /// Forgets what an undone chain moved.
    pub(crate) fn untrace(&mut self, to: usize) {
        if let Some(trace) = &mut self.trace {
            trace.transfers.truncate(to);
        }
    }

    /// Notes an entry that was just posted. Nothing moves where the amount is nothing.
    #[cold]
    #[inline(never)]
    pub(crate) fn note(&mut self, entry: Entry, amount: u64) {
        let balance = |slot: Slot| self.at(slot).balance();
        let (debit_balance, credit_balance) = (balance(entry.debit), balance(entry.credit));
        let Some(trace) = self.trace.as_mut().filter(|_| amount > 0) else { return };
        let (command, kind) = trace.cause;
        trace.transfers.push(Transfer {
            command,
            kind,
            debit: entry.debit.number(),
            credit: entry.credit.number(),
            amount,
            debit_balance,
            credit_balance,
        });
    }
}

impl<C> Account<C> {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> AccountId {
        self.id
    }
}
