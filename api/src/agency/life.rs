//! Whether a member is known to be alive: the credential that it showed was not revoked, and it was
//! shown not too long ago. Status lists are fetched whole: nobody learns who is looked at.

use super::Agency;
use super::desk::RunStop;
use crate::http::Problem;
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::Timestamp;
use yufu_programmes::{Due, Member, Reason};
use yufu_trust::{Role, Status, StatusListToken, TrustList};

const DAY: u64 = 86_400;
/// How long a fetched list is used, in seconds.
const FRESH_SECONDS: u64 = 60;

/// Status lists that were fetched, by address.
#[derive(Default)]
pub(super) struct StatusLists {
    lists: BTreeMap<String, StatusListToken>,
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
        let trust = agency.trust.list(now).await?;
        let needed: BTreeSet<&str> = due.iter().map(|due| due.member.status_uri.as_str()).collect();
        for uri in needed {
            if self.lists.contains_key(uri) || self.failed.contains(uri) {
                continue;
            }
            match fetch(agency, &trust, uri, now).await {
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
        Some(doubt(status, member.shown_at, proof_of_life_days, now))
    }
}

async fn fetch(
    agency: &Agency,
    trust: &TrustList,
    uri: &str,
    now: Timestamp,
) -> Result<StatusListToken, Problem> {
    let fetched = agency.trust.status_lists(BTreeSet::from([uri])).await?;
    let text = fetched.get(uri).map(String::as_str).unwrap_or_default();
    // Members show identities of this country: a list signed by another country's authority says nothing of them.
    let mut own = trust.entries.iter().filter(|entry| entry.origin.is_none());
    let issuer = own.find(|entry| entry.role == Role::PidIssuer).ok_or_else(|| {
        Problem::unavailable(
            "trust.unavailable",
            "no authority of this country is on the trust list",
        )
    })?;
    let list = StatusListToken::verify_trusted(text, trust, issuer, uri, now);
    list.map_err(|error| Problem::unavailable("trust.unavailable", error))
}

/// The rule: a revocation counts however old the credential is; without one, a credential says that
/// its holder lives until the day on which life has to be proven anew.
fn doubt(
    status: Option<Status>,
    shown_at: Timestamp,
    proof_of_life_days: u32,
    now: Timestamp,
) -> Option<Reason> {
    let due = shown_at.plus_seconds(u64::from(proof_of_life_days).saturating_mul(DAY));
    match status {
        Some(Status::Valid) if now < due => None,
        Some(Status::Valid) => Some(Reason::ProofOfLifeDue),
        _ => Some(Reason::IdentityRevoked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_paid_until_a_revocation_or_the_day_of_the_next_proof_of_life() {
        let shown = Timestamp::from_seconds(1_000_000);
        let due = shown.plus_seconds(365 * DAY);
        let before = Timestamp::from_millis(due.millis() - 1);
        let rows = [
            (Some(Status::Valid), shown, None),
            (Some(Status::Valid), before, None),
            (Some(Status::Valid), due, Some(Reason::ProofOfLifeDue)),
            (Some(Status::Invalid), shown, Some(Reason::IdentityRevoked)),
            (Some(Status::Invalid), due, Some(Reason::IdentityRevoked)),
            (Some(Status::Suspended), shown, Some(Reason::IdentityRevoked)),
            // The list has no such place: not known to be valid.
            (None, shown, Some(Reason::IdentityRevoked)),
        ];
        for (status, now, expected) in rows {
            assert_eq!(doubt(status, shown, 365, now), expected, "{status:?} at {now:?}");
        }
    }
}
