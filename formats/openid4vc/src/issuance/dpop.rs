//! DPoP (RFC 9449): a key signs each request that it makes, so that a token works in its hands alone.

use crate::Endpoint;
use serde::{Deserialize, Serialize};
use url::Url;
use yufu_base::{Signer, Timestamp};
use yufu_jose::{
    Header, Jwk, JwsError, SignError, Unverified, encode_base64url, numeric_date, sha256,
};

/// The header of an HTTP request that carries a proof.
pub const DPOP_HEADER: &str = "DPoP";
/// The header of an HTTP response that carries a nonce for the next proof.
pub const DPOP_NONCE_HEADER: &str = "DPoP-Nonce";
/// The type of a token that is bound to a key.
pub const TOKEN_TYPE_DPOP: &str = "DPoP";

/// The `typ` of a proof.
const TYPE: &str = "dpop+jwt";
/// How old a proof may be, and how far ahead the wallet's clock, in seconds.
const FRESH_SECONDS: u64 = 300;
/// The largest proof that is read, in bytes.
const MAX: usize = 4 * 1024;
/// The longest id that is read, in bytes.
const MAX_ID: usize = 256;

/// The request that a proof is for.
#[derive(Clone, Copy, Debug)]
pub struct DpopTarget<'a> {
    /// Its method: `POST`.
    pub method: &'a str,
    /// Its address.
    pub url: &'a Endpoint,
    /// The access token that it carries, if it carries one.
    pub access_token: Option<&'a str>,
}

/// What a valid proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpopProof {
    /// The thumbprint of the key that made the request (RFC 7638, base64url).
    pub thumbprint: String,
    /// The proof's own id: whether it was seen before is for the server to say.
    pub id: String,
    /// The server's nonce, if it has one: whether it is live is for the server to say.
    pub nonce: Option<String>,
}

/// Why a proof is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// Not a JWS in ES256, or of another type.
    #[error("the DPoP proof is not of its type in ES256: {0}")]
    Jws(JwsError),
    /// Not exactly the header member `jwk`.
    #[error("the DPoP proof must carry its key in jwk, without kid and x5c")]
    Key,
    /// Not signed by the key it names, or its claims cannot be read.
    #[error("the DPoP proof does not hold: {0}")]
    Signature(JwsError),
    /// For another method.
    #[error("the DPoP proof is for {found:?}, this is {expected}")]
    Method {
        /// The method it names.
        found: String,
        /// The method of the request.
        expected: String,
    },
    /// For another address.
    #[error("the DPoP proof is for {found:?}, this is {expected}")]
    Url {
        /// The address it names.
        found: String,
        /// The address of the request.
        expected: String,
    },
    /// Without an id, or with one that is too long.
    #[error("the DPoP proof needs a jti of 1 to {MAX_ID} bytes")]
    Id,
    /// Too old, or ahead of time.
    #[error("the DPoP proof was made at {0}, more than {FRESH_SECONDS} s from now: make it anew")]
    NotFresh(u64),
    /// For another access token, or for none where one is carried.
    #[error("the DPoP proof is not for this access token: its ath must be the token's digest")]
    Token,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    #[serde(with = "numeric_date")]
    iat: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

/// Makes a proof for a request with the key that the token is, or will be, bound to.
///
/// # Errors
/// [`SignError`] if the key does not sign.
pub fn sign_dpop(
    target: DpopTarget<'_>,
    nonce: Option<&str>,
    id: &str,
    now: Timestamp,
    key: &dyn Signer,
) -> Result<String, SignError> {
    let claims = Claims {
        jti: id.to_owned(),
        htm: target.method.to_owned(),
        htu: bare(target.url.url()),
        iat: Timestamp::from_seconds(now.seconds()),
        ath: target.access_token.map(digest),
        nonce: nonce.map(str::to_owned),
    };
    let payload = serde_json::to_vec(&claims).map_err(|e| SignError::Json(e.to_string()))?;
    yufu_jose::sign(&Header::typed(TYPE).with_jwk(key.public_key().into()), &payload, key)
}

/// Checks a proof for a request at `now`.
///
/// # Errors
/// [`DpopError`], the first rule that is broken.
pub fn check_dpop(
    jwt: &str,
    target: DpopTarget<'_>,
    now: Timestamp,
) -> Result<DpopProof, DpopError> {
    let token = Unverified::parse_bounded(jwt, MAX)
        .and_then(|token| token.expect_type(TYPE))
        .map_err(DpopError::Jws)?;
    let header = token.header();
    let key = match (&header.jwk, &header.kid, &header.x5c) {
        (Some(jwk), None, None) => Jwk::from(jwk.key),
        _ => return Err(DpopError::Key),
    };
    let verified = token.verify(&key.key).map_err(DpopError::Signature)?;
    let claims: Claims = verified.claims().map_err(DpopError::Signature)?;
    if claims.htm != target.method {
        return Err(DpopError::Method { found: claims.htm, expected: target.method.to_owned() });
    }
    let expected = bare(target.url.url());
    if Url::parse(&claims.htu).ok().map(|url| bare(&url)).as_ref() != Some(&expected) {
        return Err(DpopError::Url { found: claims.htu, expected });
    }
    if claims.jti.is_empty() || claims.jti.len() > MAX_ID {
        return Err(DpopError::Id);
    }
    if claims.iat.seconds().abs_diff(now.seconds()) > FRESH_SECONDS {
        return Err(DpopError::NotFresh(claims.iat.seconds()));
    }
    if claims.ath != target.access_token.map(digest) {
        return Err(DpopError::Token);
    }
    Ok(DpopProof { thumbprint: key.thumbprint_base64url(), id: claims.jti, nonce: claims.nonce })
}

/// Without query and fragment (section 4.2).
fn bare(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn digest(access_token: &str) -> String {
    encode_base64url(sha256(access_token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use yufu_jose::SoftwareKey;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_seed(&[seed; 32]).unwrap()
    }

    fn url() -> Endpoint {
        Endpoint::parse("https://id.example/authority/haip/token").unwrap()
    }

    fn check(jwt: &str, access_token: Option<&str>) -> Result<DpopProof, DpopError> {
        check_dpop(jwt, DpopTarget { method: "POST", url: &url(), access_token }, NOW)
    }

    fn signed(header: &Header, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({"jti": "1", "htm": "POST", "htu": url().as_str(),
            "iat": NOW.seconds(), "nonce": "n"});
        change(&mut claims);
        yufu_jose::sign(header, claims.to_string().as_bytes(), &key(1)).unwrap()
    }

    #[test]
    fn each_rule_of_a_proof_is_refused_by_its_own_name_rfc_9449_4_3() {
        let header = || Header::typed(TYPE).with_jwk(key(1).public_key().into());
        let with = |name: &'static str, value: Value| {
            check(&signed(&header(), |claims| claims[name] = value), None)
        };
        let good = check(&signed(&header(), |_| ()), None).unwrap();
        assert_eq!((good.id.as_str(), good.nonce.as_deref()), ("1", Some("n")));
        assert_eq!(good.thumbprint, Jwk::from(key(1).public_key()).thumbprint_base64url());
        let other = Header { typ: Some("JWT".into()), ..header() };
        assert!(matches!(check(&signed(&other, |_| ()), None), Err(DpopError::Jws(_))));
        let bare = Header::typed(TYPE);
        assert_eq!(check(&signed(&bare, |_| ()), None), Err(DpopError::Key));
        assert_eq!(check(&signed(&header().with_kid("k"), |_| ()), None), Err(DpopError::Key));
        let stranger = Header::typed(TYPE).with_jwk(key(2).public_key().into());
        let refused = check(&signed(&stranger, |_| ()), None);
        assert_eq!(refused, Err(DpopError::Signature(JwsError::Signature)));
        assert!(matches!(with("htm", json!("GET")), Err(DpopError::Method { .. })));
        for htu in ["https://id.example/authority/haip/credential", "http://id.example/", "x"] {
            assert!(matches!(with("htu", json!(htu)), Err(DpopError::Url { .. })), "{htu}");
        }
        assert!(with("htu", json!(format!("{}?x=1#y", url()))).is_ok(), "without query");
        assert_eq!(with("jti", json!("")), Err(DpopError::Id));
        for far in [NOW.seconds() - FRESH_SECONDS - 1, NOW.seconds() + FRESH_SECONDS + 1] {
            assert_eq!(with("iat", json!(far)), Err(DpopError::NotFresh(far)));
        }
        let tokenless = check(&signed(&header(), |_| ()), Some("t"));
        assert_eq!(tokenless, Err(DpopError::Token));
        assert_eq!(with("ath", json!(digest("t"))), Err(DpopError::Token));
    }

    #[test]
    fn a_proof_for_a_token_is_for_that_token_alone_rfc_9449_7() {
        let target = DpopTarget { method: "POST", url: &url(), access_token: Some("t") };
        let proof = sign_dpop(target, None, "2", NOW, &key(1)).unwrap();
        assert!(check(&proof, Some("t")).is_ok());
        assert_eq!(check(&proof, Some("u")), Err(DpopError::Token));
        assert_eq!(check(&proof, None), Err(DpopError::Token));
    }

    #[test]
    fn the_digest_of_a_token_is_that_of_the_example_rfc_9449_7_1() {
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
        assert_eq!(digest(token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,120}") {
            prop_assert!(check(&text, None).is_err());
        }
    }
}
