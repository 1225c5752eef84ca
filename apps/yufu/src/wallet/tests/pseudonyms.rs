//! Pseudonyms, end to end: the same for the same person, hers alone, kept by a backup, and replaced by
//! an officer's word from the next epoch on.

use super::city::{BANK, TestCity, phrase};
use crate::wallet::{Holder, restore};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use yufu_api::authority::PseudonymsReplaced;
use yufu_api::http::ClientError;
use yufu_base::{Signer, Timestamp};
use yufu_engine::{Clock, ManualClock};
use yufu_jose::{Jwk, SoftwareKey, Unverified};
use yufu_keys::random;
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{OfferLink, sign_proof, sign_sector_proof};

const SECTORS: [&str; 4] = ["anonymous-cash", "education", "pension", "social-assistance"];
const EPOCH: u64 = 30 * 86_400;

type Pseudonyms = BTreeMap<String, String>;

/// The pseudonyms in the copy that the wallet got last; none if it holds none.
fn carried(wallet: &Holder) -> Pseudonyms {
    let stored = wallet.file.contents.credentials.last().unwrap();
    let claims = stored.held.credential.claims();
    let carried = claims.get("sector_pseudonym").cloned().unwrap_or_else(|| json!({}));
    serde_json::from_value(carried).unwrap()
}

fn own(wallet: &Holder) -> Pseudonyms {
    let thumbprint = |sector: &str| {
        Jwk::from(wallet.sector_key(sector).unwrap().public_key()).thumbprint_base64url()
    };
    SECTORS.map(|sector| (sector.to_owned(), thumbprint(sector))).into()
}

async fn refused(city: &TestCity, wallet: &mut Holder) -> String {
    let offer = city.offer_identity(0).await;
    wallet.get(&offer.offer, Some(&offer.transaction_code)).await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_the_same_pseudonyms_in_every_batch_and_after_a_restore() {
    let city = TestCity::start().await;
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    assert_eq!(wallet.sectors().count(), 0);
    city.issue_identity(&mut wallet).await;
    let first = carried(&wallet);
    assert_eq!(first, own(&wallet));
    assert_eq!(wallet.sectors().collect::<Vec<_>>(), SECTORS);
    let distinct: std::collections::BTreeSet<_> = first.values().collect();
    assert_eq!(distinct.len(), SECTORS.len(), "two sectors know her by one name");
    city.issue_identity(&mut wallet).await;
    assert_eq!(carried(&wallet), first);
    assert!(wallet.sector_key("Pension").is_err());

    let backup = city.folder.path().join("mei.backup");
    wallet.back_up(&backup).unwrap();
    drop(wallet);
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    assert_eq!(own(&wallet), first, "closed and opened, it is another");
    let spare = city.device("spare");
    restore(&spare, "mei", &backup, &phrase(), false, wallet.now()).unwrap();
    let mut again = city.open(&spare, "mei").unwrap();
    city.issue_identity(&mut again).await;
    assert_eq!(carried(&again), first);
    city.issue_identity(&mut wallet).await;
    assert_eq!(carried(&wallet), first);

    let mut other = city.open(&city.device("phone"), "bo").unwrap();
    let offer = city.offer_identity(1).await;
    other.get(&offer.offer, Some(&offer.transaction_code)).await.unwrap();
    assert!(carried(&other).values().all(|value| !first.values().any(|own| own == value)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_of_before_the_pseudonyms_gets_its_secret_once() {
    let city = TestCity::start().await;
    let phone = city.device("phone");
    let mut old = city.open(&phone, "mei").unwrap();
    old.file.contents.root = None;
    old.file.save().unwrap();
    drop(old);
    let first = own(&city.open(&phone, "mei").unwrap());
    assert_eq!(own(&city.open(&phone, "mei").unwrap()), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_wallet_is_refused_until_an_officer_replaces_and_then_in_the_next_epoch_only() {
    // An hour before an epoch ends, the one that contains now.
    let now = yufu_engine::SystemClock::new().read().wall.seconds();
    let ends = (now / EPOCH + 1) * EPOCH;
    let clock = ManualClock::new(Timestamp::from_seconds(ends - 3600));
    let city = TestCity::start_at(None, Arc::new(clock.clone())).await;
    let wallet = |device: &str| {
        let mut wallet = city.open(&city.device(device), "mei").unwrap();
        wallet.clock = Arc::new(clock.clone());
        wallet
    };
    let mut lost = wallet("lost");
    city.issue_identity(&mut lost).await;
    let mut found = wallet("new");
    let error = refused(&city, &mut found).await;
    assert!(error.contains("pseudonym.differs") && error.contains("backup"), "{error}");
    assert_eq!((found.credentials_left(), found.sectors().count()), (0, 0));
    let replaced = replace(&city).await;
    assert_eq!(replaced.revoked, 10);
    let day = jiff::Timestamp::from_second(i64::try_from(ends).unwrap()).unwrap();
    assert!(day.to_string().starts_with(&replaced.from), "{replaced:?}");
    let error = refused(&city, &mut found).await;
    assert!(error.contains(&format!("from {} on", replaced.from)), "{error}");
    let offer = city.offer_identity(0).await;
    let code = Some(offer.transaction_code.as_str());
    found.get_without_pseudonyms(&offer.offer, code).await.unwrap();
    assert!(carried(&found).is_empty(), "without pseudonyms, until the epoch ends");
    clock.advance(Duration::from_secs(60));
    let shown = lost.open_account(BANK, "III", &mut |_| true).await.unwrap_err().to_string();
    assert!(shown.contains("credential.revoked"), "{shown}");
    clock.advance(Duration::from_millis(3_539_999));
    assert!(refused(&city, &mut found).await.contains("pseudonym.differs"));
    clock.advance(Duration::from_millis(1));
    city.issue_identity(&mut found).await;
    assert_eq!(carried(&found), own(&found));
    assert_ne!(carried(&found), own(&lost));
    let error = refused(&city, &mut lost).await;
    assert!(error.contains("pseudonym.differs") && !error.contains("from 2"), "{error}");

    let who = found.who_read(&mut |_| true).await.unwrap();
    let told = who.authority.iter().find(|access| access.purpose.contains("phone was lost"));
    assert!(told.unwrap().purpose.starts_with("replacement of the pseudonyms"));
}

async fn replace(city: &TestCity) -> PseudonymsReplaced {
    let request = json!({"resident_number": city.number(0), "evidence": "the phone was lost"});
    city.desk("identity-authority", "/authority/v1/officer/pseudonym-replacements", &request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_officer_replaces_with_evidence_and_what_is_registered() {
    let city = TestCity::start().await;
    let token = city.data.keys(&"identity-authority".parse().unwrap()).unwrap();
    let token = token.secret("desk").unwrap();
    let number = city.number(0);
    let good = json!({"resident_number": number, "evidence": "lost"});
    let silent = json!({"resident_number": number, "evidence": " "});
    let stranger = json!({"resident_number": "11010519491231002X", "evidence": "lost"});
    for (token, body, status, code) in [
        (None, &good, 401, "request.unauthenticated"),
        (Some(&token), &silent, 400, "request.malformed"),
        (Some(&token), &stranger, 404, "request.not_found"),
        (Some(&token), &good, 409, "pseudonym.none"),
    ] {
        let url = format!("{}/authority/v1/officer/pseudonym-replacements", city.url);
        match city.client.post::<_, Value>(&url, token.map(String::as_str), body).await {
            Err(ClientError::Refused(problem)) => {
                assert_eq!((problem.status, problem.code.as_str()), (status, code), "{body}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

/// A wallet of somebody else, that speaks OpenID4VCI and signs what it is told.
struct Stranger<'a> {
    city: &'a TestCity,
    issuer: Endpoint,
    token: String,
}

impl<'a> Stranger<'a> {
    async fn of(city: &'a TestCity, adult: usize) -> Self {
        let offered = city.offer_identity(adult).await;
        let OfferLink::Value(offer) = OfferLink::parse(&offered.offer).unwrap() else {
            panic!("by reference")
        };
        let code = offer.grants.pre_authorized.unwrap().pre_authorized_code;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:pre-authorized_code"),
            ("pre-authorized_code", &code),
            ("tx_code", &offered.transaction_code),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let headers = [("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        let url = format!("{}/authority/token", city.url);
        let answer = city.client.exchange("POST", &url, &headers, body.into_bytes()).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.2).unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        Self { city, issuer: offer.credential_issuer, token }
    }

    async fn nonce(&self) -> String {
        let url = format!("{}/authority/nonce", self.city.url);
        let answer: Value = self.city.client.post(&url, None, &()).await.unwrap();
        answer["c_nonce"].as_str().unwrap().to_owned()
    }

    fn sector(&self, sector: &str, nonce: &str, key: &SoftwareKey) -> String {
        let now = yufu_engine::SystemClock::new().read().wall;
        sign_sector_proof(&self.issuer, nonce, &sector.parse().unwrap(), now, key).unwrap()
    }

    /// Asks for one copy to a fresh key, with these sector proofs (`None`: without the extension).
    async fn ask(&self, nonce: &str, sectors: Option<Vec<String>>) -> (u16, Value) {
        let now = yufu_engine::SystemClock::new().read().wall;
        let proof = sign_proof(&self.issuer, nonce, now, &fresh()).unwrap();
        let mut body = json!({"credential_configuration_id": "pid", "proofs": {"jwt": [proof]}});
        if let Some(sectors) = sectors {
            body["yufu_sector_proofs"] = json!(sectors);
        }
        let headers = [
            ("content-type".to_owned(), "application/json".to_owned()),
            ("authorization".to_owned(), format!("Bearer {}", self.token)),
        ];
        let url = format!("{}/authority/credential", self.city.url);
        let body = body.to_string().into_bytes();
        let answer = self.city.client.exchange("POST", &url, &headers, body).await.unwrap();
        (answer.0, serde_json::from_slice(&answer.2).unwrap())
    }
}

fn fresh() -> SoftwareKey {
    SoftwareKey::from_seed(&random()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_without_the_extension_gets_the_credential_without_pseudonyms() {
    let city = TestCity::start().await;
    let url = format!("{}/.well-known/openid-credential-issuer/authority", city.url);
    let metadata: Value = city.client.get(&url, None).await.unwrap();
    let pid = &metadata["credential_configurations_supported"]["pid"];
    let expected = ["pension", "education", "social-assistance", "anonymous-cash"];
    assert_eq!(pid["yufu_sector_proofs_supported"]["sectors"], json!(expected));
    let stranger = Stranger::of(&city, 0).await;
    let (status, answer) = stranger.ask(&stranger.nonce().await, None).await;
    assert_eq!(status, 200, "{answer}");
    let issued = answer["credentials"][0]["credential"].as_str().unwrap();
    let token = Unverified::parse(issued.split('~').next().unwrap()).unwrap();
    assert_eq!(token.header().typ.as_deref(), Some("dc+sd-jwt"));
    let disclosed = issued.split('~').skip(1).filter(|part| !part.is_empty());
    let mut disclosed = disclosed.map(|part| yufu_jose::decode_base64url(part).unwrap());
    assert!(disclosed.all(|text| !String::from_utf8(text).unwrap().contains("sector_pseudonym")));
    // That nobody registered any by it: her own wallet still can.
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    assert_eq!(carried(&wallet), own(&wallet));
    let hers = wallet.file.contents.credentials.last().unwrap().held.credential.issued();
    assert_eq!(digests(&hers), digests(issued), "their number tells that it carries pseudonyms");
}

/// How many digests of claims everybody sees.
fn digests(credential: &str) -> usize {
    let token = Unverified::parse(credential.split('~').next().unwrap()).unwrap();
    let payload: Value = token.unverified_claims().unwrap();
    payload["_sd"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_a_pseudonym_has_its_code_and_the_next_try_is_free() {
    let city = TestCity::start().await;
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    let stranger = Stranger::of(&city, 1).await;
    let nonce = stranger.nonce().await;
    let key = fresh();
    let good = stranger.sector("pension", &nonce, &key);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{head}.{flipped}{}", signature.get(1..).unwrap());
    let old = stranger.sector("pension", &stranger.nonce().await, &key);
    let unknown = stranger.sector("health", &nonce, &fresh());
    let second = stranger.sector("pension", &nonce, &fresh());
    let joined = stranger.sector("education", &nonce, &key);
    for (case, proofs, error, says) in [
        ("forged", vec![forged], "invalid_proof", "sector proof 0"),
        ("made for another request", vec![old], "invalid_nonce", "another nonce"),
        ("unknown", vec![good.clone(), unknown], "invalid_credential_request", "sector health"),
        ("twice", vec![good.clone(), second], "invalid_credential_request", "two proofs"),
        ("one key", vec![good.clone(), joined], "invalid_proof", "used elsewhere"),
        ("none", vec![], "invalid_credential_request", "leave it out"),
    ] {
        let (status, answer) = stranger.ask(&nonce, Some(proofs)).await;
        assert_eq!((status, &answer["error"]), (400, &json!(error)), "{case}: {answer}");
        let said = answer["error_description"].as_str().unwrap();
        assert!(said.contains(says), "{case}: {said}");
    }
    let hers = wallet.sector_key("pension").unwrap();
    let taken = vec![stranger.sector("pension", &nonce, &hers)];
    let (status, answer) = stranger.ask(&nonce, Some(taken)).await;
    let expected = (400, &json!("pseudonym.taken"), &json!("credential_request_denied"));
    assert_eq!((status, &answer["code"], &answer["error"]), expected, "{answer}");

    let (status, answer) = stranger.ask(&nonce, Some(vec![good.clone()])).await;
    assert_eq!(status, 200, "{answer}");
    let again = Stranger::of(&city, 1).await;
    let (status, answer) = again.ask(&nonce, Some(vec![good])).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_nonce")), "{answer}");
    let nonce = again.nonce().await;
    let other = vec![again.sector("pension", &nonce, &fresh())];
    let (status, answer) = again.ask(&nonce, Some(other)).await;
    assert_eq!((status, &answer["code"]), (400, &json!("pseudonym.differs")), "{answer}");
}
