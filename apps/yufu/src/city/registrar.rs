//! The registrar: what it certifies, and its records of reports.

use super::opening::Opening;
use super::trust::{Trust, admission};
use anyhow::Result;
use std::sync::Arc;
use yufu_api::registrar::{Certifier, Registrar};
use yufu_database::Database;
use yufu_profile::Institution;
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
    trust.enlist(opening, institution).await?;
    Ok(Registrar {
        certifier: Certifier::new(plan.data.keys(&id)?, admission(plan)?, plan.profile()),
        records,
        trust: trust.source(opening.client.clone()),
        operator: plan.operator(&id)?,
        clock: Arc::clone(&plan.clock),
        id,
    })
}
