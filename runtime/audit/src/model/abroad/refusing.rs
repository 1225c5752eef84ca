//! What was refused about other ledgers: the reason has to be so.

use super::super::Model;
use super::count;
use yufu_base::{InstitutionId, Timestamp};
use yufu_machine::{Action, Refusal, Transit};

impl Model {
    /// Reasons that lie in what is said between ledgers.
    pub(in super::super) fn about_abroad(
        &self,
        at: Timestamp,
        by: &InstitutionId,
        action: &Action,
        refusal: &Refusal,
    ) -> bool {
        match refusal {
            Refusal::NotAPeer(id) => !self.peers.contains_key(id),
            Refusal::OtherLedger(id) => self.name() != Some(id),
            Refusal::PeerClosed(id) => self.peers.get(id).is_some_and(|peer| !peer.terms.open),
            Refusal::TransitUnknown(number) => {
                self.peers.get(by).is_none_or(|peer| peer.unresolved_at(*number).is_none())
            }
            Refusal::TransitSettled(number) => self.coming(by, action).is_some_and(|coming| {
                coming.transit.number == *number && *number <= coming.through
            }),
            Refusal::TransitDiffers(number) => self.coming(by, action).is_some_and(|coming| {
                let first = self.peers.get(by).and_then(|peer| peer.come_at(*number));
                coming.transit.number == *number
                    && first.is_some_and(|first| first.transit != *coming.transit)
            }),
            Refusal::NoOffer(_)
            | Refusal::PeerCurrency { .. }
            | Refusal::OfferedLess { .. }
            | Refusal::TooManyInTransit(_) => self.about_sending(at, action, refusal),
            _ => true,
        }
    }

    fn about_sending(&self, at: Timestamp, action: &Action, refusal: &Refusal) -> bool {
        let Action::SendAbroad { sending } = action else { return false };
        let Some(peer) = self.peers.get(&sending.peer) else { return false };
        match refusal {
            Refusal::NoOffer(bank) => {
                *bank == sending.correspondent && self.offered(at, sending).is_none()
            }
            Refusal::PeerCurrency { peer: holds, given } => {
                (*holds, *given) == (peer.currency, sending.foreign.currency()) && given != holds
            }
            Refusal::OfferedLess { most, requested } => {
                self.offered(at, sending) == Some(*most)
                    && *requested == sending.foreign.minor()
                    && requested > most
            }
            Refusal::TooManyInTransit(bound) => {
                *bound == peer.terms.most_unresolved
                    && count(peer.unresolved().count()) >= u64::from(*bound)
            }
            _ => true,
        }
    }

    /// The same of what was not admitted, because time cures it.
    pub(in super::super) fn about_turn(
        &self,
        by: &InstitutionId,
        action: &Action,
        refusal: &Refusal,
    ) -> bool {
        let Some(coming) = self.coming(by, action) else { return false };
        match refusal {
            Refusal::TransitAhead { expected } => {
                *expected == coming.come.saturating_add(1) && coming.transit.number > *expected
            }
            Refusal::TransitsUnsettled(bound) => {
                let peer = self.peers.get(by);
                peer.is_some_and(|peer| peer.terms.most_unresolved == *bound)
                    && coming.come.saturating_sub(coming.through) >= u64::from(*bound)
            }
            _ => true,
        }
    }

    fn coming<'a>(&self, by: &InstitutionId, action: &'a Action) -> Option<Coming<'a>> {
        let Action::ReceiveFromAbroad { transit, settled, .. } = action else { return None };
        let peer = self.peers.get(by)?;
        let (come, through) = (count(peer.come.len()), peer.settled_by(*settled));
        Some(Coming { transit, come, through })
    }
}

/// What comes, how many came before it, and up to where these are settled.
struct Coming<'a> {
    transit: &'a Transit,
    come: u64,
    through: u64,
}
