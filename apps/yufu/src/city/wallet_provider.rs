//! Wallet providers: open their records, and have a certified key to attest with.

use super::issuer::signing_with;
use super::opening::Opening;
use super::trust::Trust;
use anyhow::Result;
use std::sync::Arc;
use yufu_api::enrolment::place;
use yufu_api::wallet_provider::WalletProvider;
use yufu_database::Database;
use yufu_instances::Instances;
use yufu_profile::Institution;

/// The key that signs.
pub(super) const KEY: &str = "attestations";

pub(super) async fn open(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
) -> Result<WalletProvider> {
    let plan = opening.plan;
    let id = institution.id.clone();
    trust.enlist(opening, institution).await?;
    let (path, _) = place(institution);
    let identifier = format!("{}{path}", plan.address(&id));
    let signing = signing_with(plan, institution, (KEY, &identifier), false)?;
    let database = Database::open(&plan.data.database(&id, "instances")?).await?;
    Ok(WalletProvider {
        identifier,
        records: Instances::open(database).await?,
        signing: signing.into(),
        clock: Arc::clone(&plan.clock),
        id,
    })
}
