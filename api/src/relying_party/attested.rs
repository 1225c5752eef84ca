//! A railway as an issuer to attested wallets; and whoever comes without an offer. The railway knows no passengers, so
//! nobody says who she is: she shows a copy of the ticket itself, of which no claim is asked, and gets fresh ones of it.

use super::ticketing::TICKET;
use super::{RelyingParties, RelyingParty, railway};
use crate::http::Problem;
use crate::issuer::{Attesters, Attests, Issuer, Refusal, UnderWay};
use std::sync::Arc;
use yufu_credentials::SignedIn;
use yufu_openid4vc::issuance::CredentialResponse;
use yufu_services::{ServicesError, TicketState};
use yufu_verifier::Verified;

impl Attesters for RelyingParties {
    type One = RelyingParty;
    const AT: &'static str = "/parties/{party}";
    const TAG: &'static str = "relying party";

    fn one(all: &Arc<Self>, name: Option<&str>) -> Result<Arc<RelyingParty>, Problem> {
        railway(all, name.unwrap_or_default())
    }
}

impl Attests for RelyingParty {
    fn as_issuer(&self) -> Result<&Issuer, Problem> {
        self.issuer()
    }

    async fn issue_under(&self, under_way: UnderWay) -> Result<CredentialResponse, Refusal> {
        let claims = self.ticket_claims(under_way.subject()).await?;
        self.issuer()?.issue(under_way, claims).await
    }

    async fn signed_in(&self, wanted: &[String], shown: &Verified) -> Result<SignedIn, Problem> {
        let found = shown.credentials.get(TICKET).and_then(|found| found.first());
        let status = found.and_then(|found| found.status.as_ref());
        let id = self.issuer()?.subject_of(status).await?;
        let found = self.records.ticket(id).await?.state;
        if found != TicketState::Valid {
            return Err(ServicesError::TicketState { found, needed: TicketState::Valid }.into());
        }
        Ok(SignedIn { person: id, credentials: wanted.to_vec() })
    }
}
