//! The status lists that verifiers fetch whole, so that nobody learns which entry they look at.

use super::Issuer;
use crate::http::Problem;
use crate::status_list::{self, Asked, StatusListAggregation};
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;
use uuid::Uuid;
use yufu_credential::StatusReference;
use yufu_credentials::{CredentialsError, ListState, Place};
use yufu_trust::Status;
use yufu_verifier::Verified;

impl Issuer {
    /// The address of a status list.
    pub(super) fn status_uri(&self, list: i32) -> String {
        status_list::address(self.metadata.credential_issuer.as_str(), list)
    }

    /// The place that a status names, if it is one of this issuer's.
    fn own_place(&self, status: &StatusReference) -> Option<Place> {
        let publisher = self.metadata.credential_issuer.as_str();
        let list = status_list::number_at(publisher, &status.uri)?;
        Some(Place { list, position: i32::try_from(status.index).ok()? })
    }

    /// Whom the credential with this status is about, if it is one of ours and still valid.
    pub(crate) async fn subject_of(
        &self,
        status: Option<&StatusReference>,
    ) -> Result<Uuid, Problem> {
        let unknown = || Problem::not_found("credential of this issuer");
        let place = status.and_then(|status| self.own_place(status)).ok_or_else(unknown)?;
        let (subject, valid) = self.records.placed(place).await.map_err(|error| match error {
            CredentialsError::Unknown(_) => unknown(),
            other => other.into(),
        })?;
        if valid { Ok(subject) } else { Err(revoked()) }
    }

    /// Refuses what was revoked or suspended by this very issuer. It knows that from its own records, before any list
    /// says so.
    pub(crate) async fn must_stand(&self, verified: &Verified) -> Result<(), Problem> {
        let shown = verified.credentials.values().flatten();
        for status in shown.filter_map(|credential| credential.status.as_ref()) {
            let Some(place) = self.own_place(status) else { continue };
            match self.records.placed(place).await {
                Ok((_, true)) => {}
                Ok((_, false)) | Err(CredentialsError::Unknown(_)) => return Err(revoked()),
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }

    /// Whether the credential with this status, one of ours, was derived from a chip card.
    pub(crate) async fn is_of_card(
        &self,
        status: Option<&StatusReference>,
    ) -> Result<bool, Problem> {
        let place = status.and_then(|status| self.own_place(status));
        let place = place.ok_or_else(|| Problem::not_found("credential of this issuer"))?;
        Ok(self.records.is_of_card(place).await?)
    }

    /// A status list, signed, as it is served.
    pub(crate) async fn status_response(
        &self,
        list: &str,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let list = status_list::number(list)?;
        let ListState { places, version } = self.records.list_state(list).await?;
        let now = self.clock.read().wall;
        let marked = async {
            let invalid = self.records.invalid(list, status_list::ended(now)).await?.into_iter();
            let status = |status| Status::from(u8::try_from(status).unwrap_or(1));
            Ok(invalid.map(|entry| (entry.position, status(entry.status))).collect())
        };
        let signing = self.signing.get();
        let by = signing.signer.public_key();
        let key = || Ok((Arc::clone(&signing.signer), signing.chain.clone()));
        let asked = Asked { list, uri: self.status_uri(list), places, version, by };
        self.published.answer(asked, marked, key, headers, now).await
    }

    /// Where all status lists are.
    pub(crate) async fn status_lists(&self) -> Result<StatusListAggregation, Problem> {
        let lists = self.records.status_lists().await?.into_iter();
        Ok(StatusListAggregation {
            status_lists: lists.map(|list| self.status_uri(list)).collect(),
        })
    }
}

fn revoked() -> Problem {
    let detail = "the credential was revoked or suspended by this issuer: get a new one";
    Problem::refused("credential.revoked", detail)
}
