//! Anonymous top-ups: a token is used by a quote that comes to something, and by no other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_database::{Database, MasterKey, Sealer};
use yufu_onboarding::{
    MintQuote, Onboarding, OnboardingError, OutboxEntry, PaidIn, TOP_UP, UsedToken,
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const HOUR: u64 = 3_600;

async fn records() -> Onboarding {
    let database = Database::in_memory().await.unwrap();
    let sealer =
        Sealer::open(Database::in_memory().await.unwrap(), &MasterKey::new([7; 32])).await.unwrap();
    Onboarding::open(database, Arc::new(sealer)).await.unwrap()
}

fn quote(id: &str, amount: u64, at: Timestamp) -> MintQuote {
    MintQuote {
        id: id.to_owned(),
        method: TOP_UP.to_owned(),
        amount,
        pubkey: None,
        funding: None,
        command: None,
        expires: at.plus_seconds(HOUR),
    }
}

async fn ask(
    records: &Onboarding,
    id: &str,
    amount: u64,
    at: Timestamp,
) -> Result<String, OnboardingError> {
    let token = UsedToken { point: &[3; 33], epoch: 7 };
    Ok(records.put_top_up(quote(id, amount, at), token, at).await?.id)
}

fn command(number: u128, subject: &str) -> OutboxEntry {
    OutboxEntry {
        command: CommandId::at(NOW, number),
        subject: subject.to_owned(),
        submission: vec![1],
        outcome: None,
    }
}

fn paid(quote: &str) -> PaidIn {
    PaidIn { quote: quote.to_owned(), account: AccountId::new(9), officer: "li".to_owned() }
}

#[tokio::test]
async fn a_token_whose_quote_lapsed_unpaid_is_as_good_as_before() {
    let records = records().await;
    assert_eq!(ask(&records, "first", 500, NOW).await.unwrap(), "first");
    assert_eq!(ask(&records, "again", 500, NOW).await.unwrap(), "first", "the same is asked");
    let other = ask(&records, "other", 400, NOW).await;
    assert!(matches!(other, Err(OnboardingError::AlreadyAnswered)));
    let later = NOW.plus_seconds(HOUR);
    assert_eq!(ask(&records, "second", 400, later).await.unwrap(), "second");
    // Also when the quote was forgotten.
    let long = later.plus_seconds(10 * HOUR);
    records.forget_quotes(long).await.unwrap();
    assert_eq!(ask(&records, "third", 300, long).await.unwrap(), "third");
}

#[tokio::test]
async fn a_token_whose_quote_was_paid_is_used_also_after_its_time_and_the_quote_is_kept() {
    let records = records().await;
    ask(&records, "first", 500, NOW).await.unwrap();
    let entry = command(1, "top-up:first");
    let kept = records.pay_in(&paid("first"), entry.clone(), NOW).await.unwrap();
    assert_eq!(kept.command, entry.command);
    // The answer is not there yet: a second counter, or a second click, gets the same command.
    let again = records.pay_in(&paid("first"), command(2, "top-up:first"), NOW).await.unwrap();
    assert_eq!(again.command, entry.command);
    let late = NOW.plus_seconds(2 * HOUR);
    assert!(matches!(ask(&records, "x", 400, late).await, Err(OnboardingError::AlreadyAnswered)));
    records.record_outcome(entry.command, "{}", true).await.unwrap();
    let funded = records.mint_quote("first").await.unwrap().funding.unwrap();
    assert_eq!(funded.account, AccountId::new(9));
    records.forget_quotes(late.plus_seconds(90 * 24 * HOUR)).await.unwrap();
    assert!(records.mint_quote("first").await.is_ok(), "cash that was paid in is not forgotten");
    assert!(matches!(ask(&records, "x", 400, late).await, Err(OnboardingError::AlreadyAnswered)));
    // Issued, it is used for the same amount too.
    let notes = command(3, "mint:first");
    records.issue_mint_quotes(&["first".to_owned()], notes, late).await.unwrap();
    assert!(matches!(ask(&records, "x", 500, late).await, Err(OnboardingError::AlreadyAnswered)));
}

#[tokio::test]
async fn cash_that_the_ledger_refused_can_be_paid_in_again() {
    let records = records().await;
    ask(&records, "first", 500, NOW).await.unwrap();
    let (one, two) = (command(1, "top-up:first"), command(2, "top-up:first"));
    records.pay_in(&paid("first"), one.clone(), NOW).await.unwrap();
    records.record_outcome(one.command, "{}", false).await.unwrap();
    assert!(records.mint_quote("first").await.unwrap().funding.is_none());
    let kept = records.pay_in(&paid("first"), two.clone(), NOW).await.unwrap();
    assert_eq!(kept.command, two.command);
    records.record_outcome(two.command, "{}", true).await.unwrap();
    assert!(records.mint_quote("first").await.unwrap().funding.is_some());
}

#[tokio::test]
async fn an_access_token_buys_one_batch_and_the_same_one_again() {
    let records = records().await;
    records.sign_batch("token", &[1; 32], 7).await.unwrap();
    records.sign_batch("token", &[1; 32], 7).await.unwrap();
    let other = records.sign_batch("token", &[2; 32], 7).await;
    assert!(matches!(other, Err(OnboardingError::AlreadyAnswered)));
    records.sign_batch("another", &[2; 32], 7).await.unwrap();
}
