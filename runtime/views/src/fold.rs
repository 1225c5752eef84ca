//! Folding: from what moved in a record to the rows that are kept of it. In memory are the newest
//! row, the number of entries and the balance of each account: 32 bytes.

use crate::error::ViewError;
use crate::row::{Row, RowNumber, Side};
use crate::store::{Batch, BlockBuilder, Opened};
use crate::traced::Told;
use std::iter;
use yufu_base::{CommandId, Timestamp};
use yufu_log::Seq;
use yufu_machine::{AccountNumber, Machine, Transfer};

/// Where an account stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The row of its newest entry, 0 if there is none.
    pub(crate) newest: RowNumber,
    pub(crate) balance: u64,
    pub(crate) entries: u64,
    pub(crate) debit_balanced: bool,
}

/// Where all accounts stand, and what was folded since it was last taken.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    pub(crate) heads: Vec<Head>,
    /// The newest row.
    pub(crate) rows: RowNumber,
    pub(crate) batch: Batch,
}

impl Fold {
    /// Takes up the accounts that a machine has beyond those known, with what they hold in it.
    pub(crate) fn open(&mut self, machine: &Machine, at: Timestamp, with_balances: bool) {
        let known = u32::try_from(self.heads.len()).unwrap_or(u32::MAX);
        for (number, account) in machine.opened_after(known) {
            let debit_balanced = account.kind().debit_balanced();
            let opening = if with_balances { account.balance() } else { 0 };
            self.heads.push(Head { balance: opening, debit_balanced, ..Head::default() });
            let id = account.id();
            self.batch.opened.push(Opened { number, id, debit_balanced, at, opening });
        }
    }

    /// Folds a record: what each of its commands came to, and the machine after it.
    pub(crate) fn record(
        &mut self,
        (seq, at): (Seq, Timestamp),
        outcomes: &[Told],
        machine: &Machine,
    ) -> Result<(), ViewError> {
        self.open(machine, at, false);
        let mut builder = None;
        let mut last: Option<CommandId> = None;
        for transfer in outcomes.iter().flat_map(|told| &told.transfers) {
            let number = self.rows.saturating_add(1);
            let row = self.row(number, transfer).ok_or_else(|| differs(seq, transfer))?;
            self.batch.index(number, &row, last != Some(row.command));
            last = Some(row.command);
            self.rows = number;
            let filled: &mut BlockBuilder =
                builder.get_or_insert_with(|| BlockBuilder::new(number, seq, at));
            if filled.push(number, &row) {
                self.batch.blocks.extend(builder.take().and_then(BlockBuilder::finish));
            }
        }
        self.batch.blocks.extend(builder.and_then(BlockBuilder::finish));
        Ok(())
    }

    /// The row of a transfer; moves both accounts on to it. `None`, if it does not follow from
    /// where they stand.
    fn row(&mut self, number: RowNumber, transfer: &Transfer) -> Option<Row> {
        let Transfer { command, kind, debit, credit, amount, debit_balance, credit_balance } =
            *transfer;
        let debit = self.side(number, (debit, true), amount, debit_balance)?;
        let credit = self.side(number, (credit, false), amount, credit_balance)?;
        Some(Row { command, kind, amount, debit, credit })
    }

    fn side(
        &mut self,
        number: RowNumber,
        (account, debited): (AccountNumber, bool),
        amount: u64,
        balance: u64,
    ) -> Option<Side> {
        let head = self.heads.get_mut(usize::try_from(account.0).ok()?)?;
        if after(head.balance, amount, debited == head.debit_balanced) != Some(balance) {
            return None;
        }
        let previous = head.newest;
        *head = Head {
            newest: number,
            balance,
            entries: head.entries.saturating_add(1),
            debit_balanced: head.debit_balanced,
        };
        Some(Side { account, balance, entry: head.entries, previous })
    }

    /// The machine and where all accounts stand say the same.
    pub(crate) fn agrees(&self, machine: &Machine) -> Result<(), ViewError> {
        let theirs = machine
            .opened_after(0)
            .map(|(number, account)| (number, account.balance(), account.kind().debit_balanced()));
        let ours = self.heads.iter().map(Some).chain(iter::repeat(None));
        let mut count = 0_usize;
        for ((number, balance, debit_balanced), head) in theirs.zip(ours) {
            let ours = head.map(|head| (head.balance, head.debit_balanced));
            if ours != Some((balance, debit_balanced)) {
                let ours =
                    head.map_or_else(|| "nothing".to_owned(), |head| head.balance.to_string());
                return Err(ViewError::Mismatch(format!(
                    "account {} holds {balance} in the ledger, and {ours} in the history",
                    number.0
                )));
            }
            count = count.saturating_add(1);
        }
        if count == self.heads.len() {
            return Ok(());
        }
        let more = self.heads.len();
        Err(ViewError::Mismatch(format!("it has {more} accounts, and the ledger {count}")))
    }
}

/// A balance after `amount` came in or went out.
pub(crate) const fn after(balance: u64, amount: u64, comes_in: bool) -> Option<u64> {
    if comes_in { balance.checked_add(amount) } else { balance.checked_sub(amount) }
}

fn differs(seq: Seq, transfer: &Transfer) -> ViewError {
    ViewError::Mismatch(format!(
        "in record {seq}, the balances after the transfer of command {} do not follow from those before it",
        transfer.command
    ))
}
