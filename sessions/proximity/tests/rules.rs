//! A holder and a reader side by side: what goes well, and each rule that refuses, by its own name.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: to fail loudly"
)]

mod support;

use proptest::prelude::*;
use serde_json::json;
use support::*;
use yufu_jose::ChainError;
use yufu_mdoc::cose::CoseError;
use yufu_mdoc::{
    DeviceAuthError, DeviceResponse, MdocError, MdocTimeError, ReaderError, SessionData,
    SessionError, SessionStatus, ShowError,
};
use yufu_proximity::{
    AnswerError, AskError, Asked, Offline, OfflineStatusError, ReadError, ReaderIdentity,
    RefuseReader, Seen, ask,
};
use yufu_trust::{
    OverAsking, RegistrationCertificate, RegistrationError, Role, Status, StatusListError,
    TrustEntry, TrustError,
};

/// A request for `elements` as it comes before the person.
fn asked(world: &World, elements: &[&str]) -> (yufu_proximity::Waiting, Asked) {
    let device = device(1);
    let (waiting, message) = world.ask(&device.qr(), elements);
    (waiting, device.handle(&message, &world.offline()).unwrap())
}

fn refused(world: &World, elements: &[&str]) -> RefuseReader {
    let device = device(1);
    let (_, message) = world.ask(&device.qr(), elements);
    device.handle(&message, &world.offline()).unwrap_err()
}

/// What the reader makes of the answer of an honest device, by what it knows.
fn read(world: &World, known: &Offline<'_>) -> Result<Seen, ReadError> {
    let (waiting, asked) = asked(world, &["family_name"]);
    let (answer, _) = asked.approve(&world.document(2), &key(2), NOW).unwrap();
    waiting.handle(&answer, known)
}

#[test]
fn a_reader_learns_that_somebody_is_of_age_and_nothing_else_without_a_network() {
    let world = World::new();
    let document = world.document(2);
    let (waiting, asked) = asked(&world, &["age_equal_or_over.18"]);
    assert_eq!(asked.certificate().name.get("en"), "Bar");
    assert_eq!(asked.certificate().purpose.get("en"), "Serve you a drink");
    assert_eq!(asked.elements(), [element("age_equal_or_over.18")]);
    assert!(!asked.items().namespaces[DOC_TYPE]["age_equal_or_over.18"], "it keeps nothing");
    assert!(asked.is_answered_by(&document));
    let (answer, receipt) = asked.approve(&document, &key(2), NOW).unwrap();
    assert_eq!(receipt.disclosed[0].claims, [element("age_equal_or_over.18")]);
    assert_eq!(receipt.party, world.certificate().client_id);
    for hidden in ["李", "华", "age_equal"] {
        let found = answer.windows(hidden.len()).any(|window| window == hidden.as_bytes());
        assert!(!found, "{hidden} can be read on the way");
    }
    let seen = waiting.handle(&answer, &world.offline()).unwrap();
    assert_eq!(json!(seen.claims), json!({"age_equal_or_over": {"18": true}}));
    assert_eq!((seen.doc_type.as_str(), seen.unasked.len()), (DOC_TYPE, 0));
    assert_eq!(seen.issuer.identifier, "https://id.example");
}

#[test]
fn a_reader_that_may_not_ask_this_is_refused_before_the_person_is_asked() {
    let world = World::new();
    let over = refused(&world, &["given_name"]);
    assert!(matches!(over, RefuseReader::OverAsking(OverAsking::Claims { .. })));
    let two = refused(&world, &["sector_pseudonym.a", "sector_pseudonym.b"]);
    assert_eq!(two, RefuseReader::JoinsSectors);
    let by = |who: &Party, certificate: &RegistrationCertificate| {
        let device = device(1);
        let (_, message) = world.ask_as(who, certificate, &device.qr(), &["family_name"]);
        device.handle(&message, &world.offline()).unwrap_err()
    };
    assert!(matches!(by(&party(), &world.certificate()), RefuseReader::Untrusted(_)));
    let mut others = world.certificate();
    others.client_id = "x509_hash:other".into();
    assert!(matches!(by(&world.access, &others), RefuseReader::OtherParty { .. }));
    let mut endless = world.certificate();
    endless.status = None;
    assert_eq!(by(&world.access, &endless), RefuseReader::NoStatus);
    let mut late = world.certificate();
    late.expires_at = NOW.minus_seconds(3600);
    let late = by(&world.access, &late);
    assert!(matches!(&late, RefuseReader::Registration(error)
        if matches!(**error, RegistrationError::Time(_))));
    // Somebody else's signature under the certified chain.
    let thief = Party { anchor: vec![], chain: world.access.chain.clone(), key: key(66) };
    let stolen = by(&thief, &world.certificate());
    assert_eq!(stolen, RefuseReader::Request(ReaderError::Cose(CoseError::Invalid)));
    assert_eq!(
        SessionData::decode(&stolen.reply()).unwrap().status,
        Some(SessionStatus::Termination)
    );
}

#[test]
fn a_withdrawn_registration_and_one_that_nobody_knows_to_stand_are_refused() {
    let mut world = World::new();
    world.fetch(&[], &[PLACE]);
    let withdrawn = OfflineStatusError::NotValid(Status::Invalid);
    assert_eq!(refused(&world, &["family_name"]), RefuseReader::Status(withdrawn));
    world.lists.clear();
    let missing = OfflineStatusError::Missing(REVOKED.into());
    assert_eq!(refused(&world, &["family_name"]), RefuseReader::Status(missing));
}

#[test]
fn a_request_relayed_to_another_device_or_altered_is_not_read() {
    let world = World::new();
    let (_, message) = world.ask(&device(1).qr(), &["family_name"]);
    let relayed = device(3).handle(&message, &world.offline()).unwrap_err();
    assert_eq!(relayed, RefuseReader::Session(SessionError::Decrypt));
    let status = SessionData::decode(&relayed.reply()).unwrap().status;
    assert_eq!(status, Some(SessionStatus::EncryptionError));
    let mut altered = message.clone();
    *altered.last_mut().unwrap() ^= 1;
    let altered = device(1).handle(&altered, &world.offline()).unwrap_err();
    assert_eq!(altered, RefuseReader::Session(SessionError::Decrypt));
    let trailing = [message, vec![0]].concat();
    let trailing = device(1).handle(&trailing, &world.offline()).unwrap_err();
    assert!(matches!(trailing, RefuseReader::Message(_)));
    let status = SessionData::decode(&trailing.reply()).unwrap().status;
    assert_eq!(status, Some(SessionStatus::DecodingError));
}

#[test]
fn a_document_of_a_type_that_its_issuer_is_not_listed_for_is_refused_offline_too() {
    let mut world = World::new();
    assert!(read(&world, &world.offline()).is_ok());
    world.trust.entries[0].issues = vec!["org.example.other.1".into()];
    let (party, kind) = ("https://id.example".to_owned(), DOC_TYPE.to_owned());
    let refused = read(&world, &world.offline()).unwrap_err();
    assert_eq!(refused, ReadError::Issuer(TrustError::Type { party, kind }));
}

#[test]
fn a_status_list_of_another_issuer_in_the_same_role_is_refused_offline_too() {
    let mut world = World::new();
    let other = party();
    let anchors = std::slice::from_ref(&other.anchor);
    let name = world.trust.entries[0].name.clone();
    let entry = TrustEntry::new(name, Role::PidIssuer, "https://other.example", anchors);
    world.trust.entries.push(entry.issuing([DOC_TYPE]));
    world.lists.insert(STATUS.into(), list(STATUS, &other, &[], Status::Invalid));
    let refused = read(&world, &world.offline()).unwrap_err();
    let ReadError::Status(OfflineStatusError::List { error, .. }) = refused else {
        unreachable!("{refused}")
    };
    assert!(matches!(*error, StatusListError::Signer(TrustError::Chain { .. })), "{error}");
}

#[test]
fn a_reader_and_a_list_whose_chain_carries_the_authority_are_refused_haip_1_0() {
    let mut world = World::new();
    let device = device(1);
    let carrying = world.access.carrying_anchor();
    let (_, message) =
        world.ask_as(&carrying, &world.certificate(), &device.qr(), &["family_name"]);
    let refused = device.handle(&message, &world.offline()).unwrap_err();
    let (role, reason) = (Role::AccessCa, ChainError::CarriesAnchor(1));
    assert_eq!(refused, RefuseReader::Untrusted(TrustError::Chain { role, reason }));
    world.authority = world.authority.carrying_anchor();
    let refused = read(&world, &world.offline()).unwrap_err();
    let (role, reason) = (Role::PidIssuer, ChainError::CarriesAnchor(1));
    assert_eq!(refused, ReadError::Issuer(TrustError::Chain { role, reason }));
}

#[test]
fn an_answer_counts_in_its_own_session_once() {
    let world = World::new();
    let (waiting, asked) = asked(&world, &["family_name"]);
    let (answer, _) = asked.approve(&world.document(2), &key(2), NOW).unwrap();
    let device = device(5);
    let (other, _) = world.ask(&device.qr(), &["family_name"]);
    let replayed = other.handle(&answer, &world.offline()).unwrap_err();
    assert_eq!(replayed, ReadError::Session(SessionError::Decrypt));
    assert!(waiting.handle(&answer, &world.offline()).is_ok());
}

#[test]
fn a_declined_request_tells_the_reader_only_that_the_session_is_over() {
    let world = World::new();
    let (waiting, asked) = asked(&world, &["family_name"]);
    let ended = waiting.handle(&asked.decline(), &world.offline()).unwrap_err();
    assert_eq!(ended, ReadError::Ended(SessionStatus::Termination));
}

#[test]
fn a_revoked_or_suspended_document_and_one_that_nobody_knows_to_be_valid_are_refused() {
    let mut world = World::new();
    assert!(read(&world, &world.offline()).is_ok());
    world.fetch(&[PLACE], &[]);
    let revoked = OfflineStatusError::NotValid(Status::Invalid);
    assert_eq!(read(&world, &world.offline()), Err(ReadError::Status(revoked)));
    world
        .lists
        .insert(STATUS.to_owned(), list(STATUS, &world.authority, &[PLACE], Status::Suspended));
    let suspended = OfflineStatusError::NotValid(Status::Suspended);
    assert_eq!(read(&world, &world.offline()), Err(ReadError::Status(suspended)));
    world.fetch(&[], &[]);
    let without = [(REVOKED.to_owned(), world.lists[REVOKED].clone())].into();
    let known = Offline { lists: &without, ..world.offline() };
    let missing = OfflineStatusError::Missing(STATUS.into());
    assert_eq!(read(&world, &known), Err(ReadError::Status(missing)));
}

#[test]
fn a_list_is_relied_on_for_its_stated_age_and_never_beyond_its_end() {
    let world = World::new();
    let at = |seconds: u64, max_age_seconds: u64| {
        let known = Offline { now: NOW.plus_seconds(seconds), max_age_seconds, ..world.offline() };
        read(&world, &known).map(|_| ())
    };
    assert_eq!(at(3600, 3600), Ok(()));
    let old = OfflineStatusError::Old { uri: STATUS.into(), age: 3601, most: 3600 };
    assert_eq!(at(3601, 3600), Err(ReadError::Status(old)));
    assert_eq!(at(2 * 3600 - 1, DAY), Ok(()));
    let beyond = at(3 * 3600, DAY).unwrap_err();
    assert!(matches!(beyond, ReadError::Status(OfflineStatusError::List { error, .. })
        if matches!(*error, StatusListError::Time(_))));
}

#[test]
fn a_document_out_of_its_dates_or_of_a_stranger_is_refused() {
    let world = World::new();
    let show = |document: &yufu_mdoc::IssuedMdoc| {
        let (waiting, asked) = asked(&world, &["family_name"]);
        let (answer, _) = asked.approve(document, &key(2), NOW).unwrap();
        waiting.handle(&answer, &world.offline()).unwrap_err()
    };
    let ended = NOW.minus_seconds(DAY);
    let expired = MdocError::Time(MdocTimeError::Expired(ended.seconds()));
    assert_eq!(show(&world.document_until(2, ended)), ReadError::Document(expired));
    assert!(matches!(show(&World::new().document(2)), ReadError::Issuer(_)));
}

#[test]
fn the_device_shows_only_what_it_has_with_its_own_key() {
    let world = World::new();
    let (_, first) = asked(&world, &["family_name"]);
    let refused = first.approve(&world.document(2), &key(3), NOW).unwrap_err();
    assert_eq!(refused, AnswerError::Show(ShowError::OtherKey));
    let device = device(1);
    assert!(matches!(
        ask("mdoc:", wanted(&[]), identity(&world, "x"), &[9; 32]),
        Err(AskError::Engagement(_))
    ));
    let mut bad = wanted(&["family_name"]);
    bad.elements = vec![yufu_jose::ClaimPath::member("family_name")];
    let refused = ask(&device.qr(), bad, identity(&world, "x"), &[9; 32]);
    assert!(matches!(refused, Err(AskError::Element(_))));
    // Without a registration that can be read.
    let (_, message) =
        ask(&device.qr(), wanted(&["family_name"]), identity(&world, "x"), &[9; 32]).unwrap();
    let refused = device.handle(&message, &world.offline()).unwrap_err();
    assert!(matches!(refused, RefuseReader::Registration(_)));
}

fn identity<'a>(world: &'a World, registration: &'a str) -> ReaderIdentity<'a> {
    let Party { chain, key, .. } = &world.access;
    ReaderIdentity { chain, signer: key, registration }
}

#[test]
fn a_devices_word_from_another_channel_is_refused() {
    let world = World::new();
    let (waiting, _) = asked(&world, &["family_name"]);
    // An answer made for OpenID4VP, put into this session by whoever is at its end.
    let online = yufu_mdoc::SessionTranscript::openid4vp("c", "n", None, "u");
    let document = world.document(2).show(&[element("family_name")], &online, &key(2)).unwrap();
    let answer = DeviceResponse::of(vec![document]).encode();
    let message = world.encrypt_as_device(1, &answer);
    let refused = waiting.handle(&message, &world.offline()).unwrap_err();
    let device = DeviceAuthError::Cose(CoseError::Invalid);
    assert_eq!(refused, ReadError::Document(MdocError::Device(device)));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, text: String) {
        let world = World::new();
        prop_assert!(device(1).handle(&bytes, &world.offline()).is_err());
        let (waiting, _) = world.ask(&device(1).qr(), &["family_name"]);
        prop_assert!(waiting.handle(&bytes, &world.offline()).is_err());
        prop_assert!(ask(&text, wanted(&["a"]), identity(&world, "x"), &[9; 32]).is_err());
    }
}
