//! Anonymous cash as people type it, each command in a process of its own, against the real banks' mints:
//! withdrawn, paid, received with and without network, taken back, redeemed, restored.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::Value;
use support::terminal::{Terminal, account_in, code, resident};
use support::{Caller, Data, JIANGCHENG, Server, run, text};
use yufu_ecash::{PaymentRequest, RequestedLock};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PHONE: &str = "+99900000001";

impl Terminal<'_> {
    fn cash(&self, arguments: &[&str]) -> String {
        self.says(&[&["cash"], arguments].concat())
    }

    fn no_cash(&self, arguments: &[&str], why: &str) {
        self.refused(&[&["cash"], arguments].concat(), why);
    }
}

/// A payer with 100 in notes, and a shop that has a purse.
async fn payer_and_shop(caller: &Caller) -> (Terminal<'_>, Terminal<'_>, String) {
    let (name, _) = resident(caller, 7).await;
    let mei = Terminal::of(caller, &name);
    let told = mei.cash(&["withdraw", "100"]);
    assert!(told.contains("learns that your account withdraws 100.00 CNY"), "{told}");
    assert!(told.contains("Withdrawn: 100.00 CNY") && told.contains("It rests until"), "{told}");
    assert!(!told.contains("From the amount"), "100 is a sum that others withdraw too: {told}");
    let shop = Terminal::of(caller, "shop");
    shop.says(&["purse", "open", JIANGCHENG, PHONE]);
    let purse = account_in(&shop.says(&["purse", "code", &code(caller).await]));
    (mei, shop, purse)
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_are_withdrawn_paid_received_and_redeemed_as_people_type_it() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mei, shop, purse) = payer_and_shop(&caller).await;
    mei.no_cash(&["pay", "18"], "0.00 CNY can be spent now, 100.00 CNY more after a rest");
    let token = mei.cash(&["pay", "18", "--hurry"]);
    assert!(token.starts_with("cashuB"), "{token}");
    assert_eq!(shop.cash(&["receive", &token]), "Received: 18.00 CNY.");
    let late = Terminal::of(&caller, "late");
    late.no_cash(&["receive", &token], "had been spent by others before");

    // As a request asks, locked to the shop's key.
    let request = shop.cash(&["request", "5", "--locked"]);
    let token = mei.cash(&["pay", "--request", &request, "--hurry"]);
    late.no_cash(&["receive", &token], "locked to a key that is not of this purse");
    assert_eq!(shop.cash(&["receive", &token]), "Received: 5.00 CNY.");

    // Nobody takes it: it comes back.
    mei.cash(&["pay", "7", "--hurry"]);
    let listed = mei.cash(&["list"]);
    let number = listed.lines().find(|line| line.contains("7.00 CNY not taken yet")).unwrap();
    let number = number.split(':').next().unwrap();
    assert_eq!(mei.cash(&["take-back", number]), "Taken back: 7.00 CNY.");
    let history = mei.says(&["history"]);
    assert!(history.contains("cash_taken_back  7.00 CNY  at bank-of-jiangcheng"), "{history}");

    let told = shop.cash(&["redeem", "20"]);
    assert!(told.contains("Redeemed to your account: 20.00 CNY"), "{told}");
    let shown = shop.says(&["show"]);
    assert!(shown.contains(&purse) && shown.contains("20.00 CNY"), "{shown}");
    assert!(shown.contains("cash_redeemed"), "{shown}");
    let history = mei.says(&["history"]);
    assert!(history.contains("cash_withdrawn") && history.contains("cash_paid"), "{history}");
    assert_eq!(mei.cash(&["settle"]), "0 steps are still under way.");

    assert_eq!(caller.supply().await["digital_in_notes"], 8_000);
    assert_eq!(caller.supply().await["balanced"], true);
    server.kill();
    let audited = run(&["audit", "--json", "--data", data.path().to_str().unwrap()]);
    assert!(audited.status.success(), "{audited:?}");
    let report: Value = serde_json::from_slice(&audited.stdout).unwrap();
    let out = |keyset: &Value| keyset["outstanding"].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(report["keysets"].as_array().unwrap().iter().map(out).sum::<u64>(), 8_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_locked_to_a_hash_is_opened_by_its_preimage_and_the_payer_is_told_it() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mei, shop, _) = payer_and_shop(&caller).await;
    let (preimage, wrong) = ("09".repeat(32), "08".repeat(32));
    let hash: String =
        yufu_jose::sha256(&[9; 32]).iter().map(|byte| format!("{byte:02x}")).collect();
    let lock = RequestedLock { kind: "HTLC".to_owned(), data: hash, tags: Vec::new() };
    let request = PaymentRequest {
        amount: Some(600),
        unit: Some("cny".to_owned()),
        lock: Some(lock),
        ..PaymentRequest::default()
    };
    let request = request.to_text().unwrap();
    let token = mei.cash(&["pay", "--request", &request, "--hurry"]);
    shop.no_cash(&["receive", &token], "is locked to a hash");
    shop.no_cash(&["receive", "--preimage", &wrong, &token], "not the preimage");
    assert_eq!(mei.cash(&["settle"]), "1 steps are still under way.", "nobody took it");
    assert_eq!(shop.cash(&["receive", "--preimage", &preimage, &token]), "Received: 6.00 CNY.");
    let settled = mei.cash(&["settle"]);
    let told = format!("was taken; the payee showed the preimage {preimage}.");
    assert!(settled.contains(&told) && settled.contains("0 steps"), "{settled}");
    let history = mei.says(&["history"]);
    assert!(history.contains("cash_opened") && history.contains(&preimage), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_once_in_the_persons_language_and_is_not_done_on_another_day() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mei, shop, _) = payer_and_shop(&caller).await;
    mei.no_cash(&["withdraw", "2000.01"], "at most 2000.00 CNY can be withdrawn at once");
    // More than the account holds: nothing waits for the day when it does.
    mei.no_cash(&["withdraw", "1500"], "withdraw less");
    assert_eq!(mei.cash(&["settle"]), "0 steps are still under way.");
    let mut chinese = Terminal::of(&caller, &mei.name);
    chinese.environment.push(("YUFU_LANG", "zh".to_owned()));
    chinese.no_cash(&["withdraw", "2000.01"], "一次最多可取2000.00元");
    chinese.no_cash(&["receive", "cashuX"], "这不是可以读取的现金凭证");
    chinese.no_cash(&["pay", "--request", "creqX"], "这不是可以读取的收款请求");
    chinese.no_cash(&["pay", "1", "--hurry", "--to-key", "02"], "这不是可以锁定现金的公钥");

    let token = mei.cash(&["pay", "3", "--hurry"]);
    shop.cash(&["receive", &token]);
    let late = Terminal::of(&caller, "late");
    late.no_cash(&["receive", &token], "notes worth 3.00 CNY had been spent by others before");
    let mut late = late;
    late.environment.push(("YUFU_LANG", "zh".to_owned()));
    late.no_cash(&["receive", &token], "这些现金此前已被别人花掉（3.00元）。请与付款人联系。");
}

/// The same wallet where nothing can be reached.
fn without_network(data: &Data) -> Caller {
    Caller::new("http://127.0.0.1:1", &data.path())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_network_locked_notes_are_taken_shown_as_pending_and_collected_later() {
    let data = Data::new();
    let server = Server::start(&data);
    let (caller, nowhere) = (server.caller(), without_network(&data));
    let (mei, shop, _) = payer_and_shop(&caller).await;
    let till = Terminal::of(&nowhere, "shop");
    till.no_cash(&["request", "4", "--offline"], "run `yufu wallet cash prepare` once");
    till.no_cash(&["prepare"], "http://127.0.0.1:1 did not answer");
    let prepared = shop.cash(&["prepare"]);
    assert!(prepared.contains("Notes of bank-of-jiangcheng can be taken"), "{prepared}");
    let key = till.cash(&["key"]);
    let locked = mei.cash(&["pay", "4", "--to-key", &key, "--hurry"]);
    let unlocked = mei.cash(&["pay", "3", "--offline", "--hurry"]);
    let bare = mei.cash(&["pay", "2", "--hurry"]);
    let taken = till.cash(&["receive", "--offline", &locked]);
    assert!(taken.starts_with("Taken without network: 4.00 CNY."), "{taken}");
    assert!(taken.contains("4.00 CNY of it is pending: nobody else can spend it until"), "{taken}");
    till.no_cash(&["receive", "--offline", &locked], "is in this purse already");
    till.no_cash(&["receive", "--offline", &unlocked], "not locked to this purse");
    till.no_cash(&["receive", "--offline", &bare], "carries no proof");
    let risky = ["receive", "--offline", "--risk-limit", "3", &unlocked];
    let taken = till.cash(&risky);
    assert!(taken.contains("3.00 CNY of it is at risk: its payer can spend it too"), "{taken}");
    let listed = till.cash(&["list"]);
    assert!(listed.contains("taken without network: pending"), "{listed}");
    assert!(listed.contains("taken without network: at risk"), "{listed}");
    let together = "in all: 0.00 CNY safe, 4.00 CNY pending, 3.00 CNY at risk";
    assert!(listed.contains(together), "{listed}");
    let history = till.says(&["history"]);
    assert!(history.contains("cash_pending     4.00 CNY  at bank-of-jiangcheng"), "{history}");
    // The payer was faster with what was not locked; that spoils nothing else.
    let late = Terminal::of(&caller, "late");
    assert_eq!(late.cash(&["receive", &unlocked]), "Received: 3.00 CNY.");
    till.no_cash(&["settle"], "http://127.0.0.1:1 did not answer");
    let settled = shop.cash(&["settle"]);
    assert!(settled.contains("notes worth 3.00 CNY had been spent by others before"), "{settled}");
    let listed = shop.cash(&["list"]);
    assert!(listed.contains("4.00 CNY ready") && !listed.contains("without network"), "{listed}");
    let history = shop.says(&["history"]);
    assert!(history.contains("cash_received    4.00 CNY"), "{history}");
    assert!(history.contains("cash_lost        3.00 CNY"), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_asks_without_network_and_is_paid_with_what_it_can_check_in_either_language() {
    let data = Data::new();
    let server = Server::start(&data);
    let (caller, nowhere) = (server.caller(), without_network(&data));
    let (mei, shop, _) = payer_and_shop(&caller).await;
    let mut till = Terminal::of(&nowhere, "shop");
    till.environment.push(("YUFU_LANG", "zh".to_owned()));
    till.no_cash(&["request", "4", "--offline"], "请在有网络时运行一次 `yufu wallet cash prepare`");
    shop.cash(&["prepare"]);
    let request = till.cash(&["request", "4", "--offline"]);
    assert!(request.starts_with("creqA"), "{request}");
    // The payer is told, and need not know how it is done.
    let paid = mei.type_in(&["cash", "pay", "--request", &request, "--hurry"]);
    let (token, told) = (text(&paid.stdout), text(&paid.stderr));
    assert!(told.contains("The payee has no network: proofs go along"), "{told}");
    let taken = till.cash(&["receive", "--offline", token.trim()]);
    assert!(taken.starts_with("已离线收取：4.00元。\n其中4.00元待收"), "{taken}");
    // How much may be at risk its owner says once.
    let bare = mei.cash(&["pay", "3", "--offline", "--hurry"]);
    till.no_cash(&["receive", "--offline", &bare], "未锁定的现金付款人可以再次花掉，离线不予接受");
    assert_eq!(till.cash(&["risk-limit"]), "离线时，只收取锁定给本钱包的现金。");
    let set = till.cash(&["risk-limit", "5"]);
    assert_eq!(set, "离线时，未锁定给本钱包的现金合计最多收取5.00元");
    let taken = till.cash(&["receive", "--offline", &bare]);
    assert!(taken.contains("其中3.00元有风险"), "{taken}");
    let more = mei.cash(&["pay", "2.5", "--offline", "--hurry"]);
    till.no_cash(&["receive", "--offline", &more], "离线不予接受");
    let listed = till.cash(&["list"]);
    assert!(listed.contains("离线收取合计：安全0.00元，待收4.00元，有风险3.00元"), "{listed}");
    till.no_cash(&["settle"], "没有答复");
    assert_eq!(shop.cash(&["settle"]), "0 steps are still under way.");
    assert!(shop.cash(&["list"]).contains("7.00 CNY ready"));
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_come_back_from_their_words_and_a_backup_asks_the_mints_first() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mei, shop, _) = payer_and_shop(&caller).await;
    let words = mei.cash(&["words"]);
    assert_eq!(words.split(' ').count(), 12);
    let backup = data.path().join("mei.backup");
    let backup = backup.to_str().unwrap();
    mei.says(&["backup", backup]);
    let token = mei.cash(&["pay", "18", "--hurry"]);
    shop.cash(&["receive", &token]);

    let mut lost = Terminal::of(&caller, "new-phone");
    lost.environment.push(("YUFU_WALLET_WORDS", words.clone()));
    assert_eq!(lost.cash(&["restore", "--from-words"]), "Unspent: 82.00 CNY.");
    let mut other = Terminal::of(&caller, "shop");
    other.environment.push(("YUFU_WALLET_WORDS", words));
    other.no_cash(&["restore", "--from-words"], "notes from other words");

    let back = Terminal::of(&caller, "from-backup");
    back.says(&["restore", backup]);
    back.no_cash(&["pay", "1", "--hurry"], "from a backup");
    assert_eq!(back.cash(&["restore"]), "Unspent: 82.00 CNY.");
    let token = back.cash(&["pay", "1", "--hurry"]);
    assert_eq!(shop.cash(&["receive", &token]), "Received: 1.00 CNY.");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_city_moves_to_other_addresses_notes_and_tokens_are_as_good_as_before() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mei, shop, _) = payer_and_shop(&caller).await;
    let token = mei.cash(&["pay", "18", "--hurry"]);
    // The shop has met the bank before, where it was.
    shop.cash(&["request"]);
    let (mei, shop) = (mei.name, shop.name);
    server.kill();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mei, shop) = (Terminal::of(&caller, &mei), Terminal::of(&caller, &shop));
    assert_eq!(shop.cash(&["receive", &token]), "Received: 18.00 CNY.");
    assert_eq!(mei.cash(&["settle"]), "0 steps are still under way.");
    let listed = mei.cash(&["list"]);
    assert!(
        listed.contains("82.00 CNY resting") && listed.matches("resting").count() == 1,
        "{listed}"
    );
    shop.cash(&["redeem", "18"]);
    assert_eq!(caller.supply().await["digital_in_notes"], 8_200);
}
