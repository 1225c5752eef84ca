//! What a command came to.

use crate::refusal::Refusal;
use borsh::{BorshDeserialize, BorshSerialize};
use std::io;
use yufu_base::{Amount, Timestamp};

/// The outcome of a command: done, or refused with nothing changed.
pub type Outcome = Result<Done, Refusal>;

/// A command that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// When, by the ledger's clock.
    pub at: Timestamp,
    /// The balance afterwards of the wallet the command was about (of a payment, the payer's);
    /// `None` where it was about no wallet.
    pub balance: Option<Amount>,
    /// What each of several orders came to, in their order; `None` where it was one.
    pub each: Option<Box<[Outcome]>>,
}

impl Done {
    /// Of one order.
    #[must_use]
    pub const fn one(at: Timestamp, balance: Option<Amount>) -> Self {
        Self { at, balance, each: None }
    }
}

// The first version knew no lists of orders: 0 is no balance, 1 a balance, and 2 is what each of
// several came to.
impl BorshSerialize for Done {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.at.serialize(writer)?;
        match &self.each {
            None => self.balance.serialize(writer),
            Some(each) => {
                2_u8.serialize(writer)?;
                each.serialize(writer)
            }
        }
    }
}

impl BorshDeserialize for Done {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Self::read(reader, true)
    }
}

impl Done {
    fn read<R: io::Read>(reader: &mut R, may_be_several: bool) -> io::Result<Self> {
        let at = Timestamp::deserialize_reader(reader)?;
        Ok(match u8::deserialize_reader(reader)? {
            0 => Self::one(at, None),
            1 => Self::one(at, Some(Amount::deserialize_reader(reader)?)),
            2 if may_be_several => Self { at, balance: None, each: Some(several(reader)?) },
            tag => {
                let what = format!("{tag} is not what a command may come to");
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        })
    }
}

/// Lists do not lie in one another deeper than a chain in a list.
fn several<R: io::Read>(reader: &mut R) -> io::Result<Box<[Outcome]>> {
    let count = u32::deserialize_reader(reader)?;
    let mut each = Vec::new();
    for _ in 0..count {
        each.push(match u8::deserialize_reader(reader)? {
            0 => Err(Refusal::deserialize_reader(reader)?),
            1 => Ok(Done::read(reader, false)?),
            tag => {
                let what = format!("{tag} is no outcome");
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        });
    }
    Ok(each.into())
}
