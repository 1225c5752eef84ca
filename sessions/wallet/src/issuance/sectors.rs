//! The holder's pseudonyms on their way into a credential: proven to the issuer of identities
//! alone, and held against what comes back.

use super::Ready;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use yufu_base::{SECTOR_PSEUDONYM, SectorId, Signer, Timestamp};
use yufu_jose::{Jwk, SignError};
use yufu_openid4vc::issuance::{SectorProofs, sign_sector_proof};
use yufu_trust::Role;

/// The keys of the holder's pseudonyms, one for each sector.
pub type SectorKeys<'a> = BTreeMap<SectorId, &'a dyn Signer>;

impl Ready {
    /// The sectors for which the issuer takes pseudonyms; none of anybody but an issuer of
    /// identities, whatever it publishes: nobody else may learn that they belong together.
    #[must_use]
    pub fn sectors(&self) -> Vec<SectorId> {
        if self.entry.role != Role::PidIssuer {
            return Vec::new();
        }
        let proofs = self.configuration().and_then(|offered| offered.sector_proofs.as_ref());
        proofs.map(SectorProofs::accepted).and_then(Result::ok).unwrap_or_default()
    }

    /// A proof for each key, under the issuer's nonce.
    pub(super) fn sector_proofs(
        &self,
        keys: &SectorKeys<'_>,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Vec<String>, SignError> {
        let issuer = &self.metadata.credential_issuer;
        keys.iter()
            .map(|(sector, key)| sign_sector_proof(issuer, nonce, sector, now, *key))
            .collect()
    }
}

/// What the credential has to say of these keys: the name of each sector, and the pseudonym.
pub(super) fn pseudonyms(keys: &SectorKeys<'_>) -> BTreeMap<String, String> {
    let of = |key: &dyn Signer| Jwk::from(key.public_key()).thumbprint_base64url();
    keys.iter().map(|(sector, key)| (sector.to_string(), of(*key))).collect()
}

/// Whether a credential carries exactly the pseudonyms that were sent: another would be a name
/// that the holder did not choose, perhaps the same one in every sector.
pub(super) fn carries(claims: &Map<String, Value>, sent: &BTreeMap<String, String>) -> bool {
    match claims.get(SECTOR_PSEUDONYM) {
        None => sent.is_empty(),
        Some(Value::Object(carried)) if !sent.is_empty() => {
            let named = |(sector, value): (&String, &Value)| {
                value.as_str().is_some_and(|value| sent.get(sector).is_some_and(|s| s == value))
            };
            carried.len() == sent.len() && carried.iter().all(named)
        }
        Some(_) => false,
    }
}
