//! Institutions as issuers: what the profile has those of their role issue.

use super::Plan;
use super::trust::Trust;
use anyhow::Result;
use std::sync::Arc;
use yufu_api::authority::issuer_profile;
use yufu_api::issuer::Issuer;
use yufu_api::signing::Signing;
use yufu_base::Signer;
use yufu_credentials::Credentials;
use yufu_database::Database;
use yufu_profile::{CredentialType, Institution};

/// What an institution issues.
pub(crate) fn issued_by(plan: &Plan<'_>, institution: &Institution) -> Vec<CredentialType> {
    let profile = plan.profile();
    let runs = |id: &String| {
        profile.programmes.iter().any(|one| one.id == *id && one.agency == institution.id)
    };
    let all = profile.credentials.iter().filter(|kind| kind.issuer == institution.role);
    // An agency attests of its own programmes only.
    all.filter(|kind| kind.programme.as_ref().is_none_or(runs)).cloned().collect()
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

/// An institution as an issuer, at `path`.
pub(super) async fn issuer(
    plan: &Plan<'_>,
    institution: &Institution,
    path: &str,
) -> Result<Issuer> {
    let database = Database::open(&plan.data.database(&institution.id, "credentials")?).await?;
    let credentials = issued_by(plan, institution);
    let identifier = plan.endpoint(&institution.id, path)?;
    let signing = signing(plan, institution, path)?;
    let profile = issuer_profile(identifier, &institution.name, &credentials);
    Ok(Issuer {
        metadata: profile.issuer_metadata()?,
        authorization_server: profile.authorization_server_metadata()?,
        credentials,
        records: Credentials::open(database).await?,
        signing: signing.into(),
        haip: None,
        clock: Arc::clone(&plan.clock),
    })
}
