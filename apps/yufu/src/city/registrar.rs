//! The registrar: what it certifies and revokes, and its records of reports.

use super::opening::Opening;
use super::trust::{Trust, admission};
use anyhow::Result;
use std::sync::Arc;
use yufu_api::enrolment::place;
use yufu_api::registrar::{Certifier, Published, Registrar};
use yufu_database::Database;
use yufu_profile::Institution;
use yufu_registrations::Registrations;
use yufu_reports::Reports;

pub(super) async fn open(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
) -> Result<Registrar> {
    let plan = opening.plan;
    let id = institution.id.clone();
    let database = Database::open(&plan.data.database(&id, "reports")?).await?;
    let records = Reports::open(database).await?;
    let database = Database::open(&plan.data.database(&id, "registrations")?).await?;
    let registrations = Registrations::open(database).await?;
    trust.enlist(opening, institution).await?;
    let identifier = format!("{}{}", plan.address(&id), place(institution).0);
    let (keys, admission) = (plan.data.keys(&id)?, admission(plan)?);
    Ok(Registrar {
        certifier: Certifier::new(identifier, keys, admission, plan.profile()),
        registrations,
        published: Published::default(),
        records,
        trust: trust.source(plan, &institution.id, opening.client.clone())?,
        operator: plan.operator(&id)?,
        clock: Arc::clone(&plan.clock),
        id,
    })
}
