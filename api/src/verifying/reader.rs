//! What a reader of this party needs to ask a device near by by itself: public documents, and where trust comes from. Its
//! key it has from the party's own folder.

use super::{VerifyingParties, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// For what a reader asks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ReaderOf {
    /// The purpose that the verifier is registered for.
    purpose: String,
}

/// A reader's papers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReaderPapers {
    /// The access certificate with its chain: DER in base64.
    pub access: Vec<String>,
    /// The registration certificate for the purpose, a JWT.
    pub registration: String,
    /// Where the trust list is.
    pub trust_list: String,
    /// The key that it is signed with, a JWK.
    #[schema(value_type = Object)]
    pub trust_list_key: Value,
}

/// The papers of a reader for devices near by.
#[utoipa::path(get, path = "/verifiers/{verifier}/v1/desk/reader", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ReaderOf),
    security(("operator" = [])),
    responses((status = 200, body = ReaderPapers), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, description = "not registered for it, or not any more", body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn papers(
    State(parties): State<Arc<VerifyingParties>>,
    Path(verifier): Path<String>,
    headers: HeaderMap,
    of: Result<Query<ReaderOf>, QueryRejection>,
) -> Result<Json<ReaderPapers>, Problem> {
    let party = named(&parties, &verifier)?;
    party.operator.authenticate(&headers)?;
    let Query(ReaderOf { purpose }) = of.map_err(Problem::malformed)?;
    let asking = party.party.get();
    let verifier = asking.verifier(&purpose)?;
    let (url, key) = party.trust.place();
    Ok(Json(ReaderPapers {
        access: verifier.chain().to_x5c(),
        registration: verifier.registration().to_owned(),
        trust_list: url.to_owned(),
        trust_list_key: serde_json::to_value(key).map_err(Problem::internal)?,
    }))
}
