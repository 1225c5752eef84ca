//! `yufu wallet`: asks before anything is shown, and says what was.

use super::asking::{agree, passphrase};
use super::backup::restore;
use super::benefits_terminal;
use super::cash;
use super::choosing_terminal;
use super::currency::money;
use super::deriving_terminal;
use super::file::{Place, WalletFile};
use super::freezing_terminal;
use super::getting_terminal;
use super::holder::{Decide, Holder};
use super::looking_terminal::ask;
use super::paying::{Bill, Paid};
use super::receipts::CheckedReceipt;
use super::renewing_terminal;
use super::saying;
use super::showing_terminal;
use super::telling::{Told, tell};
use super::terminal_accounts::{self, order_id};
use super::terminal_wards;
use crate::command_line::{TicketAction, Wallet, WalletAction};
use crate::data::DataFolder;
use crate::explaining::refusal;
use crate::trust_key;
use crate::words::{self, comma, known, one_line, plain, say, sum, text};
use anyhow::{Result, bail};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use yufu_base::{Amount, Currency};
use yufu_engine::{Clock, SystemClock};
use yufu_wallet::presentation::Consent;

pub(crate) fn run(options: Wallet) -> Result<ExitCode> {
    let data = DataFolder::choose(options.data.data.clone(), "demo")?;
    let folder = data.wallets()?;
    match &options.action {
        WalletAction::Restore { file, other_wallet_gone } => {
            let phrase = passphrase(&options.name, false)?;
            let now = SystemClock::new().read().wall;
            let restored = restore(&folder, &options.name, file, &phrase, *other_wallet_gone, now)?;
            saying::restored(&options.name, &restored);
            return Ok(ExitCode::SUCCESS);
        }
        WalletAction::Protect => {
            let place = Place::new(&folder, &options.name)?;
            WalletFile::protect(&place, &passphrase(&options.name, true)?)?;
            say!("The wallet {name} is encrypted; the plain file is gone.", name = options.name);
            say!("Copies of the plain file elsewhere (backups of the disk) are still readable.");
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let key = trust_key::read(&data)?;
    if let WalletAction::Renew { watch: true } = options.action {
        return renewing_terminal::watch(&folder, &options, key);
    }
    let is_new = !Place::new(&folder, &options.name)?.is_taken();
    let phrase = passphrase(&options.name, is_new)?;
    let mut holder = Holder::open(&folder, &options.name, &phrase, &options.url, key)?;
    if let Some(provider) = &options.provider {
        holder.of_provider(provider)?;
    }
    if let Some(account) = &options.from {
        holder.act_from(account)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    holder.speak(words::tag_spoken());
    let outcome = runtime.block_on(begin(&mut holder, options));
    // Who is at an address is known here alone.
    outcome.map_err(|error| anyhow::Error::msg(holder.told(&error)))
}

/// Goes where the wallet is to act, learns the currency there, and acts.
async fn begin(holder: &mut Holder, options: Wallet) -> Result<ExitCode> {
    if !is_offline(&options.action) {
        if let Some(country) = &options.abroad {
            holder.go_abroad(country).await?;
        }
        holder.learn_currency().await?;
    }
    if let WalletAction::Derive(deriving) = &options.action {
        return deriving_terminal::run(holder, &options.data, deriving).await;
    }
    let (decimals, names, yes) = (holder.decimals().clone(), holder.names(), options.yes);
    if !yes {
        let names = names.clone();
        holder.choosing(Box::new(move |consent: &mut Consent| {
            choosing_terminal::choose(consent, &names)
        }));
    }
    let mut decide =
        move |consent: &Consent| agree(consent, &names, (words::tag_spoken(), &decimals), yes);
    act(holder, options.action, &mut decide).await
}

fn is_offline(action: &WalletAction) -> bool {
    if let WalletAction::Cash(action) = action {
        return action.is_offline();
    }
    matches!(
        action,
        WalletAction::History { .. }
            | WalletAction::Export { .. }
            | WalletAction::Backup { .. }
            | WalletAction::Receipts { .. }
    )
}

async fn act(holder: &mut Holder, action: WalletAction, decide: Decide<'_>) -> Result<ExitCode> {
    if !is_offline(&action) {
        holder.find_institutions().await?;
    }
    match action {
        action @ (WalletAction::Get { .. }
        | WalletAction::Attest { .. }
        | WalletAction::PaymentCredential
        | WalletAction::Renew { .. }) => {
            getting_terminal::act(holder, action).await?;
        }
        WalletAction::Open { bank, class } => {
            terminal_accounts::open(holder, &bank, class, decide).await?
        }
        WalletAction::Present { request } => {
            let shown = holder.present(&request, decide).await?;
            saying::shown(&shown);
        }
        WalletAction::Showing(action) => {
            return showing_terminal::act(holder, action, decide).await;
        }
        #[cfg(feature = "zero-knowledge")]
        WalletAction::Anonymous { action } => {
            super::anonymous_terminal::act(holder, action, decide).await?
        }
        WalletAction::Freezing(action) => {
            return freezing_terminal::act(holder, action, decide).await;
        }
        WalletAction::Obtaining(action) => {
            super::obtaining_terminal::act(holder, action, decide).await?
        }
        WalletAction::Accounts(action) => terminal_accounts::act(holder, action, decide).await?,
        WalletAction::Cash(action) => cash::act(holder, action, decide).await?,
        WalletAction::Ticket { action } => ticket(holder, action, decide).await?,
        WalletAction::Pay { payee, amount, payee_name, id, no_step_up } => {
            let bill = Bill {
                payee: payee.parse()?,
                payee_name,
                amount: holder.parse_amount(&amount)?,
                id: order_id(holder, id)?,
            };
            return pay(holder, &bill, no_step_up, decide).await;
        }
        WalletAction::Show => {
            holder.settle_openings().await?;
            holder.settle_recoveries().await?;
            let moved = holder.let_go_of_moved().await?;
            saying::let_go(moved);
            show(holder).await?;
        }
        WalletAction::WhoRead { shown, json } => ask(holder, shown, json, decide).await?,
        WalletAction::Receipts { json } => return receipts(holder, json).await,
        WalletAction::AskDeletion { entry } => {
            saying::deletion(&holder.ask_deletion(entry).await?)?
        }
        WalletAction::Report { entry, reason, file } => {
            report(holder, entry, &reason, file.as_deref()).await?;
        }
        action @ (WalletAction::OpenForWard { .. } | WalletAction::Wake { .. }) => {
            terminal_wards::act(holder, action, decide).await?;
        }
        action @ (WalletAction::Enrol { .. }
        | WalletAction::Benefits { .. }
        | WalletAction::Payout { .. }
        | WalletAction::Leave { .. }) => benefits_terminal::act(holder, action, decide).await?,
        other => return offline(holder, other),
    }
    Ok(ExitCode::SUCCESS)
}

async fn ticket(holder: &mut Holder, action: TicketAction, decide: Decide<'_>) -> Result<()> {
    let bought = match action {
        TicketAction::Buy { railway, departure } => {
            holder.buy_ticket(&railway, &departure, decide).await?
        }
        TicketAction::Change { railway, departure } => {
            holder.change_ticket(&railway, &departure, decide).await?
        }
        TicketAction::Return { railway } => {
            let shown = holder.return_ticket(&railway, decide).await?;
            say!(
                "Given back to {party}: the money returns to the account that paid",
                party = shown.party
            );
            return Ok(());
        }
    };
    say!(
        "{count} copies of the ticket, booking {booking}",
        count = bought.ticket.count,
        booking = bought.booking
    );
    Ok(())
}

/// What needs nobody else.
fn offline(holder: &mut Holder, action: WalletAction) -> Result<ExitCode> {
    match action {
        WalletAction::History { json } => history(holder, json)?,
        WalletAction::Export { file } => {
            holder.export(&file)?;
            say!(
                "The history is in {file}: whoever reads it knows whom you met.",
                file = file.display()
            );
        }
        WalletAction::Backup { file } => {
            holder.back_up(&file)?;
            say!(
                "The backup is in {file}; the wallet's passphrase opens it.",
                file = file.display()
            );
        }
        _ => bail!(text!("this action is no action on an open wallet")),
    }
    Ok(ExitCode::SUCCESS)
}

async fn pay(
    holder: &mut Holder,
    bill: &Bill,
    no_step_up: bool,
    decide: Decide<'_>,
) -> Result<ExitCode> {
    let paid = holder.pay(bill).await?;
    match &paid {
        Paid::Done(done) => {
            let balance =
                done.balance_minor.map(|minor| Amount::new(bill.amount.currency(), minor));
            saying::paid(holder, bill);
            if let Some(balance) = balance {
                say!("{balance} remain.", balance = sum(&money(balance, holder.decimals())));
            }
            Ok(ExitCode::SUCCESS)
        }
        Paid::Refused(problem) => {
            say!("Refused: {reason}", reason = refusal(problem));
            match paid.step_up().filter(|_| !no_step_up) {
                Some(link) => {
                    say!("Your identity would lift this for this one payment.");
                    holder.step_up(bill, link, decide).await?;
                    saying::paid(holder, bill);
                    Ok(ExitCode::SUCCESS)
                }
                None => Ok(ExitCode::FAILURE),
            }
        }
    }
}

async fn show(holder: &Holder) -> Result<()> {
    let mut lines = vec![text!(
        "{count} credentials left, each for one use.",
        count = holder.credentials_left()
    )];
    let kinds = holder.kinds_left().into_iter();
    lines.extend(
        kinds.map(|(kind, count)| text!("  {count} of {kind}", count = count, kind = kind)),
    );
    if let Some(provider) = holder.provider() {
        lines.push(text!("A wallet of {provider}.", provider = provider));
    }
    let resting = holder.credentials_resting();
    if resting > 0 {
        lines.push(text!(
            "{count} credentials from a backup rest, for another wallet may show them: get a fresh batch.",
            count = resting
        ));
    }
    lines.extend(renewing_terminal::hints(holder));
    let sectors: Vec<&str> = holder.sectors().collect();
    if !sectors.is_empty() {
        lines
            .push(text!("Pseudonyms in the sectors: {sectors}.", sectors = sectors.join(&comma())));
    }
    lines.extend(saying::frozen(&holder.frozen().await?));
    for account in holder.accounts().await? {
        let currency = Currency::new(&account.wallet.currency)?;
        let balance = Amount::new(currency, account.wallet.balance_minor);
        let through = account.served_through.map(|of| text!(", through {provider}", provider = of));
        lines.push(text!(
            "{account}  {bank}  class {class}  {balance}  key {given} {since}{through}",
            account = account.account,
            bank = account.bank,
            class = account.wallet.class,
            balance = sum(&money(balance, holder.decimals())),
            given = key_word(&account.key_by),
            since = time(account.key_since)?,
            through = through.as_deref().unwrap_or_default()
        ));
    }
    print(&lines)?;
    history(holder, false)
}

/// How an account's key came to command it.
fn key_word(way: &str) -> String {
    match way {
        "opened" => text!("of the opening"),
        "handed_over" => text!("handed over"),
        "recovered" => text!("recovered"),
        other => other.to_owned(),
    }
}

fn history(holder: &Holder, json: bool) -> Result<()> {
    let (numbered, names) = (holder.history().iter().enumerate(), holder.names());
    let told = numbered
        .map(|(index, entry)| tell(index.saturating_add(1), entry, (holder.decimals(), &names)))
        .collect::<Result<Vec<_>>>()?;
    if json {
        return print(&[serde_json::to_string_pretty(&told)?]);
    }
    print(&told.iter().flat_map(Told::lines).collect::<Vec<_>>())
}

async fn receipts(holder: &mut Holder, json: bool) -> Result<ExitCode> {
    holder.collect_receipts().await?;
    let checked = holder.check_receipts();
    if json {
        print(&[serde_json::to_string_pretty(&checked)?])?;
    } else {
        let line = |one: &CheckedReceipt| {
            let verdict = one.fault.as_deref().map_or_else(|| text!("holds"), known);
            format!("{:>4}  {}  {verdict}", one.entry, one.party)
        };
        let mut lines: Vec<String> = checked.iter().map(line).collect();
        let holding = checked.iter().filter(|one| one.holds).count();
        lines.push(text!(
            "{holding} of {all} receipts hold.",
            holding = holding,
            all = checked.len()
        ));
        print(&lines)?;
    }
    let all = checked.iter().all(|one| one.holds);
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints what may be long. That a pager or `head` stops reading is no failure.
pub(super) fn print(lines: &[String]) -> Result<()> {
    let lines: Vec<String> = lines.iter().map(|line| plain(line)).collect();
    let mut text = lines.join("\n");
    text.push('\n');
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

async fn report(
    holder: &mut Holder,
    entry: usize,
    reason: &str,
    file: Option<&Path>,
) -> Result<()> {
    let reported = holder.report(entry, reason, file).await?;
    say!("Reported {party}, which asked for:", party = reported.party);
    reported.document.asked.iter().for_each(|claim| println!("  {}", one_line(claim)));
    if reported.shows_transaction {
        say!("The request carried a payment or another transaction: the report shows it too.");
    }
    match &reported.taken {
        Some(taken) => {
            let found = if taken.over_asking {
                text!("it asked for more than it may")
            } else {
                text!("within its registration")
            };
            say!(
                "The registrar took it as {report} and finds: {found}.",
                report = taken.report,
                found = found
            );
        }
        None => say!("No registrar takes reports here: hand the document to one yourself."),
    }
    Ok(())
}

pub(super) fn time(seconds: u64) -> Result<jiff::Timestamp> {
    Ok(jiff::Timestamp::from_second(i64::try_from(seconds)?)?)
}
