//! The authority as an issuer to attested wallets (OpenID4VCI 1.0 under HAIP 1.0); and whoever comes without an offer:
//! she shows her identity, of which nothing is asked but that it is one of this authority's. Its place in the status list
//! says whose it is, and no other claim is needed.

use super::Authority;
use super::guardianship::GUARDIANSHIP;
use crate::http::Problem;
use crate::issuer::{Attesters, Attests, Issuer, Refusal, UnderWay, not_by_sign_in};
use std::sync::Arc;
use yufu_credentials::SignedIn;
use yufu_openid4vc::issuance::CredentialResponse;
use yufu_population::PersonId;
use yufu_verifier::Verified;

/// The name of the query for an identity.
const QUERY: &str = "pid";

impl Attesters for Authority {
    type One = Self;
    const AT: &'static str = "/authority";
    const TAG: &'static str = "authority";

    fn one(all: &Arc<Self>, _: Option<&str>) -> Result<Arc<Self>, Problem> {
        Ok(Arc::clone(all))
    }
}

impl Attests for Authority {
    fn as_issuer(&self) -> Result<&Issuer, Problem> {
        Ok(&self.issuer)
    }

    async fn issue_under(&self, under_way: UnderWay) -> Result<CredentialResponse, Refusal> {
        self.issue_to_the_living(under_way).await
    }

    async fn signed_in(&self, wanted: &[String], shown: &Verified) -> Result<SignedIn, Problem> {
        let found = shown.credentials.get(QUERY).and_then(|found| found.first());
        let status = found.and_then(|found| found.status.as_ref());
        let person = self.issuer.subject_of(status).await?;
        if self.issuer.is_of_card(status).await? {
            let detail = "this identity came from a chip card, with which it ends: derive it from the card again (`yufu wallet derive`)";
            return Err(Problem::refused("sign_in.from_card", detail));
        }
        self.must_live(PersonId::new(person)).await?;
        let own = wanted.iter().filter(|id| *id != GUARDIANSHIP);
        let credentials: Vec<String> = own.cloned().collect();
        if credentials.is_empty() {
            return Err(not_by_sign_in(
                "a guardianship is about another person too: ask an officer for an offer",
            ));
        }
        Ok(SignedIn { person, credentials })
    }
}
