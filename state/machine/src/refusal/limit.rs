//! A limit that is exceeded: which, what remains of it, and what would lift it.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use yufu_registry::ClassId;

/// A limit that is exceeded, what remains of it, and what would lift it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LimitExceeded {
    /// Which limit.
    pub kind: LimitKind,
    /// The limit that holds, in minor units.
    pub limit: u64,
    /// What remains of it, in minor units.
    pub remaining: u64,
    /// What was asked for, in minor units.
    pub requested: u64,
    /// What would lift it; `None` if nothing would.
    pub step_up: Option<StepUp>,
}

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum LimitKind {
    /// Of one payment.
    Single,
    /// Of one calendar day.
    Daily,
    /// Of one calendar year.
    Yearly,
    /// Of what the wallet may hold, its sub-wallets included.
    Balance,
    /// Of what all wallets of the class at the bank may hold together.
    Aggregate,
    /// Of one payment from a sub-wallet.
    SubSingle,
    /// Of one calendar day of a sub-wallet.
    SubDaily,
    /// Of what a sub-wallet may hold.
    SubBalance,
    /// Of one withdrawal into bearer notes.
    NotesSingle,
    /// Of withdrawals into bearer notes in one calendar day.
    NotesDaily,
    /// Of withdrawals into bearer notes in one calendar year.
    NotesYearly,
    /// Of what a registered payee may be paid with bearer notes in one order.
    NotesRedeemed,
}

impl LimitKind {
    /// Whether it is a limit on bearer notes.
    #[must_use]
    pub const fn is_of_notes(self) -> bool {
        matches!(
            self,
            Self::NotesSingle | Self::NotesDaily | Self::NotesYearly | Self::NotesRedeemed
        )
    }
}

/// What would lift a limit.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum StepUp {
    /// A presentation of an identity suffices for this payment.
    Presentation,
    /// A wallet of one of these classes would be allowed to.
    Classes(Vec<ClassId>),
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, remaining, requested, .. } = self;
        let what = match self.kind {
            LimitKind::Single => "one payment may be",
            LimitKind::Daily => "may be paid in a day",
            LimitKind::Yearly => "may be paid in a year",
            LimitKind::Balance => "the wallet may hold",
            LimitKind::Aggregate => "all wallets of the class at the bank may hold",
            LimitKind::SubSingle => "one payment from the sub-wallet may be",
            LimitKind::SubDaily => "may be paid from the sub-wallet in a day",
            LimitKind::SubBalance => "the sub-wallet may hold",
            LimitKind::NotesSingle => "may be withdrawn into bearer notes at once",
            LimitKind::NotesDaily => "may be withdrawn into bearer notes in a day",
            LimitKind::NotesYearly => "may be withdrawn into bearer notes in a year",
            LimitKind::NotesRedeemed => "may be paid with bearer notes in one order",
        };
        write!(
            f,
            "{requested} asked, at most {limit} {what}, {remaining} remains (minor units): "
        )?;
        match &self.step_up {
            Some(StepUp::Presentation) => f.write_str("confirm with an identity, or ask for less"),
            Some(StepUp::Classes(classes)) => {
                write!(f, "ask for less, or use a wallet of class")?;
                for (place, class) in classes.iter().enumerate() {
                    write!(f, "{} {class}", if place == 0 { "" } else { " or" })?;
                }
                Ok(())
            }
            None => f.write_str("ask for less; no step-up lifts this limit"),
        }
    }
}
