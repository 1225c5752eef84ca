//! Members: who may enrol, what the agency gets to know, and whose key may do what.

use super::*;
use crate::wallet::Event;
use yufu_api::agency::{EnrolmentBegun, EnrolmentState, MemberFile};
use yufu_api::http::ClientError;
use yufu_base::AccountId;
use yufu_jose::SoftwareKey;
use yufu_payment::{PayoutInstruction, RequestToken};

fn pseudonym(key: &SoftwareKey) -> String {
    Jwk::from(key.public_key()).thumbprint_base64url()
}

fn instruction(account: &str, at: Timestamp) -> PayoutInstruction {
    PayoutInstruction {
        agency: AGENCY.parse().unwrap(),
        programme: PROGRAMME.to_owned(),
        bank: BANK.parse().unwrap(),
        account: account.parse().unwrap(),
        signed_at: Timestamp::from_seconds(at.seconds()),
    }
}

impl Office {
    /// Begins an enrolment with any key, as a wallet of another make could.
    async fn begin(&self, key: &SoftwareKey, payout: &str) -> Result<EnrolmentBegun, String> {
        let body = json!({
            "programme": PROGRAMME, "key": Jwk::from(key.public_key()), "payout": payout,
        });
        let url = format!("{}/agencies/{AGENCY}/v1/enrolments", self.city.url);
        self.city.client.post(&url, None, &body).await.map_err(code)
    }

    async fn change(&self, member: &str, payout: &str) -> Result<MemberFile, String> {
        let url = format!(
            "{}/agencies/{AGENCY}/v1/programmes/{PROGRAMME}/members/{member}/account",
            self.city.url
        );
        self.city.client.post(&url, None, &json!({"payout": payout})).await.map_err(code)
    }
}

fn code(error: ClientError) -> String {
    match error {
        ClientError::Refused(problem) => problem.code,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agency_gets_a_pseudonym_and_a_yes_and_has_no_name_or_number_anywhere() {
    let office = Office::open(0).await;
    let (mut wallet, account) = office.resident(0).await;
    let shown = wallet.enrol(AGENCY, PROGRAMME, &mut agree).await.unwrap();
    assert!(shown.receipt);
    assert_eq!(shown.claims, ["age_equal_or_over.60", "sector_pseudonym.pension"]);
    let key = wallet.sector_key("pension").unwrap();
    let file = wallet.benefits().await.unwrap().remove(0).file;
    assert_eq!((file.pseudonym, file.account), (pseudonym(&key), account.clone()));

    // Again: a member once, with a newer proof of life.
    office.advance(60);
    wallet.enrol(AGENCY, PROGRAMME, &mut agree).await.unwrap();
    let again = wallet.benefits().await.unwrap().remove(0).file;
    assert_eq!(again.shown_at, file.shown_at + 60);
    assert_eq!(office.prepare("2026-11").await.unwrap().items.count, 1);

    let folder = office.city.data.database(&AGENCY.parse().unwrap(), "programmes").unwrap();
    let mut stored = std::fs::read(&folder).unwrap();
    stored.extend(std::fs::read(format!("{}-wal", folder.display())).unwrap_or_default());
    let holds = |text: &str| stored.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(holds(&account) && holds(&pseudonym(&key)), "the search finds what is there");
    let elder = office.elder(0);
    let born = elder.birth_date.to_string();
    for value in [elder.number.as_str(), elder.given_name.as_str(), elder.street.as_str(), &born] {
        assert!(!holds(value), "the agency has {value:?} on file");
    }
    for sector in ["education", "social-assistance"] {
        let other = pseudonym(&wallet.sector_key(sector).unwrap());
        assert!(!holds(&other), "the agency can join {sector}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_sixty_today_enrols_and_whoever_is_tomorrow_does_not_yet() {
    // The last millisecond before somebody's sixtieth birthday, by China's clock.
    let birthdays = TestCity::start().await;
    let of_1968 = birthdays.residents(|resident| resident.birth_date.year() == 1968);
    let number = of_1968[0].number.clone();
    let day = of_1968[0].birth_date.checked_add(jiff::Span::new().years(60)).unwrap();
    let midnight = day.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).unwrap();
    let before = u64::try_from(midnight.timestamp().as_millisecond()).unwrap() - 1;
    let office = Office::open_at(None, before, 0).await;
    let resident = office.city.residents(|resident| resident.number == number)[0];
    let mut wallet = office.wallet("nearly");
    office.identify(&mut wallet, resident).await;
    let opened = wallet.open_account(BANK, "III", &mut agree).await.unwrap();
    let left = wallet.credentials_left();
    let refused = wallet.enrol(AGENCY, PROGRAMME, &mut agree).await.unwrap_err().to_string();
    assert!(refused.contains("does not hold"), "{refused}");
    assert_eq!(wallet.credentials_left(), left, "something was shown in vain");
    // A wallet that shows it all the same is refused by the agency.
    let key = wallet.sector_key("pension").unwrap();
    let payout = instruction(&opened.account, wallet.now()).sign(&key).unwrap();
    let begun = office.begin(&key, &payout).await.unwrap();
    let refused = wallet.present_begun(&begun.authorization_request, &mut agree).await.unwrap_err();
    assert!(refused.to_string().contains("membership.not_eligible"), "{refused}");
    let url = format!("{}/agencies/{AGENCY}/v1/enrolments/{}", office.city.url, begun.enrolment);
    let state: EnrolmentState = office.city.client.get(&url, None).await.unwrap();
    assert_eq!(state.state, "waiting");

    office.clock.advance(Duration::from_millis(1));
    wallet.file.contents.credentials.clear();
    office.identify(&mut wallet, resident).await;
    wallet.enrol(AGENCY, PROGRAMME, &mut agree).await.unwrap();
    let file = wallet.benefits().await.unwrap().remove(0).file;
    assert_eq!((file.state.as_str(), file.since), ("enrolled", day.strftime("%Y-%m").to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_pseudonyms_own_key_names_the_account_looks_or_leaves() {
    let office = Office::open(0).await;
    let (mut wallet, account) = office.member(0).await;
    let (other, other_account) = office.member(1).await;
    let (key, theirs) =
        (wallet.sector_key("pension").unwrap(), other.sector_key("pension").unwrap());
    let (hers, now) = (pseudonym(&key), wallet.now());
    let signed = |by: &SoftwareKey, what: PayoutInstruction| what.sign(by).unwrap();
    let to = instruction(&other_account, now);
    let elsewhere = PayoutInstruction { programme: "meals".to_owned(), ..to.clone() };
    let stale = instruction(&other_account, now.minus_seconds(301));
    let rows = [
        ("another member's key", signed(&theirs, to.clone())),
        ("another programme", signed(&key, elsewhere)),
        ("too old", signed(&key, stale)),
        ("no instruction", "x.y.z".to_owned()),
    ];
    for (case, payout) in rows {
        let refused = office.change(&hers, &payout).await.unwrap_err();
        assert_eq!(refused, "request.unauthenticated", "{case}");
        assert_eq!(wallet.benefits().await.unwrap()[0].file.account, account, "{case}");
    }
    assert_eq!(office.change("nobody", &signed(&key, to)).await.unwrap_err(), "request.not_found");
    // Signed before, arriving after a newer one.
    office.advance(10);
    let newer = AccountId::new(7).to_string();
    office.change(&hers, &signed(&key, instruction(&newer, now.plus_seconds(10)))).await.unwrap();
    let older = office.change(&hers, &signed(&key, instruction(&account, now))).await;
    assert_eq!(older.unwrap_err(), "payout.older");

    let path = format!("/agencies/{AGENCY}/v1/programmes/{PROGRAMME}/members/{hers}");
    let url = format!("{}{path}", office.city.url);
    let token = RequestToken {
        iss: hers.clone(),
        aud: AGENCY.to_owned(),
        htm: "GET".to_owned(),
        htu: path,
        iat: wallet.now(),
    };
    let by_another = token.sign(&theirs).unwrap();
    for bearer in [None, Some(by_another.as_str())] {
        let refused = office.city.client.get::<MemberFile>(&url, bearer).await.map_err(code);
        assert_eq!(refused.unwrap_err(), "request.unauthenticated");
    }
    let looking = token.sign(&key).unwrap();
    let url = format!("{url}/leaving");
    let left = office.city.client.post::<_, MemberFile>(&url, Some(&looking), &()).await;
    assert_eq!(left.map_err(code).unwrap_err(), "request.unauthenticated", "a look is no leaving");
    let left = wallet.leave_programme(AGENCY, PROGRAMME).await.unwrap();
    assert_eq!(left.state, "left");
    assert_eq!(office.prepare("2026-11").await.unwrap().items.count, 1, "only the other is due");
    let noted = wallet.history().iter().any(|e| matches!(e.event, Event::LeftProgramme { .. }));
    assert!(noted);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_enrolled_by_an_answer_whose_wallet_does_not_come_back() {
    let office = Office::open(0).await;
    let (mut wallet, account) = office.resident(0).await;
    let key = wallet.sector_key("pension").unwrap();
    let payout = instruction(&account, wallet.now()).sign(&key).unwrap();
    let begun = office.begin(&key, &payout).await.unwrap();
    let shown = wallet.present(&begun.authorization_request, &mut agree).await.unwrap();
    let url = format!("{}/agencies/{AGENCY}/v1/enrolments/{}", office.city.url, begun.enrolment);
    let state: EnrolmentState = office.city.client.get(&url, None).await.unwrap();
    assert_eq!(state.state, "waiting");
    wallet.bring_back(&begun.authorization_request, &shown).await.unwrap();
    let state: EnrolmentState = office.city.client.get(&url, None).await.unwrap();
    assert_eq!(state.state, "enrolled");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_enrols_with_a_key_that_the_pseudonym_shown_is_not_of() {
    let office = Office::open(0).await;
    let (mut wallet, account) = office.resident(0).await;
    let (other, _) = office.resident(1).await;
    let theirs = other.sector_key("pension").unwrap();
    let payout = instruction(&account, wallet.now()).sign(&theirs).unwrap();
    let begun = office.begin(&theirs, &payout).await.unwrap();
    let refused = wallet.present_begun(&begun.authorization_request, &mut agree).await.unwrap_err();
    assert!(refused.to_string().contains("membership.other_pseudonym"), "{refused}");
    // Nor is an account taken that another key signed for.
    let hers = wallet.sector_key("pension").unwrap();
    assert_eq!(office.begin(&hers, &payout).await.unwrap_err(), "request.unauthenticated");
    assert_eq!(office.prepare("2026-11").await.unwrap_err(), "disbursement.nothing_due");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_prepared_from_its_first_moment_and_nobody_is_due_for_earlier_ones() {
    // The last millisecond of November, by China's clock.
    let december = 1_796_054_400_000;
    let office = Office::open_at(None, december - 1, 0).await;
    office.member(0).await;
    assert_eq!(office.prepare("2026-12").await.unwrap_err(), "disbursement.month_not_begun");
    assert_eq!(office.prepare("2026-10").await.unwrap_err(), "disbursement.nothing_due");
    assert_eq!(office.prepare("2026-13").await.unwrap_err(), "request.malformed");
    assert_eq!(office.prepare("2026-11").await.unwrap().items.count, 1);
    office.clock.advance(Duration::from_millis(1));
    assert_eq!(office.prepare("2026-12").await.unwrap().items.count, 1);
}
