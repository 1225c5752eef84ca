//! The status list that verifiers fetch whole, so that nobody learns which entry they look at.

use super::Issuer;
use crate::http::Problem;
use axum::http::header;
use axum::response::IntoResponse;
use uuid::Uuid;
use yufu_credential::StatusReference;
use yufu_jose::Header;
use yufu_trust::{Status, StatusBits, StatusList, StatusListToken};

/// The number of the list that credentials are placed in.
pub(super) const LIST: i32 = 1;
/// How many places it has.
pub(super) const LIST_SIZE: i32 = 1 << 17;
/// How long a verifier may rely on a list it fetched, in seconds: a revocation is seen within it.
const TTL_SECONDS: u64 = 60;
/// How long a list is valid at all, in seconds.
const LIFETIME_SECONDS: u64 = 300;

impl Issuer {
    /// The address of a status list.
    pub(super) fn status_uri(&self, list: i32) -> String {
        format!("{}/status/{list}", self.metadata.credential_issuer.as_str())
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
    ) -> Result<impl IntoResponse + use<>, Problem> {
        if list != LIST.to_string() {
            return Err(Problem::not_found("status list"));
        }
        let headers = [
            (header::CONTENT_TYPE, "application/statuslist+jwt".to_owned()),
            (header::CACHE_CONTROL, format!("max-age={TTL_SECONDS}")),
        ];
        Ok((headers, self.status_list(LIST).await?))
    }

    async fn status_list(&self, list: i32) -> Result<String, Problem> {
        let size = u64::try_from(LIST_SIZE).unwrap_or(0);
        let mut statuses = StatusList::new(StatusBits::Two, size).map_err(Problem::internal)?;
        for entry in self.records.invalid(list).await? {
            let index = u64::try_from(entry.position).unwrap_or(0);
            let status = Status::from(u8::try_from(entry.status).unwrap_or(1));
            statuses.set(index, status).map_err(Problem::internal)?;
        }
        let now = self.clock.read().wall;
        let token = StatusListToken {
            uri: self.status_uri(list),
            issued_at: now,
            expires_at: now.plus_seconds(LIFETIME_SECONDS),
            ttl_seconds: Some(TTL_SECONDS),
            list: statuses,
        };
        let header = Header::default().with_chain(&self.chain);
        token.sign(header, &*self.signer).map_err(Problem::internal)
    }
}
