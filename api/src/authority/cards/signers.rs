//! The signers of chip cards: which there were, and revoking one.

use super::super::Authority;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The signers of cards, the newest last: the one that is not revoked signs now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DocumentSigners {
    /// Each of them.
    pub signers: Vec<DocumentSignerEntry>,
}

/// A signer of cards.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DocumentSignerEntry {
    /// The number of its certificate, in hexadecimal.
    pub serial: String,
    /// The end of its certificate, in seconds since the epoch.
    pub until: u64,
    /// Since when it is revoked, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<u64>,
    /// Who revoked it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
}

/// A signer of cards that is to be believed no more.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignerRevocation {
    /// The number of its certificate, in hexadecimal.
    pub serial: String,
    /// Why, in words: it is recorded.
    #[schema(example = "the machine that holds the key was stolen")]
    pub reason: String,
}

/// The signers of cards.
#[utoipa::path(get, path = "/authority/v1/officer/cards/signers", tag = "authority",
    security(("operator" = [])),
    responses((status = 200, body = DocumentSigners), (status = 401, body = ProblemBody), (status = 404, description = "no chip cards in this country", body = ProblemBody)))]
pub(in super::super) async fn signers(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
) -> Result<Json<DocumentSigners>, Problem> {
    authority.operator.authenticate(&headers)?;
    Ok(Json(authority.document_signers()?))
}

/// Revoke a signer of cards: every card that it signed is believed no more, by any reader with the next list. If it is
/// the one that signs now, another takes its place.
#[utoipa::path(post, path = "/authority/v1/officer/cards/signers/revocations", tag = "authority",
    request_body = SignerRevocation, security(("operator" = [])),
    responses((status = 200, body = DocumentSigners), (status = 400, description = "no reason", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, description = "no such signer", body = ProblemBody)))]
pub(in super::super) async fn revoke(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<SignerRevocation>, JsonRejection>,
) -> Result<Json<DocumentSigners>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    let Json(SignerRevocation { serial, reason }) = request?;
    let reason = reason.trim();
    if !(1..=200).contains(&reason.len()) {
        return Err(Problem::malformed(
            "reason is to be 1 to 200 bytes: why, and where it is filed",
        ));
    }
    let keys = &authority.cards()?.keys;
    let signers = keys.signers()?;
    let known = signers.iter().find(|(signer, _)| hexadecimal(signer.serial()) == serial);
    let (signer, _) = known.ok_or_else(|| Problem::not_found("signer of cards"))?;
    keys.revoke(signer.serial(), &format!("{officer}: {reason}"), authority.now())?;
    Ok(Json(authority.document_signers()?))
}

impl Authority {
    fn document_signers(&self) -> Result<DocumentSigners, Problem> {
        let signers = self.cards()?.keys.signers()?.into_iter();
        let entry = signers.map(|(certificate, revoked)| DocumentSignerEntry {
            serial: hexadecimal(certificate.serial()),
            until: certificate.until().seconds(),
            revoked_at: revoked.as_ref().map(|revoked| revoked.at.seconds()),
            basis: revoked.map(|revoked| revoked.basis),
        });
        Ok(DocumentSigners { signers: entry.collect() })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
