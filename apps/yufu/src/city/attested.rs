//! Institutions as issuers to attested wallets: each below its own address, under keys of its own, and with what it is
//! registered to ask of whoever signs in.

use super::opening::Opening;
use super::trust::Trust;
use crate::words::text;
use anyhow::{Context, Result};
use yufu_api::issuer::{Haip, SignInDesk};
use yufu_issuer::IssuerProfile;
use yufu_issuer::haip::HaipDocuments;
use yufu_jose::jwe::DecryptionKey;
use yufu_jose::{SealingKey, SealingKeys, SeenSignatures};
use yufu_profile::{HaipProfile, Institution, Role};

/// The request for which an institution is registered to ask who signs in: one, as it asks within one sector.
const SIGN_IN: &str = "sign-in";

/// An institution as an issuer to attested wallets, if the country has it so. What wallets carry for it is sealed under
/// a key of its own.
pub(super) async fn haip(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
    (path, profile): (&str, &IssuerProfile),
) -> Result<Option<Haip>> {
    let plan = opening.plan;
    let Some(rules) = plan.profile().haip.clone() else { return Ok(None) };
    let keys = plan.data.keys(&institution.id)?;
    let (now, mut published, mut decryption) = (plan.clock.read().wall, None, Vec::new());
    for (number, seed) in keys.masters("requests", now)? {
        let key = DecryptionKey::from_seed(&seed)?;
        published.get_or_insert_with(|| key.public_jwk(format!("requests-{number}")));
        decryption.push(key);
    }
    let mut sealing = Vec::new();
    for (_, bytes) in keys.masters("sessions", now)? {
        sealing.push(SealingKey::new(&bytes)?);
    }
    let former = sealing.split_off(1);
    let none = || text!("no key of sessions, or of requests");
    let (current, encryption) = (sealing.pop().with_context(none)?, published.with_context(none)?);
    let identifier = plan.endpoint(&institution.id, &format!("{path}/haip"))?;
    let documents = HaipDocuments::new(profile, &identifier, &rules.key_storage, encryption)?;
    Ok(Some(Haip {
        documents,
        profile: rules_of(rules, institution),
        sealing: SealingKeys::new(current, former),
        decryption,
        attested: SeenSignatures::default(),
        trust: trust.source(plan, &institution.id, opening.client.clone())?,
        sign_in: sign_in(opening, trust, institution, path).await?,
    }))
}

/// What of the rules is an institution's: officers look at what the authority issues.
fn rules_of(rules: HaipProfile, institution: &Institution) -> HaipProfile {
    let looked_at = institution.role == Role::IdentityAuthority;
    let checked = rules.checked.into_iter().filter(|_| looked_at).collect();
    HaipProfile { checked, ..rules }
}

/// How persons sign in at an institution; none if it is registered to ask for nothing of it.
async fn sign_in(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
    path: &str,
) -> Result<Option<SignInDesk>> {
    let found = institution.requests.iter().find(|request| request.id == SIGN_IN);
    let Some(queries) = found.map(|request| request.credentials.clone()) else { return Ok(None) };
    let party = trust.party(opening, institution, &format!("{path}/haip/openid4vp")).await?;
    Ok(Some(SignInDesk { party, purpose: SIGN_IN.to_owned(), queries }))
}
