//! One account for each person.
#![allow(clippy::unwrap_used, reason = "test code: to fail loudly")]

use yufu_accounts::{Account, Accounts, AccountsError, Opening};
use yufu_base::Timestamp;
use yufu_database::{BlindIndex, Database, MasterKey, Sealer};

async fn known() -> (Accounts, impl Fn(&str) -> BlindIndex) {
    let keys = Database::in_memory().await.unwrap();
    let sealer = Sealer::open(keys, &MasterKey::new([1; 32])).await.unwrap();
    let accounts = Accounts::open(Database::in_memory().await.unwrap()).await.unwrap();
    (accounts, move |pseudonym: &str| sealer.blind("account", pseudonym))
}

fn account(id: &str) -> Account {
    Account { id: id.to_owned(), opened: Timestamp::from_seconds(1_800_000_000) }
}

#[tokio::test]
async fn a_person_gets_one_account_and_another_only_after_it_was_closed() {
    let (accounts, person) = known().await;
    let (li, wang) = (person("li"), person("wang"));
    let opened = accounts.open_for(&li, account("a")).await.unwrap();
    assert_eq!(opened, Opening::Opened(account("a")));
    let again = accounts.open_for(&li, account("b")).await.unwrap();
    assert_eq!(again, Opening::Known(account("a")));
    let other = accounts.open_for(&wang, account("c")).await.unwrap();
    assert_eq!(other.account(), &account("c"));
    assert_eq!(accounts.account_of(&li).await.unwrap(), account("a"));
    accounts.close("a").await.unwrap();
    assert!(matches!(accounts.close("a").await, Err(AccountsError::Unknown)));
    assert!(matches!(accounts.account_of(&li).await, Err(AccountsError::Unknown)));
    let anew = accounts.open_for(&li, account("d")).await.unwrap();
    assert_eq!(anew, Opening::Opened(account("d")));
}

#[tokio::test]
async fn of_many_wishes_at_once_one_opens_an_account() {
    let (accounts, person) = known().await;
    let li = person("li");
    let mut wishes = Vec::new();
    for n in 0..8 {
        let accounts = accounts.clone();
        wishes.push(tokio::spawn(async move {
            accounts.open_for(&li, account(&n.to_string())).await.unwrap()
        }));
    }
    let mut opened = Vec::new();
    for wish in wishes {
        if let Opening::Opened(account) = wish.await.unwrap() {
            opened.push(account);
        }
    }
    assert_eq!(opened.len(), 1);
    assert_eq!(accounts.account_of(&li).await.unwrap(), opened.remove(0));
}
