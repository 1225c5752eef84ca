//! One row per rule: each refusal is provoked by a statement really built and signed.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::*;
use yufu_base::Signer as _;
use yufu_jose::{
    ChainError, ClaimPath, Header, Jwk, JwsError, SoftwareKey, TimeError, encode_base64url,
};
use yufu_trust::{
    Basis, DirectoryEntry, DisclosedNames, Localized, OverAsking, RECEIPT,
    REGISTRATION_CERTIFICATE, Receipt, ReceiptError, ReceiptKind, RegisteredClaim,
    RegistrationCertificate, RegistrationError, Role, STATUS_LIST, Status, StatusBits, StatusList,
    StatusListError, StatusListToken, TRUST_LIST, TrustEntry, TrustError, TrustList,
    TrustListError, request_digest,
};

/// A change to a statement before it is signed.
type Change<'a> = &'a dyn Fn(&mut Value);

fn path(steps: Value) -> ClaimPath {
    serde_json::from_value(steps).unwrap()
}

#[test]
fn a_directory_that_sends_somewhere_without_tls_is_refused() {
    let of = |url: &str| {
        let entry = DirectoryEntry {
            id: "bank".into(),
            name: Localized::new("en", "Bank"),
            kind: "commercial-bank".into(),
            url: url.into(),
        };
        let list = TrustList { directory: vec![entry], ..list(Vec::new()) };
        let operator = SoftwareKey::from_seed(&[9; 32]).unwrap();
        let signed = list.sign(&operator).unwrap();
        TrustList::verify(&signed, &operator.public_key(), now(), None)
    };
    for good in
        ["https://bank.example", "http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"]
    {
        assert_eq!(of(good).unwrap().address("bank"), Some(good));
    }
    for bad in ["http://bank.example", "ftp://localhost", "bank", "http://localhost.example"] {
        let refused = TrustListError::Address("bank".into(), bad.into());
        assert_eq!(of(bad), Err(refused), "{bad}");
    }
}

#[test]
fn a_trust_list_is_refused_by_the_rule_it_breaks() {
    let good = list(vec![entry(Role::Registrar, &party())]);
    let verify = |change: &dyn Fn(&mut Value)| {
        let jws = forge(Header::typed(TRUST_LIST), &good, &operator(), change);
        TrustList::verify(&jws, &operator().public_key(), now(), Some(5))
    };
    assert_eq!(verify(&|_| ()), Ok(good.clone()));
    let seconds = now().seconds();
    let rows: [(Change<'_>, TrustListError); 8] = [
        (&|l| l["iat"] = json!(seconds + 61), TimeError::IssuedInFuture(seconds + 61).into()),
        (&|l| l["exp"] = json!(seconds - 60), TimeError::Expired(seconds - 60).into()),
        (&|l| l["exp"] = json!(seconds + 91 * DAY), TrustListError::Lifetime),
        (&|l| l["sequence"] = json!(4), TrustListError::RolledBack { found: 4, known: 5 }),
        (&|l| l["entries"][0]["identifier"] = json!("registrar"), TrustListError::Identifier(0)),
        (
            &|l| l["entries"][0]["certificates"] = json!(["-"]),
            TrustListError::Certificate(0, ChainError::Base64(0)),
        ),
        (
            &|l| l["entries"][0]["certificates"] = json!(["AAAA"]),
            TrustListError::Certificate(0, ChainError::Anchor(0)),
        ),
        (
            &|l| l["entries"][0]["certificates"] = json!([]),
            TrustListError::Certificate(0, ChainError::Empty),
        ),
    ];
    for (change, wanted) in rows {
        assert_eq!(verify(change), Err(wanted));
    }
    let jws = good.sign(&operator()).unwrap();
    let stranger = party().key.public_key();
    let refused = TrustList::verify(&jws, &stranger, now(), None);
    assert_eq!(refused, Err(TrustListError::Token(JwsError::Signature)));
    let receipt = forge(Header::typed(RECEIPT), &good, &operator(), |_| ());
    let refused = TrustList::verify(&receipt, &operator().public_key(), now(), None);
    assert!(matches!(refused, Err(TrustListError::Token(JwsError::Type { .. }))));
}

#[test]
fn a_signer_is_trusted_only_in_the_role_of_its_authority() {
    let (registrar, bank) = (party(), party());
    let trust = list(vec![entry(Role::BankIssuer, &bank), entry(Role::Registrar, &registrar)]);
    let found = trust.identify(Role::Registrar, &registrar.chain, now()).unwrap();
    assert_eq!(found.entry, trust.entries[1]);
    assert_eq!(found.leaf.public_key, registrar.key.public_key());
    assert_eq!(trust.anchors(Role::BankIssuer), std::slice::from_ref(&bank.anchor));
    let wrong = trust.identify(Role::Registrar, &bank.chain, now()).unwrap_err();
    assert!(matches!(wrong, TrustError::Chain { role: Role::Registrar, .. }), "{wrong:?}");
    let nobody = trust.identify(Role::PidIssuer, &bank.chain, now());
    assert_eq!(nobody, Err(TrustError::Nobody(Role::PidIssuer)));
    let late = trust.identify(Role::Registrar, &registrar.chain, now().plus_seconds(2 * DAY));
    assert_eq!(late, Err(TrustError::ListExpired));
}

#[test]
fn a_former_anchor_counts_beside_the_new_one_and_a_withdrawn_key_under_neither() {
    let (before, after) = (party(), party());
    let mut both = entry(Role::PidIssuer, &after);
    both.certificates.splice(0..0, entry(Role::PidIssuer, &before).certificates);
    let trust = list(vec![both.clone()]);
    for known in [&before, &after] {
        assert!(trust.identify(Role::PidIssuer, &known.chain, now()).is_ok());
    }
    // A wallet knows the party from an earlier list, with the former anchor alone.
    let earlier = entry(Role::PidIssuer, &before);
    assert!(trust.identify_as(&earlier, &after.chain, now()).is_ok());

    let withdrawn = vec![Jwk::from(before.key.public_key()).thumbprint_base64url()];
    let trust = list(vec![TrustEntry { withdrawn, ..both }]);
    let party = "https://registrar.example".to_owned();
    let refused = trust.identify(Role::PidIssuer, &before.chain, now());
    assert_eq!(refused, Err(TrustError::Withdrawn { party }));
    assert!(trust.identify(Role::PidIssuer, &after.chain, now()).is_ok());
    let signed = trust.sign(&operator()).unwrap();
    let read = TrustList::verify(&signed, &operator().public_key(), now(), None).unwrap();
    assert_eq!(read, trust, "the list carries it");
}

#[test]
fn a_role_of_a_later_version_reads_but_grants_nothing() {
    let stranger = party();
    let jws = forge(
        Header::typed(TRUST_LIST),
        &list(vec![entry(Role::Registrar, &stranger)]),
        &operator(),
        |l| l["entries"][0]["role"] = json!("weather_service"),
    );
    let trust = TrustList::verify(&jws, &operator().public_key(), now(), None).unwrap();
    assert_eq!(trust.entries[0].role, Role::Other);
    for role in [Role::Registrar, Role::Other] {
        assert_eq!(trust.identify(role, &stranger.chain, now()), Err(TrustError::Nobody(role)));
    }
}

#[test]
fn a_registration_certificate_is_refused_by_the_rule_it_breaks() {
    let registrar = party();
    let trust = list(vec![entry(Role::Registrar, &registrar)]);
    let header = || Header::typed(REGISTRATION_CERTIFICATE).with_chain(&registrar.chain);
    let verify = |change: &dyn Fn(&mut Value)| {
        let jws = forge(header(), &registration(), &registrar.key, change);
        RegistrationCertificate::verify(&jws, &trust, now()).map(|(certificate, _)| certificate)
    };
    assert_eq!(verify(&|_| ()), Ok(registration()));
    let plural = |c: &mut Value| {
        let claims = c["credentials"][0].as_object_mut().unwrap().remove("claim").unwrap();
        c["credentials"][0]["claims"] = claims;
    };
    assert_eq!(verify(&plural), Ok(registration()));
    let seconds = now().seconds();
    let rows: [(Change<'_>, RegistrationError); 6] = [
        (&|c| c["iat"] = json!(seconds + 61), TimeError::IssuedInFuture(seconds + 61).into()),
        (&|c| c["exp"] = json!(seconds - 60), TimeError::Expired(seconds - 60).into()),
        (&|c| c["exp"] = json!(seconds + 367 * DAY), RegistrationError::Lifetime),
        (
            &|c| c["origins"] = json!(["http://hotel.example"]),
            RegistrationError::Origin("http://hotel.example".into()),
        ),
        (
            &|c| c["origins"] = json!(["https://hotel.example/path"]),
            RegistrationError::Origin("https://hotel.example/path".into()),
        ),
        (&|c| c["origins"] = json!(["*"]), RegistrationError::Origin("*".into())),
    ];
    for (change, wanted) in rows {
        assert_eq!(verify(change), Err(wanted));
    }
}

#[test]
fn a_registration_certificate_needs_a_trusted_registrars_chain_and_key() {
    let (registrar, bank) = (party(), party());
    let trust = list(vec![entry(Role::Registrar, &registrar), entry(Role::BankIssuer, &bank)]);
    let verify = |header: Header, key: &yufu_jose::SoftwareKey| {
        let jws = forge(header, &registration(), key, |_| ());
        RegistrationCertificate::verify(&jws, &trust, now()).map(|_| ()).unwrap_err()
    };
    let typed = || Header::typed(REGISTRATION_CERTIFICATE);
    let of_bank = verify(typed().with_chain(&bank.chain), &bank.key);
    assert!(matches!(of_bank, RegistrationError::Registrar(TrustError::Chain { .. })));
    assert_eq!(verify(typed(), &registrar.key), RegistrationError::Chain(ChainError::Empty));
    let other_key = verify(typed().with_chain(&registrar.chain), &bank.key);
    assert_eq!(other_key, RegistrationError::Token(JwsError::Signature));
    let untyped = verify(Header::typed("JWT").with_chain(&registrar.chain), &registrar.key);
    assert!(matches!(untyped, RegistrationError::Token(JwsError::Type { .. })));
}

#[test]
fn over_asking_is_refused_and_named() {
    let permits = |vct: &str, claims: &[Value]| {
        let claims: Vec<ClaimPath> = claims.iter().cloned().map(path).collect();
        registration().permits("dc+sd-jwt", vct, &claims)
    };
    let pid = "urn:yufu:pid:1";
    assert_eq!(permits(pid, &[json!(["given_name"]), json!(["address", "locality"])]), Ok(()));
    assert_eq!(permits(pid, &[json!(["nationalities", 0])]), Ok(()));
    let asked = [json!(["given_name"]), json!(["portrait"]), json!(["nationalities"])];
    let beyond = OverAsking::Claims {
        vct: pid.into(),
        claims: vec![path(json!(["portrait"])), path(json!(["nationalities"]))],
    };
    assert_eq!(
        beyond.to_string(),
        "not registered to ask for portrait, nationalities of urn:yufu:pid:1"
    );
    assert_eq!(permits(pid, &asked), Err(beyond));
    let other = "urn:yufu:payment:1";
    assert_eq!(permits(other, &[]), Err(OverAsking::Credential(other.into())));
    let format = registration().permits("mso_mdoc", pid, &[]);
    assert_eq!(format, Err(OverAsking::Credential(pid.into())));
}

#[test]
fn a_residents_number_is_beyond_every_registration_that_no_law_is_behind() {
    let pid = "urn:yufu:pid:1";
    let number = path(json!(["personal_administrative_number"]));
    let element = path(json!([pid, "ward.personal_administrative_number"]));
    let mut certificate = registration();
    certificate.credentials[0].claims =
        [&number, &element].map(|path| RegisteredClaim { path: path.clone() }).to_vec();
    let text = || Localized::new("zh", "旅馆业治安管理办法");
    for (basis, law) in [
        (None, false),
        (Some(Basis { text: text(), law: false }), false),
        (Some(Basis { text: text(), law: true }), true),
    ] {
        certificate.basis = basis;
        for claim in [&number, &element] {
            let asked = certificate.permits("dc+sd-jwt", pid, std::slice::from_ref(claim));
            let refused = OverAsking::Number { vct: pid.into(), claim: claim.clone() };
            assert_eq!(asked.err(), (!law).then_some(refused), "{claim}, law: {law}");
        }
        assert_eq!(certificate.permits("dc+sd-jwt", pid, &[]), Ok(()));
    }
}

#[test]
fn responses_go_only_to_registered_origins() {
    let rows = [
        ("https://hotel.example/response?id=1", true),
        ("https://hotel.example:443/", true),
        ("http://127.0.0.1:8080/response", true),
        ("http://hotel.example/", false),
        ("https://hotel.example:8443/", false),
        ("https://hotel.example.evil.example/", false),
        ("https://hotel.example@evil.example/", false),
        ("data:text/plain,https://hotel.example", false),
        ("hotel.example", false),
    ];
    for (uri, expected) in rows {
        assert_eq!(registration().permits_response_to(uri), expected, "{uri}");
    }
}

const URI: &str = "https://authority.example/status/1";

fn status_token() -> StatusListToken {
    let mut list = StatusList::new(StatusBits::Two, 1_000).unwrap();
    list.set(42, Status::Invalid).unwrap();
    StatusListToken {
        uri: URI.into(),
        issued_at: now(),
        expires_at: now().plus_seconds(DAY),
        ttl_seconds: Some(3_600),
        list,
    }
}

fn status_claims() -> Value {
    let token = status_token();
    json!({
        "sub": URI, "iat": now().seconds(), "exp": now().seconds() + DAY, "ttl": 3_600,
        "status_list": {"bits": 2, "lst": token.list.to_lst().unwrap()},
    })
}

#[test]
fn a_status_list_is_refused_by_the_rule_it_breaks() {
    let verify = |change: &dyn Fn(&mut Value)| {
        let jwt = forge(Header::typed(STATUS_LIST), &status_claims(), &operator(), change);
        StatusListToken::verify(&jwt, &operator().public_key(), URI, now())
    };
    assert_eq!(verify(&|_| ()), Ok(status_token()));
    let seconds = now().seconds();
    let rows: [(Change<'_>, StatusListError); 6] = [
        (&|l| l["sub"] = json!("https://a"), StatusListError::OtherList("https://a".into())),
        (&|l| drop(l.as_object_mut().unwrap().remove("exp")), StatusListError::NoExpiry),
        (&|l| l["iat"] = json!(seconds + 61), TimeError::IssuedInFuture(seconds + 61).into()),
        (&|l| l["exp"] = json!(seconds - 60), TimeError::Expired(seconds - 60).into()),
        (&|l| l["status_list"]["lst"] = json!("=="), StatusListError::Encoding),
        (&|l| l["status_list"]["lst"] = json!("AAAA"), StatusListError::Encoding),
    ];
    for (change, wanted) in rows {
        assert_eq!(verify(change), Err(wanted));
    }
    let bits = verify(&|l| l["status_list"]["bits"] = json!(3));
    assert!(matches!(bits, Err(StatusListError::Token(JwsError::Payload(_)))));
}

#[test]
fn a_status_list_is_taken_from_its_own_party_and_from_no_other_of_that_role_or_another() {
    let (first, second) = (party(), party());
    let named = |url: &str, party: &support::Party| TrustEntry {
        identifier: url.into(),
        ..entry(Role::Registrar, party)
    };
    let trust = list(vec![named("https://a.example", &first), named("https://b.example", &second)]);
    let verify = |by: &support::Party, trust: &TrustList, of: &TrustEntry| {
        let jwt = status_token().sign(Header::default().with_chain(&by.chain), &by.key).unwrap();
        StatusListToken::verify_of(&jwt, trust, of, URI, now())
    };
    let of = &trust.entries[0];
    assert_eq!(verify(&first, &trust, of), Ok(status_token()));
    let other = verify(&second, &trust, of);
    assert!(matches!(other, Err(StatusListError::Signer(TrustError::Chain { .. }))), "{other:?}");
    let bank = party();
    let entries = vec![trust.entries[0].clone(), entry(Role::BankIssuer, &bank)];
    let other = verify(&bank, &list(entries), of);
    assert!(matches!(other, Err(StatusListError::Signer(TrustError::Chain { .. }))), "{other:?}");
    let unnamed = status_token().sign(Header::default(), &first.key).unwrap();
    let refused = StatusListToken::verify_of(&unnamed, &trust, of, URI, now());
    assert_eq!(refused, Err(StatusListError::Chain(ChainError::Empty)));
    let gone = list(vec![trust.entries[1].clone()]);
    let nobody = verify(&first, &gone, of);
    assert_eq!(nobody, Err(StatusListError::Signer(TrustError::Nobody(Role::Registrar))));
}

fn receipt() -> Receipt {
    Receipt {
        kind: ReceiptKind::Accepted,
        party: "x509_hash:abc".into(),
        purpose: Localized::new("en", "Check-in"),
        request_digest: request_digest("request.object.jws"),
        disclosed: vec![DisclosedNames {
            vct: "urn:yufu:pid:1".into(),
            claims: vec![path(json!(["address", "locality"]))],
        }],
        at: now(),
        retained_until: Some(now().plus_seconds(30 * DAY)),
    }
}

#[test]
fn a_receipt_holds_for_its_request_its_signer_and_its_side_alone() {
    let jws = receipt().sign(Header::default(), &operator()).unwrap();
    let key = operator().public_key();
    let verify = |key, kind, request: &str| Receipt::verify(&jws, &key, kind, request);
    let request = "request.object.jws";
    assert_eq!(verify(key, ReceiptKind::Accepted, request), Ok(receipt()));
    let stranger = party().key.public_key();
    let refused = verify(stranger, ReceiptKind::Accepted, request);
    assert_eq!(refused, Err(ReceiptError::Token(JwsError::Signature)));
    let refused = verify(key, ReceiptKind::Presented, request);
    assert!(matches!(refused, Err(ReceiptError::Kind { .. })));
    assert_eq!(verify(key, ReceiptKind::Accepted, "other"), Err(ReceiptError::OtherRequest));
}

#[test]
fn a_receipt_with_room_for_values_is_refused() {
    let jws = forge(Header::typed(RECEIPT), &receipt(), &operator(), |r| {
        r["disclosed"][0]["values"] = json!(["江城"]);
    });
    let refused = Receipt::verify(
        &jws,
        &operator().public_key(),
        ReceiptKind::Accepted,
        "request.object.jws",
    );
    assert!(matches!(refused, Err(ReceiptError::Token(JwsError::Payload(_)))));
}

#[test]
fn the_wire_forms_are_stable() {
    let mut trust = serde_json::to_value(list(vec![entry(Role::Registrar, &party())])).unwrap();
    trust["entries"][0]["certificates"] = json!(["differs at each run"]);
    insta::assert_json_snapshot!(json!({
        "trust_list": trust,
        "registration_certificate": registration(),
        "status_list": status_claims(),
        "receipt": receipt(),
    }));
}

/// Every nasty input we met or thought of, one per line; none may panic or be accepted.
#[test]
fn the_corpus_is_refused_without_panic() {
    for (number, line) in include_str!("corpus/tokens.txt").lines().enumerate() {
        assert!(!any_accepts(line), "line {number}");
    }
}

static REGISTRAR: std::sync::LazyLock<support::Party> = std::sync::LazyLock::new(party);

fn any_accepts(text: &str) -> bool {
    let key = operator().public_key();
    let trust = list(vec![entry(Role::Registrar, &REGISTRAR)]);
    TrustList::verify(text, &key, now(), None).is_ok()
        || RegistrationCertificate::verify(text, &trust, now()).is_ok()
        || StatusListToken::verify(text, &key, URI, now()).is_ok()
        || Receipt::verify(text, &key, ReceiptKind::Accepted, "request.object.jws").is_ok()
        || StatusList::from_lst(StatusBits::One, text).is_ok_and(|list| list.get(0).is_some())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_text_is_refused_without_panic(text in "[A-Za-z0-9._-]{0,200}|\\PC*") {
        prop_assert!(!any_accepts(&text));
    }

    #[test]
    fn a_token_with_one_character_changed_is_refused(
        kind in 0..4_usize,
        at: prop::sample::Index,
        with in "[A-Za-z0-9._-]",
    ) {
        let key = operator();
        let empty = list(vec![]);
        let token = match kind {
            0 => empty.sign(&key),
            1 => status_token().sign(Header::default(), &key),
            2 => receipt().sign(Header::default(), &key),
            _ => registration().sign(&key, &REGISTRAR.chain),
        };
        let mut bytes = token.unwrap().into_bytes();
        let slot = at.index(bytes.len());
        prop_assume!(bytes[slot] != with.as_bytes()[0]);
        bytes[slot] = with.as_bytes()[0];
        prop_assert!(!any_accepts(&String::from_utf8(bytes).unwrap()));
    }

    #[test]
    fn arbitrary_payloads_signed_by_the_right_key_never_panic(payload: Vec<u8>) {
        for typ in [TRUST_LIST, STATUS_LIST, RECEIPT] {
            let jws = yufu_jose::sign(&Header::typed(typ), &payload, &operator()).unwrap();
            prop_assert!(!any_accepts(&jws));
        }
    }

    #[test]
    fn arbitrary_compressed_lists_never_panic(bytes: Vec<u8>) {
        let _ = StatusList::from_lst(StatusBits::Eight, &encode_base64url(bytes));
    }
}
