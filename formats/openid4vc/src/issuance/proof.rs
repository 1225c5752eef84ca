//! Key proofs of type `jwt` (OpenID4VCI 1.0, appendix F.1): a key signs who it is for, when,
//! and the issuer's challenge.

use crate::Endpoint;
use serde::{Deserialize, Serialize};
use yufu_base::{SectorId, Signer, Timestamp};
use yufu_jose::{Header, Jwk, JwsError, SignError, Unverified};

/// The `typ` of a key proof.
pub const PROOF_TYPE: &str = "openid4vci-proof+jwt";
/// How old a proof may be, and how far ahead the wallet's clock, in seconds.
const FRESH_SECONDS: u64 = 300;
/// The largest proof that is read, in bytes.
const MAX_PROOF: usize = 8 * 1024;
/// The largest proof with a key attestation that is read, in bytes.
const MAX_ATTESTED_PROOF: usize = 64 * 1024;
/// The header member that holds a key attestation.
const KEY_ATTESTATION: &str = "key_attestation";

/// What a valid proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProof {
    /// The key whose possession is proven, without `kid`.
    pub key: Jwk,
    /// The challenge it signed; whether it is live is for the issuer to say.
    pub nonce: String,
    /// What came with it about the storage of keys, not verified: for [`super::SignedKeyAttestation`].
    pub attestation: Option<String>,
}

/// Why a proof is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not a JWS in ES256, or of another type.
    #[error("the proof is not of its type in ES256: {0}")]
    Jws(JwsError),
    /// Not exactly the header member `jwk`.
    #[error("the proof must name its key by jwk, without kid and x5c")]
    Key,
    /// Not signed by the key it names, or its claims cannot be read.
    #[error("the proof does not hold: {0}")]
    Signature(JwsError),
    /// Made for another issuer.
    #[error("the proof is for {actual:?}, expected {expected:?}")]
    Audience {
        /// Whom it was made for.
        actual: String,
        /// This issuer's identifier.
        expected: String,
    },
    /// Too old, or ahead of time.
    #[error("the proof was made at {issued}, more than {FRESH_SECONDS} s from {now}: make it anew")]
    NotFresh {
        /// When it says it was made, in seconds since the epoch.
        issued: u64,
        /// Now, in seconds since the epoch.
        now: u64,
    },
    /// A client id in an anonymous flow.
    #[error("the proof must not name an iss: the code was exchanged anonymously")]
    Issuer,
    /// Another client id than the token's.
    #[error("the proof names another iss than the wallet that has the token")]
    Client,
    /// No challenge.
    #[error("the proof carries no nonce: fetch one from the nonce endpoint")]
    Nonce,
    /// A sector proof without the name of a sector.
    #[error("the proof names no sector: expected 1 to 40 of a-z, 0-9 and hyphen")]
    Sector,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    aud: String,
    iat: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sector: Option<String>,
}

/// Makes a proof for `issuer` with the key it is about.
///
/// # Errors
/// [`SignError`] if the key does not sign.
pub fn sign_proof(
    issuer: &Endpoint,
    nonce: &str,
    now: Timestamp,
    key: &dyn Signer,
) -> Result<String, SignError> {
    sign(PROOF_TYPE, issuer, nonce, None, now, key)
}

/// Makes a proof for `issuer` in the name of the wallet `client`, with one of the keys that
/// `attestation` is about: it stands for all of them.
///
/// # Errors
/// [`SignError`] if the key does not sign.
pub fn sign_attested_proof(
    (issuer, client): (&Endpoint, &str),
    nonce: &str,
    attestation: &str,
    now: Timestamp,
    key: &dyn Signer,
) -> Result<String, SignError> {
    let claims = Claims {
        iss: Some(client.to_owned()),
        aud: issuer.as_str().to_owned(),
        iat: now.seconds(),
        nonce: Some(nonce.to_owned()),
        sector: None,
    };
    let payload = serde_json::to_vec(&claims).map_err(|e| SignError::Json(e.to_string()))?;
    let mut header = Header::typed(PROOF_TYPE).with_jwk(key.public_key().into());
    header.extra.insert(KEY_ATTESTATION.to_owned(), attestation.into());
    yufu_jose::sign(&header, &payload, key)
}

/// Makes a proof of either kind.
pub(super) fn sign(
    typ: &str,
    issuer: &Endpoint,
    nonce: &str,
    sector: Option<&SectorId>,
    now: Timestamp,
    key: &dyn Signer,
) -> Result<String, SignError> {
    let claims = Claims {
        iss: None,
        aud: issuer.as_str().to_owned(),
        iat: now.seconds(),
        nonce: Some(nonce.to_owned()),
        sector: sector.map(ToString::to_string),
    };
    let payload = serde_json::to_vec(&claims).map_err(|e| SignError::Json(e.to_string()))?;
    yufu_jose::sign(&Header::typed(typ).with_jwk(key.public_key().into()), &payload, key)
}

/// Checks a proof for `issuer` at `now`.
///
/// # Errors
/// [`ProofError`], the first rule that is broken.
pub fn check_proof(jwt: &str, issuer: &Endpoint, now: Timestamp) -> Result<KeyProof, ProofError> {
    check(PROOF_TYPE, jwt, issuer, now).map(|(proof, _)| proof)
}

/// Checks a proof for `issuer` at `now` that the wallet `client` makes: it may name itself, and may bring a
/// key attestation.
///
/// # Errors
/// [`ProofError`], the first rule that is broken.
pub fn check_proof_of(
    client: &str,
    jwt: &str,
    issuer: &Endpoint,
    now: Timestamp,
) -> Result<KeyProof, ProofError> {
    let (bound, client) = (MAX_ATTESTED_PROOF, Some(client));
    check_bounded(PROOF_TYPE, (jwt, bound), issuer, client, now).map(|(proof, _)| proof)
}

/// Checks a proof of either kind; and the sector that it names, if it names one.
pub(super) fn check(
    typ: &str,
    jwt: &str,
    issuer: &Endpoint,
    now: Timestamp,
) -> Result<(KeyProof, Option<String>), ProofError> {
    check_bounded(typ, (jwt, MAX_PROOF), issuer, None, now)
}

fn check_bounded(
    typ: &str,
    (jwt, bound): (&str, usize),
    issuer: &Endpoint,
    client: Option<&str>,
    now: Timestamp,
) -> Result<(KeyProof, Option<String>), ProofError> {
    let token = Unverified::parse_bounded(jwt, bound)
        .and_then(|token| token.expect_type(typ))
        .map_err(ProofError::Jws)?;
    let header = token.header();
    let key = match (&header.jwk, &header.kid, &header.x5c) {
        (Some(jwk), None, None) => Jwk::from(jwk.key),
        _ => return Err(ProofError::Key),
    };
    let attestation = header.extra.get(KEY_ATTESTATION).and_then(|text| text.as_str());
    let attestation = attestation.map(str::to_owned);
    let verified = token.verify(&key.key).map_err(ProofError::Signature)?;
    let claims: Claims = verified.claims().map_err(ProofError::Signature)?;
    if claims.aud != issuer.as_str() {
        let expected = issuer.as_str().to_owned();
        return Err(ProofError::Audience { actual: claims.aud, expected });
    }
    if claims.iat.abs_diff(now.seconds()) > FRESH_SECONDS {
        return Err(ProofError::NotFresh { issued: claims.iat, now: now.seconds() });
    }
    match (claims.iss.as_deref(), client) {
        (None, _) => {}
        (Some(_), None) => return Err(ProofError::Issuer),
        (Some(named), Some(client)) if named == client => {}
        (Some(_), Some(_)) => return Err(ProofError::Client),
    }
    match claims.nonce {
        Some(nonce) if !nonce.is_empty() => {
            Ok((KeyProof { key, nonce, attestation }, claims.sector))
        }
        _ => Err(ProofError::Nonce),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use yufu_jose::SoftwareKey;

    const NOW: u64 = 1_790_000_000;

    fn issuer() -> Endpoint {
        Endpoint::parse("https://id.example").unwrap()
    }

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_seed(&[seed; 32]).unwrap()
    }

    fn signed(header: Header, claims: &Value) -> Result<KeyProof, ProofError> {
        let jwt = yufu_jose::sign(&header, claims.to_string().as_bytes(), &key(1)).unwrap();
        check_proof(&jwt, &issuer(), Timestamp::from_seconds(NOW))
    }

    #[test]
    fn each_rule_of_a_proof_is_refused_by_its_own_name_f_1() {
        let header = || Header::typed(PROOF_TYPE).with_jwk(key(1).public_key().into());
        let good = json!({"aud": "https://id.example", "iat": NOW, "nonce": "n"});
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        assert_eq!(signed(header(), &good).unwrap().nonce, "n");
        let untyped = Header { typ: Some("JWT".into()), ..header() };
        assert!(matches!(signed(untyped, &good), Err(ProofError::Jws(_))));
        assert_eq!(signed(Header::typed(PROOF_TYPE), &good), Err(ProofError::Key));
        assert_eq!(signed(header().with_kid("k"), &good), Err(ProofError::Key));
        let other = Header::typed(PROOF_TYPE).with_jwk(key(2).public_key().into());
        assert_eq!(signed(other, &good), Err(ProofError::Signature(JwsError::Signature)));
        let elsewhere = with("aud", json!("https://id.example/"));
        assert!(matches!(signed(header(), &elsewhere), Err(ProofError::Audience { .. })));
        for iat in [NOW - FRESH_SECONDS - 1, NOW + FRESH_SECONDS + 1] {
            let stale = with("iat", json!(iat));
            assert!(matches!(signed(header(), &stale), Err(ProofError::NotFresh { .. })), "{iat}");
        }
        assert_eq!(signed(header(), &with("iss", json!("me"))), Err(ProofError::Issuer));
        assert_eq!(signed(header(), &with("nonce", Value::Null)), Err(ProofError::Nonce));
        assert_eq!(signed(header(), &with("nonce", json!(""))), Err(ProofError::Nonce));
    }

    #[test]
    fn a_proof_of_a_known_wallet_may_name_it_and_no_other_f_1() {
        let now = Timestamp::from_seconds(NOW);
        let made = sign_attested_proof((&issuer(), "w"), "n", "a.b.c", now, &key(1)).unwrap();
        let read = check_proof_of("w", &made, &issuer(), now).unwrap();
        assert_eq!((read.nonce.as_str(), read.attestation.as_deref()), ("n", Some("a.b.c")));
        assert_eq!(check_proof_of("v", &made, &issuer(), now), Err(ProofError::Client));
        assert_eq!(check_proof(&made, &issuer(), now), Err(ProofError::Issuer));
        let nameless = sign_proof(&issuer(), "n", now, &key(1)).unwrap();
        assert_eq!(check_proof_of("w", &nameless, &issuer(), now).unwrap().attestation, None);
    }

    #[test]
    fn the_example_of_the_specification_fails_only_by_its_age_f_1() {
        // Its signature is over a header with a key we can read; 2023 is long past.
        let jwt = "eyJ0eXAiOiJvcGVuaWQ0dmNpLXByb29mK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoiblVXQW9BdjNYWml0aDhFN2kxOU9kYXhPTFlGT3dNLVoyRXVNMDJUaXJUNCIsInkiOiJIc2tIVThCalVpMVU5WHFpN1N3bWo4Z3dBS18weGtjRGpFV183MVNvc0VZIn19.eyJhdWQiOiJodHRwczovL2NyZWRlbnRpYWwtaXNzdWVyLmV4YW1wbGUuY29tIiwiaWF0IjoxNzAxOTYwNDQ0LCJub25jZSI6IkxhclJHU2JtVVBZdFJZTzZCUTR5bjgifQ.-a3EDsxClUB4O3LeDD5DVGEnNMT01FCQW4P6-2-BNBqc_Zxf0Qw4CWayLEpqkAomlkLb9zioZoipdP-jvh1WlA";
        let issuer = Endpoint::parse("https://credential-issuer.example.com").unwrap();
        let then = check_proof(jwt, &issuer, Timestamp::from_seconds(1_701_960_500)).unwrap();
        assert_eq!(then.nonce, "LarRGSbmUPYtRYO6BQ4yn8");
        let now = check_proof(jwt, &issuer, Timestamp::from_seconds(NOW));
        assert!(matches!(now, Err(ProofError::NotFresh { .. })));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,120}") {
            let refused = check_proof(&text, &issuer(), Timestamp::from_seconds(NOW));
            prop_assert!(refused.is_err());
        }
    }
}
