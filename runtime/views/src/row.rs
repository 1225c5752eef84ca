//! What is kept of a transfer, and how it is written: rows are numbered from 1 in the order of the
//! log, and each leads back to the row before it of both its accounts.

use crate::varint::{Reader, write};
use yufu_base::CommandId;
use yufu_machine::{AccountNumber, TransferKind};

/// The number of a row. The first is 1.
pub(crate) type RowNumber = u64;

/// One account's side of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) account: AccountNumber,
    /// What it held afterwards.
    pub(crate) balance: u64,
    /// Which of the account's entries it is, from 1.
    pub(crate) entry: u64,
    /// The row of the entry before it, 0 if there is none.
    pub(crate) previous: RowNumber,
}

/// A transfer as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) command: CommandId,
    pub(crate) kind: TransferKind,
    pub(crate) amount: u64,
    pub(crate) debit: Side,
    pub(crate) credit: Side,
}

/// The kinds by the byte that stands for them. New ones go last.
const KINDS: [TransferKind; 18] = [
    TransferKind::Other,
    TransferKind::Payment,
    TransferKind::HeldPayment,
    TransferKind::Dispute,
    TransferKind::Refund,
    TransferKind::Correction,
    TransferKind::Exchange,
    TransferKind::Movement,
    TransferKind::Filling,
    TransferKind::Emptying,
    TransferKind::Sent,
    TransferKind::Received,
    TransferKind::Settled,
    TransferKind::Returned,
    TransferKind::Withdrawal,
    TransferKind::Redemption,
    TransferKind::NoteExchange,
    TransferKind::NoteExpiry,
];

impl Row {
    /// Appends it, as the row `number`.
    pub(crate) fn write(&self, number: RowNumber, bytes: &mut Vec<u8>) {
        bytes.extend(self.command.bits().to_be_bytes());
        let kind = KINDS.iter().position(|kind| *kind == self.kind).unwrap_or_default();
        bytes.push(u8::try_from(kind).unwrap_or_default());
        write(self.amount, bytes);
        for side in [&self.debit, &self.credit] {
            write(u64::from(side.account.0), bytes);
            write(side.balance, bytes);
            write(side.entry, bytes);
            // How far back: most are near.
            let back = if side.previous == 0 { 0 } else { number.saturating_sub(side.previous) };
            write(back, bytes);
        }
    }

    /// Reads what [`Row::write`] wrote. `None` for anything else.
    pub(crate) fn read(number: RowNumber, reader: &mut Reader<'_>) -> Option<Self> {
        let command = CommandId::new(u128::from_be_bytes(reader.array()?)).ok()?;
        let [kind] = reader.array()?;
        let kind = *KINDS.get(usize::from(kind))?;
        let amount = reader.number()?;
        let mut side = || {
            let account = AccountNumber(u32::try_from(reader.number()?).ok()?);
            let (balance, entry, back) = (reader.number()?, reader.number()?, reader.number()?);
            let previous = if back == 0 { 0 } else { number.checked_sub(back)? };
            Some(Side { account, balance, entry, previous })
        };
        Some(Self { command, kind, amount, debit: side()?, credit: side()? })
    }

    /// The side of an account, and whether it was the debited one.
    pub(crate) fn side_of(&self, account: AccountNumber) -> Option<(&Side, bool)> {
        let sides = [(&self.debit, true), (&self.credit, false)];
        sides.into_iter().find(|(side, _)| side.account == account)
    }

    /// The account on the other side.
    pub(crate) const fn other_than(&self, debited: bool) -> AccountNumber {
        if debited { self.credit.account } else { self.debit.account }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use yufu_base::Timestamp;

    fn side(number: u64) -> impl Strategy<Value = Side> {
        (any::<u32>(), any::<u64>(), any::<u64>(), 0..number).prop_map(
            |(account, balance, entry, previous)| Side {
                account: AccountNumber(account),
                balance,
                entry,
                previous,
            },
        )
    }

    fn row() -> impl Strategy<Value = (u64, Row)> {
        (1..u64::MAX).prop_flat_map(|number| {
            let kind = proptest::sample::select(KINDS.to_vec());
            let id = (0..1_u64 << 48, any::<u128>())
                .prop_map(|(at, bits)| CommandId::at(Timestamp::from_millis(at), bits));
            (Just(number), id, kind, any::<u64>(), side(number), side(number)).prop_map(
                |(number, command, kind, amount, debit, credit)| {
                    (number, Row { command, kind, amount, debit, credit })
                },
            )
        })
    }

    proptest! {
        #[test]
        fn a_row_is_read_back_as_it_was_written((number, row) in row()) {
            let mut bytes = Vec::new();
            row.write(number, &mut bytes);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(Row::read(number, &mut reader), Some(row));
            prop_assert!(reader.is_at_end());
            for cut in 0..bytes.len() {
                let cut = bytes.get(..cut).unwrap_or_default();
                prop_assert_eq!(Row::read(number, &mut Reader::new(cut)), None);
            }
        }
    }

    #[test]
    fn each_kind_has_its_byte() {
        for kind in [TransferKind::Other, TransferKind::Payment, TransferKind::Emptying] {
            assert_eq!(KINDS.iter().filter(|known| **known == kind).count(), 1, "{kind:?}");
        }
    }
}
