//! The crate `isomdl` behind JSON: reads a step on standard input, writes `{ok, ...}` or `{ok: false, error}`. Bytes are
//! base64url without padding.
//!   {as: "verify", response, transcript}: who issued a device response and whether its device signed that transcript;
//!   {as: "certificates", response, anchor}: which rules of ISO/IEC 18013-5, Annex B, its issuer's certificate and the
//!     authority's do not keep;
//!   {as: "engage", issuer, certificate, device, doc_type, elements}: a device with a document that it issued itself, its
//!     QR code, and its state;
//!   {as: "answer", state, message, device, shown}: the device's answer to a reader's first message;
//!   {as: "read", qr, namespace, element}: a reader's first message to a device of that code (it asks for an mDL).

use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use isomdl::cbor;
use isomdl::definitions::device_key::cose_key::{EC2Curve, EC2Y};
use isomdl::definitions::device_request::{DataElements, Namespaces};
use isomdl::definitions::helpers::{ByteStr, Tag24};
use isomdl::definitions::session::SessionTranscript;
use isomdl::definitions::x509::X5Chain;
use isomdl::definitions::x509::trust_anchor::{PemTrustAnchor, TrustAnchorRegistry, TrustPurpose};
use isomdl::definitions::x509::validation::ValidationRuleset;
use isomdl::definitions::{
    CoseKey, DeviceKeyInfo, DeviceResponse, DigestAlgorithm, Mso, SessionEstablishment,
    ValidityInfo,
};
use isomdl::issuance::Mdoc;
use isomdl::presentation::authentication::mdoc::{device_authentication, issuer_authentication};
use isomdl::presentation::device::{
    Document, Documents, SessionManagerEngaged, SessionManagerInit,
};
use isomdl::presentation::{Stringify as _, reader};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::Read as _;
use time::{Duration, OffsetDateTime};

/// Any transcript, as it is encoded.
#[derive(Clone, Serialize, Deserialize)]
struct Transcript(ciborium::Value);

impl SessionTranscript for Transcript {}

fn text<'a>(input: &'a Value, name: &str) -> Result<&'a str> {
    input.get(name).and_then(Value::as_str).with_context(|| format!("no text {name}"))
}

fn bytes(input: &Value, name: &str) -> Result<Vec<u8>> {
    Ok(URL_SAFE_NO_PAD.decode(text(input, name)?)?)
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn key(input: &Value, name: &str) -> Result<SigningKey> {
    Ok(SigningKey::from_slice(&bytes(input, name)?)?)
}

fn step(input: &Value) -> Result<Value> {
    match text(input, "as")? {
        "verify" => verify(input),
        "certificates" => certificates(input),
        "engage" => engage(input),
        "answer" => answer(input),
        "read" => read(input),
        other => bail!("no step {other}"),
    }
}

/// The document in a response, and the chain of who signed it.
fn signed(response: &DeviceResponse) -> Result<(&isomdl::definitions::Document, X5Chain)> {
    let documents = response.documents.as_ref().context("no documents")?;
    let document = documents.first().context("no document")?;
    let header = &document.issuer_signed.issuer_auth.unprotected;
    let chain = header.rest.iter().find(|(label, _)| *label == coset::Label::Int(33));
    let (_, chain) = chain.context("no x5chain")?;
    Ok((document, X5Chain::from_cbor(chain.clone()).map_err(|error| anyhow!("{error:?}"))?))
}

/// The certificates of who signed a response, and of its authority, by the rules for mDLs.
fn certificates(input: &Value) -> Result<Value> {
    let response: DeviceResponse = cbor::from_slice(&bytes(input, "response")?)?;
    let (_, chain) = signed(&response)?;
    let anchor = STANDARD.encode(bytes(input, "anchor")?);
    let lines: Vec<String> =
        anchor.as_bytes().chunks(64).map(String::from_utf8_lossy).map(Into::into).collect();
    let anchor = lines.join("\n");
    let certificate_pem =
        format!("-----BEGIN CERTIFICATE-----\n{anchor}\n-----END CERTIFICATE-----\n");
    let anchor = PemTrustAnchor { certificate_pem, purpose: TrustPurpose::Iaca };
    let anchors = TrustAnchorRegistry::from_pem_certificates(vec![anchor])?;
    Ok(json!({"errors": ValidationRuleset::Mdl.validate(&chain, &anchors).errors}))
}

/// Everything that the crate checks of a response: the issuer's signature, the digests, the device's signature.
fn verify(input: &Value) -> Result<Value> {
    let response: DeviceResponse = cbor::from_slice(&bytes(input, "response")?)?;
    let transcript: ciborium::Value = cbor::from_slice(&bytes(input, "transcript")?)?;
    let (document, chain) = signed(&response)?;
    let issuer = issuer_authentication(chain, &document.issuer_signed).err();
    let device = device_authentication(document, Transcript(transcript)).err();
    let payload = document.issuer_signed.issuer_auth.payload.as_ref().context("no payload")?;
    let mso: Tag24<Mso> = cbor::from_slice(payload)?;
    let mso = mso.into_inner();
    let (mut elements, mut digests) = (serde_json::Map::new(), true);
    let namespaces = document.issuer_signed.namespaces.as_ref().context("no namespaces")?;
    for (namespace, items) in namespaces.iter() {
        let expected = mso.value_digests.get(namespace);
        for item in items.iter() {
            let digest = Sha256::digest(cbor::to_vec(item)?);
            let found = expected.and_then(|all| all.get(&item.as_ref().digest_id));
            digests &= found.is_some_and(|found: &ByteStr| found.as_ref() == digest.as_slice());
            let value = untagged(item.as_ref().element_value.clone());
            elements.insert(item.as_ref().element_identifier.clone(), value.deserialized()?);
        }
    }
    Ok(json!({
        "issuer": issuer.as_ref().map(ToString::to_string),
        "device": device.as_ref().map(ToString::to_string),
        "digests": digests,
        "doc_type": document.doc_type,
        "mso_doc_type": mso.doc_type,
        "elements": elements,
    }))
}

/// A value without what CBOR says of its kind, such as that a text is a date: JSON has no words for that.
fn untagged(value: ciborium::Value) -> ciborium::Value {
    match value {
        ciborium::Value::Tag(_, inner) => untagged(*inner),
        other => other,
    }
}

/// A document of its own, and a device that shows its code.
fn engage(input: &Value) -> Result<Value> {
    let (issuer, device) = (key(input, "issuer")?, key(input, "device")?);
    let chain = X5Chain::builder().with_der_certificate(&bytes(input, "certificate")?);
    let chain = chain.and_then(|chain| chain.build()).map_err(|error| anyhow!("{error:?}"))?;
    let doc_type = text(input, "doc_type")?.to_owned();
    let elements = input.get("elements").and_then(Value::as_object).context("no elements")?;
    let elements: BTreeMap<String, ciborium::Value> = elements
        .iter()
        .map(|(name, value)| Ok((name.clone(), ciborium::Value::serialized(value)?)))
        .collect::<Result<_>>()?;
    let now = OffsetDateTime::now_utc().replace_nanosecond(0)?;
    let mdoc = Mdoc::builder()
        .doc_type(doc_type.clone())
        .namespaces(BTreeMap::from([(doc_type.clone(), elements)]))
        .validity_info(ValidityInfo {
            signed: now,
            valid_from: now,
            valid_until: now + Duration::hours(1),
            expected_update: None,
        })
        .digest_algorithm(DigestAlgorithm::SHA256)
        .device_key_info(DeviceKeyInfo {
            device_key: public(device.verifying_key())?,
            key_authorizations: None,
            key_info: None,
        })
        .issue::<SigningKey, Signature>(chain, issuer)?;
    let documents = Documents::new(doc_type, Document::from(mdoc));
    let init = SessionManagerInit::initialise(documents, None, None)?;
    let (state, qr) = init.qr_engagement()?;
    Ok(json!({"qr": qr, "state": state.stringify()?}))
}

fn public(key: &VerifyingKey) -> Result<CoseKey> {
    let point = key.to_encoded_point(false);
    let (x, y) = (point.x().context("no x")?, point.y().context("no y")?);
    Ok(CoseKey::EC2 { crv: EC2Curve::P256, x: x.to_vec(), y: EC2Y::Value(y.to_vec()) })
}

/// What the device makes of a reader's first message, and answers.
fn answer(input: &Value) -> Result<Value> {
    let state = SessionManagerEngaged::parse(text(input, "state")?.to_owned())?;
    let message: SessionEstablishment = cbor::from_slice(&bytes(input, "message")?)?;
    let (mut session, asked) =
        state.process_session_establishment(message, TrustAnchorRegistry::default())?;
    if !asked.errors.is_empty() {
        bail!("the request: {:?}", asked.errors);
    }
    let mut permitted = BTreeMap::new();
    let mut seen = Vec::new();
    for items in &asked.items_request {
        let mut namespaces = BTreeMap::new();
        for (namespace, elements) in items.namespaces.iter() {
            let names: Vec<String> = elements.iter().map(|(name, _)| name.clone()).collect();
            seen.extend(names.iter().cloned());
            namespaces.insert(namespace.clone(), names);
        }
        permitted.insert(items.doc_type.clone(), namespaces);
    }
    session.prepare_response(&asked.items_request, permitted);
    let device = key(input, "device")?;
    while let Some((_, payload)) = session.get_next_signature_payload() {
        let signature: Signature = device.sign(payload);
        session.submit_next_signature(signature.to_bytes().to_vec())?;
    }
    let message = session.retrieve_response().context("no response")?;
    Ok(json!({"asked": seen, "message": encoded(message)}))
}

/// A reader's first message. This crate's reader asks for an mDL, and does not sign.
fn read(input: &Value) -> Result<Value> {
    let elements = DataElements::new(text(input, "element")?.to_owned(), false);
    let namespaces = Namespaces::new(text(input, "namespace")?.to_owned(), elements);
    let qr = text(input, "qr")?.to_owned();
    let anchors = TrustAnchorRegistry::default();
    let (_, message, _) = reader::SessionManager::establish_session(qr, namespaces, anchors)?;
    Ok(json!({"message": encoded(message)}))
}

/// The program answers in JSON whatever happens.
fn main() {
    let mut read = String::new();
    let input = std::io::stdin().read_to_string(&mut read).map_err(anyhow::Error::from);
    let input = input.and_then(|_| Ok(serde_json::from_str::<Value>(&read)?));
    let said = match input.and_then(|input| step(&input)) {
        Ok(Value::Object(mut answer)) => {
            answer.insert("ok".to_owned(), true.into());
            Value::Object(answer)
        }
        Ok(other) => other,
        Err(error) => json!({"ok": false, "error": format!("{error:#}")}),
    };
    print!("{said}");
}
