//! A chip card, and what a wallet derives from it: how much, for how long, and what a blocked, replaced or copied card
//! still gives.

use super::city::{BANK, TestCity, lists_age};
use crate::wallet::{FromCard, Got, Holder, Wanted};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use yufu_api::authority::{
    CardChecked, ChallengeIssued, ChipAnswer, DocumentSigners, IssuedCard, PresentedFiles, Revoked,
};
use yufu_api::http::ClientError;
use yufu_base::Timestamp;
use yufu_card::{
    Access, Card, CardError, CardSecrets, Chip, Contents, DocumentSigner, Protocols, Transport,
    TransportError, personalise, portrait,
};
use yufu_emrtd::file::File;
use yufu_emrtd::mrz::Sex;
use yufu_engine::{Clock, ManualClock, SystemClock};
use yufu_jose::{decode_base64url, encode_base64url};
use yufu_keys::random;

const AUTHORITY: &str = "identity-authority";

/// A card that lies in this process, without its delays.
struct Laid(Chip);

impl Transport for Laid {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        Ok(self.0.handle(command, &mut random::<32>).bytes)
    }
}

/// A card for the first adult, and the number on its face.
async fn card(city: &TestCity, in_person: bool) -> (IssuedCard, Access) {
    let number = city.number(0);
    let request = json!({
        "resident_number": number, "evidence": "application seen", "in_person": in_person,
    });
    let issued: IssuedCard = city.desk(AUTHORITY, "/authority/v1/officer/cards", &request).await;
    let access = Access::can(&issued.face_number).unwrap();
    (issued, access)
}

fn contents(issued: &IssuedCard) -> Contents {
    Contents::from_bytes(&decode_base64url(&issued.chip).unwrap()).unwrap()
}

fn laid(issued: &IssuedCard) -> Laid {
    Laid(Chip::new(contents(issued)))
}

async fn derive(wallet: &mut Holder, card: &mut Laid, access: &Access) -> anyhow::Result<FromCard> {
    card.0.reset();
    wallet.derive(card, access.clone(), true).await
}

/// The code of a refusal, and the reason beside it.
fn code(refused: &anyhow::Error) -> (String, Value) {
    match refused.downcast_ref::<ClientError>() {
        Some(ClientError::Refused(problem)) => {
            let reason = problem.more.get("reason").cloned().unwrap_or_default();
            (problem.code.clone(), reason)
        }
        _ => panic!("{refused:#}"),
    }
}

async fn wallet_in(city: &TestCity, name: &str) -> Holder {
    let folder = city.device(name);
    let mut wallet = city.open(&folder, name).unwrap();
    wallet.learn_currency().await.unwrap();
    wallet
}

async fn opens_an_account(wallet: &mut Holder) -> anyhow::Result<()> {
    wallet.open_account(BANK, "III", &mut |_| true).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_whose_holder_was_seen_leads_to_the_identity_once_and_it_moves_with_the_card() {
    let city = TestCity::start().await;
    let (issued, access) = card(&city, true).await;
    let mut on_table = laid(&issued);
    let mut wallet = wallet_in(&city, "first").await;
    // What the authority issued before, in whatever format, is void once the identity moves, and leaves the wallet.
    let offer = city.offer_identity(0).await;
    let mdoc = Wanted { mdoc: true, pseudonyms: false };
    wallet.get_as(&offer.offer, Some(&offer.transaction_code), mdoc).await.unwrap();
    let derived = derive(&mut wallet, &mut on_table, &access).await.unwrap();
    assert_eq!((derived.assurance.as_str(), derived.received.count), ("full", 10));
    assert_eq!(wallet.credentials_left(), 10, "of what was revoked nothing is left to be shown");
    assert!(derived.received.claims.contains(&"family_name".to_owned()));
    assert_eq!(derived.card.details.unwrap().personal_number, city.number(0));
    opens_an_account(&mut wallet).await.unwrap();

    // Another device: with a new check it takes the identity over, and the first one's is void.
    let check = json!({"resident_number": city.number(0), "evidence": "portrait compared"});
    let path = "/authority/v1/officer/cards/checks";
    let checked: CardChecked = city.desk(AUTHORITY, path, &check).await;
    assert!(checked.checked);
    let mut other = wallet_in(&city, "second").await;
    on_table.0.reset();
    let moved = other.derive(&mut on_table, access.clone(), false).await.unwrap();
    assert_eq!(moved.assurance, "full");
    lists_age().await;
    let refused = wallet.open_account("bank-of-lianghu", "III", &mut |_| true).await.unwrap_err();
    assert_eq!(code(&refused).0, "credential.revoked");
    other.open_account("bank-of-lianghu", "III", &mut |_| true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attested_wallet_derives_under_haip_and_a_block_ends_its_grant_too() {
    let city = TestCity::start().await;
    let (issued, access) = card(&city, true).await;
    let folder = city.device("first");
    let mut wallet = city.open(&folder, "first").unwrap();
    wallet.of_provider("chutian-wallet").unwrap();
    wallet.learn_currency().await.unwrap();
    let derived = derive(&mut wallet, &mut laid(&issued), &access).await.unwrap();
    assert_eq!((derived.assurance.as_str(), derived.received.count), ("full", 10));
    assert_eq!(wallet.file.contents.grants.len(), 1, "a grant under which fresh copies are had");
    // Signing in with it would outlive the card: it is derived again instead.
    let refused = wallet.obtain(AUTHORITY, "pid", &mut |_| true).await.unwrap_err();
    assert_eq!(code(&refused).0, "sign_in.from_card");
    let block = json!({"resident_number": city.number(0), "reason": "reported stolen"});
    let revoked: Revoked = city.desk(AUTHORITY, "/authority/v1/officer/cards/blocks", &block).await;
    assert_eq!(revoked.revoked, 10);
    wallet.file.contents.credentials.truncate(1);
    let renewed = wallet.renew().await.unwrap();
    assert!(matches!(&renewed[..], [Got::Ended { .. }]), "{renewed:?}");
    assert!(wallet.file.contents.grants.is_empty(), "it is not asked again");
    assert_eq!(wallet.file.contents.credentials.len(), 1, "what it had stays, void or not");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_alone_leads_to_a_proof_of_age_and_no_name() {
    let city = TestCity::start().await;
    let (issued, access) = card(&city, false).await;
    let mut wallet = wallet_in(&city, "mei").await;
    let derived = derive(&mut wallet, &mut laid(&issued), &access).await.unwrap();
    assert_eq!(derived.assurance, "light");
    assert_eq!(derived.received.claims, ["age_equal_or_over", "issuing_country"]);
    let refused = opens_an_account(&mut wallet).await.unwrap_err().to_string();
    assert!(!refused.is_empty(), "an account was opened without a name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_serves_a_day_and_one_derivation() {
    let clock = ManualClock::new(Timestamp::from_seconds(SystemClock::new().read().wall.seconds()));
    let city = TestCity::start_at(None, Arc::new(clock.clone())).await;
    let (issued, access) = card(&city, true).await;
    let mut on_table = laid(&issued);
    let mut wallet = wallet_in(&city, "mei").await.with_clock(Arc::new(clock.clone()));
    let first = derive(&mut wallet, &mut on_table, &access).await.unwrap();
    let second = derive(&mut wallet, &mut on_table, &access).await.unwrap();
    assert_eq!((first.assurance.as_str(), second.assurance.as_str()), ("full", "light"));
    let check = json!({"resident_number": city.number(0), "evidence": "portrait compared"});
    let _: CardChecked = city.desk(AUTHORITY, "/authority/v1/officer/cards/checks", &check).await;
    clock.advance(Duration::from_secs(86_401));
    let late = derive(&mut wallet, &mut on_table, &access).await.unwrap();
    assert_eq!(late.assurance, "light");
}

#[tokio::test(flavor = "multi_thread")]
async fn blocking_a_card_revokes_what_was_derived_from_it_at_once_and_a_new_card_derives_anew() {
    let city = TestCity::start().await;
    let (issued, access) = card(&city, true).await;
    let mut on_table = laid(&issued);
    let mut wallet = wallet_in(&city, "mei").await;
    derive(&mut wallet, &mut on_table, &access).await.unwrap();
    let block = json!({"resident_number": city.number(0), "reason": "reported stolen"});
    let path = "/authority/v1/officer/cards/blocks";
    let revoked: Revoked = city.desk(AUTHORITY, path, &block).await;
    assert_eq!(revoked.revoked, 10);
    lists_age().await;
    let refused = opens_an_account(&mut wallet).await.unwrap_err();
    assert_eq!(code(&refused).0, "credential.revoked");
    let refused = derive(&mut wallet, &mut on_table, &access).await.unwrap_err();
    assert_eq!(code(&refused).0, "id_card.blocked");

    let (renewed, access) = card(&city, true).await;
    assert_ne!(renewed.document_number, issued.document_number);
    derive(&mut wallet, &mut laid(&renewed), &access).await.unwrap();
    opens_an_account(&mut wallet).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_from_the_counter_outlives_a_card() {
    let city = TestCity::start().await;
    let (issued, access) = card(&city, false).await;
    let mut wallet = wallet_in(&city, "mei").await;
    city.issue_identity(&mut wallet).await;
    derive(&mut wallet, &mut laid(&issued), &access).await.unwrap();
    let block = json!({"resident_number": city.number(0), "reason": "reported stolen"});
    let revoked: Revoked = city.desk(AUTHORITY, "/authority/v1/officer/cards/blocks", &block).await;
    assert_eq!(revoked.revoked, 10, "the proofs of age that came from the card, and no more");
    opens_an_account(&mut wallet).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_derived_from_a_card_ends_when_the_card_does() {
    let city = TestCity::start().await;
    let (issued, access) = card(&city, true).await;
    // The same card, but that its last day is in twenty days.
    let (now, days) = (SystemClock::new().read().wall, 86_400);
    let last = city.country.profile.utc_offsets.date_at(now.plus_seconds(20 * days)).unwrap();
    let keys = crate::card::keys(&city.data, &city.country.profile, now).unwrap();
    let signer = keys.document_signer();
    let signer = DocumentSigner { certificate: &signer.certificate, key: &*signer.key };
    let card = Card {
        issuer: "CHN".to_owned(),
        number: issued.document_number.clone(),
        can: issued.face_number.clone(),
        expiry: last.to_string(),
    };
    let (protocols, secrets) = (Protocols::default(), CardSecrets::draw(random::<32>));
    let face = portrait(&[7; 32]).unwrap();
    let ending = personalise(&holder(), &card, protocols, &secrets, &face, signer, now).unwrap();

    let mut wallet = wallet_in(&city, "mei").await;
    derive(&mut wallet, &mut Laid(Chip::new(ending)), &access).await.unwrap();
    // On the stroke of the day after the one on which that day is over everywhere.
    let midnight = last.checked_add(2.days()).unwrap().to_zoned(TimeZone::UTC).unwrap();
    let held = wallet.file.contents.credentials.iter().map(|stored| &stored.held.credential);
    let ends: BTreeSet<u64> = held.map(|credential| end(&credential.issued())).collect();
    assert_eq!(ends, BTreeSet::from([midnight.timestamp().as_second().unsigned_abs()]));
}

fn holder() -> yufu_card::Holder {
    yufu_card::Holder {
        number: "420104196209208811".to_owned(),
        family_name: "Luo".to_owned(),
        given_name: "Mei".to_owned(),
        sex: Sex::Female,
        birth_date: "1962-09-20".to_owned(),
        nationality: "CHN".to_owned(),
        address: vec!["Jianghan".to_owned()],
    }
}

/// When a credential ends, in seconds since the epoch.
fn end(credential: &str) -> u64 {
    let payload = credential.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&decode_base64url(payload).unwrap()).unwrap();
    claims["exp"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_of_a_revoked_signer_lead_nowhere_and_a_card_made_afterwards_does() {
    let city = TestCity::start().await;
    let (issued, access) = card(&city, true).await;
    let path = "/authority/v1/officer/cards/signers";
    let there: DocumentSigners = city.desk_get(AUTHORITY, path).await;
    let serial = there.signers[0].serial.as_str();
    let revocation = json!({"serial": serial, "reason": "its key was copied"});
    let path = format!("{path}/revocations");
    let signers: DocumentSigners = city.desk(AUTHORITY, &path, &revocation).await;
    let [first, second] = signers.signers.as_slice() else { panic!("{signers:?}") };
    assert!(first.revoked_at.is_some() && second.revoked_at.is_none());
    assert!(first.basis.as_ref().unwrap().ends_with(": its key was copied"), "{first:?}");

    let mut wallet = wallet_in(&city, "mei").await;
    let refused = derive(&mut wallet, &mut laid(&issued), &access).await.unwrap_err();
    assert_eq!(refused.downcast::<CardError>().unwrap().code(), "id_card.signer_revoked");
    let (renewed, access) = card(&city, true).await;
    derive(&mut wallet, &mut laid(&renewed), &access).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_card_replaces_the_one_before_and_a_death_blocks_it() {
    let city = TestCity::start().await;
    let (first, first_access) = card(&city, true).await;
    let mut wallet = wallet_in(&city, "mei").await;
    derive(&mut wallet, &mut laid(&first), &first_access).await.unwrap();
    let (second, access) = card(&city, true).await;
    lists_age().await;
    let refused = opens_an_account(&mut wallet).await.unwrap_err();
    assert_eq!(code(&refused).0, "credential.revoked");
    let refused = derive(&mut wallet, &mut laid(&first), &first_access).await.unwrap_err();
    assert_eq!(code(&refused).0, "id_card.blocked");
    derive(&mut wallet, &mut laid(&second), &access).await.unwrap();

    let death = json!({"resident_number": city.number(0), "evidence": "certificate seen"});
    let _: Revoked = city.desk(AUTHORITY, "/authority/v1/officer/deaths", &death).await;
    let refused = derive(&mut wallet, &mut laid(&second), &access).await.unwrap_err();
    assert_eq!(code(&refused).0, "id_card.blocked");
    lists_age().await;
    let refused = opens_an_account(&mut wallet).await.unwrap_err();
    assert_eq!(code(&refused).0, "credential.revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wallet_itself_refuses_a_wrong_number_a_copy_and_a_card_of_another_country() {
    let city = TestCity::start().await;
    let (issued, access) = card(&city, true).await;
    let mut wallet = wallet_in(&city, "mei").await;
    let wrong = if issued.face_number == "000000" { "000001" } else { "000000" };
    let mut refused = async |card: &mut Laid, access: &Access| {
        let refused = derive(&mut wallet, card, access).await.unwrap_err();
        refused.downcast::<CardError>().unwrap()
    };
    let wrong = refused(&mut laid(&issued), &Access::can(wrong).unwrap()).await;
    assert_eq!(wrong, CardError::AccessDenied);
    let mut copy = Laid(Chip::new(contents(&issued).with_secrets([1; 32], [2; 32])));
    assert_eq!(refused(&mut copy, &access).await, CardError::Cloned);
    let elsewhere = TestCity::start().await;
    let (foreign, access) = card(&elsewhere, true).await;
    let foreign = refused(&mut laid(&foreign), &access).await;
    assert_eq!(foreign.code(), "id_card.signer_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_believes_nothing_that_the_wallet_says() {
    let city = TestCity::start().await;
    let (issued, _) = card(&city, true).await;
    let contents = contents(&issued);
    let base = format!("{}/authority/v1/cards/derivations", city.url);
    let group = |number: u8| encode_base64url(contents.file(File::Group(number)).unwrap());
    let files = |change: &dyn Fn(&mut PresentedFiles)| {
        let object = encode_base64url(contents.file(File::SecurityObject).unwrap());
        let groups = [1, 11, 14].map(|number| (number.to_string(), group(number))).into();
        let mut files = PresentedFiles { security_object: object, groups };
        change(&mut files);
        files
    };
    let refused = async |files: PresentedFiles| {
        let answer = city.client.post::<_, ChallengeIssued>(&base, None, &files).await;
        code(&answer.unwrap_err().into())
    };
    let reason = |reason: &str| ("id_card.unproven".to_owned(), Value::from(reason));
    let swapped = files(&|files| {
        files.groups.insert("1".to_owned(), group(11));
    });
    assert_eq!(refused(swapped).await, reason("id_card.data_changed"));
    let missing = files(&|files| {
        files.groups.remove("14");
    });
    assert_eq!(refused(missing).await, reason("id_card.missing"));
    let unsigned = files(&|files| files.security_object = encode_base64url([0x77, 0]));
    assert_eq!(refused(unsigned).await, reason("id_card.security_object"));
    let malformed = files(&|files| files.security_object = "&".to_owned());
    assert_eq!(refused(malformed).await.0, "request.malformed");

    // Right files, but no chip: the files alone answer no challenge, and a derivation is answered once.
    let issued: ChallengeIssued = city.client.post(&base, None, &files(&|_| {})).await.unwrap();
    let url = format!("{base}/{}", issued.derivation);
    let answer = ChipAnswer { answer: encode_base64url([0x90, 0x00]) };
    let guessed = city.client.post::<_, Value>(&url, None, &answer).await.unwrap_err();
    assert_eq!(code(&guessed.into()), reason("id_card.cloned"));
    let again = city.client.post::<_, Value>(&url, None, &answer).await.unwrap_err();
    assert_eq!(code(&again.into()).0, "request.not_found");
}
