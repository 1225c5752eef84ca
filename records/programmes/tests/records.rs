//! An agency's records: enrolled once per pseudonym, paid once a month, four eyes, returns that stay.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use support::{MONTH, Office, at, life, payout};
use yufu_programmes::{
    Decision, EnvelopeState, ItemState, MemberState, Month, Outcome, Payout, ProgrammesError,
    Reason, Sum,
};

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn sum(count: u64) -> Sum {
    Sum { count, minor: count * support::AMOUNT }
}

#[tokio::test]
async fn a_pseudonym_is_one_member_however_often_it_enrols_and_each_time_proves_life_anew() {
    let office = Office::open().await;
    let first = office.enrol("anna", 0).await;
    let again = office.enrol("anna", 100).await;
    assert_eq!((first.id, first.since), (again.id, again.since));
    assert_eq!((first.shown_at, again.shown_at), (at(0), at(100)));
    let waiting = office.begin("anna", 200).await;
    office.records.enrol(&waiting, "receipt", &life(200), month(MONTH)).await.unwrap();
    let twice = office.records.enrol(&waiting, "receipt", &life(200), month(MONTH)).await;
    assert!(matches!(twice, Err(ProgrammesError::AlreadyAnswered)));
    let known = office.records.enrolment(&waiting.id).await.unwrap();
    assert!(known.answered && known.session.is_empty(), "the session's secrets are wiped");
    let late = office.records.store_session(&waiting.id, "{}").await;
    assert!(matches!(late, Err(ProgrammesError::AlreadyAnswered)));
}

#[tokio::test]
async fn an_unanswered_enrolment_is_forgotten_and_an_answered_one_stays() {
    let office = Office::open().await;
    office.enrol("anna", 0).await;
    let waiting = office.begin("ben", 0).await;
    let before = waiting.expires_at;
    assert_eq!(office.records.forget_lapsed(before).await.unwrap(), 0);
    assert_eq!(office.records.forget_lapsed(before.plus_seconds(1)).await.unwrap(), 1);
    let gone = office.records.enrolment(&waiting.id).await;
    assert!(matches!(gone, Err(ProgrammesError::Unknown(_))));
}

#[tokio::test]
async fn the_account_is_the_one_signed_for_last_whatever_arrives_last() {
    let office = Office::open().await;
    let anna = office.enrol("anna", 0).await;
    let newer = Payout { account: "new".to_owned(), ..payout("anna", 50) };
    office.records.set_payout(anna.id, &newer, at(50)).await.unwrap();
    office.records.set_payout(anna.id, &newer, at(51)).await.unwrap();
    let older = office.records.set_payout(anna.id, &payout("anna", 49), at(52)).await;
    assert!(matches!(older, Err(ProgrammesError::PayoutOlder)));
    // An enrolment begun before and finished after names the older account.
    let begun = office.begin("anna", 40).await;
    office.records.enrol(&begun, "receipt", &life(60), month(MONTH)).await.unwrap();
    let found = office.records.member("basic-pension", "anna").await.unwrap();
    assert_eq!((found.payout, found.shown_at), (newer, at(60)));
}

#[tokio::test]
async fn whoever_left_is_in_no_new_envelope_and_comes_back_from_then_on() {
    let office = Office::open().await;
    let anna = office.enrol("anna", 0).await;
    office.records.leave(anna.id).await.unwrap();
    office.records.leave(anna.id).await.unwrap();
    let found = office.records.member("basic-pension", "anna").await.unwrap();
    assert_eq!(found.state, MemberState::Left);
    assert!(matches!(office.prepare(MONTH).await, Err(ProgrammesError::NothingDue)));
    let begun = office.begin("anna", 10).await;
    office.records.enrol(&begun, "receipt", &life(10), month("2026-12")).await.unwrap();
    assert!(matches!(office.prepare(MONTH).await, Err(ProgrammesError::NothingDue)));
    assert_eq!(office.prepare("2026-12").await.unwrap().0.totals.items, sum(1));
}

#[tokio::test]
async fn a_month_prepared_again_is_the_same_envelope_and_later_only_for_those_without_a_payment() {
    let office = Office::open().await;
    office.enrol("anna", 0).await;
    assert!(matches!(office.prepare("2026-10").await, Err(ProgrammesError::NothingDue)));
    let (first, new) = office.prepare(MONTH).await.unwrap();
    assert!(new && first.totals.items == sum(1) && first.totals.pending == sum(1));
    office.enrol("ben", 1).await;
    assert_eq!(office.prepare(MONTH).await.unwrap(), (first.clone(), false));
    office.approve(first.id).await;
    let (second, new) = office.prepare(MONTH).await.unwrap();
    assert!(new && second.id != first.id && second.totals.items == sum(1));
    office.approve(second.id).await;
    assert!(matches!(office.prepare(MONTH).await, Err(ProgrammesError::NothingDue)));
    let all = office.records.envelopes("basic-pension", month(MONTH)).await.unwrap();
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn one_officer_prepares_another_approves_and_only_before_that_it_can_be_cancelled() {
    let office = Office::open().await;
    office.enrol("anna", 0).await;
    let (envelope, _) = office.prepare(MONTH).await.unwrap();
    for same in ["li", " LI "] {
        let refused = office.records.approve(envelope.id, same, at(1)).await;
        assert!(matches!(refused, Err(ProgrammesError::SameOfficer(_))), "{same:?}");
    }
    let early = office.records.note_run(envelope.id, "li", at(1)).await;
    let prepared = EnvelopeState::Prepared;
    assert!(matches!(early, Err(ProgrammesError::EnvelopeState { found }) if found == prepared));
    let cancelled = office.records.cancel(envelope.id, "li", at(1)).await.unwrap();
    assert_eq!(cancelled.totals.items, sum(0));
    let dead = office.records.approve(envelope.id, "wu", at(1)).await;
    assert!(matches!(dead, Err(ProgrammesError::EnvelopeState { .. })));
    let (envelope, new) = office.prepare(MONTH).await.unwrap();
    assert!(new);
    let approved = office.approve(envelope.id).await;
    assert_eq!(office.approve(envelope.id).await, approved);
    let late = office.records.cancel(envelope.id, "li", at(2)).await;
    let approved = EnvelopeState::Approved;
    assert!(matches!(late, Err(ProgrammesError::EnvelopeState { found }) if found == approved));
}

#[tokio::test]
async fn what_is_known_of_another_command_or_known_already_moves_nothing() {
    let office = Office::open().await;
    office.enrol("anna", 0).await;
    let envelope = office.approved().await;
    let item = office.send(envelope).await.remove(0);
    let other = office.fresh();
    let settle = async |command, outcome| {
        office.records.settle(envelope, &[(item.id, command, outcome)], at(3)).await.unwrap();
        office.records.envelope(envelope).await.unwrap()
    };
    assert_eq!(settle(other, Outcome::Paid).await.totals.pending, sum(1));
    let unknown = Outcome::Unknown { code: "institution.unreachable".to_owned() };
    assert_eq!(settle(item.command, unknown).await.totals.pending, sum(1));
    assert_eq!(office.records.unresolved(envelope).await.unwrap().len(), 1);
    let paid = settle(item.command, Outcome::Paid).await;
    assert_eq!((paid.state, paid.totals.paid), (EnvelopeState::Closed, sum(1)));
    let late = Outcome::Returned { reason: Reason::AccountClosed, code: "late".to_owned() };
    assert_eq!(settle(item.command, late).await.totals.paid, sum(1));
    let payee = Decision::Send { payee: "x".to_owned(), command: other };
    assert_eq!(office.records.decide(envelope, &[(item.id, payee)], at(4)).await.unwrap(), []);
}

#[tokio::test]
async fn a_returned_item_stays_with_the_envelope_until_its_cause_is_removed() {
    let office = Office::open().await;
    let anna = office.enrol("anna", 0).await;
    let envelope = office.approved().await;
    let rows = [
        (Reason::AccountClosed, true),
        (Reason::AccountRefused, true),
        (Reason::IdentityRevoked, false),
        (Reason::ProofOfLifeDue, false),
    ];
    for (index, (reason, by_account)) in (1_u64..).zip(rows) {
        let item = office.send(envelope).await.remove(0);
        let code = String::new();
        let outcome = Outcome::Returned { reason, code };
        let now = at(index * 100);
        office.records.settle(envelope, &[(item.id, item.command, outcome)], now).await.unwrap();
        let found = office.records.envelope(envelope).await.unwrap();
        assert_eq!((found.state, found.totals.returned), (EnvelopeState::Closed, sum(1)));
        assert_eq!(office.records.returns(envelope).await.unwrap().len(), 1);
        let still = office.reissue(item.id).await;
        assert!(
            matches!(still, Err(ProgrammesError::NothingCorrected { reason: r }) if r == reason)
        );
        if by_account {
            let account = format!("account-{index}");
            let payout = Payout { account, ..payout("anna", index * 100 + 1) };
            office.records.set_payout(anna.id, &payout, now).await.unwrap();
        } else {
            office.enrol("anna", index * 100 + 1).await;
        }
        let again = office.reissue(item.id).await.unwrap();
        assert!(again.command != item.command && again.sent_at.is_none(), "{reason}");
        let found = office.records.envelope(envelope).await.unwrap();
        assert_eq!((found.state, found.totals.pending), (EnvelopeState::Approved, sum(1)));
        assert!(matches!(
            office.reissue(item.id).await,
            Err(ProgrammesError::NotReturned(ItemState::Pending))
        ));
    }
    let payments = office.records.payments(anna.id).await.unwrap();
    assert_eq!(payments.len(), 1, "one payment for the month, however often it was sent");
}

#[tokio::test]
async fn a_refusal_for_a_cause_of_the_agencys_leaves_the_item_pending_under_a_fresh_id() {
    let office = Office::open().await;
    office.enrol("anna", 0).await;
    let envelope = office.approved().await;
    let item = office.send(envelope).await.remove(0);
    let code = "transfer.insufficient_funds".to_owned();
    let fresh = office.fresh();
    let anew = Outcome::Anew { command: fresh, code };
    office.records.settle(envelope, &[(item.id, item.command, anew)], at(2)).await.unwrap();
    let due = office.records.due(envelope, None, 10).await.unwrap();
    assert_eq!((due[0].item.command, due[0].item.sent_at), (fresh, None));
    assert!(office.records.due(envelope, Some(item.id), 10).await.unwrap().is_empty());
    let none = office.records.account().await;
    assert!(matches!(none, Err(ProgrammesError::NoAccount)));
    office.records.set_account("one").await.unwrap();
    office.records.set_account("two").await.unwrap();
    assert_eq!(office.records.account().await.unwrap(), "two");
}

#[tokio::test]
async fn an_envelope_whose_sums_were_altered_is_refused_by_the_program_and_by_the_database() {
    let office = Office::open().await;
    office.enrol("anna", 0).await;
    let envelope = office.approved().await;
    let alter = async |set: &str| {
        use sea_orm::ConnectionTrait;
        let sql = format!("UPDATE envelopes SET {set}");
        office.database.connection().execute_unprepared(&sql).await.map(|_| ())
    };
    assert!(alter("paid = paid + 1").await.is_err(), "the database took it");
    assert!(alter("pending_minor = pending_minor - 1").await.is_err(), "the database took it");
    // Consistent with itself, and not with its items.
    alter("paid = 1, paid_minor = 14300, pending = 0, pending_minor = 0").await.unwrap();
    let found = office.records.envelope(envelope).await;
    assert!(matches!(found, Err(ProgrammesError::Unbalanced(id)) if id == envelope));
    let run = office.records.note_run(envelope, "li", at(2)).await;
    assert!(matches!(run, Err(ProgrammesError::Unbalanced(_))));
    let due = office.records.due(envelope, None, 10).await.unwrap();
    let back = (due[0].item.id, Decision::Return(Reason::IdentityRevoked));
    let refused = office.records.decide(envelope, &[back], at(2)).await;
    assert!(matches!(refused, Err(ProgrammesError::Unbalanced(_))));
    let due = office.records.due(envelope, None, 10).await.unwrap();
    assert_eq!(due[0].item.state, ItemState::Pending, "a refused change left something");
}
