//! Between the request and the credentials: an officer looks first. What was proven is carried by the wallet.

use crate::kind::Kind;
use crate::proven::Proven;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yufu_jose::Jwk;
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::IssuerMetadata;

/// An issuance that waits for an officer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferred {
    id: String,
    grant: String,
    subject: String,
    configuration_id: String,
    keys: Vec<Jwk>,
    /// By sector.
    pseudonyms: BTreeMap<String, String>,
}

impl Deferred {
    /// What was proven, to be issued later. `id` is that of the check in the issuer's records.
    #[must_use]
    pub fn new(id: String, grant: String, proven: Proven) -> Self {
        let Proven { subject, configuration_id, keys, pseudonyms, .. } = proven;
        let pseudonyms = pseudonyms.into_iter().map(|(s, p)| (s.to_string(), p)).collect();
        Self { id, grant, subject, configuration_id, keys, pseudonyms }
    }

    /// The id of the check.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The grant that it rests on.
    #[must_use]
    pub fn grant(&self) -> &str {
        &self.grant
    }

    /// What was proven; `None` if the issuer no longer has the credential. Its nonces are spent.
    #[must_use]
    pub fn proven(self, metadata: &IssuerMetadata, named: &Endpoint) -> Option<Proven> {
        let configuration =
            metadata.credential_configurations_supported.get(&self.configuration_id)?;
        let sector = |(name, pseudonym): (String, String)| Some((name.parse().ok()?, pseudonym));
        let pseudonyms = self.pseudonyms.into_iter().map(sector).collect::<Option<_>>()?;
        Some(Proven {
            kind: Kind::of(configuration)?,
            subject: self.subject,
            configuration_id: self.configuration_id,
            issuer: named.clone(),
            keys: self.keys,
            nonces: std::collections::BTreeSet::new(),
            pseudonyms,
        })
    }
}
