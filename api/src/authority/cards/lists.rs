//! What readers of cards believe: the authority's certificate, the master list, the list of revoked signers.

use super::super::Authority;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_jose::encode_base64url;

/// What readers of cards believe, each in base64url.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CardLists {
    /// The certificate of the authority that publishes the list (X.509).
    pub authority: String,
    /// The master list (CMS, ICAO 9303-12).
    pub master_list: String,
    /// The list of revoked signers (X.509).
    pub revocations: String,
}

/// Whose signature on a chip card is believed.
#[utoipa::path(get, path = "/authority/v1/cards/lists", tag = "authority",
    responses((status = 200, body = CardLists), (status = 404, description = "no chip cards in this country", body = ProblemBody)))]
pub(in super::super) async fn lists(
    State(authority): State<Arc<Authority>>,
) -> Result<Json<CardLists>, Problem> {
    let keys = &authority.cards()?.keys;
    Ok(Json(CardLists {
        authority: encode_base64url(keys.authority().der()),
        master_list: encode_base64url(keys.master_list()),
        revocations: encode_base64url(keys.revocations(authority.now())?),
    }))
}
