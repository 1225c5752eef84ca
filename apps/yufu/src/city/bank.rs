//! A commercial bank: opens its records, registers as a relying party, knows the central bank's address.

use super::Plan;
use super::authority::sealer;
use super::trust::{Trust, verifiers};
use anyhow::{Context, Result};
use std::sync::Arc;
use yufu_api::bank::{Bank, Party};
use yufu_api::http::Client;
use yufu_api::trust::TrustSource;
use yufu_database::Database;
use yufu_onboarding::Onboarding;
use yufu_profile::{Evidence, Institution, Role};

pub(super) async fn open(
    plan: &Plan<'_>,
    trust: &Trust,
    institution: &Institution,
    client: Client,
) -> Result<Bank> {
    let id = institution.id.clone();
    let profile = plan.profile();
    let identity = profile.credential("pid").context("the profile has no credential pid")?;
    let host = plan.endpoint("/")?.host().to_owned();
    let access = trust.access(&plan.data.keys(&id)?, &institution.name, &host)?;
    let base = format!("/banks/{id}/openid4vp");
    let verifiers = verifiers(plan, trust, institution, &access, &base, &identity.vct)?;
    let database = Database::open(&plan.data.database(&id, "onboarding")?).await?;
    let sealer = Arc::new(sealer(plan, &id).await?);
    let remote = profile.wallet_classes.iter().filter(|c| c.opening.evidence == Evidence::Identity);
    let central_bank = plan.the(Role::CentralBank)?.id.clone();
    Ok(Bank {
        signer: plan.command_key(&id)?,
        operator: plan.operator(&id)?,
        records: Onboarding::open(database, sealer).await?,
        party: Party { signer: access.signer, verifiers },
        trust: TrustSource::new(
            client.clone(),
            format!("{}/trust-list/v1/list", plan.url),
            trust.operator.signer.public_key(),
        ),
        client,
        central_bank: (central_bank, format!("{}/central-bank", plan.url)),
        currency: profile.currency.code,
        identity: identity.vct.clone(),
        remote_classes: remote.map(|c| (c.name.clone(), c.opening.at_most)).collect(),
        clock: Arc::clone(&plan.clock),
        id,
    })
}
