//! Hotels and railways: open their records, register as relying parties, and know by address the
//! bank that keeps their account.

use super::authority::sealer;
use super::issuer::issuer;
use super::opening::Opening;
use super::trust::Trust;
use crate::words::text;
use anyhow::{Context, Result};
use std::sync::Arc;
use yufu_api::relying_party::{HeldAnswers, RelyingParty, Service};
use yufu_api::signing::HeldKey;
use yufu_database::Database;
use yufu_profile::{Institution, Role};
use yufu_returns::Returns;
use yufu_services::Services;

pub(super) async fn open(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
) -> Result<RelyingParty> {
    let (plan, client) = (opening.plan, opening.client.clone());
    let id = institution.id.clone();
    let profile = plan.profile();
    trust.enlist(opening, institution).await?;
    let party = trust.party(opening, institution, &format!("/parties/{id}/openid4vp")).await?;
    let database = Database::open(&plan.data.database(&id, "services")?).await?;
    let held = HeldAnswers::new(Returns::open(database.clone()).await?);
    let trade =
        institution.merchant.as_ref().with_context(|| text!("the profile gives it no bank"))?;
    let service = match institution.role {
        Role::Railway => {
            let path = format!("/parties/{id}");
            Service::Railway(Box::new(issuer(opening, trust, institution, &path).await?))
        }
        _ => Service::Hotel,
    };
    Ok(RelyingParty {
        name: institution.name.en().to_owned(),
        service,
        operator: plan.operator(&id)?,
        records: Services::open(database, Arc::new(sealer(plan, &id).await?)).await?,
        party: party.into(),
        held,
        trust: trust.source(plan, &institution.id, client.clone())?,
        client,
        bank: (trade.bank.clone(), plan.address(&trade.bank).to_owned()),
        account_key: HeldKey::new(plan.data.keys(&id)?.signer("wallet")?),
        ledger: (plan.the(Role::CentralBank)?.id.clone(), profile.currency.code),
        clock: Arc::clone(&plan.clock),
        id,
    })
}
