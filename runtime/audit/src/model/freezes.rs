//! Freezes by the auditor's own books: who ordered and who confirmed which, and until when. Whether
//! a wallet is frozen follows from that each time; nothing is flagged.

use super::{Found, Model};
use crate::finding::Irregularity;
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::{AccountId, CommandId, InstitutionId, Timestamp};
use yufu_machine::{Action, FreezeCounts};

struct Freeze {
    wallet: AccountId,
    ordered_by: InstitutionId,
    confirmed_by: Option<InstitutionId>,
    until: Timestamp,
    confirm_until: Timestamp,
}

impl Freeze {
    /// When it ends by itself, as it stands.
    fn ends(&self) -> Timestamp {
        match self.confirmed_by {
            Some(_) => self.until,
            None => self.until.min(self.confirm_until),
        }
    }

    fn is_of(&self, by: &InstitutionId) -> bool {
        self.ordered_by == *by || self.confirmed_by.as_ref() == Some(by)
    }
}

/// All that are not over, and what became of the others.
#[derive(Default)]
pub(super) struct Freezes {
    open: BTreeMap<CommandId, Freeze>,
    /// By wallet, those in force.
    holding: BTreeMap<AccountId, BTreeSet<CommandId>>,
    /// None of them ends by itself before then.
    next: Option<Timestamp>,
    ordered: u64,
    confirmed: u64,
    lapsed: u64,
    lifted: u64,
    unconfirmed: u64,
}

impl Freezes {
    /// Ends what time has ended.
    pub(super) fn pass(&mut self, at: Timestamp) {
        if self.next.is_none_or(|next| at < next) {
            return;
        }
        let over: Vec<_> =
            self.open.iter().filter(|(_, one)| at >= one.ends()).map(|(id, _)| *id).collect();
        for id in over {
            let Some(freeze) = self.remove(id) else { continue };
            let count = match freeze.confirmed_by {
                Some(_) => &mut self.lapsed,
                None => &mut self.unconfirmed,
            };
            *count = count.saturating_add(1);
        }
        self.next = self.open.values().map(Freeze::ends).min();
    }

    /// Whether one in force holds this very wallet.
    pub(super) fn hold(&self, wallet: AccountId) -> bool {
        self.holding.get(&wallet).is_some_and(|holding| !holding.is_empty())
    }

    fn insert(&mut self, id: CommandId, freeze: Freeze) {
        let ends = freeze.ends();
        self.next = Some(self.next.map_or(ends, |next| next.min(ends)));
        self.open.insert(id, freeze);
    }

    fn remove(&mut self, id: CommandId) -> Option<Freeze> {
        let freeze = self.open.remove(&id)?;
        if let Some(holding) = self.holding.get_mut(&freeze.wallet) {
            holding.remove(&id);
        }
        Some(freeze)
    }

    /// Whether an institution ordered or confirmed one.
    pub(super) fn is_of(&self, id: CommandId, by: &InstitutionId) -> bool {
        self.open.get(&id).is_some_and(|freeze| freeze.is_of(by))
    }

    /// Takes over those in force on a wallet that another one knows.
    pub(super) fn copy(&mut self, wallet: AccountId, from: &Self) {
        self.holding.extend(from.holding.get(&wallet).map(|holding| (wallet, holding.clone())));
    }

    pub(super) fn contains(&self, id: CommandId) -> bool {
        self.open.contains_key(&id)
    }

    pub(super) fn in_force(&self, id: CommandId) -> bool {
        self.open.get(&id).is_some_and(|freeze| freeze.confirmed_by.is_some())
    }

    pub(super) fn ordered_by(&self, id: CommandId) -> Option<&InstitutionId> {
        self.open.get(&id).map(|freeze| &freeze.ordered_by)
    }

    pub(super) fn counts(&self) -> FreezeCounts {
        let in_force = self.holding.values().map(BTreeSet::len).fold(0, usize::saturating_add);
        FreezeCounts {
            ordered: self.ordered,
            confirmed: self.confirmed,
            lapsed: self.lapsed,
            lifted: self.lifted,
            unconfirmed: self.unconfirmed,
            in_force: u64::try_from(in_force).unwrap_or(u64::MAX),
        }
    }
}

impl Model {
    /// Whether nothing may leave a wallet: it, or the one above it, is frozen.
    pub(super) fn frozen(&self, wallet: AccountId) -> Option<AccountId> {
        [Some(wallet), self.above(wallet)].into_iter().flatten().find(|id| self.freezes.hold(*id))
    }

    /// Nothing left a frozen wallet. What was promised before the freeze is its payee's to take.
    pub(super) fn check_frozen(&self, action: &Action) -> Found {
        let frozen = self.gives(action).and_then(|wallet| self.frozen(wallet));
        frozen.map_or(Ok(()), |wallet| Err(Irregularity::Frozen(wallet)))
    }

    /// Orders, confirmations and lifts, with what does not fit.
    pub(super) fn freeze(
        &mut self,
        at: Timestamp,
        id: CommandId,
        by: &InstitutionId,
        action: &Action,
    ) -> Found {
        match action {
            Action::OrderFreeze { account, until, .. } => {
                let (ordered_by, confirm_until) = (by.clone(), self.confirm_until(at));
                let (wallet, confirmed_by, until) = (*account, None, *until);
                let freeze = Freeze { wallet, ordered_by, confirmed_by, until, confirm_until };
                self.freezes.insert(id, freeze);
                self.freezes.ordered = self.freezes.ordered.saturating_add(1);
                Ok(())
            }
            Action::ConfirmFreeze { freeze: id } => {
                let freeze = self.freezes.open.get_mut(id).ok_or(Irregularity::Unknown(*id))?;
                let fits = freeze.confirmed_by.is_none() && freeze.ordered_by != *by;
                freeze.confirmed_by = Some(by.clone());
                self.freezes.holding.entry(freeze.wallet).or_default().insert(*id);
                self.freezes.confirmed = self.freezes.confirmed.saturating_add(1);
                if fits { Ok(()) } else { Err(Irregularity::NotTheirs(*id)) }
            }
            Action::LiftFreeze { freeze: id } => {
                let freeze = self.freezes.remove(*id).ok_or(Irregularity::Unknown(*id))?;
                self.freezes.lifted = self.freezes.lifted.saturating_add(1);
                let fits = freeze.is_of(by);
                if fits { Ok(()) } else { Err(Irregularity::NotTheirs(*id)) }
            }
            _ => Ok(()),
        }
    }
}
