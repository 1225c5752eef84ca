//! The worked example of an encrypted answer (OpenID4VP 1.0, section 8.3): of the keys that are offered the one that can be
//! used here, and the answer opened with its private part, as printed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use serde_json::{Value, json};
use yufu_jose::jwe::{self, ContentEncryption, DecryptionKey};
use yufu_jose::{JwkSet, decode_base64url};
use yufu_openid4vc::presentation::{AuthorizationResponse, RequestObject};

/// The keys of the example, of which one is on P-256.
fn keys() -> Value {
    json!({"keys": [
        {"kty": "EC", "kid": "ac", "use": "enc", "crv": "P-256", "alg": "ECDH-ES",
         "x": "YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk",
         "y": "Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk"},
        {"kty": "OKP", "kid": "jc", "use": "enc", "crv": "X25519", "alg": "ECDH-ES",
         "x": "WPX7wnwq10hFNK9aDSyG1QlLswE_CJY14LdhcFUIVVc"},
        {"kty": "EC", "kid": "lc", "use": "enc", "crv": "P-384", "alg": "ECDH-ES",
         "x": "iHytgLNtXjEyYMAIGwfgjINZRmLfObYbmjPhkaPD8OiTkJtRHjegTNdH31Mxg4nV",
         "y": "MizXWSqNB7sSt_SNjg3spvaJnmjB-LpxsPpLUaea33rvINL3Mq-gEaANErRQpbLx"},
        {"kty": "OKP", "kid": "bc", "use": "enc", "crv": "X448", "alg": "ECDH-ES",
         "x": "pK5IRpLlX-8XcsRYWHejpzkfsHoDOmAYuBzAC7aTpewWOw_QFHSa64t9p2kuommI8JQQLohS2AIA"},
    ]})
}

const PRIVATE: &str = "Et-3ce0omz8_TuZ96Df9lp0GAaaDoUnDe6X-CRO7Aww";
const RESPONSE: &str = concat!(
    "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTEyOEdDTSIsImtpZCI6ImFjIiwiZXBrIjp7Imt0eSI6IkVDIiwieCI6Im5u",
    "bVZwbTNWM2piaGNhZlFhUkJrU1ZOSGx3Wkh3dC05ck9wSnVmeVlJdWsiLCJ5IjoicjRmakRxd0p5czlxVU9QLV9iM21S",
    "NVNaRy0tQ3dPMm1pYzVWU05UWU45ZyIsImNydiI6IlAtMjU2In19..uAYcHRUSSn2X0WPX.yVzlGSYG4qbg0bq18JcU",
    "iDRw56yVnbKR8E7S7YlEtzT00RqE3Pw5oTpUG3hdLN4taHZ9gC1kwak8JOnJgQ.1wR024_3-qtAlx1oFIUpQQ",
);

#[test]
fn the_answer_of_the_example_is_opened_with_its_key_and_by_no_other_8_3() {
    let scalar: [u8; 32] = decode_base64url(PRIVATE).unwrap().try_into().unwrap();
    let key = DecryptionKey::from_scalar(&scalar).unwrap();
    let offered: JwkSet = serde_json::from_value(keys()).unwrap();
    assert_eq!(key.public_jwk("ac").key, offered.find("ac").unwrap().key);
    let opened = jwe::decrypt(RESPONSE, &key).unwrap();
    let answer: Value = serde_json::from_slice(&opened.plaintext).unwrap();
    assert_eq!(answer, json!({"vp_token": {"example_credential_id": ["eyJhb...YMetA"]}}));
    let read: AuthorizationResponse = serde_json::from_slice(&opened.plaintext).unwrap();
    assert_eq!(read.vp_token["example_credential_id"], ["eyJhb...YMetA"]);
    assert_eq!(read.state, None);
    let other = DecryptionKey::from_seed(&[7; 32]).unwrap();
    assert!(jwe::decrypt(RESPONSE, &other).is_err());
    let altered = RESPONSE.replace("..uAYc", "..uAYd");
    assert!(jwe::decrypt(&altered, &key).is_err());
}

#[test]
fn of_the_keys_of_the_example_the_one_that_is_known_here_is_taken_with_its_encryption_8_3() {
    let request = |encryptions: Value| {
        json!({
            "response_type": "vp_token", "response_mode": "dc_api.jwt",
            "client_id": "x509_hash:abc", "expected_origins": ["https://v.example"],
            "nonce": "xyz123ltcaccescbwc777", "exp": 1_790_000_300,
            "dcql_query": {"credentials": [{
                "id": "my_credential", "format": "dc+sd-jwt",
                "meta": {"vct_values": ["https://credentials.example.com/identity_credential"]},
                "claims": [{"path": ["family_name"]}, {"path": ["given_name"]},
                    {"path": ["address", "postal_code"]}],
            }]},
            "client_metadata": {
                "jwks": keys(), "encrypted_response_enc_values_supported": encryptions,
                "vp_formats_supported": {"dc+sd-jwt": {}},
            },
        })
    };
    let read = |encryptions: Value| RequestObject::try_from(request(encryptions));
    let example = read(json!(["A128GCM", "A128CBC-HS256"])).unwrap();
    let encryption = example.reply.encryption().unwrap();
    assert_eq!(encryption.encryption_key.kid.as_deref(), Some("ac"));
    assert_eq!(encryption.content_encryption, ContentEncryption::A128Gcm);
    assert!(read(json!(["A128CBC-HS256"])).is_err(), "none that is known here");
}
