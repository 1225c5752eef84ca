//! Hostile bytes for what wallets, issuers and verifiers read of each other: tokens and keys, credentials, presentation
//! requests and answers, issuance, trust lists and status lists. What is read only after a signature was verified is
//! signed here, so that the bytes get beyond it.

use crate::notes::same;
use serde_json::{Map, Value};
use std::sync::LazyLock;
use yufu_base::{Signer as _, Timestamp};
use yufu_credential::{
    Expected, IssuedCredential, Presented, SD_JWT_VC, SdJwt, verify_presentation,
};
use yufu_fixtures::Party;
use yufu_jose::jwe::{self, DecryptionKey};
use yufu_jose::{
    Chain, ClaimPath, Header, Jwk, JwkSet, SoftwareKey, Unverified, decode_base64url,
    encode_base64url, parse_json_object, sign,
};
use yufu_mdoc::cbor::Value as Cbor;
use yufu_mdoc::cose::{Payload, Sign1};
use yufu_openid4vc::attestation::SignedAttestation;
use yufu_openid4vc::dcql::{Candidate, DcqlQuery};
use yufu_openid4vc::issuance::{
    AuthorizationServerMetadata, CredentialOffer, CredentialRequest, CredentialResponse,
    DeferredRequest, DpopTarget, GrantRequest, GrantResponse, IssuerMetadata, NotificationRequest,
    OfferLink, PROOF_TYPE, PushedRequest, PushedResponse, SignedKeyAttestation, SignedMetadata,
    TokenRequest, WantedRequest, check_dpop, check_proof, read_answer,
};
use yufu_openid4vc::presentation::{
    AuthorizationResponse, DigitalAnswer, DigitalRequest, DirectPost, DirectPostResponse,
    EncodedTransaction, PresentationLink, RequestObject, WalletMetadata,
};
use yufu_openid4vc::{Endpoint, FORMAT_SD_JWT_VC};
use yufu_trust::{
    ENROLMENT, Enrolment, GoodPaths, Localized, RECEIPT, Receipt, ReceiptKind,
    RegistrationCertificate, Role, STATUS_LIST, STATUS_LIST_CWT_MEDIA_TYPE, StatusBits, StatusList,
    StatusListToken, TRUST_LIST, TrustEntry, TrustList,
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const HERE: &str = "https://id.example";

/// Whose signature lets bytes through.
fn key() -> Option<SoftwareKey> {
    SoftwareKey::from_seed(&[7; 32]).ok()
}

/// The bytes as the payload of a token of this type, signed; its key in the header.
fn signed(typ: &str, payload: &[u8]) -> Option<(SoftwareKey, String)> {
    let key = key()?;
    let header = Header::typed(typ).with_jwk(key.public_key().into());
    let token = sign(&header, payload, &key).ok()?;
    Some((key, token))
}

fn here() -> Option<Endpoint> {
    Endpoint::parse(HERE).ok()
}

/// Takes `bytes` for a token, signed or encrypted; for keys, a certificate chain, the path of a claim.
///
/// # Panics
/// If a key or a path that is read and written again is read as another, or a token that nobody signed verifies.
pub fn jose(bytes: &[u8]) {
    same::<Jwk>(bytes);
    same::<JwkSet>(bytes);
    same::<ClaimPath>(bytes);
    drop(parse_json_object(bytes));
    drop(Chain::from_der(vec![bytes.to_vec()]));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(bytes) = decode_base64url(text) {
        assert_eq!(encode_base64url(bytes), text, "bytes have two encodings");
    }
    let x5c: Vec<String> = text.split(',').map(str::to_owned).collect();
    if let Ok(chain) = Chain::from_x5c(&x5c) {
        assert_eq!(Chain::from_x5c(&chain.to_x5c()).as_ref(), Ok(&chain), "a chain is another");
        assert!(chain.verify(&[], NOW).is_err(), "a chain leads to nobody");
    }
    if let (Ok(token), Some(key)) = (Unverified::parse(text), key()) {
        drop(token.header().chain());
        assert!(token.verify(&key.public_key()).is_err(), "a token that nobody signed verifies");
    }
    if let Ok(key) = DecryptionKey::from_seed(&[7; 32]) {
        drop(jwe::decrypt(text, &key));
    }
}

/// Takes `bytes` for a credential or a presentation, and for the claims of one, with disclosures after them, each after
/// a line's end.
///
/// # Panics
/// If one that nobody signed verifies, or one that is verified is stored and read as another.
pub fn credential(bytes: &[u8]) {
    let Some(key) = key() else { return };
    if let Ok(text) = std::str::from_utf8(bytes) {
        let expected = Expected {
            audience: HERE,
            nonce: "n",
            now: NOW,
            leeway_seconds: 60,
            max_age_seconds: 300,
            transaction_data: &[],
        };
        drop(Presented::parse(text));
        let shown = verify_presentation(text, &key.public_key(), &expected);
        assert!(shown.is_err(), "a presentation that nobody signed verifies");
        let issued = SdJwt::parse(text).and_then(|issued| issued.verify(&key.public_key()));
        assert!(issued.is_err(), "a credential that nobody signed verifies");
    }
    let Some(issued) = issued_of(bytes) else { return };
    let stored = serde_json::to_vec(&issued).unwrap_or_default();
    let again = serde_json::from_slice(&stored).ok();
    assert!(again.as_ref() == Some(&issued), "a credential is stored and read as another");
}

/// Whether `bytes` are, signed, a credential.
#[must_use]
pub fn is_credential(bytes: &[u8]) -> bool {
    issued_of(bytes).is_some()
}

/// A credential whose claims these are, with its disclosures after them, signed.
pub(crate) fn issued_of(bytes: &[u8]) -> Option<IssuedCredential> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let (key, token) = signed(SD_JWT_VC, lines.next()?)?;
    let disclosures: String = lines.map(|line| format!("{}~", encode_base64url(line))).collect();
    let issued = SdJwt::parse(&format!("{token}~{disclosures}")).ok()?;
    issued.verify(&key.public_key()).ok()
}

/// Takes `bytes` for each message of OpenID4VP: a link, a request, a query, an answer, what a wallet says of itself.
///
/// # Panics
/// If one that is read and written again is read as another, or a query is answered with what nobody holds.
pub fn presentation(bytes: &[u8]) {
    if let Ok(request) = RequestObject::from_json(bytes) {
        let written = serde_json::to_vec(&request.to_json()).unwrap_or_default();
        assert_eq!(RequestObject::from_json(&written), Ok(request), "a request is another");
    }
    if let Some(query) = same::<DcqlQuery>(bytes) {
        let claims: Map<String, Value> =
            [("given_name".to_owned(), Value::from("小鱼"))].into_iter().collect();
        let held = Candidate {
            format: FORMAT_SD_JWT_VC,
            vct: "urn:yufu:pid:1",
            claims: &claims,
            authority_key_ids: &[],
            holder_bound: true,
        };
        for candidates in [&[][..], &[held], &[held, held]] {
            let Ok(found) = query.evaluate(candidates) else { continue };
            for one in found.matches.values().flatten() {
                assert!(one.candidate < candidates.len(), "nobody holds what is shown");
            }
        }
    }
    same::<AuthorizationResponse>(bytes);
    same::<DirectPostResponse>(bytes);
    same::<DigitalRequest>(bytes);
    drop(DirectPost::from_form(bytes));
    drop(AuthorizationResponse::from_json(bytes));
    if let Ok(data) = parse_json_object(bytes) {
        drop(DigitalAnswer::from_data(&data));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    drop(WalletMetadata::parse(text));
    drop(EncodedTransaction::parse(text));
    if let Ok(link) = PresentationLink::parse(text) {
        assert_eq!(PresentationLink::parse(&link.to_link()), Ok(link), "a link is another");
    }
}

/// Takes `bytes` for each message of OpenID4VCI and OAuth: offers, metadata, forms, requests; and, signed, for proofs and
/// attestations.
///
/// # Panics
/// If one that is read and written again is read as another.
pub fn issuance(bytes: &[u8]) {
    same::<CredentialOffer>(bytes);
    same::<IssuerMetadata>(bytes);
    same::<AuthorizationServerMetadata>(bytes);
    same::<PushedResponse>(bytes);
    same::<GrantResponse>(bytes);
    same::<CredentialResponse>(bytes);
    drop(CredentialOffer::from_json(bytes));
    drop(CredentialRequest::from_json(bytes));
    drop(WantedRequest::from_json(bytes));
    drop(DeferredRequest::from_json(bytes));
    drop(serde_json::from_slice::<NotificationRequest>(bytes));
    drop(TokenRequest::from_form(bytes));
    drop(GrantRequest::from_form(bytes));
    drop(PushedRequest::from_form(bytes));
    let Some(here) = here() else { return };
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(read_answer(text, "https://wallet.example/cb", "s", &here));
        if let Ok(link) = OfferLink::parse(text) {
            let again = link.to_link().and_then(|link| OfferLink::parse(&link));
            assert_eq!(again, Ok(link), "an offer is another");
        }
    }
    proofs(bytes, &here);
}

/// What a wallet, its provider or an issuer signs.
fn proofs(bytes: &[u8], here: &Endpoint) {
    let target = DpopTarget { method: "POST", url: here, access_token: None };
    if let Some((_, token)) = signed("dpop+jwt", bytes) {
        drop(check_dpop(&token, target, NOW));
    }
    if let Some((_, token)) = signed(PROOF_TYPE, bytes) {
        drop(check_proof(&token, here, NOW));
    }
    let attestation = signed("oauth-client-attestation+jwt", bytes);
    let pop = signed("oauth-client-attestation-pop+jwt", bytes);
    if let Some(((key, token), (_, pop))) = attestation.zip(pop)
        && let Ok(read) = SignedAttestation::parse(&token)
    {
        drop(read.verify((HERE, &key.public_key()), &pop, HERE, NOW));
    }
    if let Some((key, token)) = signed("key-attestation+jwt", bytes)
        && let Ok(read) = SignedKeyAttestation::parse(&token)
    {
        drop(read.verify((HERE, &key.public_key()), &[], None, NOW));
    }
    if let Some((key, token)) = signed("openidvci-issuer-metadata+jwt", bytes)
        && let Ok(read) = SignedMetadata::parse(&token)
    {
        drop(read.verify(&key.public_key(), here, NOW));
    }
}

/// Takes `bytes`, signed, for a trust list, a registration, a status list, a receipt, an enrolment; and for the entries of a
/// status list.
///
/// # Panics
/// If a list that is read and signed again is read as another.
pub fn trust(bytes: &[u8]) {
    same::<RegistrationCertificate>(bytes);
    if let Some((key, token)) = signed(TRUST_LIST, bytes)
        && let Ok(list) = TrustList::verify(&token, &key.public_key(), NOW, None)
    {
        let again = list.sign(&key).ok();
        let again = again.map(|text| TrustList::verify(&text, &key.public_key(), NOW, None));
        assert_eq!(again, Some(Ok(list)), "a trust list is another");
    }
    if let Some((key, token)) = signed(STATUS_LIST, bytes) {
        drop(StatusListToken::verify(&token, &key.public_key(), HERE, NOW));
    }
    status_list_cwt(bytes);
    if let Some((key, token)) = signed(RECEIPT, bytes) {
        drop(Receipt::verify(&token, &key.public_key(), ReceiptKind::Presented, "request"));
    }
    if let Some((_, token)) = signed(ENROLMENT, bytes) {
        drop(Enrolment::unverified_issuer(&token));
        drop(Enrolment::verify(&token, "print", HERE, NOW));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for bits in [1, 2, 4, 8].into_iter().filter_map(|bits: u8| StatusBits::try_from(bits).ok()) {
        drop(StatusList::from_lst(bits, text.trim()));
    }
}

/// An issuer of status lists, and the trust list that it is on.
static LISTED: LazyLock<(Party, TrustEntry, TrustList)> = LazyLock::new(|| {
    let issuer = yufu_fixtures::party();
    let anchors = std::slice::from_ref(&issuer.anchor);
    let entry = TrustEntry::new(Localized::new("en", "A"), Role::PidIssuer, HERE, anchors);
    let list = TrustList {
        operator: HERE.to_owned(),
        sequence: 1,
        issued_at: NOW,
        expires_at: NOW.plus_seconds(60),
        entries: vec![entry.clone()],
        recognised: Vec::new(),
        directory: Vec::new(),
        good_paths: GoodPaths::default(),
    };
    (issuer, entry, list)
});

/// Takes `bytes` for a status list as CWT, as it is, and for the claims of one that its issuer signed.
fn status_list_cwt(bytes: &[u8]) {
    let (issuer, entry, trust) = &*LISTED;
    let read = |token: &[u8]| StatusListToken::verify_cwt_of(token, trust, entry, HERE, NOW);
    assert!(read(bytes).is_err(), "a list that nobody signed verifies");
    let Some(list) = signed_cwt(bytes).and_then(|token| read(&token).ok()) else { return };
    let again = list.sign_cwt(&issuer.chain, &issuer.key).ok();
    assert_eq!(again.and_then(|token| read(&token).ok()), Some(list), "a status list is another");
}

/// The bytes as the claims of a status list as CWT, signed by its issuer.
fn signed_cwt(claims: &[u8]) -> Option<Vec<u8>> {
    let (issuer, ..) = &*LISTED;
    // The label of the type (RFC 9596).
    let typ = vec![(16, Cbor::text(STATUS_LIST_CWT_MEDIA_TYPE))];
    let chain = Some(&issuer.chain);
    let signed = Sign1::sign_with(typ, Payload::Attached(claims), chain, &issuer.key).ok()?;
    Some(signed.to_tagged().encode())
}

/// Whether `bytes` are the claims of a status list as CWT.
#[must_use]
pub fn is_status_list(bytes: &[u8]) -> bool {
    let (_, entry, trust) = &*LISTED;
    let token = signed_cwt(bytes).unwrap_or_default();
    StatusListToken::verify_cwt_of(&token, trust, entry, HERE, NOW).is_ok()
}
