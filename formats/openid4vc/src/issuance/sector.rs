//! An extension of our own to OpenID4VCI 1.0: the keys of the holder's pseudonyms, one for each
//! sector, with proofs of possession. An issuer says in its metadata for which sectors it takes
//! them (`yufu_sector_proofs_supported` of a configuration); a wallet adds them to its credential
//! request (`yufu_sector_proofs`). Whoever knows neither is not disturbed: both are members that
//! the standard has readers ignore.

use super::MetadataError;
use super::proof::{ProofError, check, sign};
use crate::Endpoint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yufu_base::{SectorId, Signer, Timestamp};
use yufu_jose::{Jwk, SignError};

/// The `typ` of a sector proof: it can stand for no key proof, and none for it.
pub const SECTOR_PROOF_TYPE: &str = "yufu-sector-proof+jwt";
/// The most sectors that an issuer names, and the most proofs that are read from one request.
pub const MAX_SECTORS: usize = 32;

/// For which sectors an issuer takes pseudonyms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectorProofs {
    /// The sectors, each once.
    pub sectors: Vec<String>,
    /// Accepted algorithms; `ES256` here.
    pub proof_signing_alg_values_supported: Vec<String>,
}

/// What a valid sector proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorProof {
    /// The sector that the key is for.
    pub sector: SectorId,
    /// The key whose possession is proven.
    pub key: Jwk,
    /// The challenge it signed.
    pub nonce: String,
}

impl SectorProof {
    /// The pseudonym: the key's thumbprint (RFC 7638, SHA-256) in base64url.
    #[must_use]
    pub fn pseudonym(&self) -> String {
        self.key.thumbprint_base64url()
    }
}

impl SectorProofs {
    /// Proofs in ES256 for these sectors; `None` if there are none.
    #[must_use]
    pub fn of(sectors: &[SectorId]) -> Option<Self> {
        let sectors: Vec<String> = sectors.iter().map(ToString::to_string).collect();
        let algorithms = vec!["ES256".to_owned()];
        (!sectors.is_empty())
            .then_some(Self { sectors, proof_signing_alg_values_supported: algorithms })
    }

    /// The sectors, if a wallet's proofs in ES256 are taken.
    ///
    /// # Errors
    /// [`MetadataError::Sectors`] if one is no name, stands twice, or there are too many.
    pub fn accepted(&self) -> Result<Vec<SectorId>, MetadataError> {
        let names = self.sectors.iter().map(|name| name.parse().ok()).collect::<Option<Vec<_>>>();
        let names: Vec<SectorId> = names.ok_or(MetadataError::Sectors)?;
        let distinct = names.iter().collect::<BTreeSet<_>>().len();
        if distinct != names.len() || distinct > MAX_SECTORS {
            return Err(MetadataError::Sectors);
        }
        let es256 = self.proof_signing_alg_values_supported.iter().any(|alg| alg == "ES256");
        Ok(if es256 { names } else { Vec::new() })
    }
}

/// Makes a proof for `issuer` with the key of a sector.
///
/// # Errors
/// [`SignError`] if the key does not sign.
pub fn sign_sector_proof(
    issuer: &Endpoint,
    nonce: &str,
    sector: &SectorId,
    now: Timestamp,
    key: &dyn Signer,
) -> Result<String, SignError> {
    sign(SECTOR_PROOF_TYPE, issuer, nonce, Some(sector), now, key)
}

/// Checks a sector proof for `issuer` at `now`.
///
/// # Errors
/// [`ProofError`], the first rule that is broken.
pub fn check_sector_proof(
    jwt: &str,
    issuer: &Endpoint,
    now: Timestamp,
) -> Result<SectorProof, ProofError> {
    let (proof, sector) = check(SECTOR_PROOF_TYPE, jwt, issuer, now)?;
    let sector = sector.and_then(|name| name.parse().ok()).ok_or(ProofError::Sector)?;
    Ok(SectorProof { sector, key: proof.key, nonce: proof.nonce })
}

#[cfg(test)]
mod tests {
    use super::super::{check_proof, sign_proof};
    use super::*;
    use serde_json::{Value, json};
    use yufu_jose::{Header, JwsError, SoftwareKey};

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn issuer() -> Endpoint {
        Endpoint::parse("https://id.example").unwrap()
    }

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_seed(&[seed; 32]).unwrap()
    }

    fn pension() -> SectorId {
        "pension".parse().unwrap()
    }

    fn signed(typ: &str, named: u8, claims: &Value) -> Result<SectorProof, ProofError> {
        let header = Header::typed(typ).with_jwk(key(named).public_key().into());
        let jwt = yufu_jose::sign(&header, claims.to_string().as_bytes(), &key(1)).unwrap();
        check_sector_proof(&jwt, &issuer(), NOW)
    }

    #[test]
    fn a_sector_proof_names_its_sector_and_its_pseudonym_is_the_keys_thumbprint() {
        let jwt = sign_sector_proof(&issuer(), "n", &pension(), NOW, &key(1)).unwrap();
        let proof = check_sector_proof(&jwt, &issuer(), NOW).unwrap();
        assert_eq!((proof.sector.as_str(), proof.nonce.as_str()), ("pension", "n"));
        let thumbprint = Jwk::from(key(1).public_key()).thumbprint_base64url();
        assert_eq!(proof.pseudonym(), thumbprint);
        assert_eq!(thumbprint.len(), 43);
    }

    #[test]
    fn each_rule_of_a_sector_proof_is_refused_by_its_own_name() {
        let seconds = NOW.seconds();
        let good = json!({
            "aud": "https://id.example", "iat": seconds, "nonce": "n", "sector": "pension",
        });
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        let sector = SECTOR_PROOF_TYPE;
        assert!(signed(sector, 1, &good).is_ok());
        assert!(matches!(signed("openid4vci-proof+jwt", 1, &good), Err(ProofError::Jws(_))));
        assert_eq!(signed(sector, 2, &good), Err(ProofError::Signature(JwsError::Signature)));
        let elsewhere = with("aud", json!("https://bank.example"));
        assert!(matches!(signed(sector, 1, &elsewhere), Err(ProofError::Audience { .. })));
        let stale = with("iat", json!(seconds - 301));
        assert!(matches!(signed(sector, 1, &stale), Err(ProofError::NotFresh { .. })));
        assert_eq!(signed(sector, 1, &with("nonce", Value::Null)), Err(ProofError::Nonce));
        for bad in [Value::Null, json!("Pension"), json!("")] {
            assert_eq!(signed(sector, 1, &with("sector", bad)), Err(ProofError::Sector));
        }
    }

    #[test]
    fn neither_kind_of_proof_can_stand_for_the_other() {
        let of_key = sign_proof(&issuer(), "n", NOW, &key(1)).unwrap();
        let of_sector = sign_sector_proof(&issuer(), "n", &pension(), NOW, &key(1)).unwrap();
        let refused = check_sector_proof(&of_key, &issuer(), NOW);
        assert!(matches!(refused, Err(ProofError::Jws(_))));
        assert!(matches!(check_proof(&of_sector, &issuer(), NOW), Err(ProofError::Jws(_))));
    }

    #[test]
    fn the_sectors_of_an_issuer_are_names_each_once_and_none_without_es256() {
        let proofs = |sectors: &[&str], alg: &str| SectorProofs {
            sectors: sectors.iter().map(|s| (*s).to_owned()).collect(),
            proof_signing_alg_values_supported: vec![alg.to_owned()],
        };
        assert_eq!(proofs(&["pension"], "ES256").accepted(), Ok(vec![pension()]));
        assert_eq!(proofs(&["pension"], "ES512").accepted(), Ok(vec![]));
        let many: Vec<String> = (0..=MAX_SECTORS).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for bad in [&["Pension"][..], &["pension", "pension"], &many] {
            assert_eq!(proofs(bad, "ES256").accepted(), Err(MetadataError::Sectors), "{bad:?}");
        }
        assert_eq!(SectorProofs::of(&[]), None);
    }
}
