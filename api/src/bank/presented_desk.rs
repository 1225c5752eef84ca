//! What the bank has on file of a presented payment: everything that it was sent, in words.

use super::presented::{PresentedPayment, only_payment};
use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::CommandId;
use yufu_jose::{Unverified, decode_base64url};
use yufu_openid4vc::presentation::RequestObject;

/// A presented payment as the bank has it. Derived from what it stored, not from what was meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresentedPaymentFile {
    /// The account that paid.
    pub account: String,
    /// The account that was paid.
    pub payee_account: String,
    /// The payee's name, as the holder read it.
    pub payee_name: String,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// The payee's order.
    pub order: String,
    /// Names of claims that the relying party asked of other credentials: names, never values.
    pub asked_elsewhere: Vec<String>,
    /// Claims that were shown to the bank: none, for a payment credential has none.
    pub claims: Vec<String>,
}

/// What the bank has on file of a presented payment.
#[utoipa::path(get, path = "/banks/{bank}/v1/desk/presented-payments/{payment}", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("payment" = String, Path, description = "the payment's name at the bank")),
    security(("operator" = [])),
    responses((status = 200, body = PresentedPaymentFile), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn file(
    State(banks): State<Arc<Banks>>,
    Path((bank, payment)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<PresentedPaymentFile>, Problem> {
    let bank = named(&banks, &bank)?;
    bank.operator.authenticate(&headers)?;
    let payment: CommandId = payment.parse().map_err(Problem::malformed)?;
    Ok(Json(bank.presented_file(payment).await?))
}

impl Bank {
    async fn presented_file(&self, payment: CommandId) -> Result<PresentedPaymentFile, Problem> {
        let order = self.records.order(payment).await?;
        let stored: PresentedPayment = serde_json::from_str(&order.signed)
            .map_err(|_| Problem::not_found("presented payment"))?;
        let request = Unverified::parse(&stored.request_object).map_err(Problem::internal)?;
        let request =
            RequestObject::from_json(request.unverified_payload()).map_err(Problem::internal)?;
        let paid = only_payment(&request)?;
        let queries = request.dcql_query.credentials().iter();
        let asked = queries.flat_map(|query| query.claims()).map(|claim| claim.path.to_string());
        Ok(PresentedPaymentFile {
            account: order.account.to_string(),
            payee_account: paid.payee_account.to_string(),
            payee_name: paid.payee_name.clone(),
            amount_minor: paid.amount.minor(),
            order: paid.order_id.clone(),
            asked_elsewhere: asked.collect(),
            claims: disclosed(&stored.presentation),
        })
    }
}

/// The names of the claims that a presentation discloses (RFC 9901, section 4.2).
fn disclosed(presentation: &str) -> Vec<String> {
    let parts = presentation.split('~').skip(1);
    let values = parts.filter_map(|part| {
        let bytes = decode_base64url(part).ok()?;
        serde_json::from_slice::<Vec<Value>>(&bytes).ok()
    });
    values
        .filter_map(|disclosure| disclosure.get(1).and_then(Value::as_str).map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::disclosed;
    use yufu_jose::encode_base64url;

    #[test]
    fn every_disclosed_claim_is_named() {
        let disclosure = encode_base64url(r#"["salt", "family_name", "W"]"#);
        assert_eq!(disclosed(&format!("jwt~{disclosure}~binding")), ["family_name"]);
        assert!(disclosed("jwt~binding").is_empty());
    }
}
