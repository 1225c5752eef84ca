//! Fetching what waited for an officer, and fresh copies before the old ones run out, under what issuers granted to this
//! wallet: without the person. Nothing that shows a copy leads here: an issuer that is asked is not to learn that one is
//! just being used.

use super::contents::StoredGrant;
use super::haip::Got;
use super::holder::Holder;
use anyhow::Result;
use std::collections::BTreeMap;
use yufu_base::Timestamp;
use yufu_openid4vc::issuance::{CredentialErrorCode, TokenErrorCode};
use yufu_trust::Role;
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::CredentialsError;
use yufu_wallet::issuance::haip::{AskError, Grant, StepError};

/// Copies that end within so many seconds are replaced.
const SOON_SECONDS: u64 = 7 * 86_400;
/// With fewer copies than this, fresh ones are fetched.
const LEAST: usize = 2;

/// Copies of one type that are nearly used up, or end within a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningOut {
    /// Who issued them.
    pub issuer: String,
    /// Of which type they are.
    pub kind: String,
    /// How many are left that do not end within a week.
    pub left: usize,
    /// Whether fresh ones can be fetched without the person.
    pub renews: bool,
}

impl Holder {
    /// What runs out, by type and issuer. Tickets do not: they are for one journey.
    #[must_use]
    pub fn running_out(&self) -> Vec<RunningOut> {
        let soon = self.now().plus_seconds(SOON_SECONDS);
        let mut found: BTreeMap<(String, String), RunningOut> = BTreeMap::new();
        for stored in &self.file.contents.grants {
            let (issuer, kind) = (stored.grant.issuer_name(), stored.grant.credential_type());
            found.insert(
                (issuer.get(&self.language).to_owned(), kind.to_owned()),
                RunningOut {
                    issuer: issuer.get(&self.language).to_owned(),
                    kind: kind.to_owned(),
                    left: 0,
                    renews: stored.grant.lasts(),
                },
            );
        }
        let usable = self.file.contents.usable().map(|(_, stored)| &stored.held);
        for held in usable.filter(|held| held.issuer.role != Role::TicketIssuer) {
            let issuer = held.issuer.name.get(&self.language).to_owned();
            let kind = held.credential.kind().to_owned();
            let entry = found.entry((issuer.clone(), kind.clone()));
            let entry = entry.or_insert(RunningOut { issuer, kind, left: 0, renews: false });
            entry.left = entry.left.saturating_add(usize::from(lasts_beyond(held, soon)));
        }
        found.into_values().filter(|one| one.left < LEAST).collect()
    }

    /// Fetches what waited for an officer, and fresh copies of what ends within a week, is nearly used up or was voided
    /// by its issuer; what came.
    ///
    /// # Errors
    /// If an issuer does not answer, or refuses what it had granted.
    pub async fn renew(&mut self) -> Result<Vec<Got>> {
        Box::pin(self.renew_all()).await
    }

    async fn renew_all(&mut self) -> Result<Vec<Got>> {
        let trust = self.trust().await?;
        let mut all = Vec::new();
        // Whether there were pseudonyms is known from the copies: asked before those that are void leave.
        let grants = self.file.contents.grants.iter();
        let carried: BTreeMap<String, bool> = grants
            .map(|one| one.grant.credential_type().to_owned())
            .map(|kind| (kind.clone(), self.has_pseudonyms(&kind)))
            .collect();
        self.forget_void(&trust)?;
        let mut failed = None;
        for stored in self.file.contents.waiting.clone() {
            self.file.contents.waiting.retain(|other| other.waiting != stored.waiting);
            match Box::pin(self.fetch_waiting(stored.clone())).await {
                Ok(got) => all.push(got),
                Err(error) => {
                    if is_over(&error) {
                        self.file.contents.grants.retain(|grant| grant.id != stored.grant);
                    } else {
                        self.file.contents.waiting.push(stored);
                    }
                    self.file.save()?;
                    failed = failed.or(Some(error));
                }
            }
        }
        for stored in self.file.contents.grants.clone() {
            let kind = stored.grant.credential_type().to_owned();
            let pseudonyms = carried.get(&kind).copied().unwrap_or(true);
            if !stored.grant.lasts() || !self.runs_out(&stored.grant) || self.waits_for(&kind) {
                continue;
            }
            match self.copies(&stored, pseudonyms).await {
                Ok(got) => all.push(got),
                Err(error) if is_ended(&error) => {
                    self.file.contents.grants.retain(|grant| grant.id != stored.id);
                    self.file.save()?;
                    let issuer = stored.grant.issuer_name().get(&self.language).to_owned();
                    all.push(Got::Ended { issuer, kind });
                }
                // What the others grant comes all the same.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(all), Err)
    }

    /// Fresh copies under a grant, in place of those that end.
    async fn copies(&mut self, stored: &StoredGrant, pseudonyms: bool) -> Result<Got> {
        let (granted, party) = self.refreshed(stored).await?;
        let before = self.file.contents.credentials.len();
        let got = self.ask_batch(granted, &party, pseudonyms).await?;
        if matches!(got, Got::Received(_)) {
            self.forget_ending(before, &stored.grant)?;
        }
        Ok(got)
    }

    /// Whether copies of this type end soon, or are nearly used up.
    fn runs_out(&self, grant: &Grant) -> bool {
        let soon = self.now().plus_seconds(SOON_SECONDS);
        let usable = self.file.contents.usable().map(|(_, stored)| &stored.held);
        usable.filter(|held| is_of(held, grant) && lasts_beyond(held, soon)).count() < LEAST
    }

    fn waits_for(&self, kind: &str) -> bool {
        let mut waiting = self.file.contents.waiting.iter();
        waiting.any(|waiting| waiting.waiting.granted().grant().credential_type() == kind)
    }

    /// Whether copies of this type carried pseudonyms so far.
    fn has_pseudonyms(&self, kind: &str) -> bool {
        let mut all = self.file.contents.credentials.iter().map(|stored| &stored.held.credential);
        let known = all.find(|credential| credential.kind() == kind);
        known.is_none_or(|one| one.claims().contains_key(yufu_base::SECTOR_PSEUDONYM))
    }

    /// Forgets, of the first `before` credentials, those of this grant's kind that end soon.
    fn forget_ending(&mut self, before: usize, grant: &Grant) -> Result<()> {
        let soon = self.now().plus_seconds(SOON_SECONDS);
        let mut place = 0_usize;
        self.file.contents.credentials.retain(|stored| {
            let held = &stored.held;
            let old = place < before && is_of(held, grant) && !lasts_beyond(held, soon);
            place = place.saturating_add(1);
            !old
        });
        Ok(self.file.save()?)
    }
}

/// Whether a copy is still valid after `soon`.
fn lasts_beyond(held: &HeldCredential, soon: Timestamp) -> bool {
    held.expires_at().is_none_or(|end| soon < end)
}

/// Whether a credential is one that a grant brings: of its type, by its issuer.
fn is_of(held: &HeldCredential, grant: &Grant) -> bool {
    let issuer = grant.issuer().as_str().strip_prefix(held.issuer.identifier.as_str());
    held.credential.kind() == grant.credential_type()
        && issuer.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether an issuer ended what it had granted.
fn is_ended(error: &anyhow::Error) -> bool {
    let refused = error.downcast_ref::<StepError>();
    matches!(refused, Some(StepError::Refused { code: TokenErrorCode::InvalidGrant, .. }))
}

/// Whether what waited will never come: an officer declined, or it was fetched.
fn is_over(error: &anyhow::Error) -> bool {
    use CredentialErrorCode::{CredentialRequestDenied, InvalidTransactionId};
    let refused = error.downcast_ref::<AskError>();
    matches!(
        refused,
        Some(AskError::Credentials(CredentialsError::Refused {
            code: CredentialRequestDenied | InvalidTransactionId,
            ..
        }))
    )
}
