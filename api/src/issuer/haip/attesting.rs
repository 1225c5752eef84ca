//! What an institution is to be, so that it issues to attested wallets by the endpoints that all of them have.

use super::super::{Issuer, Refusal, UnderWay};
use crate::http::Problem;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use std::sync::Arc;
use yufu_credentials::SignedIn;
use yufu_openid4vc::issuance::CredentialResponse;
use yufu_verifier::Verified;

/// An institution that issues to attested wallets.
pub(crate) trait Attests: Send + Sync + 'static {
    /// Itself as an issuer.
    fn as_issuer(&self) -> Result<&Issuer, Problem>;

    /// Signs a batch whose keys are proven. Whether its ground still stands, and what it says, is the institution's
    /// affair.
    fn issue_under(
        &self,
        under_way: UnderWay,
    ) -> impl Future<Output = Result<CredentialResponse, Refusal>> + Send;

    /// Whom somebody is here who signed in, and which of the `wanted` credentials she may have for it.
    fn signed_in(
        &self,
        wanted: &[String],
        shown: &Verified,
    ) -> impl Future<Output = Result<SignedIn, Problem>> + Send;
}

/// The institutions of one kind, as an address names one of them.
pub(crate) trait Attesters: Send + Sync + 'static {
    /// One of them.
    type One: Attests;
    /// Below which address each is: `/banks/{bank}`.
    const AT: &'static str;
    /// Under which heading its endpoints are described.
    const TAG: &'static str;

    /// The one of that name; `None` where there is but one.
    fn one(all: &Arc<Self>, name: Option<&str>) -> Result<Arc<Self::One>, Problem>;
}

/// The institution that an address names, and what stands at the address's end, if that has a name.
pub(crate) struct Here<A: Attesters> {
    pub(crate) institution: Arc<A::One>,
    pub(crate) id: String,
}

/// How the last part of an address is called where it names something of the institution's.
pub(super) const ID: &str = "id";

impl<A: Attesters> FromRequestParts<Arc<A>> for Here<A> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, all: &Arc<A>) -> Result<Self, Problem> {
        let named = RawPathParams::from_request_parts(parts, all).await;
        let named = named.map_err(Problem::malformed)?;
        let name = named.iter().find(|(name, _)| *name != ID).map(|(_, value)| value);
        let id = named.iter().find(|(name, _)| *name == ID).map(|(_, value)| value);
        let id = id.unwrap_or_default().to_owned();
        Ok(Self { institution: A::one(all, name)?, id })
    }
}
