//! The worked examples of ISO/IEC 18013-5:2021, annex D, to the byte.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: to fail loudly"
)]

use serde_json::Value as Json;
use yufu_base::{PublicKey, Timestamp};
use yufu_jose::AgreementKey;
use yufu_mdoc::cbor::{Value, decode};
use yufu_mdoc::{
    DeviceAuthError, DeviceEngagement, DeviceRequest, DeviceResponse, DeviceSigned, Handover,
    MdocError, MdocExpected, MdocTimeError, ReaderError, SessionCipher, SessionError,
    SessionEstablishment, SessionTranscript, Side,
};

const MDL: &str = "org.iso.18013.5.1.mDL";
const NAMESPACE: &str = "org.iso.18013.5.1";

fn vector(name: &str) -> Vec<u8> {
    let all: Json = serde_json::from_str(include_str!("vectors/iso_18013_5_annex_d.json")).unwrap();
    let text = all[name].as_str().unwrap();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(byte).collect()
}

fn key(name: &str) -> AgreementKey {
    AgreementKey::from_scalar(&vector(name).try_into().unwrap()).unwrap()
}

fn transcript() -> SessionTranscript {
    let bytes = decode(&vector("session_transcript_bytes")).unwrap().into_embedded().unwrap();
    SessionTranscript::decode(&bytes).unwrap()
}

/// The parts of the transcript: engagement, reader's key, and the messages of NFC.
fn parts() -> (Vec<u8>, Vec<u8>, Vec<Vec<u8>>) {
    let [engagement, key, handover]: [Value; 3] =
        decode(&transcript().encode()).unwrap().into_array().unwrap().try_into().unwrap();
    let messages = handover.into_array().unwrap().into_iter();
    let messages = messages.map(|message| message.into_bytes().unwrap()).collect();
    (engagement.into_embedded().unwrap(), key.into_embedded().unwrap(), messages)
}

/// A moment at which the example's document was valid.
fn then() -> Timestamp {
    Timestamp::from_seconds(1_610_000_000)
}

/// The key of a certificate: the point stands in it as it is, behind its length and a byte.
fn certified(leaf: &[u8]) -> PublicKey {
    let mut places = leaf.windows(68).filter(|w| w.starts_with(&[0x03, 0x42, 0x00, 0x04]));
    PublicKey::from_uncompressed(&places.next().unwrap()[3..]).unwrap()
}

fn issuer_key(response: &DeviceResponse) -> PublicKey {
    certified(response.documents[0].chain().unwrap().unverified_leaf())
}

#[test]
fn the_transcript_is_put_together_as_in_annex_d_5_1() {
    let (engagement, reader_key, messages) = parts();
    let handover = Handover::Nfc(&messages[0], messages.get(1).map(Vec::as_slice));
    let built = SessionTranscript::proximity(&engagement, &reader_key, handover);
    assert_eq!(built.to_bytes(), vector("session_transcript_bytes"));
    let read = DeviceEngagement::decode(&engagement).unwrap();
    assert_eq!(read.device_key, key("e_device_key").public_key());
    assert_eq!(DeviceEngagement::new(read.device_key, vec![]).bytes(), engagement);
}

#[test]
fn the_session_is_agreed_on_and_its_request_decrypted_as_in_annex_d_5_1() {
    let establishment = SessionEstablishment::decode(&vector("session_establishment")).unwrap();
    assert_eq!(establishment.encode(), vector("session_establishment"));
    assert_eq!(establishment.key().unwrap(), key("e_reader_key").public_key());
    let shared = key("e_device_key").agree(&establishment.key().unwrap()).unwrap();
    assert_eq!(*shared, vector("shared_secret"));
    let (reader_key, transcript) = (establishment.key().unwrap(), transcript());
    let mut device =
        SessionCipher::new(Side::Device, &key("e_device_key"), &reader_key, &transcript).unwrap();
    let plain = device.decrypt(&establishment.data).unwrap();
    let request = DeviceRequest::decode(&plain).unwrap();
    assert_eq!(request.encode(), *plain, "and is written as it was");
    // The reader, on its side, encrypts it to the same bytes.
    let device_key = key("e_device_key").public_key();
    let mut reader =
        SessionCipher::new(Side::Reader, &key("e_reader_key"), &device_key, &transcript).unwrap();
    assert_eq!(reader.encrypt(&plain).unwrap(), establishment.data);
    // A message counts once, and only in its direction.
    assert_eq!(device.decrypt(&establishment.data), Err(SessionError::Decrypt));
    assert_eq!(reader.decrypt(&establishment.data), Err(SessionError::Decrypt));
}

#[test]
fn the_readers_signature_holds_for_its_conversation_alone_as_in_annex_d_4_1_1() {
    let establishment = SessionEstablishment::decode(&vector("session_establishment")).unwrap();
    let reader_key = establishment.key().unwrap();
    let mut device =
        SessionCipher::new(Side::Device, &key("e_device_key"), &reader_key, &transcript()).unwrap();
    let request = DeviceRequest::decode(&device.decrypt(&establishment.data).unwrap()).unwrap();
    let asked = &request.documents[0];
    assert_eq!(asked.items.doc_type, MDL);
    assert!(asked.items.namespaces[NAMESPACE]["family_name"], "it means to keep the name");
    assert!(!asked.items.namespaces[NAMESPACE]["portrait"], "and not the portrait");
    let signer = certified(asked.chain().unwrap().unverified_leaf());
    asked.verify(&signer, &transcript()).unwrap();
    let other = SessionTranscript::openid4vp("c", "n", None, "u");
    assert!(matches!(asked.verify(&signer, &other), Err(ReaderError::Cose(_))));
}

#[test]
fn the_response_is_verified_to_the_end_as_in_annex_d_4_1_2() {
    let response = DeviceResponse::decode(&vector("device_response")).unwrap();
    assert_eq!(response.encode(), vector("device_response"), "and is written as it was");
    let (issuer, reader_key, transcript) =
        (issuer_key(&response), key("e_reader_key"), transcript());
    let document = response.into_document().unwrap();
    let expected = MdocExpected {
        transcript: &transcript,
        reader_key: Some(&reader_key),
        now: then(),
        leeway_seconds: 0,
    };
    let seen = document.verify(&issuer, &expected).unwrap();
    assert_eq!(seen.doc_type, MDL);
    let elements = &seen.elements[NAMESPACE];
    assert_eq!(elements["family_name"], "Doe");
    assert_eq!(elements["document_number"], "123456789");
    assert_eq!(elements["issue_date"], "2019-10-20");
    assert_eq!(elements["driving_privileges"][0]["vehicle_category_code"], "A");
    assert_eq!(elements.as_object().unwrap().len(), 6);
    // What the example shows as it lies beyond its dates, or without the reader's key.
    let late = Timestamp::from_seconds(1_633_095_002);
    let refused = document.verify(&issuer, &MdocExpected { now: late, ..expected });
    assert_eq!(refused, Err(MdocError::Time(MdocTimeError::Expired(late.seconds()))));
    let refused = document.verify(&issuer, &MdocExpected { reader_key: None, ..expected });
    assert_eq!(refused, Err(MdocError::Device(DeviceAuthError::NoSharedKey)));
    let other = SessionTranscript::openid4vp("c", "n", None, "u");
    let refused = document.verify(&issuer, &MdocExpected { transcript: &other, ..expected });
    assert!(matches!(refused, Err(MdocError::Device(DeviceAuthError::Cose(_)))));
}

#[test]
fn the_devices_code_is_made_to_the_byte_as_in_annex_d_5_3() {
    let shared = key("device_key").agree(&key("e_reader_key").public_key()).unwrap();
    assert_eq!(*shared, vector("mac_secret"));
    let response = DeviceResponse::decode(&vector("device_response")).unwrap();
    let made = DeviceSigned::authenticate(
        MDL,
        &transcript(),
        &key("device_key"),
        &key("e_reader_key").public_key(),
    );
    assert_eq!(made.unwrap(), response.documents[0].device_signed);
}
