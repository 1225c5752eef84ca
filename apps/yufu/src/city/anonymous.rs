//! Anonymous credentials: the authority's key and terms, and what parties know persons by.

use super::Plan;
use super::authority::sealer;
use super::issuer::issued_by;
use super::opening::Opening;
use super::trust::Trust;
use crate::words::text;
use anyhow::{Context, Result, bail};
use std::sync::Arc;
use yufu_accounts::Accounts;
use yufu_anonymous::{IssuerKey, Terms};
use yufu_api::authority;
use yufu_api::http::Client;
use yufu_api::verifying::Anonymous;
use yufu_base::InstitutionId;
use yufu_database::Database;
use yufu_profile::{ClaimSource, Column, CredentialType, Institution, PseudonymEpoch};

/// The purpose for which the authority has to be registered.
const PURPOSE: &str = "anonymous-credential";
/// Where wallets answer the authority when they get one.
pub(super) const ANSWERS: &str = "/authority/anonymous/openid4vp";
/// The longest that a withdrawn person can go on showing a credential, in days.
const LONGEST_EPOCH: u32 = 7;

/// The authority as the issuer of anonymous credentials; none if it is not registered to ask who somebody is for them.
pub(super) async fn issuer(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
) -> Result<Option<authority::Anonymous>> {
    let plan = opening.plan;
    if !institution.requests.iter().any(|request| request.id == PURPOSE) {
        return Ok(None);
    }
    let Some(epoch) = plan.profile().pseudonym_epoch else {
        bail!(text!(
            "{purpose} needs `pseudonym_epoch_days` in the profile: from when a lost secret is replaced",
            purpose = PURPOSE
        ));
    };
    let identity = issued_by(plan, institution).into_iter().find(|kind| kind.id == "pid");
    let kind =
        said(identity.with_context(|| text!("the authority issues no identity credential"))?);
    let key = IssuerKey::from_seed(&plan.data.keys(&institution.id)?.master("anonymous")?)?;
    let identifier = plan.endpoint(&institution.id, "/authority")?;
    let claims = kind.claims.iter().map(|claim| claim.path.to_string()).collect();
    let days = epoch_days(epoch);
    let terms = Terms::new(identifier.as_str(), &kind.vct, claims, days, key.public())?;
    Ok(Some(authority::Anonymous {
        party: trust.party(opening, institution, ANSWERS).await?.into(),
        trust: trust.source(plan, &institution.id, opening.client.clone())?,
        key,
        terms,
        kind,
        proven: authority::Proven::default(),
    }))
}

/// What an anonymous credential says of a person: ages, and where she is registered as far as the city; nothing that
/// is hers alone.
fn said(identity: CredentialType) -> CredentialType {
    let tells_many = |source: &ClaimSource| match source {
        ClaimSource::AgeOver(_) | ClaimSource::ResidentOf(..) | ClaimSource::Constant(_) => true,
        ClaimSource::Column(column) => matches!(column, Column::Region | Column::Locality),
        ClaimSource::Record(_) | ClaimSource::Sector(_) => false,
    };
    let vct = format!("{}:anonymous", identity.vct);
    let claims = identity.claims.into_iter().filter(|claim| tells_many(&claim.source)).collect();
    CredentialType { vct, claims, ..identity }
}

/// How long a credential can be shown: the most days, up to a week, that divide the epoch of pseudonyms. So what a lost
/// wallet holds has lapsed when another secret takes the place of its own.
fn epoch_days(pseudonyms: PseudonymEpoch) -> u32 {
    let divides = |days: &u32| pseudonyms.days().checked_rem(*days) == Some(0);
    (1..=LONGEST_EPOCH).rev().find(divides).unwrap_or(1)
}

/// What a party knows persons by.
pub(super) async fn party(
    plan: &Plan<'_>,
    client: Client,
    id: &InstitutionId,
) -> Result<Anonymous> {
    let database = Database::open(&plan.data.database(id, "accounts")?).await?;
    let accounts = Accounts::open(database).await?;
    Ok(Anonymous::new(accounts, Arc::new(sealer(plan, id).await?), client))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lost_wallet_holds_has_lapsed_when_its_secret_is_replaced() {
        for (pseudonyms, days) in [(1, 1), (14, 7), (30, 6), (31, 1), (10, 5), (49, 7)] {
            assert_eq!(epoch_days(PseudonymEpoch::new(pseudonyms).unwrap()), days, "{pseudonyms}");
        }
    }
}
