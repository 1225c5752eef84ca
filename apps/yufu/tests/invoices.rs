//! The adapter `bolt11` as people type it: an account pays for the withdrawal of a wallet that shows an invoice, and is
//! paid with somebody's notes by an invoice of its own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::json;
use support::notes::{MintOf, split};
use support::terminal::{Terminal, resident};
use support::{Data, JIANGCHENG, Server, changed_profile, run, text};
use yufu_ecash::{InvoiceKey, NewInvoice};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

#[tokio::test(flavor = "multi_thread")]
async fn an_account_pays_an_invoice_of_its_banks_mint_and_is_paid_by_one_of_its_own_once() {
    let data = Data::new();
    let profile = changed_profile(&data, "profile", |text| {
        text.replacen("[bearer_notes]\n", "[bearer_notes]\nbolt11 = true\n", 1)
    });
    let server = Server::start_with(&data, &["--profile", profile.to_str().unwrap()]);
    let caller = server.caller();
    let (mei, shop) = (resident(&caller, 7).await.0, resident(&caller, 8).await.0);
    let (mei, shop) = (Terminal::of(&caller, &mei), Terminal::of(&caller, &shop));
    let mint = MintOf::at(&caller, JIANGCHENG).await;
    let asked = json!({"amount": 700, "unit": "cny"});
    let quote = mint.post(&caller, "mint/quote/bolt11", &asked).await.done();
    let invoice = quote["request"].as_str().unwrap();
    let told = mei.says(&["cash", "pay-invoice", invoice]);
    assert!(told.contains("Paid for: 7.00 CNY"), "{told}");
    let blank = mint.blank(&split(700));
    let taking = json!({"quote": quote["quote"], "outputs": blank.messages});
    mint.post(&caller, "mint/bank", &taking).await.mint_refused("no such quote", 0);
    let made = mint.post(&caller, "mint/bolt11", &taking).await.done();
    let notes = mint.notes(&blank, &made["signatures"]);

    // Only what the bank knows is signed for.
    let new = |amount| NewInvoice {
        amount,
        description: format!(
            "yufu://{JIANGCHENG}/withdrawals/{}",
            quote["quote"].as_str().unwrap()
        ),
        distinct: [1; 32],
        issued_at: support::now().seconds(),
        valid_seconds: 600,
    };
    let forged = InvoiceKey::derive(&[1; 32]).unwrap().issue(&new(700)).unwrap();
    mei.refused(&["cash", "pay-invoice", &forged], "does not know the invoice");
    let own = shop.says(&["cash", "invoice", "7"]);
    mei.refused(&["cash", "pay-invoice", &own], "for no withdrawal");

    let asked = json!({"request": own, "unit": "cny"});
    let quotes = [
        mint.post(&caller, "melt/quote/bolt11", &asked).await.done(),
        mint.post(&caller, "melt/quote/bolt11", &asked).await.done(),
    ];
    assert_eq!(quotes[0]["amount"], 700);
    let pay = |quote: &serde_json::Value| json!({"quote": quote["quote"], "inputs": notes});
    let paid = mint.post(&caller, "melt/bolt11", &pay(&quotes[0])).await.done();
    assert_eq!(
        (&paid["state"], paid["payment_preimage"].as_str().unwrap().len()),
        (&json!("PAID"), 64)
    );
    let again = mint.post(&caller, "melt/bolt11", &pay(&quotes[1])).await;
    again.mint_refused("paid by another quote", 20006);
    assert!(shop.says(&["show"]).contains("607.00 CNY"));
    server.kill();
    let audited = run(&["audit", "--data", data.path().to_str().unwrap()]);
    assert!(audited.status.success(), "{}", text(&audited.stdout));
}
