//! Anonymous credentials, end to end: got by showing who one is, shown under one pseudonym at each party, one account for
//! each person, and what refuses.

use super::city::{TestCity, phrase};
use crate::wallet::{Holder, restore};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use yufu_api::http::ClientError;
use yufu_api::verifying::{Begun, VerificationState};
use yufu_engine::{Clock, ManualClock, SystemClock};
use yufu_profile::PseudonymEpoch;

const AUTHORITY: &str = include_str!("../../../tests/zero_knowledge/authority.toml");
const PARTIES: &str = include_str!("../../../tests/zero_knowledge/parties.toml");
const FORUM: &str = "lakeside-forum";
const CLUB: &str = "riverside-club";
/// The epoch of pseudonyms in the sample country, and that of credentials, which divides it, in days.
const REPLACED: u32 = 30;
const EPOCH: u32 = 6;

/// The sample country, whose authority issues anonymous credentials, and two parties that want them.
fn country(folder: &Path) -> PathBuf {
    let country = folder.join("country");
    std::fs::create_dir_all(&country).unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/china");
    for file in ["profile.toml", "institutions.toml", "city.toml", "residents.csv"] {
        let mut text = std::fs::read_to_string(sample.join(file)).unwrap();
        if file == "institutions.toml" {
            let at = text.find("[[institutions]]\nid = \"registrar\"").unwrap();
            text.insert_str(at, AUTHORITY);
            let at = text.find("[[programmes]]").unwrap();
            text.insert_str(at, PARTIES);
        }
        std::fs::write(country.join(file), text).unwrap();
    }
    country
}

struct World {
    city: TestCity,
    clock: ManualClock,
}

impl World {
    /// A city, an hour before an epoch of credentials ends; or of pseudonyms too.
    async fn an_hour_before_the_end_of(days: u32) -> Self {
        let epoch = PseudonymEpoch::new(days).unwrap();
        let ends = epoch.next_after(SystemClock::new().read().wall);
        let clock = ManualClock::new(ends.minus_seconds(3600));
        let folder = tempfile::tempdir().unwrap();
        let profile = country(folder.path());
        let city = TestCity::start_at(Some(&profile), Arc::new(clock.clone())).await;
        Self { city, clock }
    }

    fn wallet(&self, device: &str) -> Holder {
        let mut wallet = self.city.open(&self.city.device(device), "mei").unwrap();
        wallet.clock = Arc::new(self.clock.clone());
        wallet
    }

    /// A wallet with an identity and an anonymous credential.
    async fn anonymous(&self, device: &str) -> Holder {
        let mut wallet = self.wallet(device);
        self.city.issue_identity(&mut wallet).await;
        wallet.get_anonymous(&mut |_| true).await.unwrap();
        wallet
    }

    async fn begin(&self, party: &str, purpose: &str) -> Begun {
        let path = format!("/verifiers/{party}/v1/desk/verifications");
        self.city.desk(party, &path, &json!({"purpose": purpose})).await
    }

    async fn state(&self, party: &str, begun: &Begun) -> VerificationState {
        let path = format!("/verifiers/{party}/v1/desk/verifications/{}", begun.verification);
        self.city.desk_get(party, &path).await
    }

    /// How it stands after the wallet showed what it has, and what the wallet was told if it was refused.
    async fn show(&self, wallet: &mut Holder, party: &str, purpose: &str) -> (String, String) {
        let begun = self.begin(party, purpose).await;
        let shown = wallet.present_anonymously(&begun.authorization_request, &mut |_| true).await;
        let told = shown.err().map(|error| format!("{error:#}")).unwrap_or_default();
        (self.state(party, &begun).await.state, told)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_opens_one_account_at_each_party_and_nobody_learns_more_than_was_asked() {
    let world = World::an_hour_before_the_end_of(EPOCH).await;
    let mut wallet = world.wallet("phone");
    world.city.issue_identity(&mut wallet).await;
    let mut asked = Vec::new();
    let received = wallet
        .get_anonymous(&mut |consent| {
            asked.push(consent.purpose.get("en").to_owned());
            true
        })
        .await
        .unwrap();
    assert_eq!(asked, ["Issue an anonymous credential to you"]);
    let names: Vec<&String> = received.claims.keys().collect();
    let many = |name: &&String| {
        let open = ["age_", "address.", "resident_of."];
        open.iter().any(|prefix| name.starts_with(prefix)) || *name == "issuing_country"
    };
    assert!(names.iter().all(many), "what is hers alone is in it: {names:?}");

    let begun = world.begin(FORUM, "account").await;
    let mut consent = Vec::new();
    let link = &begun.authorization_request;
    let shown = wallet
        .present_anonymously(link, &mut |asked| {
            consent.extend(asked.credentials[0].holdings[0].claims.clone());
            true
        })
        .await
        .unwrap();
    assert_eq!((shown.claims, shown.receipt), (vec!["age_equal_or_over.18".to_owned()], true));
    assert_eq!(consent.len(), 1);
    let state = world.state(FORUM, &begun).await;
    assert_eq!(state.state, "yes");
    let (state, told) = world.show(&mut wallet, FORUM, "account").await;
    assert!(state == "waiting" && told.contains("account.known"), "{state}: {told}");
    // Not used up, and renewed: still the same person.
    wallet.get_anonymous(&mut |_| true).await.unwrap();
    assert!(world.show(&mut wallet, FORUM, "account").await.1.contains("account.known"));
    assert_eq!(world.show(&mut wallet, CLUB, "account").await.0, "yes", "another party");
    assert_eq!(world.show(&mut wallet, FORUM, "of-age").await.0, "yes");
    assert_eq!(world.show(&mut wallet, FORUM, "resident-of").await.0, "yes");
    // From a backup, on another device: the same person.
    let backup = world.city.folder.path().join("mei.backup");
    wallet.back_up(&backup).unwrap();
    let spare = world.city.device("spare");
    restore(&spare, "mei", &backup, &phrase(), false, wallet.now()).unwrap();
    let mut again = world.wallet("spare");
    assert!(world.show(&mut again, FORUM, "account").await.1.contains("account.known"));
    // Closed at the desk, she may open another.
    let path = format!("/verifiers/{FORUM}/v1/desk/accounts/{}/closing", begun.verification);
    let token = world.city.data.keys(&FORUM.parse().unwrap()).unwrap().secret("desk").unwrap();
    let url = format!("{}{path}", world.city.url);
    let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
    let closed = world.city.client.exchange("POST", &url, &headers, Vec::new()).await.unwrap();
    assert_eq!(closed.0, 204);
    assert_eq!(world.show(&mut wallet, FORUM, "account").await.0, "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_secret_is_replaced_from_the_next_epoch_on_when_what_the_lost_wallet_holds_has_lapsed()
 {
    let world = World::an_hour_before_the_end_of(REPLACED).await;
    let mut lost = world.anonymous("lost").await;
    assert_eq!(world.show(&mut lost, FORUM, "account").await.0, "yes");
    let request =
        json!({"resident_number": world.city.number(0), "evidence": "the phone was lost"});
    let path = "/authority/v1/officer/pseudonym-replacements";
    let replaced: Value = world.city.desk("identity-authority", path, &request).await;
    assert!(replaced["from"].is_string(), "{replaced}");
    let mut found = world.wallet("new");
    world.city.issue_identity_again(&mut found).await;
    let error = format!("{:#}", found.get_anonymous(&mut |_| true).await.unwrap_err());
    assert!(error.contains("pseudonym.differs"), "two accounts within one epoch: {error}");
    // The lost one still shows until its epoch is over, and is not renewed: its identity is revoked.
    assert_eq!(world.show(&mut lost, FORUM, "of-age").await.0, "yes");
    let error = format!("{:#}", lost.get_anonymous(&mut |_| true).await.unwrap_err());
    assert!(error.contains("credential.revoked"), "{error}");
    world.clock.advance(Duration::from_secs(3_600));
    let (_, told) = world.show(&mut lost, FORUM, "of-age").await;
    assert!(told.contains("no anonymous credential of this epoch"), "{told}");
    found.get_anonymous(&mut |_| true).await.unwrap();
    // Another secret is another person to the forum, as nobody can tell it otherwise.
    assert_eq!(world.show(&mut found, FORUM, "account").await.0, "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_once_for_its_own_request_and_under_a_pseudonym_where_that_is_wanted() {
    let world = World::an_hour_before_the_end_of(EPOCH).await;
    let mut wallet = world.anonymous("phone").await;
    // Under a name where a pseudonym is wanted.
    let begun = world.begin(FORUM, "account").await;
    let named = wallet.present(&begun.authorization_request, &mut |_| true).await;
    let told = format!("{:#}", named.unwrap_err());
    assert!(told.contains("verification.pseudonym_wanted"), "{told}");
    // Declined: the party learns that and nothing else.
    let begun = world.begin(FORUM, "of-age").await;
    let declined = wallet.present_anonymously(&begun.authorization_request, &mut |_| false).await;
    assert!(declined.is_err());
    assert_eq!(world.state(FORUM, &begun).await.state, "declined");

    let post = async |path: &str, body: Vec<u8>| -> (u16, String) {
        let url = format!("{}{path}", world.city.url);
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let answer = world.city.client.exchange("POST", &url, &headers, body).await.unwrap();
        let body: Value = serde_json::from_slice(&answer.2).unwrap_or_default();
        (answer.0, body["code"].as_str().unwrap_or_default().to_owned())
    };
    // Refused before it is opened: there is nothing in it that could be.
    for (purpose, status, code) in [
        ("account", 422, "verification.pseudonym_wanted"),
        ("of-age", 400, "presentation.rejected"),
    ] {
        let id = world.begin(FORUM, purpose).await.verification;
        let path = format!("/verifiers/{FORUM}/openid4vp/{id}/response");
        let refused = post(&path, b"response=not.opened.at.all.".to_vec()).await;
        assert_eq!(refused, (status, code.to_owned()), "{purpose}");
    }
    // Whoever declines an account may, and is told nothing else.
    let begun = world.begin(FORUM, "account").await;
    let path = format!("/verifiers/{FORUM}/openid4vp/{}", begun.verification);
    let request = world.city.client.get_text(&format!("{}{path}/request", world.city.url)).await;
    let request = yufu_jose::Unverified::parse(&request.unwrap()).unwrap();
    let state = request.unverified_claims::<Value>().unwrap()["state"].clone();
    let refusal = format!("error=access_denied&state={}", state.as_str().unwrap());
    let declined = post(&format!("{path}/response"), refusal.into_bytes()).await;
    assert_eq!((declined.0, world.state(FORUM, &begun).await.state.as_str()), (200, "declined"));
    // What was shown, from the forum's own evidence, sent once more, to itself and to the club.
    let begun = world.begin(FORUM, "of-age").await;
    wallet.present_anonymously(&begun.authorization_request, &mut |_| true).await.unwrap();
    let id = &begun.verification;
    let path = format!("/verifiers/{FORUM}/v1/desk/verifications/{id}/evidence?purpose=test");
    let evidence: Value = world.city.desk_get(FORUM, &path).await;
    let shown = evidence["presentations"]["anonymous"][0].as_str().unwrap();
    let address = |party: &str, id: &str| format!("/verifiers/{party}/openid4vp/{id}/anonymous");
    let again = post(&address(FORUM, id), shown.into()).await;
    assert_eq!(again, (409, "presentation.already_answered".to_owned()));
    for party in [FORUM, CLUB] {
        let other = world.begin(party, "of-age").await;
        let path = format!("/verifiers/{party}/openid4vp/{}/request", other.verification);
        let unfetched = post(&address(party, &other.verification), shown.into()).await;
        assert_eq!(unfetched, (400, "presentation.rejected".to_owned()));
        world.city.client.get_text(&format!("{}{path}", world.city.url)).await.unwrap();
        let replayed = post(&address(party, &other.verification), shown.into()).await;
        assert_eq!(replayed, (400, "presentation.rejected".to_owned()), "{party}");
        for (body, code) in [("", "request.malformed"), ("{}", "request.malformed")] {
            let refused = post(&address(party, &other.verification), body.into()).await;
            assert_eq!(refused, (400, code.to_owned()), "{body}");
        }
        let mut old: Value = serde_json::from_str(shown).unwrap();
        old["epoch"] = 1.into();
        let old = post(&address(party, &other.verification), old.to_string().into()).await;
        assert_eq!(old, (422, "anonymous.other_epoch".to_owned()));
    }
    let nothing = post(&address(FORUM, "nothing"), shown.into()).await;
    assert_eq!(nothing, (404, "request.not_found".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_signed_once_for_each_proof_and_over_nobody_elses_commitment() {
    let world = World::an_hour_before_the_end_of(EPOCH).await;
    let wallet = world.anonymous("phone").await;
    let mut other = world.city.open(&world.city.device("other"), "bo").unwrap();
    other.clock = Arc::new(world.clock.clone());
    world.city.issue_identity_of(1, &mut other).await;
    // Somebody else's wallet brings the commitment that is registered for her.
    other.file.contents.anonymous.clone_from(&wallet.file.contents.anonymous);
    other.file.contents.root.clone_from(&wallet.file.contents.root);
    let error = format!("{:#}", other.get_anonymous(&mut |_| true).await.unwrap_err());
    assert!(error.contains("pseudonym.taken"), "{error}");
    let url = format!("{}/authority/v1/anonymous/credentials", world.city.url);
    let kept = &wallet.file.contents.anonymous.as_ref().unwrap()["kept"];
    let request = json!({"commitment": kept["commitment"]});
    for (code, body, status) in
        [(None, &request, 401), (Some("used"), &request, 404), (Some("used"), &json!({}), 400)]
    {
        match world.city.client.post::<_, Value>(&url, code, body).await {
            Err(ClientError::Refused(problem)) => assert_eq!(problem.status, status, "{body}"),
            answer => panic!("{body}: {answer:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_not_registered_for_it_issues_none() {
    let city = TestCity::start().await;
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    let error = wallet.get_anonymous(&mut |_| true).await.unwrap_err();
    assert!(format!("{error:#}").contains("request.not_found"), "{error:#}");
    assert!(wallet.file.contents.anonymous.is_none());
}
