//! A credential in the wallet.

use crate::Credential;
use crate::issuance::Received;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use yufu_base::{PublicKey, Timestamp};
use yufu_credential::REGISTERED;
use yufu_jose::ChainError;
use yufu_openid4vc::dcql::Candidate;
use yufu_trust::{TrustEntry, TrustError, TrustList};

/// A verified credential bound to one key. Show it once: two presentations of one
/// credential can be linked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldCredential {
    /// The credential.
    pub credential: Credential,
    /// Which of the issuer's configurations it is.
    pub configuration_id: String,
    /// Who issued it, as the trust list named it then.
    pub issuer: TrustEntry,
    /// The authority key identifiers in its chain, in base64url.
    pub authority_key_ids: Vec<String>,
}

impl HeldCredential {
    /// The key it is bound to; the wallet holds the private half.
    #[must_use]
    pub fn holder_key(&self) -> &PublicKey {
        self.credential.holder_key()
    }

    /// From when it is no longer good, if it says so.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match &self.credential {
            Credential::SdJwt(sd_jwt) => sd_jwt.credential().validity.expires_at,
            Credential::Mdoc(mdoc) => Some(mdoc.mso().validity.valid_until),
        }
    }

    /// Whether nobody accepts it any more: its issuer is on the list, and withdrew the key that signed it, or what
    /// certified that.
    #[must_use]
    pub fn is_void(&self, trust: &TrustList, now: Timestamp) -> bool {
        let listed = trust.entries.iter().any(|entry| {
            entry.role == self.issuer.role && entry.identifier == self.issuer.identifier
        });
        let (format, text) = (self.credential.format(), self.credential.issued());
        let chain = Received::parse(format, &text).ok().and_then(|read| read.chain().ok());
        let outcome = chain.map(|chain| trust.identify_as(&self.issuer, &chain, now));
        let void = matches!(
            outcome,
            Some(Err(TrustError::Withdrawn { .. }
                    // Another anchor of the same name leads to a signature that does not hold.
                    | TrustError::Chain {
                        reason: ChainError::Untrusted | ChainError::Invalid(_),
                        ..
                    }))
        );
        listed && void
    }

    /// Whether it says the same as another, of the same issuer: one of a batch.
    #[must_use]
    pub fn is_copy_of(&self, other: &Self) -> bool {
        self.configuration_id == other.configuration_id
            && self.issuer.identifier == other.issuer.identifier
            && self.credential.kind() == other.credential.kind()
            && self.said() == other.said()
    }

    /// What it says of its holder.
    fn said(&self) -> BTreeMap<&str, &Value> {
        let claims = self.credential.claims().iter().map(|(name, value)| (name.as_str(), value));
        claims.filter(|(name, _)| !REGISTERED.contains(name)).collect()
    }

    /// The credential as a query sees it.
    #[must_use]
    pub fn candidate(&self) -> Candidate<'_> {
        Candidate {
            format: self.credential.format(),
            vct: self.credential.kind(),
            claims: self.credential.queried(),
            authority_key_ids: &self.authority_key_ids,
            holder_bound: true,
        }
    }
}
