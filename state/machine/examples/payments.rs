//! Measures what applying a payment costs, beside hashing the same bytes with BLAKE3.
//! `cargo run --release -p yufu-machine --example payments [wallets] [payments]`
#![expect(
    clippy::disallowed_methods,
    clippy::float_arithmetic,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    reason = "a measurement reads the monotonic clock and prints ratios"
)]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;
use yufu_base::{
    AccountId, Amount, CommandId, Currency, Digest, PublicKey, Signature, Stamp, StateMachine,
    Timestamp,
};
use yufu_machine::{
    Action, Authorisation, ClassId, Direction, Limits, Machine, Order, Policy, PolicyTerms,
    Submission, UtcOffset, WalletClass,
};

const BATCH: u64 = 2_000;
const START: Timestamp = Timestamp::from_seconds(1_767_225_600);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let wallets: u64 = arguments.next().map_or(Ok(1_000_000), |n| n.parse())?;
    let payments: u64 = arguments.next().map_or(Ok(1_000_000), |n| n.parse())?;
    let mut machine = Machine::new();
    let mut id = 0;
    for (by, action) in furnishing(wallets)? {
        id += 1;
        let command = submission(by, START, id, action)?;
        machine.apply(Stamp { at: START }, &command)?;
    }
    let mut applying = 0.0;
    let mut hashing = 0.0;
    let mut accepted = 0_u64;
    let mut done = 0;
    while done < payments {
        let now = START.plus_seconds(done / BATCH);
        let batch: Vec<Submission> =
            (done..done + BATCH).map(|n| payment(wallets, now, n)).collect::<Result<_, _>>()?;
        let bytes: Vec<Vec<u8>> = batch.iter().map(borsh::to_vec).collect::<Result<_, _>>()?;
        let began = Instant::now();
        for command in &batch {
            accepted += u64::from(machine.apply(Stamp { at: now }, black_box(command)).is_ok());
        }
        applying += began.elapsed().as_secs_f64();
        let began = Instant::now();
        for bytes in &bytes {
            black_box(Digest::of(black_box(bytes)));
        }
        hashing += began.elapsed().as_secs_f64();
        done += BATCH;
    }
    let began = Instant::now();
    let hash = machine.state_hash();
    let state = began.elapsed().as_secs_f64();
    let (per_payment, per_hash) = (applying / to_f64(done), hashing / to_f64(done));
    println!("{wallets} wallets, {done} payments, {accepted} accepted");
    println!(
        "applying {:.0} ns a payment, {:.2} million a second",
        per_payment * 1e9,
        1e-6 / per_payment
    );
    println!(
        "hashing the same bytes {:.0} ns; applying costs {:.1} times that",
        per_hash * 1e9,
        per_payment / per_hash
    );
    println!("state hash {hash} in {:.0} ms", state * 1e3);
    Ok(())
}

fn to_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The commands that open a ledger with two banks and fill every wallet.
fn furnishing(wallets: u64) -> Result<Vec<(&'static str, Action)>, Box<dyn Error>> {
    let limits = Limits {
        per_payment: Some(200_000),
        per_day: Some(500_000),
        per_year: Some(5_000_000),
        balance: Some(1_000_000),
    };
    let class = ClassId::new("IV")?;
    let policy = Policy::new(PolicyTerms {
        classes: [(class, WalletClass { ordinary: limits, stepped_up: None })].into(),
        offsets: vec![UtcOffset { from: Timestamp::from_millis(0), seconds_east: 28_800 }],
        id_retention_seconds: 86_400,
        id_future_tolerance_seconds: 60,
    })?;
    let currency = Currency::new("CNY")?;
    let central_bank = "central-bank".parse()?;
    let mut actions =
        vec![("central-bank", Action::Genesis { currency, central_bank, key: key()?, policy })];
    let stock = Amount::new(currency, wallets * 100_000);
    for bank in ["bank-a", "bank-b"] {
        let name = || bank.parse();
        actions.push(("central-bank", Action::RegisterBank { bank: name()?, key: key()? }));
        actions.push(("central-bank", Action::CreateReserves { bank: name()?, amount: stock }));
        actions.push(("central-bank", Action::Issue { bank: name()?, amount: stock }));
        actions.push((bank, Action::CreditDeposits { amount: stock }));
    }
    for number in 0..wallets {
        let (bank, account) = (bank_of(number), account(number));
        let amount = Amount::new(currency, 100_000);
        actions.push((bank, Action::OpenWallet { account, class }));
        let direction = Direction::DepositToDigital(account);
        actions.push((bank, Action::Exchange { direction, amount }));
    }
    Ok(actions)
}

fn payment(wallets: u64, now: Timestamp, number: u64) -> Result<Submission, Box<dyn Error>> {
    let payer = spread(number) % wallets;
    let payee = spread(number + 1_000_000_007) % wallets;
    let action = Action::Pay {
        payer: account(payer),
        payee: account(payee),
        amount: Amount::new(Currency::new("CNY")?, 1 + number % 500),
        order: Digest([7; 32]),
        authorisation: Authorisation::Ordinary,
    };
    submission(bank_of(payer), now, u128::from(spread(number)) + (1 << 70), action)
}

fn submission(
    by: &str,
    now: Timestamp,
    id: u128,
    action: Action,
) -> Result<Submission, Box<dyn Error>> {
    let order = Order { id: CommandId::at(now, id), action };
    Ok(Submission { institution: by.parse()?, key: key()?, order, signature: Signature([0; 64]) })
}

fn key() -> Result<PublicKey, Box<dyn Error>> {
    Ok(PublicKey::from_uncompressed(&[4; 65]).ok_or("not a point")?)
}

const fn bank_of(wallet: u64) -> &'static str {
    if wallet.is_multiple_of(2) { "bank-a" } else { "bank-b" }
}

fn account(number: u64) -> AccountId {
    AccountId::new((u128::from(spread(number)) << 64) | u128::from(number))
}

/// A number without pattern for each number (the finaliser of SplitMix64).
const fn spread(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
