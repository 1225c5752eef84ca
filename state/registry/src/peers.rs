//! Other ledgers: what money goes to and comes from, where each is asked, and the banks that take
//! this ledger's money here and give the other's there.

use crate::institution::InstitutionNumber;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::io;
use yufu_base::{Currency, InstitutionId, Timestamp};

/// The longest that anything may be on its way.
const MOST_DAYS: u32 = 366;
/// The most that may be on its way at a time: what the state keeps of it is bounded by that.
const MOST_UNRESOLVED: u32 = 100_000;
/// The longest address, in bytes.
const LONGEST_ADDRESS: usize = 200;

/// How a peer is dealt with, before it is validated.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PeerTerms {
    /// Where its central bank answers: `https://` or `http://`, a host, and no slash at the end.
    pub address: String,
    /// Whether anything new goes to it or is taken from it. What is on its way is resolved also if not.
    pub open: bool,
    /// How many transfers to it may be unresolved at a time, and from it unsettled.
    pub most_unresolved: u32,
    /// How many days ahead a transfer to it may expire.
    pub most_days: u32,
}

/// Validated terms.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Peering(PeerTerms);

/// Why terms are none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// The address is none.
    #[error(
        "an address begins with https:// or http://, has at most {LONGEST_ADDRESS} printable ASCII characters, and no slash at its end"
    )]
    Address,
    /// Nothing, or too much, may be on its way.
    #[error("{0} may be unresolved: expected 1 to {MOST_UNRESOLVED}")]
    Unresolved(u32),
    /// A bound of nothing, or of more than a year.
    #[error("{0} days are no bound: expected 1 to {MOST_DAYS}")]
    Days(u32),
}

impl Peering {
    /// Validates `terms`.
    ///
    /// # Errors
    /// [`PeerError`], the first in the order of its variants.
    pub fn new(terms: PeerTerms) -> Result<Self, PeerError> {
        let PeerTerms { address, open: _, most_unresolved, most_days } = &terms;
        let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        let printable = address.bytes().all(|byte| byte.is_ascii_graphic());
        let short = address.len() <= LONGEST_ADDRESS && !address.ends_with('/');
        if !printable || !short || host.is_none_or(str::is_empty) {
            return Err(PeerError::Address);
        }
        if !(1..=MOST_UNRESOLVED).contains(most_unresolved) {
            return Err(PeerError::Unresolved(*most_unresolved));
        }
        if !(1..=MOST_DAYS).contains(most_days) {
            return Err(PeerError::Days(*most_days));
        }
        Ok(Self(terms))
    }

    /// What they say.
    #[must_use]
    pub const fn terms(&self) -> &PeerTerms {
        &self.0
    }

    /// The latest that what is sent `now` may expire.
    #[must_use]
    pub fn latest(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(u64::from(self.0.most_days).saturating_mul(86_400))
    }
}

impl BorshDeserialize for Peering {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Self::new(PeerTerms::deserialize_reader(reader)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
    }
}

/// A peer: another ledger.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Peer {
    /// The currency it holds.
    pub currency: Currency,
    /// How it is dealt with.
    pub peering: Peering,
}

/// What a bank gives at a peer for what it takes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Rate {
    /// For so many minor units of this ledger,
    pub take: u64,
    /// it gives at most so many of the peer's.
    pub give: u64,
    /// From when on it gives nothing more.
    pub until: Timestamp,
}

impl Rate {
    /// The most it gives for `amount`; nothing for a rate that takes nothing.
    #[must_use]
    pub fn most_for(&self, amount: u64) -> u64 {
        let product = u128::from(amount).saturating_mul(self.give.into());
        let most = product.checked_div(self.take.into()).unwrap_or(0);
        u64::try_from(most).unwrap_or(u64::MAX)
    }
}

/// What a bank does for a peer: a correspondent.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Correspondent {
    /// Its own name, or its partner's, at the peer.
    pub there: InstitutionId,
    /// What it gives there; `None` is nothing.
    pub rate: Option<Rate>,
    /// How much of its stock of digital cash it is ready to give here, in minor units. What it gives
    /// is taken from that.
    pub ready: u64,
}

/// All peers, and the banks that work with each.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Peers {
    by_number: BTreeMap<InstitutionNumber, Peer>,
    /// By peer, then by bank.
    correspondents: BTreeMap<(InstitutionNumber, InstitutionNumber), Correspondent>,
}

impl Peers {
    /// A peer by its number.
    #[must_use]
    pub fn get(&self, number: InstitutionNumber) -> Option<&Peer> {
        self.by_number.get(&number)
    }

    /// All of them, in the order of registration.
    pub fn iter(&self) -> impl Iterator<Item = (InstitutionNumber, &Peer)> {
        self.by_number.iter().map(|(number, peer)| (*number, peer))
    }

    /// Enters a peer, or changes it.
    pub fn put(&mut self, number: InstitutionNumber, peer: Peer) {
        self.by_number.insert(number, peer);
    }

    /// What a bank does for a peer.
    #[must_use]
    pub fn correspondent(
        &self,
        peer: InstitutionNumber,
        bank: InstitutionNumber,
    ) -> Option<&Correspondent> {
        self.correspondents.get(&(peer, bank))
    }

    /// All that banks do for a peer.
    pub fn correspondents(
        &self,
        peer: InstitutionNumber,
    ) -> impl Iterator<Item = (InstitutionNumber, &Correspondent)> {
        let (first, last) = ((peer, InstitutionNumber(0)), (peer, InstitutionNumber(u32::MAX)));
        self.correspondents.range(first..=last).map(|((_, bank), one)| (*bank, one))
    }

    /// Says what a bank does for a peer from now on; `None` is nothing.
    pub fn set_correspondent(
        &mut self,
        peer: InstitutionNumber,
        bank: InstitutionNumber,
        correspondent: Option<Correspondent>,
    ) {
        match correspondent {
            Some(one) => drop(self.correspondents.insert((peer, bank), one)),
            None => drop(self.correspondents.remove(&(peer, bank))),
        }
    }

    /// Takes from what a bank is ready to give what it gave.
    pub fn gave(&mut self, peer: InstitutionNumber, bank: InstitutionNumber, minor: u64) {
        if let Some(one) = self.correspondents.get_mut(&(peer, bank)) {
            one.ready = one.ready.saturating_sub(minor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> PeerTerms {
        let address = "https://ledger.example".to_owned();
        PeerTerms { address, open: true, most_unresolved: 10, most_days: 2 }
    }

    #[test]
    fn terms_that_break_a_rule_are_none_and_do_not_decode() {
        let at = |address: &str| PeerTerms { address: address.to_owned(), ..terms() };
        let long = format!("http://{}", "a".repeat(194));
        let rows = [
            (at("ledger.example"), PeerError::Address),
            (at("https://"), PeerError::Address),
            (at("http://ledger.example/"), PeerError::Address),
            (at("http://ledger example"), PeerError::Address),
            (at(&long), PeerError::Address),
            (PeerTerms { most_unresolved: 0, ..terms() }, PeerError::Unresolved(0)),
            (PeerTerms { most_unresolved: 100_001, ..terms() }, PeerError::Unresolved(100_001)),
            (PeerTerms { most_days: 0, ..terms() }, PeerError::Days(0)),
            (PeerTerms { most_days: 367, ..terms() }, PeerError::Days(367)),
        ];
        for (terms, error) in rows {
            let bytes = borsh::to_vec(&terms).unwrap();
            assert_eq!(Peering::new(terms), Err(error));
            assert!(borsh::from_slice::<Peering>(&bytes).is_err());
        }
        let peering = Peering::new(terms()).unwrap();
        assert_eq!(peering.latest(Timestamp::from_seconds(5)).seconds(), 172_805);
    }

    #[test]
    fn a_rate_gives_no_more_than_it_says_and_nothing_for_nothing() {
        let rate = |take, give| Rate { take, give, until: Timestamp::default() };
        assert_eq!(rate(700, 100).most_for(1_399), 199);
        assert_eq!(rate(700, 100).most_for(1_400), 200);
        assert_eq!(rate(0, 100).most_for(5), 0);
        assert_eq!(rate(1, 0).most_for(u64::MAX), 0);
        assert_eq!(rate(1, u64::MAX).most_for(u64::MAX), u64::MAX);
    }

    #[test]
    fn what_a_bank_gives_is_taken_from_what_it_is_ready_to_give() {
        let [one, two] = [1, 2].map(InstitutionNumber);
        let mut peers = Peers::default();
        let correspondent = Correspondent { there: "bank".parse().unwrap(), rate: None, ready: 5 };
        peers.set_correspondent(one, two, Some(correspondent));
        peers.gave(one, two, 3);
        assert_eq!(peers.correspondent(one, two).unwrap().ready, 2);
        assert_eq!(peers.correspondents(one).count(), 1);
        assert_eq!(peers.correspondents(two).count(), 0);
        peers.set_correspondent(one, two, None);
        assert_eq!(peers.correspondent(one, two), None);
    }
}
