//! Institutions as issuers: what the profile has those of their role issue.

use super::Plan;
use super::attested::haip;
use super::opening::Opening;
use super::trust::{CREDENTIAL_ANCHOR, Trust};
use anyhow::Result;
use std::sync::Arc;
use yufu_api::authority::issuer_profile;
use yufu_api::issuer::{Issuer, Published, Revocations, Types};
use yufu_api::signing::Signing;
use yufu_base::Signer;
use yufu_credentials::Credentials;
use yufu_database::Database;
use yufu_issuer::IssuerProfile;
use yufu_profile::{CredentialType, Institution};

/// What an institution issues.
pub(crate) fn issued_by(plan: &Plan<'_>, institution: &Institution) -> Vec<CredentialType> {
    plan.profile().issued_by(institution).cloned().collect()
}

/// The key with which an institution signs credentials at `path`, as it is now.
pub(super) fn signing(plan: &Plan<'_>, institution: &Institution, path: &str) -> Result<Signing> {
    let mdocs = issued_by(plan, institution).iter().any(|kind| kind.doctype.is_some());
    let identifier = plan.endpoint(&institution.id, path)?;
    signing_with(plan, institution, ("credentials", identifier.as_str()), mdocs)
}

/// A key that the institution's credential anchor certifies for `identifier`, as it is now.
pub(super) fn signing_with(
    plan: &Plan<'_>,
    institution: &Institution,
    (key, identifier): (&str, &str),
    mdocs: bool,
) -> Result<Signing> {
    let keys = plan.data.keys(&institution.id)?;
    let signer: Arc<dyn Signer> = keys.signer(key)?;
    let of = (signer.public_key(), mdocs);
    let chain = Trust::credential_chain(plan, &keys, &institution.name, identifier, of)?;
    let former = keys.former_signers(key, plan.clock.read().wall)?;
    let former = former.iter().map(|one| one.public_key()).collect();
    Ok(Signing { signer, chain, former })
}

/// What an institution says of itself as an issuer, at `path`.
pub(super) fn described(
    plan: &Plan<'_>,
    institution: &Institution,
    path: &str,
) -> Result<IssuerProfile> {
    let identifier = plan.endpoint(&institution.id, path)?;
    Ok(issuer_profile(identifier, &institution.name, &issued_by(plan, institution)))
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
    let signing = signing(plan, institution, path)?;
    let profile = described(plan, institution, path)?;
    let haip = Box::pin(haip(opening, trust, institution, (path, &profile))).await?;
    let records = Credentials::open(database).await?;
    let types = Types::publish(&credentials, &records, plan.clock.read().wall).await?;
    Ok(Issuer {
        metadata: profile.issuer_metadata()?,
        authorization_server: profile.authorization_server_metadata()?,
        haip: haip.map(Into::into),
        credentials,
        types,
        records,
        published: Published::default(),
        signing: signing.into(),
        revocations: Revocations::new(keys, CREDENTIAL_ANCHOR, "credentials"),
        clock: Arc::clone(&plan.clock),
    })
}
