//! What a stolen wallet cannot do: another account rests, and a freeze gives it up.

mod support;

use support::{MONTH, Office, at, life, payout};
use yufu_programmes::{FreezeKey, Outcome, Payout, ProgrammesError, Reason};

const DAY: u64 = 86_400;

fn thiefs(seconds: u64) -> Payout {
    Payout { account: "thief's".to_owned(), ..payout("anna", seconds) }
}

#[tokio::test]
async fn another_account_is_paid_when_its_rest_is_over_and_not_a_moment_before() {
    let office = Office::open().await;
    let anna = office.enrol("anna", 0).await;
    let from = at(10 + 7 * DAY);
    office.records.rest_payout(anna.id, &thiefs(10), from).await.unwrap();
    let found = office.records.member_by_id(anna.id).await.unwrap();
    assert_eq!(found.payout, anna.payout);
    assert_eq!(found.next.map(|next| (next.payout, next.from)), Some((thiefs(10), from)));
    let before = yufu_base::Timestamp::from_millis(from.millis() - 1);
    assert_eq!(office.records.rested(before).await.unwrap(), 0);
    assert_eq!(office.records.rested(from).await.unwrap(), 1);
    let found = office.records.member_by_id(anna.id).await.unwrap();
    assert_eq!((found.payout, found.payout_set_at, found.next), (thiefs(10), from, None));
    assert_eq!(office.records.rested(from).await.unwrap(), 0);
}

#[tokio::test]
async fn an_account_that_rests_is_given_up_for_the_one_that_is_paid_or_a_newer_one_and_by_no_older_word()
 {
    let office = Office::open().await;
    let anna = office.enrol("anna", 0).await;
    let (records, from) = (&office.records, at(7 * DAY));
    records.rest_payout(anna.id, &thiefs(20), from).await.unwrap();
    for older in [
        records.rest_payout(anna.id, &payout("old", 19), from).await,
        records.set_payout(anna.id, &payout("anna", 19), at(30)).await,
    ] {
        assert!(matches!(older, Err(ProgrammesError::PayoutOlder)));
    }
    let newer = Payout { account: "newer".to_owned(), ..payout("anna", 21) };
    records.rest_payout(anna.id, &newer, from).await.unwrap();
    let found = records.member_by_id(anna.id).await.unwrap();
    assert_eq!(found.next.map(|next| next.payout), Some(newer));
    records.set_payout(anna.id, &payout("anna", 22), at(30)).await.unwrap();
    let found = records.member_by_id(anna.id).await.unwrap();
    assert_eq!((found.payout.account, found.next), (anna.payout.account, None));
}

#[tokio::test]
async fn a_freeze_gives_up_the_account_that_rests_and_the_identity_frees_and_leaves_a_guard() {
    let office = Office::open().await;
    let anna = office.enrol("anna", 0).await;
    let (records, other) = (&office.records, office.enrol("ben", 0).await);
    let key = |member, name: &str| FreezeKey {
        member,
        thumbprint: name.to_owned(),
        key: format!("{{\"key\":\"{name}\"}}"),
    };
    records.keep_freeze_key(key(anna.id, "first"), at(1)).await.unwrap();
    records.keep_freeze_key(key(anna.id, "second"), at(2)).await.unwrap();
    assert_eq!(records.freeze_key("first").await.unwrap(), None, "the newer one counts");
    assert_eq!(records.freeze_key("second").await.unwrap(), Some(key(anna.id, "second")));
    records.rest_payout(anna.id, &thiefs(10), at(7 * DAY)).await.unwrap();
    for again in 0..2 {
        assert_eq!(records.freeze(anna.id, at(20 + again)).await.unwrap(), at(20));
    }
    assert_eq!(records.rested(at(8 * DAY)).await.unwrap(), 0);
    let found = records.member_by_id(anna.id).await.unwrap();
    assert_eq!((&found.payout, found.next), (&anna.payout, None));
    assert_eq!((found.frozen_at, found.guarded_at), (Some(at(20)), None));
    assert_eq!(records.member_by_id(other.id).await.unwrap(), other, "nobody else is");
    let begun = office.begin("anna", 400).await;
    records.enrol(&begun, "receipt", &life(400), MONTH.parse().unwrap()).await.unwrap();
    let found = records.member_by_id(anna.id).await.unwrap();
    assert_eq!((found.frozen_at, found.guarded_at), (None, Some(at(400))));
    // Whoever was never frozen is not guarded.
    assert_eq!(office.enrol("ben", 500).await.guarded_at, None);
}

#[tokio::test]
async fn only_an_account_that_payments_come_back_from_is_replaced_at_once() {
    let rows = [
        (Reason::AccountClosed, true),
        (Reason::AccountRefused, true),
        (Reason::AccountFull, false),
        (Reason::IdentityRevoked, false),
        (Reason::ProofOfLifeDue, false),
    ];
    for (reason, expected) in rows {
        let office = Office::open().await;
        let anna = office.enrol("anna", 0).await;
        assert!(!office.records.is_paid_in_vain(&anna).await.unwrap());
        let envelope = office.approved().await;
        let item = office.send(envelope).await.remove(0);
        let outcome = Outcome::Returned { reason, code: String::new() };
        let settled = [(item.id, item.command, outcome)];
        office.records.settle(envelope, &settled, at(100)).await.unwrap();
        assert_eq!(office.records.is_paid_in_vain(&anna).await.unwrap(), expected, "{reason}");
        // What came back from an account of before says nothing of the one that is paid now.
        office.records.set_payout(anna.id, &payout("new", 200), at(200)).await.unwrap();
        let found = office.records.member_by_id(anna.id).await.unwrap();
        assert!(!office.records.is_paid_in_vain(&found).await.unwrap(), "{reason}");
    }
}
