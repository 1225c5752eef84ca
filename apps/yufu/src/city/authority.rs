//! The identity authority: opens its register, imports the city, publishes itself as an issuer.

use super::issuer::issuer;
use super::opening::Opening;
use super::trust::Trust;
use super::{Plan, Progress};
use crate::card;
use crate::words::{noted, text};
use anyhow::{Context, Result};
use std::sync::Arc;
use yufu_api::authority::{Authority, Cards, Derivations, Looks, OwnLook};
use yufu_api::http::OperatorToken;
use yufu_database::{Database, MasterKey, Sealer};
use yufu_population::{Imported, Population};
use yufu_profile::Institution;

/// Where wallets answer the authority when its holder looks at her record.
pub(super) const OWN_LOOK: &str = "/authority/openid4vp";

pub(super) async fn open(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
) -> Result<Authority> {
    let plan = opening.plan;
    let id = institution.id.clone();
    let population = population(opening, institution).await?;
    trust.enlist(opening, institution).await?;
    Ok(Authority {
        issuer: issuer(opening, trust, institution, "/authority").await?,
        numbers: plan.profile().resident_number.clone(),
        offsets: plan.profile().utc_offsets.clone(),
        majority: plan.profile().majority,
        code_digits: plan.profile().code_digits,
        pseudonym_epoch: plan.profile().pseudonym_epoch,
        population,
        cards: cards(plan)?,
        own_look: own_look(opening, trust, institution).await?,
        #[cfg(feature = "zero-knowledge")]
        anonymous: super::anonymous::issuer(opening, trust, institution).await?,
        operator: plan.operator(&id)?,
        approver: OperatorToken::new(plan.data.keys(&id)?.secret("approver")?),
        clock: Arc::clone(&plan.clock),
        id,
    })
}

/// The country's chip cards and the keys that sign them, if it issues any.
fn cards(plan: &Plan<'_>) -> Result<Option<Cards>> {
    let Some(profile) = plan.profile().cards.clone() else { return Ok(None) };
    let keys = card::keys(plan.data, plan.profile(), plan.clock.read().wall)?;
    Ok(Some(Cards { profile, keys, derivations: Derivations::default() }))
}

/// The authority as a relying party: what it is registered for, as everybody else.
async fn own_look(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
) -> Result<OwnLook> {
    Ok(OwnLook {
        party: trust.party(opening, institution, OWN_LOOK).await?.into(),
        trust: trust.source(opening.plan, &institution.id, opening.client.clone())?,
        looks: Looks::default(),
    })
}

async fn population(opening: &mut Opening<'_>, institution: &Institution) -> Result<Population> {
    let (plan, id) = (opening.plan, &institution.id);
    let sealer = sealer(plan, id).await?;
    let database = Database::open(&plan.data.database(id, "population")?).await?;
    let population = Population::open(database, sealer).await?;
    let residents = &plan.country.residents;
    let imported = population
        .import(residents, |done, of| {
            (opening.progress)(&Progress::Counted {
                what: noted!("importing residents"),
                done,
                of,
            });
        })
        .await
        .with_context(|| text!("the city's residents were not imported"))?;
    // A file of keys from a backup may have brought somebody back.
    population.erase_again().await?;
    if let Imported::Now(count) = imported {
        (opening.progress)(&Progress::Registered(count));
    }
    Ok(population)
}

/// The sealer of an institution's personal data: data keys in a file of their own, under a master key.
pub(super) async fn sealer(plan: &Plan<'_>, id: &yufu_base::InstitutionId) -> Result<Sealer> {
    let master = MasterKey::new(plan.data.keys(id)?.master("records")?);
    let keys = Database::open(&plan.data.database(id, "person-keys")?).await?;
    Ok(Sealer::open(keys, &master).await?)
}
