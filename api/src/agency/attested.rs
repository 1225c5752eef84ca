//! An agency as an issuer to attested wallets; and whoever comes without an offer: she shows the pseudonym of the
//! programme's sector, by which the agency knows its members, and nothing else.

use super::enrolment::{QUERY, text};
use super::freezing::must_not_be_frozen;
use super::issuing::still_one;
use super::{Agencies, Agency, named};
use crate::http::Problem;
use crate::issuer::{Attesters, Attests, Issuer, Refusal, UnderWay};
use crate::relying_party::rejected;
use std::sync::Arc;
use yufu_credentials::SignedIn;
use yufu_openid4vc::issuance::CredentialResponse;
use yufu_verifier::Verified;

impl Attesters for Agencies {
    type One = Agency;
    const AT: &'static str = "/agencies/{agency}";
    const TAG: &'static str = "agency";

    fn one(all: &Arc<Self>, name: Option<&str>) -> Result<Arc<Agency>, Problem> {
        named(all, name.unwrap_or_default())
    }
}

impl Attests for Agency {
    fn as_issuer(&self) -> Result<&Issuer, Problem> {
        self.issuer()
    }

    async fn issue_under(&self, under_way: UnderWay) -> Result<CredentialResponse, Refusal> {
        let claims = self.claims_for(&under_way).await?;
        self.issuer()?.issue(under_way, claims).await
    }

    async fn signed_in(&self, wanted: &[String], shown: &Verified) -> Result<SignedIn, Problem> {
        let kinds = &self.issuer()?.credentials;
        let kind = kinds.iter().find(|kind| wanted.contains(&kind.id));
        let programme = kind.and_then(|kind| kind.programme.as_deref());
        let programme = programme.ok_or_else(|| Problem::not_found("credential of this agency"))?;
        let programme = self.programme(programme)?;
        let found = shown.credentials.get(QUERY).and_then(|found| found.first());
        let pseudonym = found.and_then(|found| text(&found.claims, &programme.pseudonym_claim()));
        let pseudonym = pseudonym
            .ok_or_else(|| rejected("no pseudonym was shown: get an identity that has them"))?;
        let member = self.known_member(&programme.id, pseudonym).await?;
        still_one(&member)?;
        // A guard is against whoever has the pseudonym's key alone: here the identity was shown.
        must_not_be_frozen(&member)?;
        let of_it = |id: &&String| self.attests(&member, id).is_ok();
        let credentials = wanted.iter().filter(of_it).cloned().collect();
        Ok(SignedIn { person: member.id, credentials })
    }
}
