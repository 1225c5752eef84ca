//! Institutions as issuers: what the profile has those of their role issue.

use super::Plan;
use super::attested::haip;
use super::opening::Opening;
use super::trust::{CREDENTIAL_ANCHOR, Trust};
use anyhow::Result;
use std::sync::Arc;
use yufu_api::authority::issuer_profile;
use yufu_api::issuer::{Issuer, Published, Revocations};
use yufu_base::Signer;
use yufu_credentials::Credentials;
use yufu_database::Database;
use yufu_profile::{CredentialType, Institution};

/// What an institution issues.
pub(crate) fn issued_by(plan: &Plan<'_>, institution: &Institution) -> Vec<CredentialType> {
    plan.profile().issued_by(institution).cloned().collect()
}

/// An institution as an issuer, at `path`; below it, to attested wallets too, if the country has it so.
pub(super) async fn issuer(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
    path: &str,
) -> Result<Issuer> {
    let plan = opening.plan;
    let keys = plan.data.keys(&institution.id)?;
    let database = Database::open(&plan.data.database(&institution.id, "credentials")?).await?;
    let credentials = issued_by(plan, institution);
    let identifier = plan.endpoint(&institution.id, path)?;
    let signer: Arc<dyn Signer> = keys.signer("credentials")?;
    let name = &institution.name;
    let key = (signer.public_key(), credentials.iter().any(|kind| kind.doctype.is_some()));
    let chain = Trust::credential_chain(plan, &keys, name, identifier.as_str(), key)?;
    let profile = issuer_profile(identifier, name, &credentials);
    Ok(Issuer {
        metadata: profile.issuer_metadata()?,
        authorization_server: profile.authorization_server_metadata()?,
        haip: Box::pin(haip(opening, trust, institution, (path, &profile))).await?,
        credentials,
        records: Credentials::open(database).await?,
        published: Published::default(),
        signer,
        chain,
        revocations: Revocations::new(keys, CREDENTIAL_ANCHOR, "credentials"),
        clock: Arc::clone(&plan.clock),
    })
}
