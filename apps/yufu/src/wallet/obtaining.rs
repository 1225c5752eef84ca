//! Getting credentials without an offer: the wallet begins at the issuer by itself, and its holder signs in there with
//! what that issuer has to see and nothing more. She signs for this issuer and this very request; a sign-in that another
//! wallet began is declined.

use super::getting::Wanted;
use super::haip::Got;
use super::holder::{Awaited, Decide, Holder};
use crate::words::text;
use anyhow::{Context, Error, Result};
use yufu_openid4vc::{Endpoint, HttpResponse};
use yufu_profile::Role;
use yufu_trust::{TrustEntry, TrustList};
use yufu_wallet::issuance::haip::{Authorising, DiscoverError, SigningIn, begin_at};

/// What an issuer's identifier for attested wallets has behind its own.
const ATTESTED: &str = "haip";

impl Holder {
    /// Gets a credential that is `called` so (by its configuration, its scope or its type in the issuer's metadata) of
    /// an issuer: an institution of the trust list by its id, or any issuer that the list knows by its identifier.
    ///
    /// # Errors
    /// If this is no provider's wallet, or the issuer is unknown; whatever the issuer refused, or the wallet or the
    /// person of it.
    pub async fn obtain(&mut self, from: &str, called: &str, decide: Decide<'_>) -> Result<Got> {
        // Many steps, each with its answer: not on the stack of whoever asks.
        Box::pin(self.begin_alone(from, called, decide)).await
    }

    async fn begin_alone(&mut self, from: &str, called: &str, decide: Decide<'_>) -> Result<Got> {
        let trust = self.trust().await?;
        let begun = begin_at(self.issuer_called(from, &trust)?, called, &trust)?;
        let wanted = Wanted::default();
        let pushed = self.push(begun, wanted, &trust).await;
        let (authorising, party) = pushed.map_err(|error| not_offered(error, from))?;
        let address = self.sign_in(&authorising, decide).await?;
        self.take_granted((authorising, party), &address, wanted.pseudonyms).await
    }

    /// The person shows who she is: where her browser would be sent.
    async fn sign_in(&mut self, authorising: &Authorising, decide: Decide<'_>) -> Result<String> {
        let response = self.send(authorising.sign_in()?).await?;
        if let Some(address) = redirected(&response) {
            return Ok(address);
        }
        let asked: SigningIn = response.json()?;
        let (issuer, request) = authorising.sign_in_names();
        let awaited = Awaited::SignIn { issuer: issuer.to_string(), request };
        self.present_for(&asked.authorization_request, &awaited, decide).await?;
        let response = self.send(authorising.sign_in()?).await?;
        redirected(&response)
            .with_context(|| text!("the issuer did not go on after the sign-in: begin anew"))
    }

    /// Whom a person means by the id of an institution, or by an identifier.
    fn issuer_called(&self, from: &str, trust: &TrustList) -> Result<Endpoint> {
        if from.contains("://") {
            return Ok(Endpoint::parse(from)?);
        }
        let unknown = || text!("the trust list knows no issuer {issuer}", issuer = from);
        let place = self.directory().iter().find(|entry| entry.id == from);
        let place = place.with_context(unknown)?;
        let is_authority = place.kind == Role::IdentityAuthority.word();
        let own = |entry: &&TrustEntry| {
            let below = entry.identifier.strip_prefix(place.url.as_str());
            below
                .and_then(|below| below.rsplit('/').next())
                .is_some_and(|last| if is_authority { last == "authority" } else { last == from })
        };
        let found = trust.entries.iter().find(own).with_context(unknown)?;
        Ok(Endpoint::parse(&found.identifier)?.join(ATTESTED)?)
    }
}

/// What can be had of an issuer instead, if what was asked for cannot.
fn not_offered(error: Error, issuer: &str) -> Error {
    match error.downcast_ref::<DiscoverError>() {
        Some(DiscoverError::Configuration { asked, offered }) => Error::msg(text!(
            "{issuer} does not offer {asked}; of it can be had: {offered}",
            issuer = issuer,
            asked = asked.join(", "),
            offered = offered.join(", ")
        )),
        _ => error,
    }
}

/// Where an answer sends the browser, if it does.
pub(super) fn redirected(response: &HttpResponse) -> Option<String> {
    let address = response.header("location").filter(|_| response.status == 303);
    address.map(str::to_owned)
}
