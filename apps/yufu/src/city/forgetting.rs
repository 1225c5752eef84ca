//! What was begun and nobody answered: looked for every hour, and forgotten.

use super::ERASE_EVERY;
use std::sync::Arc;
use yufu_api::agency::Agencies;
use yufu_api::authority::Authority;
use yufu_api::bank::Bank;
use yufu_api::http::Problem;
use yufu_api::openid_provider::OpenidProviders;
use yufu_api::relying_party::RelyingParty;

/// Requests and offers that nobody answered: anybody can begin one, so they must not pile up.
pub(super) async fn forget_lapsed(
    banks: Vec<Arc<Bank>>,
    authority: Option<Arc<Authority>>,
    (parties, agencies, providers): (Vec<Arc<RelyingParty>>, Agencies, OpenidProviders),
) {
    loop {
        for bank in &banks {
            told(bank.id.as_str(), bank.forget_lapsed().await);
        }
        for party in &parties {
            told(party.id.as_str(), party.forget_lapsed().await);
        }
        for agency in agencies.values() {
            told(agency.id.as_str(), agency.forget_lapsed().await);
        }
        for provider in providers.values() {
            told(provider.id.as_str(), provider.forget_lapsed().await);
        }
        if let Some(authority) = &authority {
            told(authority.id.as_str(), authority.issuer.forget_lapsed().await);
        }
        tokio::time::sleep(ERASE_EVERY).await;
    }
}

fn told(institution: &str, outcome: Result<u64, Problem>) {
    match outcome {
        Ok(0) => {}
        Ok(count) => tracing::info!(institution, count, "lapsed requests were forgotten"),
        Err(problem) => tracing::warn!(institution, code = problem.code(), "nothing was forgotten"),
    }
}
