//! What can still be taken back of a transfer: refunded, disputed or corrected, never more in all
//! than was transferred.

use crate::command::{Direction, Resolution};
use crate::refusal::Refusal;
use borsh::{BorshDeserialize, BorshSerialize};
use yufu_base::CommandId;
use yufu_ledger::{Posted, WalletSlot};
use yufu_registry::InstitutionNumber;

/// What of a command can be taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Reversible {
    /// Nothing: it was no transfer, or one that cannot be.
    #[default]
    Nothing,
    /// A payment, which its payee's bank can refund, and its payer's bank dispute.
    Payment(Payment),
    /// An exchange or a movement, which whoever made it can correct.
    Entry(Box<Entry>),
    /// A payment to another ledger, which nobody takes back: that one says what became of it.
    Abroad { peer: InstitutionNumber, number: u64, came_to: Option<Resolution> },
}

/// A payment between wallets, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Payment {
    pub(crate) payer: WalletSlot,
    pub(crate) payee: WalletSlot,
    pub(crate) amount: u64,
    /// What was refunded, or is held while it is disputed.
    pub(crate) reversed: u64,
}

/// An exchange or a movement, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Entry {
    pub(crate) by: InstitutionNumber,
    pub(crate) what: Entered,
    pub(crate) amount: u64,
    pub(crate) reversed: u64,
}

/// What was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Entered {
    /// At a bank's desk.
    Exchange(Direction),
    /// For a bank.
    Movement(Posted),
}

impl Reversible {
    pub(crate) const fn payment(payer: WalletSlot, payee: WalletSlot, amount: u64) -> Self {
        Self::Payment(Payment { payer, payee, amount, reversed: 0 })
    }

    pub(crate) const fn abroad(peer: InstitutionNumber, number: u64) -> Self {
        Self::Abroad { peer, number, came_to: None }
    }

    pub(crate) fn entry(by: InstitutionNumber, what: Entered, amount: u64) -> Self {
        Self::Entry(Box::new(Entry { by, what, amount, reversed: 0 }))
    }
}

impl Payment {
    /// The payment after `amount` more is taken back of it.
    pub(crate) fn reversing(&self, of: CommandId, amount: u64) -> Result<Self, Refusal> {
        Ok(Self { reversed: reversed(of, self.amount, self.reversed, amount)?, ..*self })
    }
}

impl Entry {
    /// The entry after `amount` more is taken back of it.
    pub(crate) fn reversing(&self, of: CommandId, amount: u64) -> Result<Self, Refusal> {
        Ok(Self { reversed: reversed(of, self.amount, self.reversed, amount)?, ..*self })
    }
}

fn reversed(of: CommandId, whole: u64, so_far: u64, amount: u64) -> Result<u64, Refusal> {
    let left = whole.saturating_sub(so_far);
    if amount > left {
        return Err(Refusal::MoreThanTransferred { of, left, requested: amount });
    }
    Ok(so_far.saturating_add(amount))
}

impl Direction {
    /// The other way round.
    pub(crate) const fn back(self) -> Self {
        match self {
            Self::PaperToDigital(account) => Self::DigitalToPaper(account),
            Self::DigitalToPaper(account) => Self::PaperToDigital(account),
            Self::DepositToDigital(account) => Self::DigitalToDeposit(account),
            Self::DigitalToDeposit(account) => Self::DepositToDigital(account),
            Self::PaperToDeposit => Self::DepositToPaper,
            Self::DepositToPaper => Self::PaperToDeposit,
        }
    }
}
