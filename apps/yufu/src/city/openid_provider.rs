//! OpenID providers: open their records, register as relying parties, and have a certified key to sign access tokens
//! with.

use super::issuer::signing_with;
use super::opening::Opening;
use super::trust::Trust;
use crate::words::text;
use anyhow::{Context, Result};
use std::sync::Arc;
use yufu_allowances::Allowances;
use yufu_api::enrolment::place;
use yufu_api::openid_provider::OpenidProvider;
use yufu_database::Database;
use yufu_profile::{Institution, Role};
use zeroize::Zeroizing;

/// The key that signs.
pub(super) const KEY: &str = "access-tokens";

pub(super) async fn open(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
) -> Result<OpenidProvider> {
    let (plan, client) = (opening.plan, opening.client.clone());
    let (id, profile) = (institution.id.clone(), plan.profile());
    let allowance = profile.allowance.clone().filter(|allowance| allowance.provider == id);
    let allowance = allowance.with_context(|| {
        text!("the profile has no [allowance] for {institution}", institution = id)
    })?;
    let epoch = profile.pseudonym_epoch.with_context(|| text!("the profile has no sectors"))?;
    trust.enlist(opening, institution).await?;
    let party = trust.party(opening, institution, &format!("/openid/{id}/openid4vp")).await?;
    let (path, _) = place(institution);
    let identifier = format!("{}{path}", plan.address(&id));
    let keys = plan.data.keys(&id)?;
    let signing = signing_with(plan, institution, (KEY, &identifier), false)?;
    let database = Database::open(&plan.data.database(&id, "allowances")?).await?;
    let banks = profile.institutions_of(Role::CommercialBank).map(|bank| &bank.id);
    let mints = banks.map(|id| (id.to_string(), format!("{}/banks/{id}/mint", plan.address(id))));
    Ok(OpenidProvider {
        identifier,
        records: Allowances::open(database).await?,
        party: party.into(),
        trust: trust.source(plan, &institution.id, client.clone())?,
        client,
        mints: mints.collect(),
        allowance,
        epoch,
        signing: signing.into(),
        digests: Zeroizing::new(keys.master("pseudonyms")?),
        clock: Arc::clone(&plan.clock),
        id,
    })
}
