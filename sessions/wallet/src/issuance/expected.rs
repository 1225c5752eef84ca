//! What a batch that came must be, before any of it is kept, by whichever flow it was asked for.

use super::credentials::{CredentialProblem, CredentialsError};
use super::offer::ISSUERS;
use super::received::{Received, check_dates};
use super::sectors::carries;
use crate::{Credential, HeldCredential};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::{PublicKey, Timestamp};
use yufu_jose::Jwk;
use yufu_openid4vc::issuance::{IssuedCredential, IssuerMetadata};
use yufu_trust::{TrustEntry, TrustList};

/// What was asked for, of whom, for which keys.
pub(crate) struct Expected<'a> {
    pub(crate) metadata: &'a IssuerMetadata,
    pub(crate) entry: &'a TrustEntry,
    pub(crate) configuration_id: &'a str,
    pub(crate) keys: &'a [Jwk],
    /// The pseudonyms that were sent, by sector.
    pub(crate) pseudonyms: &'a BTreeMap<String, String>,
}

impl Expected<'_> {
    /// The batch, each of it verified.
    pub(crate) fn keep(
        &self,
        issued: &[IssuedCredential],
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<Vec<HeldCredential>, CredentialsError> {
        let (got, asked) = (issued.len(), self.keys.len());
        if got == 0 || got > asked {
            return Err(CredentialsError::Count { got, asked });
        }
        let mut held: Vec<HeldCredential> = Vec::new();
        for (index, one) in issued.iter().enumerate() {
            let credential = self
                .check(&one.credential, trust, now)
                .map_err(|error| CredentialsError::Credential { index, error })?;
            held.push(credential);
        }
        let keys: BTreeSet<&PublicKey> = held.iter().map(HeldCredential::holder_key).collect();
        if keys.len() != held.len() {
            return Err(CredentialsError::RepeatedKey);
        }
        let mut all = held.iter().map(|one| statements(&one.credential));
        let first = all.next();
        if all.any(|one| Some(&one) != first.as_ref()) {
            return Err(CredentialsError::Different);
        }
        Ok(held)
    }

    fn check(
        &self,
        text: &str,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<HeldCredential, CredentialProblem> {
        let offered = self.metadata.credential_configurations_supported.get(self.configuration_id);
        let format = offered.map(|offered| offered.format.as_str()).unwrap_or_default();
        let received = Received::parse(format, text)?;
        let chain = received.chain()?;
        let authority_key_ids = chain.authority_key_ids();
        let party = trust.identify_as(self.entry, &chain, now).or_else(|refusal| {
            let mut others = ISSUERS.iter();
            others.find_map(|role| trust.identify(*role, &chain, now).ok()).ok_or(refusal)
        })?;
        let credential = received.verify(&party.leaf.public_key)?;
        // Under another identifier for another flow, an issuer names itself as the trust list has it.
        let issuer = self.metadata.credential_issuer.as_str();
        let named = credential.named_issuer().unwrap_or(issuer);
        let own = named == issuer || named == self.entry.identifier;
        if party.entry.identifier != self.entry.identifier || !own {
            let (signer, offered) = (party.entry.identifier, issuer.to_owned());
            return Err(CredentialProblem::OtherIssuer { signer, offered });
        }
        let kind = offered.and_then(|offered| offered.credential_type());
        if kind.map(String::as_str) != Some(credential.kind()) {
            return Err(CredentialProblem::Type(credential.kind().to_owned()));
        }
        party.check_issued(credential.kind(), credential.named_issuer())?;
        if !self.keys.iter().any(|key| key.key == *credential.holder_key()) {
            return Err(CredentialProblem::Key);
        }
        check_dates(&credential, now)?;
        if !carries(credential.claims(), self.pseudonyms) {
            return Err(CredentialProblem::Pseudonyms);
        }
        let (configuration_id, issuer) = (self.configuration_id.to_owned(), party.entry);
        Ok(HeldCredential { credential, configuration_id, issuer, authority_key_ids })
    }
}

/// The claims without those that differ, or may, from one credential of a batch to another. An mdoc has
/// none of those among its elements.
fn statements(credential: &Credential) -> Map<String, Value> {
    let own: &[&str] = match credential {
        Credential::SdJwt(_) => &["cnf", "status", "iat", "nbf", "exp"],
        Credential::Mdoc(_) => &[],
    };
    let claims = credential.claims().iter();
    claims
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}
