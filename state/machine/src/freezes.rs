//! Freeze orders: ordered by one authority, in force once another has confirmed it, over by
//! themselves. What there were of them is counted for everybody to see.

use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use yufu_base::{CommandId, Digest, Timestamp};
use yufu_ledger::WalletSlot;
use yufu_registry::InstitutionNumber;

/// A freeze that was ordered and is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Freeze {
    pub(crate) wallet: WalletSlot,
    pub(crate) ordered_by: InstitutionNumber,
    /// Who put it in force; `None` while nobody has.
    pub(crate) confirmed_by: Option<InstitutionNumber>,
    /// Commitment to the legal reference.
    pub(crate) legal_reference: Digest,
    /// From when on it has lapsed.
    pub(crate) until: Timestamp,
    /// Until when it may be confirmed.
    pub(crate) confirm_until: Timestamp,
}

impl Freeze {
    /// When it ends by itself, as it stands.
    pub(crate) fn ends(&self) -> Timestamp {
        if self.confirmed_by.is_some() { self.until } else { self.until.min(self.confirm_until) }
    }
}

/// How many freezes there were and are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FreezeCounts {
    /// Ordered since the beginning.
    pub ordered: u64,
    /// Of these, confirmed by another authority, and so in force from then on.
    pub confirmed: u64,
    /// Of those in force, ended by their time.
    pub lapsed: u64,
    /// Ended by an authority before their time, in force or not.
    pub lifted: u64,
    /// Never confirmed in time.
    pub unconfirmed: u64,
    /// In force now.
    pub in_force: u64,
}

/// All that are not over, and the counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Freezes {
    by_id: BTreeMap<CommandId, Freeze>,
    due: BTreeSet<(Timestamp, CommandId)>,
    in_force: BTreeMap<WalletSlot, BTreeSet<CommandId>>,
    counts: FreezeCounts,
}

/// What ended a freeze.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Time,
    Authority,
}

impl Freezes {
    pub(crate) fn get(&self, id: CommandId) -> Option<&Freeze> {
        self.by_id.get(&id)
    }

    pub(crate) const fn counts(&self) -> FreezeCounts {
        self.counts
    }

    pub(crate) fn order(&mut self, id: CommandId, freeze: Freeze) {
        self.counts.ordered = self.counts.ordered.saturating_add(1);
        self.insert(id, freeze);
    }

    /// Puts a freeze that is there in force.
    pub(crate) fn confirm(&mut self, id: CommandId, by: InstitutionNumber) {
        let Some(freeze) = self.take(id) else { return };
        self.counts.confirmed = self.counts.confirmed.saturating_add(1);
        self.counts.in_force = self.counts.in_force.saturating_add(1);
        self.insert(id, Freeze { confirmed_by: Some(by), ..freeze });
    }

    /// Ends a freeze. Gives the wallet from which nothing holds anything any more, if it is one.
    pub(crate) fn end(&mut self, id: CommandId, end: End) -> Option<WalletSlot> {
        let freeze = self.take(id)?;
        let count = match (end, freeze.confirmed_by) {
            (End::Authority, _) => &mut self.counts.lifted,
            (End::Time, Some(_)) => &mut self.counts.lapsed,
            (End::Time, None) => &mut self.counts.unconfirmed,
        };
        *count = count.saturating_add(1);
        freeze.confirmed_by?;
        self.counts.in_force = self.counts.in_force.saturating_sub(1);
        let free = !self.in_force.contains_key(&freeze.wallet);
        free.then_some(freeze.wallet)
    }

    /// The freeze that ends first by itself, if it has by `now`.
    pub(crate) fn over(&self, now: Timestamp) -> Option<CommandId> {
        let (ends, id) = self.due.first()?;
        (*ends <= now).then_some(*id)
    }

    /// The wallets from which nothing leaves.
    pub(crate) fn frozen(&self) -> impl Iterator<Item = WalletSlot> {
        self.by_id.values().filter(|one| one.confirmed_by.is_some()).map(|one| one.wallet)
    }

    /// The wallets of all that are not over.
    pub(crate) fn wallets(&self) -> impl Iterator<Item = WalletSlot> {
        self.by_id.values().map(|one| one.wallet)
    }

    fn insert(&mut self, id: CommandId, freeze: Freeze) {
        self.by_id.insert(id, freeze);
        self.due.insert((freeze.ends(), id));
        if freeze.confirmed_by.is_some() {
            self.in_force.entry(freeze.wallet).or_default().insert(id);
        }
    }

    fn take(&mut self, id: CommandId) -> Option<Freeze> {
        let freeze = self.by_id.remove(&id)?;
        self.due.remove(&(freeze.ends(), id));
        if let Some(of_wallet) = self.in_force.get_mut(&freeze.wallet) {
            of_wallet.remove(&id);
            if of_wallet.is_empty() {
                self.in_force.remove(&freeze.wallet);
            }
        }
        Some(freeze)
    }
}

// What is in force and when each ends follows from the freezes.
impl BorshSerialize for Freezes {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.by_id.serialize(writer)?;
        self.counts.serialize(writer)
    }
}

impl BorshDeserialize for Freezes {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let mut freezes = Self::default();
        for (id, freeze) in BTreeMap::<CommandId, Freeze>::deserialize_reader(reader)? {
            freezes.insert(id, freeze);
        }
        Ok(Self { counts: FreezeCounts::deserialize_reader(reader)?, ..freezes })
    }
}
