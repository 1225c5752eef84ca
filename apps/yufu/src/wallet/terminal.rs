//! `yufu wallet`: asks before anything is shown, and says what was.

use super::asking::{agree, passphrase};
use super::backup::{Restored, restore};
use super::benefits_terminal;
use super::currency::money;
use super::file::{Place, WalletFile};
use super::holder::{Decide, Holder};
use super::looking::WhoRead;
use super::paying::{Bill, Paid};
use super::receipts::CheckedReceipt;
use super::telling::{Told, tell};
use super::terminal_accounts::{self, order_id};
use super::terminal_wards;
use crate::command_line::{TicketAction, Wallet, WalletAction};
use crate::data::DataFolder;
use crate::trust_key;
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
            tell_restored(&options.name, restored);
            return Ok(ExitCode::SUCCESS);
        }
        WalletAction::Protect => {
            let place = Place::new(&folder, &options.name)?;
            WalletFile::protect(&place, &passphrase(&options.name, true)?)?;
            println!("The wallet {} is encrypted; the plain file is gone.", options.name);
            println!(
                "Copies of the plain file elsewhere (backups of the disk) are still readable."
            );
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let key = trust_key::read(&data)?;
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
    holder.speak(&options.language.language);
    runtime.block_on(begin(&mut holder, options))
}

/// Goes where the wallet is to act, learns the currency there, and acts.
async fn begin(holder: &mut Holder, options: Wallet) -> Result<ExitCode> {
    if !is_offline(&options.action) {
        if let Some(country) = &options.abroad {
            holder.go_abroad(country).await?;
        }
        holder.learn_currency().await?;
    }
    let (language, yes) = (options.language.language, options.yes);
    let decimals = holder.decimals().clone();
    let mut decide = move |consent: &Consent| agree(consent, &language, &decimals, yes);
    act(holder, options.action, &mut decide).await
}

fn is_offline(action: &WalletAction) -> bool {
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
        WalletAction::Get { offer, code, without_pseudonyms } => {
            let code = code.as_deref();
            let received = if without_pseudonyms {
                holder.get_without_pseudonyms(&offer, code).await?
            } else {
                holder.get(&offer, code).await?
            };
            println!(
                "{} credentials of {} from {}, each for one use.",
                received.count, received.vct, received.issuer
            );
            println!("Each holds: {}", received.claims.join(", "));
        }
        WalletAction::Open { bank, class } => {
<<<<<<< ours
            let class = holder.class_at(&bank, "identity", class).await?;
=======
            let class = class_or_default(holder, &bank, class).await?;
>>>>>>> theirs
            let opened = holder.open_account(&bank, &class, decide).await?;
            println!("Account {} is open at {bank}, class {class}.", opened.account);
        }
        WalletAction::Present { request } => {
            let shown = holder.present(&request, decide).await?;
            println!("Shown to {}: {}", shown.party, shown.claims.join(", "));
        }
        WalletAction::PaymentCredential => {
            let received = holder.get_payment_credential().await?;
            println!("{} payment credentials from {}", received.count, received.issuer);
        }
        WalletAction::Accounts(action) => terminal_accounts::act(holder, action, decide).await?,
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
            if moved > 0 {
                println!(
                    "{moved} accounts are commanded by another wallet now: they were let go here."
                );
            }
            show(holder).await?;
        }
        WalletAction::WhoRead { json } => tell_who_read(&holder.who_read(decide).await?, json)?,
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

/// The class named, or the one that the bank opens for an identity.
pub(super) async fn class_or_default(
    holder: &Holder,
    bank: &str,
    class: Option<String>,
) -> Result<String> {
    match class {
        Some(class) => Ok(class),
        None => holder.remote_class(bank).await,
    }
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
            println!("Given back to {}: the money returns to the account that paid", shown.party);
            return Ok(());
        }
    };
    println!("{} copies of the ticket, booking {}", bought.ticket.count, bought.booking);
    Ok(())
}

/// What needs nobody else.
fn offline(holder: &mut Holder, action: WalletAction) -> Result<ExitCode> {
    match action {
        WalletAction::History { json } => history(holder, json)?,
        WalletAction::Export { file } => {
            holder.export(&file)?;
            println!("The history is in {}: whoever reads it knows whom you met.", file.display());
        }
        WalletAction::Backup { file } => {
            holder.back_up(&file)?;
            println!("The backup is in {}; the wallet's passphrase opens it.", file.display());
        }
        WalletAction::Receipts { json } => return receipts(holder, json),
        _ => bail!("this action is no action on an open wallet"),
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
            let paid = money(bill.amount, holder.decimals());
            println!("Paid {paid} to {}, order {}.", bill.payee_name, bill.id);
            if let Some(balance) = balance {
                println!("{} remain.", money(balance, holder.decimals()));
            }
            Ok(ExitCode::SUCCESS)
        }
        Paid::Refused(problem) => {
            println!("Refused ({}): {}", problem.code, problem.detail);
            match paid.step_up().filter(|_| !no_step_up) {
                Some(link) => {
                    println!("Your identity would lift this for this one payment.");
                    holder.step_up(bill, link, decide).await?;
                    let paid = money(bill.amount, holder.decimals());
                    println!("Paid {paid} to {}, order {}.", bill.payee_name, bill.id);
                    Ok(ExitCode::SUCCESS)
                }
                None => Ok(ExitCode::FAILURE),
            }
        }
    }
}

async fn show(holder: &Holder) -> Result<()> {
    let mut lines =
        vec![format!("{} credentials left, each for one use.", holder.credentials_left())];
    if let Some(provider) = holder.provider() {
        lines.push(format!("A wallet of {provider}."));
    }
    let resting = holder.credentials_resting();
    if resting > 0 {
        lines.push(format!(
            "{resting} credentials from a backup rest, for another wallet may show them: get a fresh batch."
        ));
    }
    let sectors: Vec<&str> = holder.sectors().collect();
    if !sectors.is_empty() {
        lines.push(format!("Pseudonyms in the sectors: {}.", sectors.join(", ")));
    }
    for account in holder.accounts().await? {
        let currency = Currency::new(&account.wallet.currency)?;
        let balance = Amount::new(currency, account.wallet.balance_minor);
        lines.push(format!(
            "{}  {}  class {}  {}  key {} {}{}",
            account.account,
            account.bank,
            account.wallet.class,
            money(balance, holder.decimals()),
            account.key_by.replace('_', " "),
            time(account.key_since)?,
            account.served_through.map(|of| format!(", through {of}")).unwrap_or_default()
        ));
    }
    print(&lines)?;
    history(holder, false)
}

fn history(holder: &Holder, json: bool) -> Result<()> {
    let numbered = holder.history().iter().enumerate();
    let told = numbered
        .map(|(index, entry)| tell(index.saturating_add(1), entry, holder.decimals()))
        .collect::<Result<Vec<_>>>()?;
    if json {
        return print(&[serde_json::to_string_pretty(&told)?]);
    }
    print(&told.iter().map(Told::line).collect::<Vec<_>>())
}

fn receipts(holder: &Holder, json: bool) -> Result<ExitCode> {
    let checked = holder.check_receipts();
    if json {
        print(&[serde_json::to_string_pretty(&checked)?])?;
    } else {
        let line = |one: &CheckedReceipt| {
            let verdict = one.fault.as_deref().unwrap_or("holds");
            format!("{:>4}  {}  {verdict}", one.entry, one.party)
        };
        let mut lines: Vec<String> = checked.iter().map(line).collect();
        let holding = checked.iter().filter(|one| one.holds).count();
        lines.push(format!("{holding} of {} receipts hold.", checked.len()));
        print(&lines)?;
    }
    let all = checked.iter().all(|one| one.holds);
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell_who_read(who: &WhoRead, json: bool) -> Result<()> {
    if json {
        return print(&[serde_json::to_string_pretty(who)?]);
    }
    let mut lines = vec!["Identity authority:".to_owned()];
    for access in &who.authority {
        let at = time(access.at)?;
        let fields = access.fields.join(" ");
        lines.push(format!(
            "  {at}  {} ({})  {fields}  {}",
            access.actor, access.role, access.purpose
        ));
    }
    for bank in &who.banks {
        lines.push(format!("{}, account {}:", bank.bank, bank.account));
        if bank.accesses.is_empty() {
            lines.push("  nobody looked into your file".to_owned());
        }
        for access in &bank.accesses {
            let (at, fields) = (time(access.at)?, access.fields.join(" "));
            lines.push(format!("  {at}  {}  {fields}  {}", access.actor, access.purpose));
        }
    }
    print(&lines)
}

/// Prints what may be long. That a pager or `head` stops reading is no failure.
pub(super) fn print(lines: &[String]) -> Result<()> {
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
    println!("Reported {}, which asked for:", reported.party);
    reported.document.asked.iter().for_each(|claim| println!("  {claim}"));
    if reported.shows_transaction {
        println!("The request carried a payment or another transaction: the report shows it too.");
    }
    match &reported.taken {
        Some(taken) => {
            let found = if taken.over_asking {
                "it asked for more than it may"
            } else {
                "within its registration"
            };
            println!("The registrar took it as {} and finds: {found}.", taken.report);
        }
        None => println!("No registrar takes reports here: hand the document to one yourself."),
    }
    Ok(())
}

fn tell_restored(name: &str, restored: Restored) {
    println!(
        "The wallet {name} is back: {} accounts, {} entries of history, {} credentials.",
        restored.accounts, restored.entries, restored.usable
    );
    if restored.resting > 0 {
        println!(
            "{} credentials rest: the wallet they were copied from may have shown them, and one shown \
             twice can be linked. Get a fresh batch from the issuer.",
            restored.resting
        );
    }
}

pub(super) fn time(seconds: u64) -> Result<jiff::Timestamp> {
    Ok(jiff::Timestamp::from_second(i64::try_from(seconds)?)?)
}
