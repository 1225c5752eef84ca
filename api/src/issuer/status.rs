//! The status list that verifiers fetch whole, so that nobody learns which entry they look at.

use super::Issuer;
use crate::http::Problem;
use crate::status_list::{self, LIST};
use axum::http::HeaderMap;
use axum::response::Response;
use uuid::Uuid;
use yufu_credential::StatusReference;
use yufu_trust::Status;

impl Issuer {
    /// The address of a status list.
    pub(super) fn status_uri(&self, list: i32) -> String {
        status_list::address(self.metadata.credential_issuer.as_str(), list)
    }

    /// Whom the credential with this status is about, if it is one of ours and still valid.
    pub(crate) async fn subject_of(
        &self,
        status: Option<&StatusReference>,
    ) -> Result<Uuid, Problem> {
        let unknown = || Problem::not_found("credential of this issuer");
        let own = status.filter(|status| status.uri == self.status_uri(LIST));
        let place = own.and_then(|status| i32::try_from(status.index).ok()).ok_or_else(unknown)?;
        let (subject, valid) = self.records.placed(LIST, place).await?;
        if valid {
            return Ok(subject);
        }
        let detail = "the credential was revoked by this issuer: get a new one";
        Err(Problem::refused("credential.revoked", detail))
    }

    /// A status list, signed, as it is served.
    pub(crate) async fn status_response(
        &self,
        list: &str,
        asked: &HeaderMap,
    ) -> Result<Response, Problem> {
        let list = status_list::number(list)?;
        let invalid = self.records.invalid(list).await?.into_iter();
        let invalid = invalid.map(|entry| {
            let status = u8::try_from(entry.status).unwrap_or(1);
            (entry.position, Status::from(status))
        });
        let key = self.signing.get();
        let by = (&*key.signer, &key.chain);
        status_list::answer(self.status_uri(list), invalid, by, asked, self.clock.read().wall)
    }
}
