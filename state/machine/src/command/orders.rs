//! Lists of orders under one signature: never empty, bounded, and never one within another, so
//! that no bytes can make a decoder nest.

use super::content::Contents;
use super::{Action, Order};
use borsh::de::EnumExt;
use borsh::{BorshDeserialize, BorshSerialize};
use std::borrow::Cow;
use std::io;
use yufu_base::{CommandId, Digest, InstitutionId};

/// Orders an [`Orders`] may have.
const MOST_ORDERS: usize = 8_192;
/// Transfers a [`Chain`] may have.
const MOST_LINKED: usize = 64;

/// Why orders are no list of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrdersError {
    /// Too few or too many.
    #[error("{found} orders: expected 1 to {most}")]
    Count {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// An order is itself a list of orders.
    #[error("order {place} is itself a list of orders: submit that one by itself")]
    Nested {
        /// Its place, from 0.
        place: usize,
    },
    /// An order in a chain does not only move money.
    #[error("order {place} is no transfer: a chain has transfers only")]
    NoTransfer {
        /// Its place, from 0.
        place: usize,
    },
}

/// Orders that are done one after another, each for itself: 1 to 8,192; chains may be among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orders {
    list: Vec<Order>,
    contents: Contents,
}

/// Transfers that are all done or none: 1 to 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain(Vec<Order>);

impl Orders {
    /// A list of `orders`.
    ///
    /// # Errors
    /// [`OrdersError`], the first in the order of its variants.
    pub fn new(orders: Vec<Order>) -> Result<Self, OrdersError> {
        count(orders.len(), MOST_ORDERS)?;
        match orders.iter().position(|order| matches!(order.action, Action::Each { .. })) {
            Some(place) => Err(OrdersError::Nested { place }),
            None => Ok(Self { list: orders, contents: Contents::default() }),
        }
    }

    /// The orders.
    #[must_use]
    pub fn as_slice(&self) -> &[Order] {
        &self.list
    }

    /// What each commits to, as signed by `institution`.
    pub(crate) fn contents(&self, institution: &InstitutionId) -> Cow<'_, [Digest]> {
        self.contents.of(institution, &self.list)
    }
}

impl Chain {
    /// A chain of `orders`.
    ///
    /// # Errors
    /// [`OrdersError`], the first in the order of its variants.
    pub fn new(orders: Vec<Order>) -> Result<Self, OrdersError> {
        count(orders.len(), MOST_LINKED)?;
        match orders.iter().position(|order| !order.action.is_transfer()) {
            Some(place) => Err(OrdersError::NoTransfer { place }),
            None => Ok(Self(orders)),
        }
    }

    /// The transfers.
    #[must_use]
    pub fn as_slice(&self) -> &[Order] {
        &self.0
    }
}

const fn count(found: usize, most: usize) -> Result<(), OrdersError> {
    if found >= 1 && found <= most { Ok(()) } else { Err(OrdersError::Count { found, most }) }
}

/// Reads a list without following what could nest: the tag of each action is looked at first.
fn read<R: io::Read>(
    reader: &mut R,
    most: usize,
    nests: impl Fn(u8) -> bool,
) -> io::Result<Vec<Order>> {
    let found = usize::try_from(u32::deserialize_reader(reader)?).unwrap_or(usize::MAX);
    count(found, most).map_err(invalid)?;
    let mut orders = Vec::with_capacity(found.min(1_024));
    for place in 0..found {
        let id = CommandId::deserialize_reader(reader)?;
        let tag = u8::deserialize_reader(reader)?;
        if nests(tag) {
            return Err(invalid(OrdersError::Nested { place }));
        }
        orders.push(Order { id, action: Action::deserialize_variant(reader, tag)? });
    }
    Ok(orders)
}

fn invalid(error: OrdersError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

/// The tags of [`Action::Each`] and [`Action::Chain`]; a test holds them against the enum.
const EACH: u8 = 24;
const CHAIN: u8 = 25;

impl BorshSerialize for Orders {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.list.serialize(writer)
    }
}

impl BorshDeserialize for Orders {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Self::new(read(reader, MOST_ORDERS, |tag| tag == EACH)?).map_err(invalid)
    }
}

impl BorshSerialize for Chain {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.0.serialize(writer)
    }
}

impl BorshDeserialize for Chain {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Self::new(read(reader, MOST_LINKED, |tag| tag == EACH || tag == CHAIN)?).map_err(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_base::{AccountId, Timestamp};

    fn order(action: Action) -> Order {
        Order { id: CommandId::at(Timestamp::default(), 1), action }
    }

    fn release() -> Order {
        order(Action::ReleaseHold { hold: CommandId::at(Timestamp::default(), 2) })
    }

    fn chain() -> Action {
        Action::Chain { orders: Chain::new(vec![release()]).unwrap() }
    }

    fn each() -> Action {
        Action::Each { orders: Orders::new(vec![release(), order(chain())]).unwrap() }
    }

    #[test]
    fn the_tags_are_those_of_the_enum() {
        assert_eq!(borsh::to_vec(&each()).unwrap().first(), Some(&EACH));
        assert_eq!(borsh::to_vec(&chain()).unwrap().first(), Some(&CHAIN));
    }

    #[test]
    fn a_list_is_neither_empty_nor_long_nor_nested() {
        let none = OrdersError::Count { found: 0, most: MOST_ORDERS };
        assert_eq!(Orders::new(Vec::new()), Err(none));
        let long = vec![release(); MOST_LINKED + 1];
        let found = OrdersError::Count { found: MOST_LINKED + 1, most: MOST_LINKED };
        assert_eq!(Chain::new(long), Err(found));
        let nested = vec![release(), order(each())];
        assert_eq!(Orders::new(nested), Err(OrdersError::Nested { place: 1 }));
        let opens = Action::CloseWallet { account: AccountId::new(1) };
        for action in [opens, chain(), each()] {
            let orders = vec![release(), order(action)];
            assert_eq!(Chain::new(orders), Err(OrdersError::NoTransfer { place: 1 }));
        }
    }

    #[test]
    fn what_is_no_list_does_not_decode_however_deep_it_nests() {
        for action in [each(), chain()] {
            let bytes = borsh::to_vec(&action).unwrap();
            assert_eq!(borsh::from_slice::<Action>(&bytes).unwrap(), action);
        }
        let id = borsh::to_vec(&CommandId::at(Timestamp::default(), 1)).unwrap();
        for tag in [EACH, CHAIN] {
            let mut bytes = Vec::new();
            for _ in 0..200_000 {
                bytes.extend([tag, 1, 0, 0, 0]);
                bytes.extend(&id);
            }
            assert!(borsh::from_slice::<Action>(&bytes).is_err());
        }
        assert!(borsh::from_slice::<Orders>(&u32::MAX.to_le_bytes()).is_err());
        assert!(borsh::from_slice::<Chain>(&[0; 4]).is_err());
    }
}
