//! The worked examples of OpenID4VCI 1.0 for what is spoken here: offers, details, token requests and answers, nonces,
//! credential requests and answers, deferred ones, notifications, an issuer's metadata. Each is read as printed; what is
//! not spoken here is refused by its name.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use serde_json::{Value, json};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{
    AuthorizationDetail, CredentialErrorCode, CredentialErrorResponse, CredentialOffer,
    CredentialRequestError, DeferredRequest, Grant, GrantRequest, GrantResponse, InputMode,
    IssuerMetadata, NonceResponse, NotificationErrorCode, NotificationErrorResponse,
    NotificationEvent, NotificationRequest, OfferLink, ProofsOf, PushedResponse, SigningAlgorithm,
    TokenErrorCode, TokenErrorResponse, TokenRequest, Wanted, WantedRequest, WantedResponse,
    is_challenge, pkce_challenge,
};

const ISSUER: &str = "https://credential-issuer.example.com";

fn offer(document: &Value) -> CredentialOffer {
    CredentialOffer::from_json(document.to_string().as_bytes()).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(document: Value) -> T {
    serde_json::from_value(document).unwrap()
}

#[test]
fn offers_of_either_grant_of_several_credentials_and_by_either_link_are_read_4_1() {
    let code = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
    let document = |ids: Value, grants: Value| {
        offer(
            &json!({"credential_issuer": ISSUER, "credential_configuration_ids": ids, "grants": grants}),
        )
    };
    let by_code = document(
        json!(["UniversityDegreeCredential"]),
        json!({"authorization_code": {"issuer_state": "eyJhbGciOiJSU0Et...FYUaBy"}}),
    );
    let grant = by_code.grants.authorization_code.unwrap();
    assert_eq!(grant.issuer_state.as_deref(), Some("eyJhbGciOiJSU0Et...FYUaBy"));
    let several = document(
        json!(["UniversityDegreeCredential", "org.iso.18013.5.1.mDL"]),
        json!({code: {"pre-authorized_code": "oaKazRN8I0IbtZ0C7JuMn5", "tx_code": {
            "length": 4, "input_mode": "numeric",
            "description": "Please provide the one-time code that was sent via e-mail"}}}),
    );
    assert_eq!(several.credential_configuration_ids.len(), 2);
    let grant = several.grants.pre_authorized.unwrap();
    assert_eq!(grant.pre_authorized_code, "oaKazRN8I0IbtZ0C7JuMn5");
    let wanted = grant.tx_code.unwrap();
    assert_eq!((wanted.length, wanted.input_mode), (Some(4), InputMode::Numeric));
    // An empty object still says that a transaction code is wanted.
    let referenced = document(
        json!(["UniversityDegree_LDP_VC"]),
        json!({code: {"pre-authorized_code": "adhjhdjajkdkhjhdj", "tx_code": {}}}),
    );
    assert!(referenced.grants.pre_authorized.unwrap().tx_code.is_some());

    let link = concat!(
        "openid-credential-offer://?credential_offer=%7B%22credential_issuer%22:%22https://",
        "credential-issuer.example.com%22,%22credential_configuration_ids%22:%5B%22org.iso.18013.5.1",
        ".mDL%22%5D,%22grants%22:%7B%22urn:ietf:params:oauth:grant-type:pre-authorized_code%22:%7B%22",
        "pre-authorized_code%22:%22oaKazRN8I0IbtZ0C7JuMn5%22,%22tx_code%22:%7B%22input_mode%22:%22",
        "text%22,%22description%22:%22Please%20enter%20the%20serial%20number%20of%20your%20physical",
        "%20drivers%20license%22%7D%7D%7D%7D",
    );
    let OfferLink::Value(by_value) = OfferLink::parse(link).unwrap() else {
        panic!("an offer by reference");
    };
    let wanted = by_value.grants.pre_authorized.unwrap().tx_code.unwrap();
    assert_eq!(wanted.input_mode, InputMode::Text);
    assert!(wanted.description.unwrap().ends_with("physical drivers license"));
    let link = concat!(
        "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fserver%2Eexample%2Ecom",
        "%2Fcredential-offer%2FGkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM",
    );
    let address =
        "https://server.example.com/credential-offer/GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM";
    let reference = OfferLink::Reference(Endpoint::parse(address).unwrap());
    assert_eq!(OfferLink::parse(link), Ok(reference));
}

#[test]
fn authorization_details_and_what_is_pushed_are_read_5_1() {
    let details: Vec<AuthorizationDetail> = read(json!([
        {"type": "openid_credential", "credential_configuration_id": "UniversityDegreeCredential"},
        {"type": "openid_credential", "credential_configuration_id": "org.iso.18013.5.1.mDL",
         "locations": [ISSUER]},
        {"type": "openid_credential", "credential_configuration_id": "PID_SD_JWT_VC",
         "claims": [{"path": ["given_name"]}, {"path": ["family_name"]}]},
    ]));
    let ids = details.iter().map(|one| one.credential_configuration_id.as_str());
    let expected = ["UniversityDegreeCredential", "org.iso.18013.5.1.mDL", "PID_SD_JWT_VC"];
    assert_eq!(ids.collect::<Vec<_>>(), expected);
    assert!(is_challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    let pushed: PushedResponse = read(json!({
        "request_uri": "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c",
        "expires_in": 60,
    }));
    assert_eq!(pushed.expires_in, 60);
}

#[test]
fn token_requests_their_answers_and_their_refusal_are_read_6() {
    let form = concat!(
        "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA",
        "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "&redirect_uri=https%3A%2F%2Fwallet.example.org%2Fcb",
        "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
        "&client_assertion=eyJhbGciOiJSU...",
    );
    let Grant::Code { code, redirect_uri, code_verifier } =
        GrantRequest::from_form(form.as_bytes()).unwrap().grant
    else {
        panic!("a refresh token");
    };
    assert_eq!(
        (code.as_str(), redirect_uri.as_str()),
        ("SplxlOBeZQQYbYS6WxSbIA", "https://wallet.example.org/cb")
    );
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    assert_eq!(pkce_challenge(&code_verifier), challenge, "of the request that was authorised");
    let form = concat!(
        "grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code",
        "&pre-authorized_code=SplxlOBeZQQYbYS6WxSbIA&tx_code=493536",
        "&authorization_details=%5B%7B%22type%22%3A%20%22openid_credential%22%2C%20%22",
        "credential_configuration_id%22%3A%20%22UniversityDegreeCredential%22%7D%5D",
    );
    let request = TokenRequest::from_form(form.as_bytes()).unwrap();
    assert_eq!(request.pre_authorized_code, "SplxlOBeZQQYbYS6WxSbIA");
    assert_eq!(request.tx_code.as_deref(), Some("493536"));
    let answer: GrantResponse = read(json!({
        "access_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6Ikp..sHQ", "token_type": "Bearer", "expires_in": 86400,
        "authorization_details": [{
            "type": "openid_credential", "credential_configuration_id": "UniversityDegreeCredential",
            "credential_identifiers": ["CivilEngineeringDegree-2023", "ElectricalEngineeringDegree-2023"],
        }],
    }));
    assert_eq!(answer.authorization_details[0].credential_identifiers.len(), 2);
    let refused: TokenErrorResponse = read(json!({"error": "invalid_request"}));
    assert_eq!(refused.error, TokenErrorCode::InvalidRequest);
    let nonce: NonceResponse = read(json!({"c_nonce": "wKI4LT17ac15ES9bw8ac4"}));
    assert_eq!(nonce.c_nonce, "wKI4LT17ac15ES9bw8ac4");
}

#[test]
fn credential_requests_by_either_name_are_read_and_proofs_that_are_not_known_refused_8_2() {
    let request = |document: Value| WantedRequest::from_json(document.to_string().as_bytes());
    let proof = "eyJraWQiOiJkaWQ6ZXhhbXBsZTplYmZlYjFmNzEyZWJjNmYxYzI3NmUxMmVjMjEva2V5cy8xIiwiYWxnIjoiRVMyNTYiLCJ0eXAiOiJKV1QifQ";
    let by_configuration = request(json!({
        "credential_configuration_id": "org.iso.18013.5.1.mDL", "proofs": {"jwt": [proof]},
    }));
    let by_configuration = by_configuration.unwrap();
    assert_eq!(by_configuration.wanted, Wanted::Configuration("org.iso.18013.5.1.mDL".into()));
    assert_eq!(by_configuration.proofs, ProofsOf::Keys(vec![proof.into()]));
    let by_identifier = request(json!({
        "credential_identifier": "CivilEngineeringDegree-2023", "proofs": {"jwt": [proof, proof]},
    }));
    let wanted = Wanted::Identifier("CivilEngineeringDegree-2023".into());
    assert_eq!(by_identifier.unwrap().wanted, wanted);
    let other = request(json!({
        "credential_identifier": "CivilEngineeringDegree-2023",
        "proofs": {"di_vp": [{"type": ["VerifiablePresentation"]}]},
    }));
    assert_eq!(other, Err(CredentialRequestError::Proofs));
    assert_eq!(CredentialRequestError::Proofs.code(), CredentialErrorCode::InvalidProof);
    let refused: CredentialErrorResponse =
        read(json!({"error": "unknown_credential_configuration"}));
    assert_eq!(refused.error, CredentialErrorCode::UnknownCredentialConfiguration);
}

#[test]
fn credentials_that_come_at_once_or_later_and_what_becomes_of_them_are_read_8_3_9_11() {
    let one = json!({"credential": "LUpixVCWJk0eOt4CXQe1NXK....WZwmhmn9OQp6YxX0a2L"});
    let other = json!({"credential": "YXNkZnNhZGZkamZqZGFza23....29tZTIzMjMyMzIzMjMy"});
    let at_once: WantedResponse = read(json!({"credentials": [one]}));
    assert_eq!((at_once.credentials.len(), at_once.transaction_id), (1, None));
    let both: WantedResponse =
        read(json!({"credentials": [one, other], "notification_id": "3fwe98js"}));
    assert_eq!(both.notification_id.as_deref(), Some("3fwe98js"));
    assert!(both.credentials[1].credential.starts_with("YXNkZnNh"));
    let later: WantedResponse = read(json!({"transaction_id": "8xLOxBtZp8", "interval": 3600}));
    assert_eq!((later.transaction_id.as_deref(), later.interval), (Some("8xLOxBtZp8"), Some(3600)));
    let asked = DeferredRequest::from_json(br#"{"transaction_id": "8xLOxBtZp8"}"#).unwrap();
    assert_eq!(asked.transaction_id, "8xLOxBtZp8");
    let refused: CredentialErrorResponse = read(json!({"error": "invalid_transaction_id"}));
    assert_eq!(refused.error, CredentialErrorCode::InvalidTransactionId);
    let kept: NotificationRequest =
        read(json!({"notification_id": "3fwe98js", "event": "credential_accepted"}));
    assert_eq!(kept.event, NotificationEvent::CredentialAccepted);
    let lost: NotificationRequest = read(json!({
        "notification_id": "3fwe98js", "event": "credential_failure",
        "event_description": "Could not store the Credential. Out of storage.",
    }));
    assert_eq!(lost.event, NotificationEvent::CredentialFailure);
    let refused: NotificationErrorResponse = read(json!({"error": "invalid_notification_id"}));
    assert_eq!(refused.error, NotificationErrorCode::InvalidNotificationId);
}

#[test]
fn an_issuers_metadata_are_read_and_hold_for_that_issuer_alone_i_1() {
    let document = include_str!("issuer_metadata_example.json");
    let metadata: IssuerMetadata = serde_json::from_str(document).unwrap();
    assert_eq!(metadata.check(&Endpoint::parse(ISSUER).unwrap()), Ok(()));
    assert!(metadata.check(&Endpoint::parse("https://other.example.com").unwrap()).is_err());
    assert_eq!(metadata.batch_size(), 10);
    let encryption = metadata.credential_request_encryption.unwrap();
    assert_eq!(encryption.jwks.keys[0].kid.as_deref(), Some("ac"));
    assert!(encryption.encryption_required);
    let id = "SD_JWT_VC_example_in_OpenID4VCI";
    let configuration = &metadata.credential_configurations_supported[id];
    assert_eq!(configuration.credential_type().map(String::as_str), Some(id));
    let signed = &configuration.credential_signing_alg_values_supported;
    assert_eq!(*signed, [SigningAlgorithm::Jose("ES256".into())]);
    let described = configuration.credential_metadata.as_ref().unwrap();
    assert_eq!(described.claims.len(), 13);
    assert_eq!(described.claims[5].path.to_string(), "address.street_address");
}
