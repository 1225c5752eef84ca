//! The states of the authorization code flow: each rule by its own name, and that what is sealed leads on in its own
//! order alone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use yufu_base::Timestamp;
use yufu_issuer::haip::{
    ACCESS_SECONDS, Access, AccessError, AuthorizeError, CODE_SECONDS, GrantError, Granted,
    HaipDocuments, PUSHED_SECONDS, PushError, Pushed, WalletClient,
};
use yufu_issuer::{CredentialProfile, IssuerProfile};
use yufu_jose::SealingKey;
use yufu_jose::jwe::DecryptionKey;
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{
    AuthorizationDetail, DETAIL_TYPE, DpopProof, PushedRequest, STORAGE_BASIC, TokenErrorCode,
    pkce_challenge,
};

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123";
const CALLBACK: &str = "https://wallet.example/cb";

fn documents() -> HaipDocuments {
    let credential = |id: &str| CredentialProfile {
        id: id.to_owned(),
        vct: format!("urn:{id}"),
        doctype: None,
        display: Vec::new(),
        claims: Vec::new(),
        sectors: Vec::new(),
    };
    let profile = IssuerProfile {
        identifier: Endpoint::parse("https://id.example/authority").unwrap(),
        display: Vec::new(),
        batch_size: 3,
        credentials: vec![credential("pid"), credential("age")],
    };
    let identifier = Endpoint::parse("https://id.example/authority/haip").unwrap();
    let key = DecryptionKey::from_seed(&[1; 32]).unwrap().public_jwk("1");
    HaipDocuments::new(&profile, &identifier, &[STORAGE_BASIC.to_owned()], key).unwrap()
}

fn client(instance: &str) -> WalletClient {
    let client_id = "https://pay.example/wallet-providers/p".to_owned();
    WalletClient { client_id, instance: instance.to_owned() }
}

fn dpop(key: &str) -> DpopProof {
    DpopProof { thumbprint: key.to_owned(), id: "1".to_owned(), nonce: None }
}

fn request() -> PushedRequest {
    PushedRequest {
        client_id: client("i").client_id,
        redirect_uri: CALLBACK.to_owned(),
        scopes: vec!["pid".to_owned(), "unheard-of".to_owned()],
        details: Vec::new(),
        state: Some("s".to_owned()),
        code_challenge: pkce_challenge(VERIFIER),
        issuer_state: Some("offer".to_owned()),
        dpop_jkt: None,
    }
}

fn push(request: PushedRequest) -> Result<Pushed, PushError> {
    let issuer = documents().issuer;
    Pushed::new(request, client("i"), Some(&dpop("k")), &issuer, ("p".to_owned(), NOW))
}

fn granted() -> Granted {
    let pushed = push(request()).unwrap();
    let coded = pushed.authorise("person".into(), &["pid".into()], "g".into(), NOW).unwrap();
    coded.exchange((CALLBACK, VERIFIER), &client("i"), &dpop("k"), NOW).unwrap()
}

#[test]
fn each_rule_of_a_pushed_request_has_its_error_and_code_haip_4_3() {
    use TokenErrorCode as Code;
    let detail = AuthorizationDetail {
        kind: DETAIL_TYPE.to_owned(),
        credential_configuration_id: "passport".to_owned(),
        credential_identifiers: Vec::new(),
    };
    let rows = [
        (PushedRequest { client_id: "x".into(), ..request() }, Code::InvalidClient),
        (PushedRequest { dpop_jkt: Some("other".into()), ..request() }, Code::InvalidDpopProof),
        (PushedRequest { details: vec![detail], ..request() }, Code::InvalidAuthorizationDetails),
        (PushedRequest { scopes: vec!["passport".into()], ..request() }, Code::InvalidScope),
    ];
    for (request, code) in rows {
        assert_eq!(push(request).unwrap_err().code(), code);
    }
    let pushed = push(request()).unwrap();
    assert_eq!(pushed.configuration_ids(), ["pid"], "unknown scopes count for nothing");
}

#[test]
fn a_request_is_brought_in_time_by_its_wallet_and_gives_what_was_offered() {
    let pushed = push(request()).unwrap();
    let own = client("i").client_id;
    let late = NOW.plus_seconds(PUSHED_SECONDS);
    assert_eq!(pushed.check(&own, NOW), Ok(()));
    assert_eq!(pushed.check(&own, late), Err(AuthorizeError::Expired));
    assert_eq!(pushed.check("another", NOW), Err(AuthorizeError::Client));
    let other = pushed.clone().authorise("person".into(), &["age".into()], "g".into(), NOW);
    assert_eq!(other.unwrap_err(), AuthorizeError::NotOffered);
    let back = pushed.answer("https://id.example/authority/haip", &[("code", "c")]).unwrap();
    assert!(back.starts_with("https://wallet.example/cb?code=c&state=s&iss=https"), "{back}");
}

#[test]
fn each_rule_of_an_exchange_is_refused_by_its_own_name_rfc_6749_4_1_3() {
    let coded = || {
        let pushed = push(request()).unwrap();
        pushed.authorise("person".into(), &["pid".into()], "g".into(), NOW).unwrap()
    };
    let exchange = |brought, wallet: &WalletClient, key: &str, at| {
        coded().exchange(brought, wallet, &dpop(key), at).map(|granted| granted.grant)
    };
    let (own, good) = (client("i"), (CALLBACK, VERIFIER));
    assert_eq!(exchange(good, &own, "k", NOW), Ok("g".to_owned()));
    let late = NOW.plus_seconds(CODE_SECONDS);
    assert_eq!(exchange(good, &own, "k", late), Err(GrantError::Expired));
    assert_eq!(exchange(good, &client("j"), "k", NOW), Err(GrantError::Client));
    let elsewhere = ("https://wallet.example/cb2", VERIFIER);
    assert_eq!(exchange(elsewhere, &own, "k", NOW), Err(GrantError::Redirect));
    let challenge = pkce_challenge(VERIFIER);
    for verifier in ["", "short", &challenge] {
        let refused = exchange((CALLBACK, verifier), &own, "k", NOW);
        assert_eq!(refused, Err(GrantError::Verifier), "{verifier}");
    }
    assert_eq!(exchange(good, &own, "l", NOW), Err(GrantError::Key));
    assert_eq!(GrantError::Verifier.code(), TokenErrorCode::InvalidGrant);
}

#[test]
fn tokens_are_in_the_hands_of_one_wallet_and_one_key_for_their_time() {
    let access = granted().access("a".into(), NOW);
    assert_eq!(access.check(&dpop("k"), NOW), Ok(()));
    let late = NOW.plus_seconds(ACCESS_SECONDS);
    assert_eq!(access.check(&dpop("k"), late), Err(AccessError::Expired));
    assert_eq!(access.check(&dpop("l"), NOW), Err(AccessError::Key));
    let end = NOW.plus_seconds(100);
    let refresh = granted().refresh(end);
    let take = |wallet: &str, key: &str, at| {
        refresh.clone().take_up(&client(wallet), &dpop(key), at).map(|granted| granted.subject)
    };
    assert_eq!(take("i", "k", NOW), Ok("person".to_owned()));
    assert_eq!(take("i", "k", end), Err(GrantError::Expired));
    assert_eq!(take("j", "k", NOW), Err(GrantError::Client));
    assert_eq!(take("i", "l", NOW), Err(GrantError::Key));
}

#[test]
fn what_is_sealed_as_one_state_opens_as_no_other() {
    let key = SealingKey::new(&[7; 32]).unwrap();
    let access = granted().access("a".into(), NOW);
    let text = key.seal("access", &access, [1; 12]).unwrap();
    assert_eq!(key.open::<Access>("access", &text), Ok(access));
    for kind in ["code", "refresh", "pushed", ""] {
        assert!(key.open::<Access>(kind, &text).is_err(), "{kind}");
    }
    assert!(!text.contains("person"));
}

#[test]
fn every_credential_has_a_scope_and_asks_for_attested_keys_haip_4_1() {
    let documents = documents();
    for configuration in documents.issuer.credential_configurations_supported.values() {
        assert!(configuration.scope.is_some());
        for proof in configuration.proof_types_supported.values() {
            let required = proof.key_attestations_required.as_ref().unwrap();
            assert_eq!(required.key_storage, [STORAGE_BASIC]);
        }
    }
    let flow = documents.server.code_flow.unwrap();
    assert!(flow.require_pushed_authorization_requests);
    assert_eq!(flow.scopes_supported, ["age", "pid"]);
}
