//! Personal data that institutions may keep no longer: looked for every hour, and erased.

use super::ERASE_EVERY;
use std::fmt::Display;
use std::sync::Arc;
use yufu_api::bank::Bank;
use yufu_api::http::Problem;
use yufu_api::relying_party::RelyingParty;
use yufu_api::verifying::VerifyingParty;

/// Erases what banks and relying parties may keep no longer, for as long as the city runs.
pub(super) async fn erase_expired(
    banks: Vec<Arc<Bank>>,
    parties: Vec<Arc<RelyingParty>>,
    verifying: Vec<Arc<VerifyingParty>>,
) {
    loop {
        for bank in &banks {
            told(&bank.id, bank.erase_expired().await);
        }
        for party in &verifying {
            told(&party.id, party.erase_expired().await);
        }
        for party in &parties {
            told(&party.id, party.erase_expired().await);
        }
        tokio::time::sleep(ERASE_EVERY).await;
    }
}

fn told<N: Default + PartialEq + Display>(party: &impl Display, erased: Result<N, Problem>) {
    match erased {
        Ok(count) if count == N::default() => {}
        Ok(count) => tracing::info!(%party, %count, "identities were erased"),
        Err(problem) => tracing::warn!(%party, code = problem.code(), "nothing was erased"),
    }
}
