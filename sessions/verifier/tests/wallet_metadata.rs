//! A wallet says what it takes when it fetches a request (OpenID4VP 1.0, 5.10), and gets what it can use, or a refusal.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use support::*;
use yufu_jose::jwe::{self, ContentEncryption, DecryptionKey, Entropy};
use yufu_jose::{Unverified, decode_base64url};
use yufu_openid4vc::presentation::{RequestObject, WalletMetadata, WalletMetadataError};
use yufu_verifier::{RequestError, Requested};

const ENTROPY: Entropy = Entropy { ephemeral: [5; 32], iv: [6; 12] };

fn asked(world: &World, metadata: &Value) -> (Requested, Result<String, RequestError>) {
    let (mut session, _) = world.verifier().start(question(), &entropy(), NOW, 300).unwrap();
    let wallet = WalletMetadata::parse(&metadata.to_string()).unwrap();
    let when = (NOW, ENTROPY);
    let made = session.request_object_for(&wallet, Some("a-nonce"), when, &world.access.key);
    (session, made)
}

fn read(jws: &str) -> RequestObject {
    RequestObject::from_json(Unverified::parse(jws).unwrap().unverified_payload()).unwrap()
}

fn ours() -> Value {
    serde_json::from_str(&WalletMetadata::ours()).unwrap()
}

#[test]
fn the_answer_is_asked_for_in_the_encryption_that_the_wallet_has() {
    let world = World::new();
    let mut metadata = ours();
    let request = read(&asked(&world, &metadata).1.unwrap());
    let content = request.reply.encryption().unwrap().content_encryption;
    assert_eq!(content, ContentEncryption::A256Gcm);
    assert_eq!(request.wallet_nonce.as_deref(), Some("a-nonce"));
    metadata["authorization_encryption_enc_values_supported"] = json!(["A128GCM"]);
    let request = read(&asked(&world, &metadata).1.unwrap());
    let encryption = request.reply.encryption().unwrap();
    assert_eq!(encryption.content_encryption, ContentEncryption::A128Gcm);
    let named = &request.to_json()["client_metadata"]["encrypted_response_enc_values_supported"];
    assert_eq!(named, &json!(["A128GCM"]));
}

#[test]
fn the_request_is_encrypted_to_the_wallets_key_and_still_signed() {
    let world = World::new();
    let key = DecryptionKey::from_seed(&[9; 32]).unwrap();
    let mut metadata = ours();
    metadata["jwks"] = json!({"keys": [key.public_jwk("wallet-1")]});
    let (session, made) = asked(&world, &metadata);
    let made = made.unwrap();
    let header: Value =
        serde_json::from_slice(&decode_base64url(made.split('.').next().unwrap()).unwrap())
            .unwrap();
    assert_eq!((&header["cty"], &header["kid"]), (&json!("JWT"), &json!("wallet-1")));
    let opened = jwe::decrypt(&made, &key).unwrap();
    assert_eq!(opened.enc, ContentEncryption::A256Gcm);
    let jws = std::str::from_utf8(&opened.plaintext).unwrap();
    let token = Unverified::parse(jws).unwrap();
    assert!(token.verify(&yufu_base::Signer::public_key(&world.access.key)).is_ok());
    // The receipt and the evidence are about the signed request, whoever could read it on the way.
    let stored = serde_json::to_value(&session).unwrap();
    assert_eq!(stored["sent"], jws);
    let other = DecryptionKey::from_seed(&[10; 32]).unwrap();
    assert!(jwe::decrypt(&made, &other).is_err());
}

#[test]
fn a_wallet_that_takes_nothing_of_it_is_refused_and_nothing_counts_as_sent() {
    let world = World::new();
    let mut metadata = ours();
    metadata["vp_formats_supported"] = json!({"mso_mdoc": {}});
    let (session, refused) = asked(&world, &metadata);
    assert_eq!(refused.unwrap_err(), RequestError::Wallet(WalletMetadataError::Formats));
    assert_eq!(serde_json::to_value(&session).unwrap()["sent"], Value::Null);
}
