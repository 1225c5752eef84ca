//! Parties that only ask: merchants with something to ask. They register as relying parties, and keep what
//! their purposes allow.

use super::authority::sealer;
use super::opening::Opening;
use super::trust::Trust;
use crate::words::text;
use anyhow::{Result, bail};
use std::sync::Arc;
use yufu_api::enrolment::place;
use yufu_api::relying_party::HeldAnswers;
use yufu_api::verifying::{AtWork, Purpose, VerifyingParty};
use yufu_database::Database;
use yufu_profile::Institution;
use yufu_returns::Returns;
use yufu_verifications::Verifications;

pub(super) async fn open(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
) -> Result<VerifyingParty> {
    let (plan, client) = (opening.plan, opening.client.clone());
    let id = institution.id.clone();
    supported(institution)?;
    trust.enlist(opening, institution).await?;
    let (path, _) = place(institution);
    let party = trust.party(opening, institution, &format!("{path}/openid4vp")).await?;
    let database = Database::open(&plan.data.database(&id, "verifications")?).await?;
    let held = HeldAnswers::new(Returns::open(database.clone()).await?);
    let records = Verifications::open(database, Arc::new(sealer(plan, &id).await?)).await?;
    let purposes = institution.requests.iter().map(|request| {
        let purpose = Purpose {
            credentials: request.credentials.clone(),
            query: request.query.clone(),
            result_only: request.result_only,
            keeps_evidence: request.keeps_evidence,
            one_account: request.one_account,
        };
        (request.id.clone(), purpose)
    });
    let party = VerifyingParty {
        operator: plan.operator(&id)?,
        party: party.into(),
        purposes: purposes.collect(),
        #[cfg(feature = "zero-knowledge")]
        anonymous: super::anonymous::party(plan, client.clone(), &id).await?,
        trust: trust.source(plan, &institution.id, client)?,
        clock: Arc::clone(&plan.clock),
        at_work: AtWork::new(records, held),
        id,
    };
    match party.take_up().await {
        Ok(0) => {}
        Ok(count) => tracing::info!(verifier = %party.id, count, "requests wait on, from before"),
        Err(problem) => {
            tracing::warn!(verifier = %party.id, code = problem.code(), "what waited before cannot be taken up: it is asked again");
        }
    }
    Ok(party)
}

/// A purpose that only a program with anonymous credentials can serve is not begun by another.
fn supported(institution: &Institution) -> Result<()> {
    let wanted = institution.requests.iter().find(|request| request.one_account);
    match wanted {
        Some(request) if !cfg!(feature = "zero-knowledge") => bail!(text!(
            "{institution} is to give each person one account ({purpose}), which this program cannot: build it with `--features zero-knowledge`, or take `one_account` out of the profile",
            institution = institution.id,
            purpose = request.id
        )),
        _ => Ok(()),
    }
}
