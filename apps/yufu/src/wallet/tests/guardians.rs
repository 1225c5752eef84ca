//! Minors end to end over HTTP: who opens alone, who acts for a ward, and when that ends.

use super::city::{BANK, TestCity};
use super::purses::{bill, code_of, exchange, officer, send};
use crate::wallet::{Holder, Paid};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use yufu_base::Timestamp;
use yufu_engine::{Clock, ManualClock};
use yufu_openid4vc::presentation::KeyChangeOf;
use yufu_profile::{Relation, Resident};

const OTHER_BANK: &str = "bank-of-lianghu";

/// A city at the last second before the youngest child of some household completes `years` years.
struct Family {
    city: TestCity,
    clock: ManualClock,
    child: Resident,
    parent: Resident,
    stranger: Resident,
}

/// Midnight in China at the beginning of the day.
fn midnight(year: i16, month: i8, day: i8) -> Timestamp {
    let text = format!("{year:04}-{month:02}-{day:02}T00:00:00+08:00");
    let at: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_millis(at.as_millisecond().try_into().unwrap())
}

impl Family {
    async fn before(years: i16) -> Self {
        let country = crate::profile::load(None, yufu_engine::SystemClock::new().read().wall);
        let residents = country.unwrap().residents;
        let born = |r: &&Resident| r.relation == Relation::Child && r.birth_date.year() > 2012;
        let child = residents.iter().filter(born).min_by_key(|r| r.birth_date).unwrap().clone();
        let head = |r: &&Resident| r.relation == Relation::Head;
        let at_home = |r: &&Resident| r.household_id == child.household_id;
        let parent = residents.iter().find(|r| head(r) && at_home(r)).unwrap().clone();
        let stranger = residents.iter().find(|r| head(r) && !at_home(r)).unwrap().clone();
        let birth = child.birth_date;
        let day = midnight(birth.year().saturating_add(years), birth.month(), birth.day());
        let clock = ManualClock::new(day.minus_seconds(1));
        let city = TestCity::start_at(None, Arc::new(clock.clone())).await;
        Self { city, clock, child, parent, stranger }
    }

    fn wallet(&self, name: &str) -> Holder {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        self.city.open(&self.city.device(name), name).unwrap().with_clock(clock)
    }

    async fn identified(&self, name: &str, person: &Resident) -> Holder {
        let mut wallet = self.wallet(name);
        self.city.identify(&mut wallet, person.number.as_str()).await;
        wallet
    }

    /// What the authority's officer is answered.
    async fn authority(&self, path: &str, body: &Value) -> (u16, Value) {
        let id = "identity-authority".parse().unwrap();
        let token = self.city.data.keys(&id).unwrap().secret("desk").unwrap();
        let headers = [
            ("authorization".to_owned(), format!("Bearer {token}")),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("operator".to_owned(), "officer-1".to_owned()),
        ];
        let url = format!("{}/authority/v1/officer/{path}", self.city.url);
        let body = Some(serde_json::to_vec(body).unwrap());
        send(&self.city, "POST", &url, &headers, body).await
    }

    fn pair(&self, guardian: &Resident, word: &str) -> Value {
        json!({
            "guardian_number": guardian.number.as_str(), "ward_number": self.child.number.as_str(),
            word: "birth certificate seen",
        })
    }

    /// A wallet with an identity and a guardianship of the child.
    async fn guardian(&self, name: &str, person: &Resident) -> Holder {
        let mut wallet = self.identified(name, person).await;
        let pair = self.pair(person, "evidence");
        let (status, offered) = self.authority("guardianships", &pair).await;
        assert_eq!(status, 200, "{offered}");
        let text = |name: &str| offered[name].as_str().unwrap();
        wallet.get(text("offer"), Some(text("transaction_code"))).await.unwrap();
        wallet
    }

    fn second_passes(&self) {
        self.clock.advance(Duration::from_secs(1));
    }
}

async fn opened(wallet: &mut Holder, bank: &str) -> Result<String, String> {
    let opened = wallet.open_for_ward(bank, "III", None, &mut |_| true).await;
    opened.map(|opened| opened.account).map_err(|error| error.to_string())
}

/// What becomes of a payment of one yuan: `paid`, or the refusal's code.
async fn pays(wallet: &mut Holder, shop: &str) -> String {
    let bill = bill(wallet, shop, 100);
    match wallet.pay(&bill).await {
        Ok(Paid::Done(_)) => "paid".to_owned(),
        Ok(Paid::Refused(problem)) => problem.code.clone(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_opens_an_account_alone_from_the_midnight_of_the_birthday_on() {
    let family = Family::before(16).await;
    let mut wallet = family.identified("child", &family.child).await;
    let early = wallet.open_account(BANK, "III", &mut |_| true).await.unwrap_err().to_string();
    assert!(early.contains("account.guardian_needed"), "{early}");
    assert!(wallet.first_account().is_none());
    family.second_passes();
    wallet.open_account(BANK, "III", &mut |_| true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guardian_operates_the_account_until_the_ward_is_of_age_and_takes_it_over() {
    let family = Family::before(18).await;
    let shop = family.city.shop().await;
    let mut parent = family.guardian("parent", &family.parent).await;
    let left = parent.credentials_left();
    let account = opened(&mut parent, BANK).await.unwrap();
    assert_eq!(parent.credentials_left(), left.saturating_sub(2), "one of each, once");
    assert_eq!(exchange(&family.city, &account, "deposit_to_digital", 600_000).await.0, 200);
    assert_eq!(pays(&mut parent, &shop).await, "paid");

    // Class III at most, no step-up by an identity that is not the guardian's own.
    let up = json!({"step": "set_class", "class": "I", "evidence": "card seen"});
    let steps = format!("accounts/{account}/steps");
    let higher = officer(&family.city, "teller-3", &steps, &up).await;
    assert_eq!(code_of(&higher), (422, "account.ward_class"));
    let much = bill(&parent, &shop, 550_000);
    let refused = parent.pay(&much).await.unwrap();
    assert!(refused.step_up().is_none(), "{refused:?}");

    // One account for the ward, whoever the guardian is, and not the child's before the time.
    let mut second = family.guardian("second", &family.stranger).await;
    let twice = opened(&mut second, BANK).await.unwrap_err();
    assert!(twice.contains("account.too_many"), "{twice}");
    assert!(opened(&mut second, OTHER_BANK).await.is_ok(), "at another bank");
    let mut child = family.identified("child", &family.child).await;
    let which = KeyChangeOf::Class("III".to_owned());
    let early = child.recover_account(BANK, &which, &mut |_| true).await.unwrap_err();
    assert!(early.to_string().contains("account.guardian_needed"), "{early}");

    family.second_passes();
    assert_eq!(pays(&mut parent, &shop).await, "account.ward_of_age");
    let look = parent.accounts().await.unwrap_err().to_string();
    assert!(look.contains("account.ward_of_age"), "{look}");
    let late = opened(&mut parent, OTHER_BANK).await.unwrap_err();
    assert!(late.contains("account.ward_of_age"), "{late}");
    let again = family.authority("guardianships", &family.pair(&family.parent, "evidence")).await;
    assert_eq!(code_of(&again), (422, "guardian.ward_of_age"));

    let taken = child.recover_account(BANK, &which, &mut |_| true).await.unwrap();
    assert_eq!(taken.account, account);
    assert_eq!(pays(&mut child, &shop).await, "paid");
    let gone = pays(&mut parent, &shop).await;
    assert!(gone.contains("account.key_changed"), "{gone}");
    let looks = child.who_read_at_banks().await.unwrap();
    let read =
        |purpose: &str| looks.iter().flat_map(|b| &b.accesses).any(|a| a.purpose.contains(purpose));
    assert!(read("whether the guardian still acts"), "{looks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_guardianship_ends_the_guardians_orders_within_a_minute() {
    let family = Family::before(15).await;
    let shop = family.city.shop().await;
    let mut parent = family.guardian("parent", &family.parent).await;
    let account = opened(&mut parent, BANK).await.unwrap();
    assert_eq!(exchange(&family.city, &account, "deposit_to_digital", 10_000).await.0, 200);
    assert_eq!(pays(&mut parent, &shop).await, "paid");

    let unknown =
        family.authority("guardianship-ends", &family.pair(&family.stranger, "reason")).await;
    assert_eq!(code_of(&unknown), (404, "request.not_found"));
    let (status, ended) =
        family.authority("guardianship-ends", &family.pair(&family.parent, "reason")).await;
    assert_eq!((status, &ended["revoked"]), (200, &json!(10)));
    // No list that the bank has at hand is older than this.
    family.clock.advance(Duration::from_secs(60));
    assert_eq!(pays(&mut parent, &shop).await, "guardian.ended");
    let elsewhere = opened(&mut parent, OTHER_BANK).await.unwrap_err();
    assert!(elsewhere.contains("credential.revoked"), "{elsewhere}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guardian_is_an_adult_a_ward_a_minor_and_the_credential_serves_nobody_else() {
    let family = Family::before(15).await;
    let of = |guardian: &Resident, ward: &Resident| {
        json!({
            "guardian_number": guardian.number.as_str(), "ward_number": ward.number.as_str(),
            "evidence": "papers seen",
        })
    };
    for (guardian, ward, code) in [
        (&family.child, &family.child, "guardian.not_of_age"),
        (&family.parent, &family.stranger, "guardian.ward_of_age"),
        (&family.parent, &family.parent, "guardian.ward_of_age"),
    ] {
        let answer = family.authority("guardianships", &of(guardian, ward)).await;
        assert_eq!(code_of(&answer), (422, code));
    }
    let mut silent = of(&family.parent, &family.child);
    silent["evidence"] = json!(" ");
    let answer = family.authority("guardianships", &silent).await;
    assert_eq!(code_of(&answer), (400, "request.malformed"));
    let accesses = json!({"resident_number": family.child.number.as_str()});
    let (_, read) = family.authority("accesses", &accesses).await;
    let purposes = read.to_string();
    assert!(purposes.contains("recording a guardian of"), "the ward sees it: {purposes}");

    // Somebody else takes the parent's credential up, and shows an identity of their own with it.
    let mut other = family.identified("other", &family.stranger).await;
    let (_, offered) = family.authority("guardianships", &of(&family.parent, &family.child)).await;
    let text = |name: &str| offered[name].as_str().unwrap();
    other.get(text("offer"), Some(text("transaction_code"))).await.unwrap();
    let refused = opened(&mut other, BANK).await.unwrap_err();
    assert!(refused.contains("guardian.not_the_guardian"), "{refused}");
    let none = opened(&mut family.identified("none", &family.parent).await, BANK).await;
    assert!(none.unwrap_err().contains("no guardianship"));
}
