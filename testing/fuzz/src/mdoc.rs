//! Hostile bytes for what reads ISO mdocs: CBOR, COSE, documents, requests, engagements, sessions.

use yufu_base::{Signer as _, Timestamp};
use yufu_jose::SoftwareKey;
use yufu_mdoc::cbor::decode;
use yufu_mdoc::cose::{Mac0, Sign1, key_from_value, key_to_value};
use yufu_mdoc::{
    DeviceEngagement, DeviceRequest, DeviceResponse, IssuerSigned, MdocExpected,
    MobileSecurityObject, SessionData, SessionEstablishment, SessionTranscript, to_json,
};

/// Takes `bytes` for one item of CBOR.
///
/// # Panics
/// If an item that is read has two encodings.
pub fn cbor(bytes: &[u8]) {
    let Ok(value) = decode(bytes) else { return };
    assert_eq!(value.encode(), bytes, "an item has two encodings");
    drop(to_json(&value));
    if let Ok(key) = key_from_value(value.clone()) {
        assert_eq!(
            key_from_value(key_to_value(&key)).as_ref(),
            Ok(&key),
            "a key is read as another"
        );
    }
    if let Ok(signed) = Sign1::from_value(value.clone()) {
        let again = Sign1::from_value(signed.to_value());
        assert_eq!(again.as_ref(), Ok(&signed), "a signature is read as another");
    }
    if let Ok(code) = Mac0::from_value(value) {
        assert_eq!(
            Mac0::from_value(code.to_value()).as_ref(),
            Ok(&code),
            "a code is read as another"
        );
    }
}

/// Takes `bytes` for each message of ISO 18013-5, and verifies what can be.
///
/// # Panics
/// If a message that is read and written again is read as another.
pub fn mdoc(bytes: &[u8]) {
    if let Ok(response) = DeviceResponse::decode(bytes) {
        let again = DeviceResponse::decode(&response.encode());
        assert_eq!(again.as_ref(), Ok(&response), "a response is read as another");
        response.documents.iter().for_each(verify);
    }
    if let Ok(signed) = IssuerSigned::decode(bytes) {
        let again = IssuerSigned::decode(&signed.encode());
        assert_eq!(again.as_ref(), Ok(&signed), "a document is read as another");
    }
    if let Ok(mso) = MobileSecurityObject::decode(bytes) {
        let again = MobileSecurityObject::decode(&mso.encode());
        assert_eq!(again.as_ref(), Ok(&mso), "a security object is read as another");
    }
    if let Ok(request) = DeviceRequest::decode(bytes) {
        let again = DeviceRequest::decode(&request.encode());
        assert_eq!(again.as_ref(), Ok(&request), "a request is read as another");
    }
    if let Ok(engagement) = DeviceEngagement::decode(bytes) {
        let again = DeviceEngagement::from_qr(&engagement.to_qr());
        assert_eq!(again.as_ref(), Ok(&engagement), "an engagement is read as another");
        engagement.methods.iter().for_each(|method| drop(method.tcp_address()));
    }
    if let Ok(first) = SessionEstablishment::decode(bytes) {
        let again = SessionEstablishment::decode(&first.encode());
        assert_eq!(again.as_ref(), Ok(&first), "a first message is read as another");
        drop(first.key());
    }
    if let Ok(data) = SessionData::decode(bytes) {
        let again = SessionData::decode(&data.encode());
        assert_eq!(again.as_ref(), Ok(&data), "a message is read as another");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(DeviceEngagement::from_qr(text));
    }
}

fn verify(document: &yufu_mdoc::Document) {
    let Ok(key) = SoftwareKey::from_seed(&[1; 32]) else { return };
    let transcript = SessionTranscript::openid4vp("c", "n", None, "u");
    let now = Timestamp::from_seconds(1_800_000_000);
    let expected =
        MdocExpected { transcript: &transcript, reader_key: None, now, leeway_seconds: 0 };
    assert!(document.verify(&key.public_key(), &expected).is_err(), "nobody signed this");
}
