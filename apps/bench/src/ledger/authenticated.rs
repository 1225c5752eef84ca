//! Payments whose orders wallets signed: each order is read and its signature checked, and the
//! payment is applied. What that costs beside the bare check of a signature.

use super::workload::{Country, LIST, account};
use crate::stopwatch::{Stopwatch, number};
use crate::{Figure, Yardstick};
use anyhow::{Context, Result, ensure};
use std::hint::black_box;
use yufu_base::{Amount, Currency, Digest, Signer as _, Stamp, StateMachine as _};
use yufu_jose::SoftwareKey;
use yufu_machine::{Action, Authorisation, Order, Orders};
use yufu_payment::{PaymentOrder, SignedOrder};

const LEDGER: &str = "central-bank";
const WALLETS: usize = 1_000;

pub(super) fn measure(payments: usize) -> Result<Figure> {
    let mut country = Country::new(WALLETS)?;
    let mut machine = country.opened()?;
    let wallet = SoftwareKey::from_seed(&[9; 32])?;
    let signed = signed(&mut country, &wallet, payments)?;
    let (now, key) = (country.now, wallet.public_key());

    let watch = Stopwatch::start();
    let mut done = 0_usize;
    for texts in signed.chunks(LIST) {
        let mut orders = Vec::with_capacity(texts.len());
        for text in texts {
            let order = SignedOrder::parse(text)?.verify(&key, LEDGER, now)?;
            let commitment = Digest::of(text.as_bytes());
            let PaymentOrder { id, payer, payee, amount, .. } = order;
            let authorisation = Authorisation::Ordinary;
            let action = Action::Pay { payer, payee, amount, order: commitment, authorisation };
            orders.push(Order { id, action });
        }
        let list = country.signed_by(0, Action::Each { orders: Orders::new(orders)? })?;
        list.prepare();
        let outcome = machine.apply(Stamp { at: now }, &list);
        let each = outcome.map_err(|refusal| anyhow::anyhow!("{refusal}"))?.each;
        let each = each.context("a list has outcomes")?;
        ensure!(each.iter().all(Result::is_ok), "a payment was refused");
        done = done.saturating_add(each.len());
    }
    let micros = watch.cpu_seconds() * 1e6 / number(done);

    let message = vec![0x33; signed.first().map_or(0, |text| text.len().saturating_sub(87))];
    let signature = wallet.sign(&message)?;
    let watch = Stopwatch::start();
    for _ in 0..done {
        ensure!(yufu_jose::verify(&key, black_box(&message), &signature).is_ok(), "no signature");
    }
    let yardstick = Yardstick {
        name: "the bare signature check (ES256)".to_owned(),
        value: watch.cpu_seconds() * 1e6 / number(done),
        unit: "CPU us",
    };
    let target = "at most 1.3 times the bare check";
    Ok(Figure::beside("authenticated", micros, "CPU us", yardstick, target))
}

/// Orders of the first bank's wallets, signed.
fn signed(country: &mut Country, wallet: &SoftwareKey, count: usize) -> Result<Vec<String>> {
    let mut texts = Vec::with_capacity(count);
    while texts.len() < count {
        let (payer, payee) = country.pair();
        if !payer.is_multiple_of(2) {
            continue;
        }
        let order = PaymentOrder {
            ledger: LEDGER.to_owned(),
            id: country.payment((payer, payee)).id,
            payer: account(payer),
            payee: account(payee),
            payee_name: "Noodle shop".to_owned(),
            amount: Amount::new(Currency::new("XTS")?, 1_800),
            expires: country.now.plus_seconds(600),
        };
        texts.push(order.sign(wallet)?);
    }
    Ok(texts)
}
