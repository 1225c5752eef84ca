//! One refusal, said in two languages: over HTTP by `Accept-Language`, on the terminal by `--lang`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use support::{Account, Answer, Caller, Data, JIANGCHENG, Resident, Server, fen, run, text};
use yufu_payment::PaymentOrder;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const TITLE: &str = "本次金额¥6,000.00，超过单笔限额¥5,000.00。";
const REMEDY: &str = "请将单笔金额控制在¥5,000.00以内，或出示身份凭证确认本笔付款。";

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_above_the_limit_is_refused_in_the_persons_language_and_its_step_up_is_asked_in_it()
 {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut resident = Resident::identified(&caller, 7).await;
    let account = resident.open_account(&caller, fen(10_000)).await;
    let shop = caller.business(JIANGCHENG, 0).await;

    // Over HTTP. The bank keeps the ledger's refusal and passes it on: the language is the asker's each time.
    let order = account.order(shop.id, fen(6_000), caller.id());
    let code = "transfer.limit_exceeded.single";
    let chinese = pay_in(&caller, &account, &order, "zh-CN,zh;q=0.9,en;q=0.1").await;
    let chinese = chinese.refused("in Chinese", 422, code);
    assert_eq!((&chinese["title"], &chinese["remedy"]), (&json!(TITLE), &json!(REMEDY)));
    let english = pay_in(&caller, &account, &order, "en;q=0.9, zh;q=0.1").await;
    let english = english.refused("the same order in English", 422, code);
    assert_eq!(english["title"], "¥6,000.00 is above the limit of ¥5,000.00 for one payment.");
    let remedy = "Pay ¥5,000.00 or less at a time, or confirm this payment with your identity.";
    assert_eq!(english["remedy"], remedy);
    let same = |body: &Value| (body["detail"].clone(), body["limit_minor"].clone());
    assert_eq!(same(&chinese), same(&english));

    // On the terminal, where nobody can be asked, and then with consent given beforehand.
    let name = resident.name.clone();
    drop(resident);
    let pay = |language: &str, yes: &[&str]| {
        let (payee, folder) = (shop.id.to_string(), data.path());
        let mut arguments = vec!["--lang", language, "wallet", "--url", &server.url, "--as", &name];
        arguments.extend(["--data", folder.to_str().unwrap(), "pay", &payee, "6000.00", "面馆"]);
        arguments.extend(yes);
        let output = run(&arguments);
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    let (paid, said) = pay("en", &["--no-step-up"]);
    assert!(!paid && said.contains("Refused: ¥6,000.00 is above the limit"), "{said}");
    let (paid, said) = pay("zh", &[]);
    assert!(!paid, "{said}");
    for part in [
        &format!("未能付款：{TITLE}{REMEDY}\n  {code}: "),
        "江城银行请您出示：",
        "付款6000.00元",
        "此处无法征求您的同意",
        "yufu：没有出示任何信息：本人不同意",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    let (paid, said) = pay("zh", &["--yes"]);
    assert!(paid && said.contains("已向面馆付款6000.00元，指令编号 "), "{said}");
    assert_eq!(caller.balance(&shop).await, fen(6_000));
}

async fn pay_in(caller: &Caller, payer: &Account, order: &PaymentOrder, wishes: &str) -> Answer {
    let path = format!("/banks/{}/v1/payments", payer.bank);
    let headers = [("content-type", "application/json"), ("accept-language", wishes)];
    let body = json!({"order": order.sign(&*payer.key).unwrap()});
    caller.send("POST", &path, &headers, serde_json::to_vec(&body).unwrap()).await.unwrap()
}
