//! Agencies: open their records, register as relying parties, and know by address the bank that
//! keeps their account.

use super::Plan;
use super::trust::Trust;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use yufu_api::agency::{Agencies, Agency, Runs};
use yufu_api::http::{Client, OperatorToken};
use yufu_database::Database;
use yufu_profile::{Institution, Role};
use yufu_programmes::Programmes;

pub(super) async fn open_all(plan: &Plan<'_>, trust: &Trust, client: &Client) -> Result<Agencies> {
    let mut agencies = BTreeMap::new();
    for institution in plan.profile().institutions_of(Role::Agency) {
        let agency = open(plan, trust, institution, client.clone()).await?;
        agencies.insert(institution.id.to_string(), Arc::new(agency));
    }
    Ok(agencies)
}

async fn open(
    plan: &Plan<'_>,
    trust: &Trust,
    institution: &Institution,
    client: Client,
) -> Result<Agency> {
    let id = institution.id.clone();
    let profile = plan.profile();
    let bank = &institution.merchant.as_ref().context("the profile gives it no bank")?.bank;
    let database = Database::open(&plan.data.database(&id, "programmes")?).await?;
    let own = profile.programmes.iter().filter(|programme| programme.agency == id);
    Ok(Agency {
        operator: plan.operator(&id)?,
        approver: OperatorToken::new(plan.data.keys(&id)?.secret("approver")?),
        records: Programmes::open(database).await?,
        party: trust.party(plan, institution, &format!("/agencies/{id}/openid4vp"))?,
        trust: trust.source(client.clone()),
        client,
        bank: (bank.clone(), plan.address(bank).to_owned()),
        account_key: plan.data.keys(&id)?.signer("wallet")?,
        ledger: (plan.the(Role::CentralBank)?.id.clone(), profile.currency.code),
        programmes: own.map(|programme| (programme.id.clone(), programme.clone())).collect(),
        offsets: profile.utc_offsets.clone(),
        id_retention_days: profile.id_retention_days,
        runs: Runs::default(),
        clock: Arc::clone(&plan.clock),
        id,
    })
}
