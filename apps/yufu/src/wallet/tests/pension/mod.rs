//! A programme over HTTP, as its members, officers and bank live it.

#![allow(clippy::arithmetic_side_effects, reason = "test code: small sums")]

mod members;
mod returns;
mod stolen;

use super::city::{BANK, TestCity};
use crate::wallet::Holder;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use yufu_api::agency::EnvelopeReport;
use yufu_api::authority::IssuedOffer;
use yufu_api::bank::OpenedAccount;
use yufu_api::relying_party::TakingsAccount;
use yufu_base::{Signer, Timestamp};
use yufu_engine::ManualClock;
use yufu_jose::Jwk;
use yufu_profile::Resident;
use yufu_wallet::presentation::Consent;

const AGENCY: &str = "pension-agency";
const PROGRAMME: &str = "basic-pension";
const THEIR_BANK: &str = "bank-of-lianghu";
const MONTHLY: u64 = 16_300;
const DAY: u64 = 86_400;
/// Noon of 25 November 2026 in China.
const NOON: u64 = 1_795_579_200;

fn agree(_: &Consent) -> bool {
    true
}

/// A city at a time that only moves when told, and its agency with money for so many.
struct Office {
    city: TestCity,
    clock: ManualClock,
    account: String,
}

impl Office {
    async fn open(payments: u64) -> Self {
        Self::open_at(None, NOON * 1000, payments).await
    }

    async fn open_at(profile: Option<&Path>, millis: u64, payments: u64) -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(millis));
        let city = TestCity::start_at(profile, Arc::new(clock.clone())).await;
        let key = city.data.keys(&AGENCY.parse().unwrap()).unwrap().signer("wallet").unwrap();
        let key: Jwk = key.public_key().into();
        let request = json!({"class": "I", "wallet_key": key});
        let path = format!("/banks/{THEIR_BANK}/v1/desk/accounts");
        let opened: OpenedAccount = city.desk(THEIR_BANK, &path, &request).await;
        let account = json!({"account": opened.account});
        let path = format!("/agencies/{AGENCY}/v1/desk/account");
        let _: TakingsAccount = city.desk(AGENCY, &path, &account).await;
        let office = Self { city, clock, account: opened.account };
        office.fund(payments).await;
        office
    }

    async fn fund(&self, payments: u64) {
        if payments > 0 {
            self.deposit(THEIR_BANK, &self.account, payments * MONTHLY).await;
        }
    }

    async fn deposit(&self, bank: &str, account: &str, minor: u64) {
        let exchange = json!({
            "direction": "paper_to_digital", "account": account, "amount_minor": minor,
        });
        let path = format!("/banks/{bank}/v1/desk/exchanges");
        let _: Value = self.city.desk(bank, &path, &exchange).await;
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn elder(&self, nth: usize) -> &Resident {
        self.city.residents(|resident| resident.birth_date.year() < 1960)[nth]
    }

    async fn offer(&self, resident: &Resident) -> IssuedOffer {
        let request = json!({
            "resident_number": resident.number.as_str(),
            "evidence": "card and portrait compared",
            "credential": "pid",
        });
        let path = "/authority/v1/officer/authentications";
        self.city.desk("identity-authority", path, &request).await
    }

    async fn identify(&self, wallet: &mut Holder, resident: &Resident) {
        let offer = self.offer(resident).await;
        wallet.get(&offer.offer, Some(&offer.transaction_code)).await.unwrap();
    }

    fn wallet(&self, name: &str) -> Holder {
        let mut wallet = self.city.open(&self.city.device("phone"), name).unwrap();
        wallet.clock = Arc::new(self.clock.clone());
        wallet
    }

    /// An older resident with an identity and an account.
    async fn resident(&self, nth: usize) -> (Holder, String) {
        let mut wallet = self.wallet(&format!("elder-{nth}"));
        self.identify(&mut wallet, self.elder(nth)).await;
        let opened = wallet.open_account(BANK, "III", &mut agree).await.unwrap();
        (wallet, opened.account)
    }

    /// An older resident who is enrolled.
    async fn member(&self, nth: usize) -> (Holder, String) {
        let (mut wallet, account) = self.resident(nth).await;
        wallet.enrol(AGENCY, PROGRAMME, &mut agree).await.unwrap();
        (wallet, account)
    }

    fn token(&self, institution: &str, name: &str) -> String {
        self.city.data.keys(&institution.parse().unwrap()).unwrap().secret(name).unwrap()
    }

    /// A step at a desk by a named officer; else the code of the refusal.
    async fn officer(
        &self,
        (institution, token, officer): (&str, &str, &str),
        path: &str,
        body: &Value,
    ) -> Result<Value, String> {
        let token = self.token(institution, token);
        let headers = [
            ("authorization".to_owned(), format!("Bearer {token}")),
            ("operator".to_owned(), officer.to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        let url = format!("{}{path}", self.city.url);
        let body = serde_json::to_vec(body).unwrap();
        let (status, _, answer) =
            self.city.client.exchange("POST", &url, &headers, body).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        if (200..300).contains(&status) {
            Ok(answer)
        } else {
            Err(answer["code"].as_str().unwrap().to_owned())
        }
    }

    /// A step of the preparing officer at the agency.
    async fn desk(&self, below: &str) -> Result<EnvelopeReport, String> {
        let path = format!("/agencies/{AGENCY}/v1/desk/{below}");
        let answer = self.officer((AGENCY, "desk", "li"), &path, &json!({})).await?;
        Ok(serde_json::from_value(answer).unwrap())
    }

    async fn prepare(&self, month: &str) -> Result<EnvelopeReport, String> {
        self.desk(&format!("programmes/{PROGRAMME}/months/{month}")).await
    }

    async fn approve(&self, who: (&str, &str), envelope: &str) -> Result<Value, String> {
        let path = format!("/agencies/{AGENCY}/v1/desk/envelopes/{envelope}/approval");
        self.officer((AGENCY, who.0, who.1), &path, &json!({})).await
    }

    /// November's envelope, approved.
    async fn approved(&self) -> String {
        let prepared = self.prepare("2026-11").await.unwrap();
        self.approve(("approver", "wu"), &prepared.envelope).await.unwrap();
        prepared.envelope
    }

    async fn report(&self, envelope: &str) -> EnvelopeReport {
        let url = format!("{}/agencies/{AGENCY}/v1/desk/envelopes/{envelope}", self.city.url);
        let token = self.token(AGENCY, "approver");
        let report: EnvelopeReport = self.city.client.get(&url, Some(&token)).await.unwrap();
        let parts = [report.paid, report.returned, report.pending];
        assert_eq!(report.items.count, parts.iter().map(|part| part.count).sum::<u64>());
        assert_eq!(report.items.minor, parts.iter().map(|part| part.minor).sum::<u64>());
        report
    }

    /// Has an envelope paid, to the end of the run.
    async fn run(&self, envelope: &str) -> EnvelopeReport {
        self.desk(&format!("envelopes/{envelope}/runs")).await.unwrap();
        for _ in 0..2_000 {
            let report = self.report(envelope).await;
            if !report.running {
                return report;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the run does not end");
    }

    /// What became of an envelope: paid, returned, pending.
    async fn counts(&self, envelope: &str) -> (u64, u64, u64) {
        let report = self.report(envelope).await;
        (report.paid.count, report.returned.count, report.pending.count)
    }

    /// What is left on the agency's account.
    async fn left(&self) -> u64 {
        let mut holder = self.wallet("the-agency");
        if holder.first_account().is_none() {
            let key = self.city.data.keys(&AGENCY.parse().unwrap()).unwrap();
            let key = key.software_key("wallet").unwrap();
            holder.keep_account(THEIR_BANK, &self.account, "I", &key).unwrap();
        }
        balance(&holder).await
    }
}

async fn balance(wallet: &Holder) -> u64 {
    wallet.accounts().await.unwrap()[0].wallet.balance_minor
}

/// The reason of a member's newest payment, if it came back.
async fn reason(wallet: &mut Holder) -> Option<String> {
    let benefits = wallet.benefits().await.unwrap();
    benefits[0].file.payments[0].reason.clone()
}
