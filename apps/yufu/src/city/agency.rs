//! Agencies: open their records, register as relying parties, and know by address the bank that
//! keeps their account.

use super::issuer::{issued_by, issuer};
use super::opening::Opening;
use super::trust::Trust;
use crate::words::text;
use anyhow::{Context, Result};
use std::sync::Arc;
use yufu_api::agency::{Agency, Runs};
use yufu_api::http::OperatorToken;
use yufu_api::relying_party::HeldAnswers;
use yufu_api::signing::HeldKey;
use yufu_database::Database;
use yufu_profile::{Institution, Role};
use yufu_programmes::Programmes;
use yufu_returns::Returns;

pub(super) async fn open(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
) -> Result<Agency> {
    let (plan, client) = (opening.plan, opening.client.clone());
    let id = institution.id.clone();
    let profile = plan.profile();
    trust.enlist(opening, institution).await?;
    let party = trust.party(opening, institution, &format!("/agencies/{id}/openid4vp")).await?;
    let bank =
        &institution.merchant.as_ref().with_context(|| text!("the profile gives it no bank"))?.bank;
    let database = Database::open(&plan.data.database(&id, "programmes")?).await?;
    let held = HeldAnswers::new(Returns::open(database.clone()).await?);
    let issuer = if issued_by(plan, institution).is_empty() {
        None
    } else {
        Some(Box::new(issuer(opening, trust, institution, &format!("/agencies/{id}")).await?))
    };
    let own = profile.programmes.iter().filter(|programme| programme.agency == id);
    Ok(Agency {
        operator: plan.operator(&id)?,
        approver: OperatorToken::new(plan.data.keys(&id)?.secret("approver")?),
        issuer,
        records: Programmes::open(database).await?,
        party: party.into(),
        held,
        trust: trust.source(plan, &institution.id, client.clone())?,
        client,
        bank: (bank.clone(), plan.address(bank).to_owned()),
        account_key: HeldKey::new(plan.data.keys(&id)?.signer("wallet")?),
        ledger: (plan.the(Role::CentralBank)?.id.clone(), profile.currency.code),
        programmes: own.map(|programme| (programme.id.clone(), programme.clone())).collect(),
        offsets: profile.utc_offsets.clone(),
        id_retention_days: profile.id_retention_days,
        runs: Runs::default(),
        clock: Arc::clone(&plan.clock),
        id,
    })
}
