//! The receipt for the wallet that answered through a page: the page gets one too, but nothing comes back to the wallet
//! that way, so it asks here.

use super::{VerifyingParties, VerifyingParty, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use yufu_jose::Unverified;
use yufu_trust::Receipt;

/// Which request the receipt is of.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptOf {
    /// The digest of the signed request, as the receipt has it: only who was asked knows it.
    request: String,
}

/// The party's receipt.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct HolderReceipt {
    /// A JWS of type `yufu-receipt+jwt`: names of claims, no values.
    pub receipt: String,
}

/// The receipt of what a wallet showed to a page, for that wallet.
#[utoipa::path(get, path = "/verifiers/{verifier}/openid4vp/{id}/receipt", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ("id" = String, Path, description = "the verification"), ReceiptOf),
    responses((status = 200, body = HolderReceipt), (status = 400, body = ProblemBody), (status = 404, description = "not answered, of another request, or kept no longer", body = ProblemBody)))]
pub(super) async fn receipt(
    State(parties): State<Arc<VerifyingParties>>,
    Path((verifier, id)): Path<(String, String)>,
    of: Result<Query<ReceiptOf>, QueryRejection>,
) -> Result<Json<HolderReceipt>, Problem> {
    let party = named(&parties, &verifier)?;
    let Query(ReceiptOf { request }) = of.map_err(Problem::malformed)?;
    Ok(Json(party.receipt_of(&id, &request).await?))
}

impl VerifyingParty {
    async fn receipt_of(&self, id: &str, request: &str) -> Result<HolderReceipt, Problem> {
        let none = || Problem::not_found("receipt of that request, or not any more");
        let receipt = self.settled(id).await?.ok_or_else(none)?.receipt;
        let token = Unverified::parse(&receipt).map_err(Problem::internal)?;
        let said: Receipt = token.unverified_claims().map_err(Problem::internal)?;
        if said.request_digest != request {
            return Err(none());
        }
        Ok(HolderReceipt { receipt })
    }
}
