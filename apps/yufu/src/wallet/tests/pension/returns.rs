//! Paying: four eyes, once, and what comes back stays with the envelope until its cause is removed.

use super::*;
use crate::wallet::Event;
use yufu_api::agency::{Reissued, ReturnedPayment};
use yufu_base::{Amount, Currency};
use yufu_database::Database;
use yufu_payment::PaymentOrder;
use yufu_programmes::{Decision, Item, Programmes};

impl Office {
    async fn returns(&self, envelope: &str) -> Vec<ReturnedPayment> {
        let url =
            format!("{}/agencies/{AGENCY}/v1/desk/envelopes/{envelope}/returns", self.city.url);
        self.city.client.get(&url, Some(&self.token(AGENCY, "desk"))).await.unwrap()
    }

    async fn reissue_all(&self, envelope: &str) -> (u64, u64) {
        let path = format!("/agencies/{AGENCY}/v1/desk/envelopes/{envelope}/reissues");
        let done = self.officer((AGENCY, "desk", "li"), &path, &json!({})).await.unwrap();
        let done: Reissued = serde_json::from_value(done).unwrap();
        (done.reissued, done.waiting)
    }

    async fn close(&self, bank: &str, account: &str) {
        let path = format!("/banks/{bank}/v1/desk/accounts/{account}/steps");
        let step = json!({"step": "close", "evidence": "form 7"});
        self.officer((bank, "desk", "zhao"), &path, &step).await.unwrap();
    }

    async fn death(&self, below: &str, nth: usize) -> Value {
        let number = self.elder(nth).number.as_str();
        let request = json!({"resident_number": number, "evidence": "certificate seen"});
        let path = format!("/authority/v1/officer/deaths{below}");
        self.city.desk("identity-authority", &path, &request).await
    }

    /// The agency's records, as another process of it would open them.
    async fn records(&self) -> Programmes {
        let path = self.city.data.database(&AGENCY.parse().unwrap(), "programmes").unwrap();
        Programmes::open(Database::open(&path).await.unwrap()).await.unwrap()
    }

    /// Writes one payment down as sent, as a run does before it orders it; then it is cut off.
    async fn cut_off(&self, envelope: &str) -> Item {
        let (records, envelope) = (self.records().await, envelope.parse().unwrap());
        let due = records.due(envelope, None, 1).await.unwrap().remove(0);
        let (payee, command) = (due.member.payout.account.clone(), due.item.command);
        let decision = (due.item.id, Decision::Send { payee, command });
        let at = Timestamp::from_seconds(NOON);
        records.decide(envelope, &[decision], at).await.unwrap().remove(0)
    }

    /// Orders it at the bank, as the run would have done.
    async fn order(&self, item: &Item) {
        let key = self.city.data.keys(&AGENCY.parse().unwrap()).unwrap().signer("wallet").unwrap();
        let expires = item.command.created().plus_seconds(6 * DAY).seconds();
        let order = PaymentOrder {
            ledger: "central-bank".to_owned(),
            id: item.command,
            payer: self.account.parse().unwrap(),
            payee: item.payee.as_deref().unwrap().parse().unwrap(),
            payee_name: "Basic pension 2026-11".to_owned(),
            amount: Amount::new(Currency::new("CNY").unwrap(), item.amount_minor),
            expires: Timestamp::from_seconds(expires),
        };
        let order = json!({"order": order.sign(&*key).unwrap()});
        let url = format!("{}/banks/{THEIR_BANK}/v1/payments", self.city.url);
        let _: Value = self.city.client.post(&url, None, &order).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_prepares_another_approves_and_running_it_twice_pays_once() {
    let office = Office::open(5).await;
    let (mut wallet, _) = office.member(0).await;
    let (other, _) = office.member(1).await;
    let envelope = office.prepare("2026-11").await.unwrap().envelope;
    assert_eq!(office.prepare("2026-11").await.unwrap().envelope, envelope, "prepared twice");
    let early = office.desk(&format!("envelopes/{envelope}/runs")).await;
    assert_eq!(early.unwrap_err(), "disbursement.state");
    for (who, expected) in [
        (("approver", "li"), "disbursement.same_officer"),
        (("approver", "LI"), "disbursement.same_officer"),
        (("desk", "wu"), "request.unauthenticated"),
        (("approver", "desk"), "request.malformed"),
    ] {
        assert_eq!(office.approve(who, &envelope).await.unwrap_err(), expected, "{who:?}");
    }
    office.desk(&format!("envelopes/{envelope}/cancellation")).await.unwrap();
    let dead = office.approve(("approver", "wu"), &envelope).await;
    assert_eq!(dead.unwrap_err(), "disbursement.state");
    let envelope = office.approved().await;
    let late = office.desk(&format!("envelopes/{envelope}/cancellation")).await;
    assert_eq!(late.unwrap_err(), "disbursement.state");

    // Two runs at once, and another.
    let runs = format!("envelopes/{envelope}/runs");
    let _ = tokio::join!(office.desk(&runs), office.desk(&runs));
    for _ in 0..2 {
        let report = office.run(&envelope).await;
        assert_eq!((report.state.as_str(), report.stopped), ("closed", None));
        assert_eq!((report.paid.count, report.paid.minor), (2, 2 * MONTHLY));
    }
    assert_eq!((balance(&wallet).await, balance(&other).await), (MONTHLY, MONTHLY));
    assert_eq!(office.left().await, 3 * MONTHLY);
    assert_eq!(office.prepare("2026-11").await.unwrap_err(), "disbursement.nothing_due");
    for _ in 0..2 {
        let file = wallet.benefits().await.unwrap().remove(0).file;
        assert_eq!((file.payments.len(), file.payments[0].state.as_str()), (1, "paid"));
    }
    let seen = |event: &Event| matches!(event, Event::Benefit { state, .. } if state == "paid");
    assert_eq!(wallet.history().iter().filter(|entry| seen(&entry.event)).count(), 1);

    // Whoever enrols later in the month is paid by an envelope of its own.
    let (late, _) = office.member(2).await;
    let second = office.approved().await;
    assert_eq!(office.run(&second).await.paid.count, 1);
    assert_eq!((balance(&late).await, balance(&wallet).await), (MONTHLY, MONTHLY));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_return_has_its_reason_and_is_paid_once_its_cause_is_removed() {
    let office = Office::open(5).await;
    let (mut closed, account) = office.member(0).await;
    let (mut full, full_account) = office.member(1).await;
    let (mut dead, _) = office.member(2).await;
    let (paid, _) = office.member(3).await;
    office.close(BANK, &account).await;
    // One fen too much for the class's limit of 20,000.00.
    office.deposit(BANK, &full_account, 2_000_000 - MONTHLY + 1).await;
    office.death("", 2).await;
    let envelope = office.approved().await;
    let report = office.run(&envelope).await;
    assert_eq!((report.state.as_str(), report.stopped), ("closed", None));
    assert_eq!(office.counts(&envelope).await, (1, 3, 0));
    assert_eq!(balance(&paid).await, MONTHLY);
    assert_eq!(office.left().await, 4 * MONTHLY, "a returned payment left the agency");
    let mut reasons: Vec<_> = office.returns(&envelope).await;
    reasons.sort_by(|a, b| a.reason.cmp(&b.reason));
    let reasons: Vec<_> =
        reasons.iter().map(|back| (back.reason.as_str(), back.bank_code.as_str())).collect();
    assert_eq!(
        reasons,
        [
            ("account_closed", "account.closed"),
            ("account_full", "transfer.payee_full"),
            ("identity_revoked", "")
        ]
    );
    assert_eq!(reason(&mut closed).await.as_deref(), Some("account_closed"));
    assert_eq!(reason(&mut full).await.as_deref(), Some("account_full"));
    assert_eq!(reason(&mut dead).await.as_deref(), Some("identity_revoked"));

    // Nothing was corrected but what may have corrected itself: it comes back again.
    assert_eq!(office.reissue_all(&envelope).await, (1, 2));
    assert_eq!(office.counts(&envelope).await, (1, 2, 1));
    office.run(&envelope).await;
    assert_eq!(office.counts(&envelope).await, (1, 3, 0));

    // Another account; room in the account; and a death that was recorded wrongly.
    let opened = closed.open_account(THEIR_BANK, "III", &mut agree).await.unwrap();
    closed.change_payout(AGENCY, PROGRAMME, &opened.account).await.unwrap();
    let exchange = json!({
        "direction": "digital_to_paper", "account": full_account, "amount_minor": 1,
    });
    let path = format!("/banks/{BANK}/v1/desk/exchanges");
    let _: Value = office.city.desk(BANK, &path, &exchange).await;
    office.death("/withdrawals", 2).await;
    office.advance(1);
    office.identify(&mut dead, office.elder(2)).await;
    // Her former copies were revoked: a wallet shows the fresh ones once those are gone.
    dead.file.contents.credentials.drain(..dead.credentials_left() - 10);
    dead.enrol(AGENCY, PROGRAMME, &mut agree).await.unwrap();
    assert_eq!(office.reissue_all(&envelope).await, (3, 0));
    let report = office.run(&envelope).await;
    assert_eq!((report.state.as_str(), report.paid.minor), ("closed", 4 * MONTHLY));
    assert_eq!(office.left().await, MONTHLY);
    assert_eq!(balance(&full).await, 2_000_000);
    let by_bank = closed.accounts().await.unwrap();
    let at_new = by_bank.iter().find(|state| state.account == opened.account).unwrap();
    assert_eq!(at_new.wallet.balance_minor, MONTHLY);
    let twice = |event: &Event| matches!(event, Event::Benefit { .. });
    closed.benefits().await.unwrap();
    let told = closed.history().iter().filter(|entry| twice(&entry.event)).count();
    assert_eq!(told, 2, "returned, then paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_not_corrected_is_not_sent_again() {
    let office = Office::open(1).await;
    let (_, account) = office.member(0).await;
    office.close(BANK, &account).await;
    let envelope = office.approved().await;
    office.run(&envelope).await;
    let back = office.returns(&envelope).await.remove(0);
    let refused = office.desk(&format!("payments/{}/reissue", back.payment)).await;
    assert_eq!(refused.unwrap_err(), "disbursement.cause_stands");
    let unknown = office.desk(&format!("payments/{envelope}/reissue")).await;
    assert_eq!(unknown.unwrap_err(), "request.not_found");
    assert_eq!(office.counts(&envelope).await, (0, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_money_payments_stay_pending_and_the_run_says_so() {
    let office = Office::open(1).await;
    let (one, _) = office.member(0).await;
    let (two, _) = office.member(1).await;
    let envelope = office.approved().await;
    let report = office.run(&envelope).await;
    assert_eq!(report.stopped.unwrap().code, "transfer.insufficient_funds");
    assert_eq!(office.counts(&envelope).await, (1, 0, 1));
    assert_eq!(report.unresolved, 0, "it is known that nothing moved");
    office.fund(1).await;
    let report = office.run(&envelope).await;
    assert_eq!((report.stopped, report.state.as_str()), (None, "closed"));
    assert_eq!((balance(&one).await, balance(&two).await), (MONTHLY, MONTHLY));
    assert_eq!(office.left().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_account_of_the_agencys_own_is_nobodys_return() {
    let office = Office::open(0).await;
    office.member(0).await;
    let envelope = office.approved().await;
    office.close(THEIR_BANK, &office.account).await;
    let report = office.run(&envelope).await;
    assert_eq!(report.stopped.unwrap().code, "party.account_unusable");
    assert_eq!(office.counts(&envelope).await, (0, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_before_or_after_the_order_a_run_is_taken_up_and_pays_once() {
    for ordered in [false, true] {
        let office = Office::open(2).await;
        let (wallet, _) = office.member(0).await;
        let envelope = office.approved().await;
        let item = office.cut_off(&envelope).await;
        if ordered {
            office.order(&item).await;
        }
        let report = office.run(&envelope).await;
        assert_eq!((report.paid.count, report.stopped), (1, None), "ordered: {ordered}");
        assert_eq!((balance(&wallet).await, office.left().await), (MONTHLY, MONTHLY));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_too_old_to_be_repeated_is_asked_about_and_never_paid_again_on_a_guess() {
    for ordered in [false, true] {
        let office = Office::open(2).await;
        let (wallet, _) = office.member(0).await;
        let envelope = office.approved().await;
        let item = office.cut_off(&envelope).await;
        if ordered {
            office.order(&item).await;
        }
        // Its id is forgotten by then: paid under a new one blindly, it would be paid twice.
        office.advance(8 * DAY);
        let report = office.run(&envelope).await;
        assert_eq!((report.paid.count, &report.stopped), (u64::from(ordered), &None));
        // What was never taken goes out under a fresh id with the next run.
        let report = office.run(&envelope).await;
        assert_eq!((report.paid.count, report.state.as_str()), (1, "closed"));
        assert_eq!((balance(&wallet).await, office.left().await), (MONTHLY, MONTHLY));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_that_lay_longer_than_ids_are_kept_is_paid_under_fresh_ones() {
    let office = Office::open(1).await;
    let (wallet, _) = office.member(0).await;
    let envelope = office.approved().await;
    office.advance(8 * DAY);
    let report = office.run(&envelope).await;
    assert_eq!((report.paid.count, report.stopped), (1, None));
    assert_eq!(balance(&wallet).await, MONTHLY);
}

#[tokio::test(flavor = "multi_thread")]
async fn life_is_proven_anew_when_the_programme_says_so_and_not_before() {
    let copy = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/china");
    for entry in std::fs::read_dir(sample).unwrap() {
        let entry = entry.unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let text = text.replace("proof_of_life_days = 365", "proof_of_life_days = 20");
        std::fs::write(copy.path().join(entry.file_name()), text).unwrap();
    }
    let office = Office::open_at(Some(copy.path()), NOON * 1000, 3).await;
    let (mut wallet, _) = office.member(0).await;
    // The last moment of the twentieth day, then the first after it.
    office.clock.advance(Duration::from_millis(20 * DAY * 1000 - 1));
    let envelope = office.approved().await;
    assert_eq!(office.run(&envelope).await.paid.count, 1);
    office.clock.advance(Duration::from_millis(1));
    let december = office.prepare("2026-12").await.unwrap().envelope;
    office.approve(("approver", "wu"), &december).await.unwrap();
    assert_eq!(office.run(&december).await.returned.count, 1);
    assert_eq!(reason(&mut wallet).await.as_deref(), Some("proof_of_life_due"));
    assert_eq!(office.reissue_all(&december).await, (0, 1));
    office.advance(1);
    wallet.enrol(AGENCY, PROGRAMME, &mut agree).await.unwrap();
    assert_eq!(office.reissue_all(&december).await, (1, 0));
    assert_eq!(office.run(&december).await.paid.count, 1);
    assert_eq!(balance(&wallet).await, 2 * MONTHLY);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_death_nothing_is_offered_or_issued_until_it_is_withdrawn() {
    let office = Office::open(0).await;
    let mut wallet = office.wallet("elder-0");
    let offered = office.offer(office.elder(0)).await;
    office.death("", 0).await;
    let code = Some(offered.transaction_code.as_str());
    let issued = wallet.get(&offered.offer, code).await.unwrap_err().to_string();
    assert!(
        issued.contains("ask the issuer for a new offer"),
        "the death ended the offer: {issued}"
    );
    let request = json!({
        "resident_number": office.elder(0).number.as_str(),
        "evidence": "card", "credential": "pid",
    });
    let officer = ("identity-authority", "desk", "li");
    let path = "/authority/v1/officer/authentications";
    let refused = office.officer(officer, path, &request).await.unwrap_err();
    assert_eq!(refused, "resident.deceased");
    let no_evidence = json!({
        "resident_number": office.elder(0).number.as_str(), "evidence": " ",
    });
    let path = "/authority/v1/officer/deaths";
    let refused = office.officer(officer, path, &no_evidence).await.unwrap_err();
    assert_eq!(refused, "request.malformed");
    office.death("/withdrawals", 0).await;
    office.identify(&mut wallet, office.elder(0)).await;
    let accesses = json!({"resident_number": office.elder(0).number.as_str()});
    let path = "/authority/v1/officer/accesses";
    let seen = office.officer(officer, path, &accesses).await.unwrap();
    let purposes: Vec<&str> =
        seen.as_array().unwrap().iter().map(|entry| entry["purpose"].as_str().unwrap()).collect();
    for expected in ["death recorded: certificate seen", "death withdrawn: certificate seen"] {
        assert!(purposes.contains(&expected), "{purposes:?}");
    }
}
