//! Wallet providers: open their records, and have a certified key to attest with.

use super::Plan;
use super::trust::Trust;
use anyhow::Result;
use std::sync::Arc;
use yufu_api::wallet_provider::{WalletProvider, WalletProviders};
use yufu_base::{InstitutionId, Signer};
use yufu_database::Database;
use yufu_instances::Instances;
use yufu_profile::Role;

pub(super) async fn open_all(plan: &Plan<'_>, trust: &Trust) -> Result<WalletProviders> {
    let mut providers = WalletProviders::new();
    for institution in plan.profile().institutions_of(Role::WalletProvider) {
        let id = institution.id.clone();
        let keys = plan.data.keys(&id)?;
        let identifier = identifier(plan, &id);
        let signer: Arc<dyn Signer> = keys.signer("attestations")?;
        let name = &institution.name;
        let chain = trust.credential_chain(&keys, name, &identifier, signer.public_key())?;
        let database = Database::open(&plan.data.database(&id, "instances")?).await?;
        let provider = WalletProvider {
            identifier,
            records: Instances::open(database).await?,
            signer,
            chain,
            clock: Arc::clone(&plan.clock),
            id: id.clone(),
        };
        providers.insert(id.to_string(), Arc::new(provider));
    }
    Ok(providers)
}

/// A wallet provider's address, as the trust list has it.
pub(super) fn identifier(plan: &Plan<'_>, id: &InstitutionId) -> String {
    format!("{}/wallet-providers/{id}", plan.address(id))
}
