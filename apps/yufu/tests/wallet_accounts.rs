//! The wallet's commands about whole accounts, as a person types them, each in a process of its own:
//! purses, linked accounts, sub-wallets, which account pays, moving to another wallet, recovery.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use support::terminal::{Terminal, account_in, code, resident};
use support::{Caller, Data, JIANGCHENG, LIANGHU, Resident, Server, fen, run, text};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PHONE: &str = "+99900000001";

/// Notes into an account at its bank's desk.
async fn fund(caller: &Caller, bank: &str, account: &str, yuan: u64) {
    let body =
        json!({"direction": "deposit_to_digital", "account": account, "amount_minor": fen(yuan)});
    let path = format!("/banks/{bank}/v1/desk/exchanges");
    caller.post(&path, Some(&caller.desk(bank)), &body).await.done();
}

/// An officer's answer from a bank's desk.
async fn officer(caller: &Caller, bank: &str, below: &str, body: &Value) -> Value {
    let bearer = format!("Bearer {}", caller.desk(bank));
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
        ("operator", "teller-1"),
    ];
    let path = format!("/banks/{bank}/v1/desk/{below}");
    let body = serde_json::to_vec(body).unwrap();
    caller.send("POST", &path, &headers, body).await.unwrap().done()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purse_is_opened_by_a_code_or_by_a_token_and_pays() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let shop = caller.business(LIANGHU, 0).await.id.to_string();
    let somebody = Terminal::of(&caller, "somebody");
    somebody.refused(&["purse", "code", "000000"], "no purse waits");
    somebody.refused(&["purse", "open", JIANGCHENG], "required");
    let said = somebody.says(&["purse", "open", JIANGCHENG, PHONE]);
    assert!(said.contains("A code was sent"), "{said}");
    let right = code(&caller).await;
    let purse = account_in(&somebody.says(&["purse", "code", &right]));
    fund(&caller, JIANGCHENG, &purse, 100).await;
    let paid = somebody.says(&["pay", &shop, "18.00", "Noodles"]);
    assert!(paid.contains("82.00 CNY remain"), "{paid}");
    somebody.refused(&["purse", "code", &right], "no purse waits");

    let token = officer(&caller, JIANGCHENG, "tokens", &json!({"class": "IV"})).await;
    let token = token["token"].as_str().unwrap();
    let other = Terminal::of(&caller, "other");
    let said = other.says(&["purse", "open", JIANGCHENG, "--token", token]);
    assert!(said.contains("class IV"), "{said}");
    other.refused(&["purse", "open", JIANGCHENG, "--token", token], "token.used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_account_is_linked_and_the_account_that_is_named_pays() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (name, first) = resident(&caller, 7).await;
    let mei = Terminal::of(&caller, &name);
    let second = account_in(&mei.says(&["open", LIANGHU]));
    fund(&caller, LIANGHU, &second, 50).await;

    // What the other bank is to state is the key of the account that is to get the class.
    let thumbprint = mei.says(&["--from", &first, "link"]);
    let body = json!({
        "reference": "link-1", "audience": JIANGCHENG, "wallet_key_thumbprint": thumbprint,
    });
    let stated = officer(&caller, LIANGHU, "statements", &body).await;
    let statement = stated["statement"].as_str().unwrap();
    mei.refused(&["--from", LIANGHU, "link", statement], "statement.refused");
    mei.says(&["--from", JIANGCHENG, "link", statement, "--class", "II"]);
    let shown = mei.says(&["show"]);
    assert!(shown.contains("class II "), "{shown}");

    let shop = caller.business(JIANGCHENG, 0).await.id.to_string();
    let paid = mei.says(&["--from", LIANGHU, "pay", &shop, "1.00"]);
    assert!(paid.contains("49.00 CNY remain"), "{paid}");
    let paid = mei.says(&["--from", first.get(..8).unwrap(), "pay", &shop, "1.00"]);
    assert!(paid.contains("599.00 CNY remain"), "{paid}");
    let paid = mei.says(&["pay", &shop, "1.00"]);
    assert!(paid.contains("598.00 CNY remain"), "the first pays if none is named: {paid}");
    mei.refused(&["--from", "no-bank", "pay", &shop, "1.00"], "no account here");
    mei.refused(&["--from", "", "pay", &shop, "1.00"], "name one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_wallet_is_pushed_to_a_payee_filled_used_listed_and_closed() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (name, account) = resident(&caller, 8).await;
    let (mei, metro) = (Terminal::of(&caller, &name), Terminal::of(&caller, "metro"));
    let gate = caller.business(LIANGHU, 0).await.id.to_string();
    let key = metro.says(&["invite"]);
    let limits = ["--per-payment", "10", "--per-day", "30", "--balance", "100"];
    let open = |key: &str| {
        let mut open = vec!["sub-wallet", "open", key, &gate, "Metro"];
        open.extend(limits);
        mei.type_in(&open)
    };
    assert!(text(&open("x").stderr).contains("this is no key"));
    let opened = open(&key);
    assert!(opened.status.success(), "{}", text(&opened.stderr));
    let sub = account_in(&text(&opened.stdout));
    let said = mei.says(&["sub-wallet", "fund", &sub, "50"]);
    assert!(said.contains("50.00 CNY"), "{said}");
    mei.refused(&["sub-wallet", "fund", &sub, "50.01"], "sub_wallet.limit_exceeded.balance");
    mei.refused(&["sub-wallet", "fund", &account, "1"], "request.not_found");

    metro.refused(&["sub-wallet", "take", JIANGCHENG, &account], "no key that this wallet showed");
    let taken = metro.says(&["sub-wallet", "take", JIANGCHENG, &sub]);
    assert!(taken.contains("50.00 CNY"), "{taken}");
    metro.says(&["pay", &gate, "10.00"]);
    metro.refused(&["pay", &gate, "10.01"], "sub_wallet.limit_exceeded.single");
    let listed = mei.says(&["sub-wallet", "list"]);
    assert!(listed.contains(&sub) && listed.contains("Metro  40.00 CNY"), "{listed}");

    mei.says(&["sub-wallet", "close", &sub]);
    assert_eq!(mei.says(&["sub-wallet", "list"]), "");
    let shown = mei.says(&["show"]);
    assert!(shown.contains("590.00 CNY"), "what it held came back: {shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_handed_over_to_another_providers_wallet_and_recovered_after_a_loss() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut row = Resident::of(&caller, 9);
    let (offer, pin) = row.offer(&caller).await;
    row.wallet.of_provider("jiangcheng-pay").unwrap();
    let name = row.name.clone();
    drop(row);
    let (old, new) = (Terminal::of(&caller, &name), Terminal::of(&caller, "new-phone"));
    old.says(&["--provider", "jiangcheng-pay", "get", &offer, "--code", &pin]);
    let account = account_in(&old.says(&["open", LIANGHU]));
    fund(&caller, LIANGHU, &account, 70).await;
    let shown = old.says(&["show"]);
    assert!(shown.contains("through jiangcheng-pay"), "{shown}");
    old.refused(&["--provider", "chutian-wallet", "show"], "this wallet is of jiangcheng-pay");

    let invitation = new.says(&["--provider", "chutian-wallet", "invite"]);
    old.refused(&["hand-over", "nonsense"], "this is no invitation");
    let order = old.says(&["hand-over", &invitation]);
    old.refused(&["take-over", &order], "for another wallet");
    let taken = new.says(&["take-over", &order]);
    assert!(taken.contains(&account), "{taken}");
    let shown = new.says(&["show"]);
    assert!(shown.contains("70.00 CNY  key handed over"), "{shown}");
    assert!(shown.contains("through chutian-wallet"), "{shown}");
    old.refused(&["pay", &account, "1.00"], "account.key_changed");
    let shown = old.says(&["show"]);
    assert!(shown.contains("let go here") && shown.contains("account_moved"), "{shown}");

    // The new phone is lost: the identity, on a third one, is enough.
    let third = Terminal::of(&caller, "third-phone");
    let row = Resident::of(&caller, 9);
    let (offer, pin) = row.offer(&caller).await;
    drop(row);
    // Her pseudonyms stay with the wallet whose secret they come from.
    third.says(&["get", &offer, "--code", &pin, "--without-pseudonyms"]);
    third.refused(&["recover", LIANGHU, "--class", "II"], "account.none_to_recover");
    let back = third.says(&["recover", LIANGHU, "--account", &account]);
    assert!(back.contains(&account), "{back}");
    let shown = third.says(&["show"]);
    assert!(shown.contains("70.00 CNY  key recovered"), "{shown}");
    new.refused(&["pay", &account, "1.00"], "account.key_changed");
}

#[test]
fn every_command_about_accounts_says_how_it_is_used() {
    let commands: [&[&str]; 13] = [
        &["invite"],
        &["hand-over"],
        &["take-over"],
        &["recover"],
        &["link"],
        &["purse", "open"],
        &["purse", "code"],
        &["sub-wallet", "open"],
        &["sub-wallet", "fund"],
        &["sub-wallet", "list"],
        &["sub-wallet", "close"],
        &["sub-wallet", "take"],
        &["payment-credential"],
    ];
    for command in commands {
        let mut arguments = vec!["wallet"];
        arguments.extend(command);
        arguments.push("--help");
        let help = text(&run(&arguments).stdout);
        assert!(
            help.contains("Example") && help.contains("yufu wallet --as"),
            "{command:?}: {help}"
        );
    }
}
