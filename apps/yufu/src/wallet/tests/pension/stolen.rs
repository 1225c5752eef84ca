//! A stolen wallet, and a pension: another account rests, a freeze gives it up, and the identity alone frees.

use super::*;
use crate::wallet::Wanted;
use std::fs;
use yufu_api::agency::MemberFile;

const REST: u64 = 7 * DAY;
const AUTHORITY: &str = "identity-authority";

async fn refusal<T>(step: impl Future<Output = anyhow::Result<T>>) -> String {
    step.await.err().map_or_else(|| "not refused".to_owned(), |error| format!("{error:#}"))
}

impl Office {
    /// Freezes with a sheet, from a friend's device.
    async fn freeze(&self, sheet: &Path) {
        let mut friend = self.city.open(&self.city.device("friend"), "friend").unwrap();
        friend.clock = Arc::new(self.clock.clone());
        friend.find_institutions().await.unwrap();
        let outcomes = friend.freeze(Some(&fs::read(sheet).unwrap())).await.unwrap();
        let places: Vec<&str> = outcomes.iter().map(|one| one.institution.as_str()).collect();
        assert_eq!(places, [BANK, AUTHORITY, AGENCY]);
        assert!(outcomes.iter().all(|outcome| outcome.fault.is_none()), "{outcomes:?}");
    }

    async fn lift(&self, nth: usize) {
        let number = self.elder(nth).number.as_str();
        let lift = json!({"resident_number": number, "evidence": "card and portrait compared"});
        let path = "/authority/v1/officer/freezes/lift";
        let _: Value = self.city.desk(AUTHORITY, path, &lift).await;
    }

    /// A member with a sheet, and the account of a thief who has her open wallet.
    async fn stolen(&self) -> (Holder, String, std::path::PathBuf, String) {
        let (mut wallet, account) = self.member(0).await;
        let sheet = self.city.folder.path().join("elder.sheet");
        wallet.write_sheet(&sheet).await.unwrap();
        let (_, thiefs) = self.resident(1).await;
        (wallet, account, sheet, thiefs)
    }
}

/// Has the thief's account put into the stolen wallet, so that it can be named.
fn with_account(wallet: &mut Holder, account: &str) {
    let mut stored = wallet.file.contents.accounts[0].clone();
    stored.account = account.to_owned();
    wallet.file.contents.accounts.push(stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_pseudonym_key_redirects_no_pension_before_or_after_the_freeze() {
    let office = Office::open(3).await;
    let (mut wallet, account, sheet, thiefs) = office.stolen().await;
    with_account(&mut wallet, &thiefs);
    // By the key alone, then by the identity too, which the thief has in the open wallet.
    let file = wallet.change_payout(AGENCY, PROGRAMME, &thiefs).await.unwrap();
    let from = NOON + REST;
    let named = |file: &MemberFile| {
        let next = file.next_account.as_ref().map(|next| (next.account.clone(), next.from));
        (file.account.clone(), next)
    };
    assert_eq!(named(&file), (account.clone(), Some((thiefs.clone(), from))));
    office.advance(10);
    wallet.file.contents.accounts.swap(0, 1);
    wallet.enrol(AGENCY, PROGRAMME, &mut agree).await.unwrap();
    wallet.file.contents.accounts.swap(0, 1);
    let file = wallet.benefits().await.unwrap().remove(0).file;
    assert_eq!(named(&file), (account.clone(), Some((thiefs.clone(), from + 10))));
    // She is paid where she was, as long as it rests.
    let november = office.approved().await;
    assert_eq!(office.run(&november).await.paid.count, 1);
    office.freeze(&sheet).await;
    office.freeze(&sheet).await;

    for (what, said) in [
        ("payout", refusal(wallet.change_payout(AGENCY, PROGRAMME, &thiefs)).await),
        ("leave", refusal(wallet.leave_programme(AGENCY, PROGRAMME)).await),
        ("look", refusal(wallet.benefits()).await),
        (
            "attestation",
            refusal(wallet.get_attestation(AGENCY, "pensioner", Wanted::default())).await,
        ),
    ] {
        assert!(said.contains("membership.frozen"), "{what}: {said}");
    }
    let said = refusal(wallet.enrol(AGENCY, PROGRAMME, &mut agree)).await;
    // Not before everybody has heard which identity was frozen with it.
    assert!(said.contains("membership.frozen"), "{said}");
    // Long after its rest the thief's account is paid nothing, and hers is again once she is back.
    office.advance(2 * REST);
    let december = office.prepare("2026-12").await.unwrap().envelope;
    office.approve(("approver", "wu"), &december).await.unwrap();
    let report = office.run(&december).await;
    assert_eq!((report.paid.count, report.returned.count), (0, 1));
    office.lift(0).await;
    // The agency may have fetched the list of who is suspended just before.
    office.advance(61);
    wallet.enrol(AGENCY, PROGRAMME, &mut agree).await.unwrap();
    let path = format!("/agencies/{AGENCY}/v1/desk/envelopes/{december}/reissues");
    office.officer((AGENCY, "desk", "li"), &path, &json!({})).await.unwrap();
    assert_eq!(office.run(&december).await.paid.count, 1);
    let file = wallet.benefits().await.unwrap().remove(0).file;
    assert_eq!(named(&file), (account, None));
    assert_eq!(office.left().await, MONTHLY);

    // The thief still knows the pseudonym's key: it decides nothing alone any more.
    let said = refusal(wallet.change_payout(AGENCY, PROGRAMME, &thiefs)).await;
    assert!(said.contains("membership.identity_wanted"), "{said}");
    let said = refusal(wallet.get_attestation(AGENCY, "pensioner", Wanted::default())).await;
    assert!(said.contains("membership.identity_wanted"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_frees_a_membership_once_it_is_known_which_one_was_frozen_with_it() {
    let office = Office::open(0).await;
    let (mut wallet, _, sheet, _) = office.stolen().await;
    office.freeze(&sheet).await;
    // The officer frees the identity within the minute in which a thief's could still seem good.
    office.lift(0).await;
    office.clock.advance(Duration::from_millis(299_999));
    let said = refusal(wallet.free_memberships(&mut agree)).await;
    assert!(said.contains("membership.frozen"), "{said}");
    office.clock.advance(Duration::from_millis(1));
    assert_eq!(wallet.free_memberships(&mut agree).await.unwrap(), [AGENCY]);
    assert!(wallet.free_memberships(&mut agree).await.unwrap().is_empty());
    assert_eq!(wallet.benefits().await.unwrap()[0].file.state, "enrolled");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_is_paid_from_the_moment_its_rest_ends_and_the_first_named_again_gives_it_up()
 {
    let office = Office::open(0).await;
    let (mut wallet, account) = office.member(0).await;
    let (_, other) = office.resident(1).await;
    with_account(&mut wallet, &other);
    wallet.change_payout(AGENCY, PROGRAMME, &other).await.unwrap();
    office.advance(1);
    let file = wallet.change_payout(AGENCY, PROGRAMME, &account).await.unwrap();
    assert_eq!((file.account.as_str(), file.next_account), (account.as_str(), None));
    office.advance(1);
    wallet.change_payout(AGENCY, PROGRAMME, &other).await.unwrap();
    office.clock.advance(Duration::from_millis(REST * 1000 - 1));
    let file = wallet.benefits().await.unwrap().remove(0).file;
    assert!(file.account == account && file.next_account.is_some());
    office.clock.advance(Duration::from_millis(1));
    let file = wallet.benefits().await.unwrap().remove(0).file;
    assert_eq!((file.account, file.next_account), (other, None));
}
