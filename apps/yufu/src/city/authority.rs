//! The identity authority: opens its register, imports the city, publishes itself as an issuer.

use super::Plan;
use super::issuer::issuer;
use super::trust::Trust;
use anyhow::{Context, Result};
use std::sync::Arc;
use yufu_api::authority::{Authority, Looks, OwnLook};
use yufu_api::http::Client;
use yufu_database::{Database, MasterKey, Sealer};
use yufu_population::{Imported, Population};
use yufu_profile::Role;

pub(super) async fn open(
    plan: &Plan<'_>,
    trust: &Trust,
    mut progress: impl FnMut(&str),
) -> Result<Authority> {
    let institution = plan.the(Role::IdentityAuthority)?;
    let id = institution.id.clone();
    let population = population(plan, &mut progress).await?;
    Ok(Authority {
        issuer: issuer(plan, trust, institution, "/authority").await?,
        numbers: plan.profile().resident_number.clone(),
        offsets: plan.profile().utc_offsets.clone(),
        majority_age: plan.profile().majority_age,
        population,
        own_look: own_look(plan, trust)?,
        operator: plan.operator(&id)?,
        clock: Arc::clone(&plan.clock),
        id,
    })
}

/// The authority as a relying party: what it is registered for, as everybody else.
fn own_look(plan: &Plan<'_>, trust: &Trust) -> Result<OwnLook> {
    let institution = plan.the(Role::IdentityAuthority)?;
    Ok(OwnLook {
        party: trust.party(plan, institution, "/authority/openid4vp")?,
        trust: trust.source(Client::new()?),
        looks: Looks::default(),
    })
}

async fn population(plan: &Plan<'_>, progress: &mut impl FnMut(&str)) -> Result<Population> {
    let id = &plan.the(Role::IdentityAuthority)?.id;
    let sealer = sealer(plan, id).await?;
    let database = Database::open(&plan.data.database(id, "population")?).await?;
    let population = Population::open(database, sealer).await?;
    let residents = &plan.country.residents;
    let imported = population
        .import(residents, |done, of| progress(&format!("importing residents: {done} of {of}")))
        .await
        .context("the city's residents were not imported")?;
    if let Imported::Now(count) = imported {
        progress(&format!("{count} residents are in the register, sealed one by one"));
    }
    Ok(population)
}

/// The sealer of an institution's personal data: data keys in a file of their own, under a master key.
pub(super) async fn sealer(plan: &Plan<'_>, id: &yufu_base::InstitutionId) -> Result<Sealer> {
    let master = MasterKey::new(plan.data.keys(id)?.master("records")?);
    let keys = Database::open(&plan.data.database(id, "person-keys")?).await?;
    Ok(Sealer::open(keys, &master).await?)
}
