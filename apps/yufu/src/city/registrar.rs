//! The registrar: its records of reports. (What it certifies is made in [`super::trust`].)

use super::Plan;
use super::trust::Trust;
use anyhow::Result;
use std::sync::Arc;
use yufu_api::http::Client;
use yufu_api::registrar::Registrar;
use yufu_database::Database;
use yufu_profile::Role;
use yufu_reports::Reports;

pub(super) async fn open(plan: &Plan<'_>, trust: &Trust) -> Result<Registrar> {
    let id = &plan.the(Role::Registrar)?.id;
    let database = Database::open(&plan.data.database(id, "reports")?).await?;
    Ok(Registrar {
        records: Reports::open(database).await?,
        trust: trust.source(Client::new()?),
        operator: plan.operator(id)?,
        clock: Arc::clone(&plan.clock),
    })
}
