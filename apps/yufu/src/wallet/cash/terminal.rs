//! `yufu wallet cash`.

use super::moving::CashTerms;
use super::refusing::PurseFault;
use super::telling::told_limit;
use crate::command_line::{CashAction, CashPayment};
use crate::wallet::holder::{Decide, Holder};
use crate::wallet::terminal::{print, time};
use crate::words::{plain, say, sum, text};
use anyhow::{Context, Result, bail};
use yufu_ecash::PaymentRequest;
use yufu_purse::{Outcome, Progress};
use zeroize::Zeroizing;

/// Where scripts put the words.
const VARIABLE: &str = "YUFU_WALLET_WORDS";

pub(in crate::wallet) async fn act(
    holder: &mut Holder,
    action: CashAction,
    decide: Decide<'_>,
) -> Result<()> {
    if !action.is_offline() {
        // Whose mints there are, and where, is never older than this.
        holder.trust().await?;
    }
    holder.follow_mints()?;
    let minor = |holder: &Holder, text: &str| holder.parse_amount(text);
    match action {
        CashAction::Withdraw { amount } => withdraw(holder, &amount).await?,
        CashAction::Pay(payment) => pay(holder, payment).await?,
        CashAction::Receive { token, offline, risk_limit, preimage } => {
            if offline {
                holder.must_be_prepared()?;
                let limit = risk_limit.map(|limit| minor(holder, &limit)).transpose()?;
                let taken = holder.receive_cash_offline(&token, limit.map(|l| l.minor()))?;
                print(&holder.told_of_taken(&taken)?)?;
            } else {
                let preimage = preimage.as_deref().map(read_preimage).transpose()?;
                let received = holder.receive_cash(&token, preimage).await?;
                say!("Received: {amount}.", amount = sum(&holder.money_here(received)?));
            }
        }
        CashAction::Redeem { amount } => redeem(holder, &amount).await?,
        CashAction::Request { amount, locked, offline } => {
            request(holder, amount.as_deref(), (locked, offline)).await?;
        }
        CashAction::Prepare => prepare(holder).await?,
        CashAction::RiskLimit { amount } => risk_limit(holder, amount.as_deref())?,
        CashAction::Allowance { bank } => allowance(holder, &bank, decide).await?,
        CashAction::TopUp { bank, amount } => top_up(holder, &bank, &amount).await?,
        CashAction::Invoice { amount } => {
            let amount = minor(holder, &amount)?;
            println!("{}", holder.make_invoice(amount.minor()).await?);
        }
        CashAction::PayInvoice { invoice } => pay_invoice(holder, &invoice).await?,
        CashAction::Key => println!("{}", holder.cash_key()?),
        CashAction::List => print(&holder.told_of_cash()?)?,
        CashAction::Settle => settle(holder).await?,
        CashAction::TakeBack { number } => take_back(holder, number).await?,
        CashAction::Token { number } => println!("{}", holder.cash_token(number)?),
        CashAction::Words => {
            println!("{}", *holder.cash_words()?);
            let said = text!("Write them down, and show them to nobody: they are the notes.");
            eprintln!("{said}");
        }
        CashAction::Restore { from_words, banks } => {
            let words = if from_words { Some(words()?) } else { None };
            let words = words.as_ref().map(|words| words.as_str());
            let amount = holder.restore_cash(words, &banks).await?;
            say!("Unspent: {amount}.", amount = sum(&holder.money_here(amount)?));
        }
    }
    Ok(())
}

async fn withdraw(holder: &mut Holder, amount: &str) -> Result<()> {
    let amount = holder.parse_amount(amount)?;
    print(&holder.told_of_withdrawal(amount.minor())?)?;
    let rests = holder.withdraw_cash(amount).await?;
    let amount = sum(&holder.money_here(amount.minor())?);
    say!("Withdrawn: {amount}.", amount = amount);
    if let Some(until) = rests {
        say!("It rests until {time} at the latest.", time = time(until)?);
    }
    Ok(())
}

async fn request(
    holder: &mut Holder,
    amount: Option<&str>,
    (locked, offline): (bool, bool),
) -> Result<()> {
    if offline {
        holder.must_be_prepared()?;
    }
    let amount = amount.map(|amount| holder.parse_amount(amount)).transpose()?;
    let amount = amount.map(|amount| amount.minor());
    let request = match offline {
        true => holder.request_cash_offline(amount)?,
        false => holder.request_cash(amount, locked).await?,
    };
    println!("{request}");
    Ok(())
}

async fn prepare(holder: &mut Holder) -> Result<()> {
    let prepared = holder.prepare_till().await?;
    for bank in &prepared.banks {
        say!("Notes of {bank} can be taken without network from now on.", bank = bank);
    }
    for (bank, why) in &prepared.unready {
        eprintln!("{}", text!("Notes of {bank} cannot: {why}", bank = bank, why = why));
    }
    if prepared.banks.is_empty() {
        bail!(text!("no bank's notes can be taken without network: try again later"));
    }
    say!(
        "Then `yufu wallet cash request 18 --offline` asks for a payment, and `yufu wallet cash receive --offline` takes it."
    );
    Ok(())
}

/// Shows how much is taken at a risk without network, or sets it.
fn risk_limit(holder: &mut Holder, amount: Option<&str>) -> Result<()> {
    if let Some(amount) = amount {
        holder.must_be_prepared()?;
        let limit = holder.parse_amount(amount)?.minor();
        holder.set_risk_limit(limit)?;
    }
    match holder.risk_limit() {
        0 => say!("Without network only notes are taken that are locked to this wallet."),
        limit => print(&[told_limit(&sum(&holder.money_here(limit)?))])?,
    }
    Ok(())
}

async fn settle(holder: &mut Holder) -> Result<()> {
    let settled = holder.settle_cash().await?;
    for (number, preimage) in &settled.opened {
        opened(*number, preimage);
    }
    for line in settled.refused.iter().chain(&settled.unanswered) {
        print(std::slice::from_ref(line))?;
    }
    say!("{count} steps are still under way.", count = settled.left);
    if !settled.unanswered.is_empty() {
        bail!(text!("not everybody answered: run `yufu wallet cash settle` again later"));
    }
    Ok(())
}

async fn take_back(holder: &mut Holder, number: u64) -> Result<()> {
    match holder.take_back_cash(number).await? {
        Progress::Done(Outcome::TakenBack(amount)) => {
            say!("Taken back: {amount}.", amount = sum(&holder.money_here(amount)?));
        }
        Progress::Done(Outcome::Taken { preimage: Some(preimage), .. }) => {
            opened(number, &preimage);
        }
        _ => say!("The payee has taken it."),
    }
    Ok(())
}

/// What a payee showed to take a payment that was locked to a hash.
fn opened(number: u64, preimage: &str) {
    say!(
        "Payment {number} was taken; the payee showed the preimage {preimage}.",
        number = number,
        preimage = preimage
    );
}

async fn redeem(holder: &mut Holder, amount: &str) -> Result<()> {
    let amount = holder.parse_amount(amount)?;
    holder.redeem_cash(amount.minor()).await?;
    let amount = sum(&holder.money_here(amount.minor())?);
    say!("Redeemed to your account: {amount}. The bank knows that you did.", amount = amount);
    Ok(())
}

async fn allowance(holder: &mut Holder, bank: &str, decide: Decide<'_>) -> Result<()> {
    let count = holder.get_tokens(bank, decide).await?;
    say!(
        "{count} tokens for {bank}: each lets you pay in cash there once, without saying who you are.",
        count = count,
        bank = bank
    );
    Ok(())
}

async fn top_up(holder: &mut Holder, bank: &str, amount: &str) -> Result<()> {
    let amount = holder.parse_amount(amount)?;
    let paying = holder.pay_in_cash(bank, amount).await?;
    println!("{}", paying.quote);
    let (amount, left) = (sum(&holder.money_here(amount.minor())?), holder.tokens_for(bank)?);
    let said = text!(
        "Pay in {amount} at a counter of {bank}, which needs to see the line above; then `yufu wallet cash settle`. {left} tokens are left.",
        amount = amount,
        bank = bank,
        left = left
    );
    eprintln!("{said}");
    if let Some(until) = paying.until {
        eprintln!("{}", text!("It can be paid until {time}.", time = time(until)?));
    }
    Ok(())
}

async fn pay_invoice(holder: &mut Holder, invoice: &str) -> Result<()> {
    let paid = holder.pay_invoice(invoice).await?;
    say!(
        "Paid for: {amount}. The wallet that showed the invoice can take its notes.",
        amount = sum(&holder.money_here(paid)?)
    );
    Ok(())
}

async fn pay(holder: &mut Holder, payment: CashPayment) -> Result<()> {
    let CashPayment { amount, request, to_key, offline, hurry } = payment;
    let said = request.as_deref().map(PaymentRequest::parse).transpose();
    if let Some(said) = said.map_err(PurseFault::from)? {
        told_of_request(&said);
    }
    let amount = amount.map(|amount| holder.parse_amount(&amount)).transpose()?;
    let amount_minor = amount.map(|amount| amount.minor());
    let terms = CashTerms { amount_minor, request, key: to_key, offline, hurry };
    let paid = holder.pay_cash(&terms).await?;
    match paid.token {
        Some(token) => {
            println!("{token}");
            let amount = sum(&holder.money_here(paid.amount_minor)?);
            let said = text!(
                "Hand this to the payee: whoever has it first has {amount}. Payment {number}; `yufu wallet cash take-back {number}` if it is not taken.",
                amount = amount,
                number = paid.number
            );
            eprintln!("{said}");
        }
        None => {
            let amount = sum(&holder.money_here(paid.amount_minor)?);
            say!(
                "Sent to the payee: {amount}, payment {number}.",
                amount = amount,
                number = paid.number
            );
        }
    }
    Ok(())
}

/// What a request says beside the sum, before it is paid.
fn told_of_request(request: &PaymentRequest) {
    if let Some(words) = &request.description {
        let said = text!("The payee says: {words}", words = words);
        eprintln!("{}", plain(&said));
    }
    if request.offline {
        let said = text!(
            "The payee has no network: proofs go along. With them it and the bank could find which notes these were made from, not who withdrew those."
        );
        eprintln!("{said}");
    }
}

/// The words of notes that are to come back: from the environment, else asked without echo.
fn words() -> Result<Zeroizing<String>> {
    if let Ok(words) = std::env::var(VARIABLE) {
        return Ok(Zeroizing::new(words));
    }
    let asked = rpassword::prompt_password(text!("The words of the notes: "));
    Ok(Zeroizing::new(asked.with_context(|| text!("the words cannot be read"))?))
}

fn read_preimage(hex: &str) -> Result<[u8; 32]> {
    let digit = |place: usize| hex.get(place..place.saturating_add(2));
    let byte = |index: usize| {
        let digits = digit(index.saturating_mul(2))?;
        let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| plain)
    };
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .filter(|_| hex.len() == 64)
        .with_context(|| text!("a preimage is 64 hexadecimal digits"))
}
