//! Whether a member is known to be alive: the credential that it showed was not revoked, and it was
//! shown not too long ago. Status lists are fetched whole: nobody learns who is looked at.

use super::Agency;
use super::desk::RunStop;
use crate::http::Problem;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_programmes::{Due, Member, Reason};
use yufu_trust::{Status, StatusListToken};

/// Seconds of a day.
pub(super) const DAY: u64 = 86_400;
/// How long a fetched list is used, in seconds.
const FRESH_SECONDS: u64 = 60;

/// Status lists that were fetched, by address.
#[derive(Default)]
pub(super) struct StatusLists {
    lists: BTreeMap<String, Arc<StatusListToken>>,
    /// Those that could not be had.
    failed: BTreeSet<String>,
    fetched_at: Option<Timestamp>,
    /// Why one could not be had.
    pub(super) failure: Option<RunStop>,
}

impl StatusLists {
    /// Fetches the lists that `due` needs and that are not at hand, or too old. Fails closed: whose list
    /// cannot be had is not paid, and does not keep others from being paid.
    pub(super) async fn fetch(&mut self, agency: &Agency, due: &[Due]) -> Result<(), Problem> {
        let now = agency.now();
        if self.fetched_at.is_none_or(|at| now >= at.plus_seconds(FRESH_SECONDS)) {
            self.lists.clear();
            self.failed.clear();
            self.fetched_at = Some(now);
        }
        agency.trust.list(now).await?;
        let needed: BTreeSet<&str> = due.iter().map(|due| due.member.status_uri.as_str()).collect();
        for uri in needed {
            if self.lists.contains_key(uri) || self.failed.contains(uri) {
                continue;
            }
            match agency.trust.identity_status_anew(uri, now).await {
                Ok(list) => {
                    self.lists.insert(uri.to_owned(), list);
                }
                Err(problem) => {
                    self.failed.insert(uri.to_owned());
                    self.failure = Some(problem.into());
                }
            }
        }
        Ok(())
    }

    /// Whether it is known, and then why a member is not paid at `now`, if it is not.
    pub(super) fn doubt(
        &self,
        member: &Member,
        proof_of_life_days: u32,
        now: Timestamp,
    ) -> Option<Option<Reason>> {
        let list = self.lists.get(&member.status_uri)?;
        let status = list.list.get(member.status_index);
        let due = proof_of_life_due(member, proof_of_life_days);
        Some(doubt(status, due, now))
    }
}

/// When life has to be proven anew: after so many days, and no later than the credential that was shown ends. From
/// then on its place in the list says nothing of its holder.
pub(super) fn proof_of_life_due(member: &Member, proof_of_life_days: u32) -> Timestamp {
    let days = u64::from(proof_of_life_days).saturating_mul(DAY);
    member.shown_at.plus_seconds(days).min(member.says_until)
}

/// The rule: a credential says that its holder lives until it is revoked, or life has to be proven anew.
fn doubt(status: Option<Status>, due: Timestamp, now: Timestamp) -> Option<Reason> {
    match status {
        _ if due <= now => Some(Reason::ProofOfLifeDue),
        Some(Status::Valid) => None,
        _ => Some(Reason::IdentityRevoked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_paid_until_a_revocation_or_until_life_is_to_be_proven_anew() {
        let due = Timestamp::from_seconds(1_000_000);
        let before = Timestamp::from_millis(due.millis() - 1);
        let rows = [
            (Some(Status::Valid), before, None),
            (Some(Status::Valid), due, Some(Reason::ProofOfLifeDue)),
            (Some(Status::Invalid), before, Some(Reason::IdentityRevoked)),
            // The place may be somebody else's by now: what it says is nobody's business.
            (Some(Status::Invalid), due, Some(Reason::ProofOfLifeDue)),
            (Some(Status::Suspended), before, Some(Reason::IdentityRevoked)),
            // The list has no such place: not known to be valid.
            (None, before, Some(Reason::IdentityRevoked)),
        ];
        for (status, now, expected) in rows {
            assert_eq!(doubt(status, due, now), expected, "{status:?} at {now:?}");
        }
    }
}
