//! The ledger at its beginning: policy from the profile, the banks, and the money there is. All of it is
//! one record of the log, so that a crash leaves either nothing or everything.

use super::list_keys::words_in_use;
use super::opening::{Listing, Opening, enrolment, refused, refused_with};
use super::trust::{Trust, admission};
use super::{Plan, Progress};
use crate::command_line::HistoryKept;
use crate::ledger_log::{LedgerLog, whenever_asked};
use crate::settings::{OldRecords, SnapshotPolicy};
use crate::words::{noted, text};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use yufu_api::central_bank::{BankEnrolment, BankOpening, CentralBank, RegisteredBank, sign_all};
use yufu_api::signing::HeldKey;
use yufu_base::{Amount, InstitutionId, Signer, StateMachine as _};
use yufu_engine::{Clock, Engine, Handle, Retirement, Settings, Snapshots};
use yufu_log::Seq;
use yufu_machine::{
    Action, ClassId, DeadlineTerms, Deadlines, HoldingRules, HoldingTerms, Limits, Machine,
    NoteRules, NoteTerms, Policy, PolicyTerms, Submission, UtcOffset, WalletClass,
};
use yufu_profile::{Institution, Profile, Role};
use yufu_views::{Place, Views, prunable};

/// The key of an institution for commands.
pub(super) const COMMANDS: &str = "commands";
/// The refusal of a bank whose key the ledger knows otherwise.
const KEY_DIFFERS: &str = "enrolment.key_differs";

/// How far ahead of the ledger's clock a command id may have been made, in seconds.
const ID_FUTURE_SECONDS: u64 = 300;

/// Opens the log, replays it, and opens the ledger if it is new.
pub(super) async fn open(
    opening: &mut Opening<'_>,
    trust: &Trust,
    institution: &Institution,
) -> Result<(Engine<Machine>, Arc<CentralBank>)> {
    let (plan, id) = (opening.plan, institution.id.clone());
    let place = match plan.log.clone() {
        Some(address) => LedgerLog::Database(address),
        None => LedgerLog::File(plan.data.database(&id, "ledger")?),
    };
    let snapshots = snapshots(plan, &id, place.clone())?;
    let of_history = place.clone();
    let log = tokio::task::spawn_blocking(move || place.open()).await?;
    let log = log.with_context(|| text!("the ledger's log"))?;
    let clock = Arc::clone(&plan.clock);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let start = move || {
        let clock = (clock as Arc<dyn Clock>, Settings::default());
        Engine::start_with_snapshots(log, Machine::new(), clock, snapshots, |done, of| {
            // Whoever stopped listening needs not be told.
            let _ = tell.send((done.get(), of.get()));
        })
    };
    let started = tokio::task::spawn_blocking(start);
    while let Some((done, of)) = told.recv().await {
        let (done, of) = (usize::try_from(done)?, usize::try_from(of)?);
        (opening.progress)(&Progress::Counted { what: noted!("replaying the log"), done, of });
    }
    let engine = started.await?.with_context(|| text!("the ledger's log"))?;
    let ledger = engine.handle();
    let openings = openings(plan.profile())?;
    if ledger.read(|machine, _| machine.currency()).await?.is_none() {
        let commands = beginning(plan, &id, &openings)?;
        for (number, applied) in ledger.submit_all(commands).await?.into_iter().enumerate() {
            if let Err(refusal) = applied.outcome {
                bail!(text!(
                    "the ledger's opening was refused at command {number}: {refusal}; correct the profile's opening money, and start over",
                    number = number,
                    refusal = refusal
                ));
            }
        }
    }
    check_keys(plan, &ledger).await?;
    let history = history(plan, &id, of_history)?;
    let currency = &plan.profile().currency;
    let central_bank = CentralBank {
        commands: HeldKey::new(plan.command_key(&id)?),
        succession: words_in_use(&plan.data.keys(&id)?, COMMANDS)?.into(),
        operator: plan.operator(&id)?,
        currency: (currency.code, currency.decimals),
        ledger,
        views: Arc::new(history),
        admission: admission(plan)?,
        openings,
        enrolling: tokio::sync::Mutex::default(),
        id,
    };
    trust.enlist(opening, institution).await?;
    Ok((engine, Arc::new(central_bank)))
}

/// Where the ledger's snapshots lie, and when they are made.
fn snapshots(plan: &Plan<'_>, id: &InstitutionId, log: LedgerLog) -> Result<Snapshots> {
    let place = log.clone();
    let open = whenever_asked(move || log.open_read_only(None));
    let SnapshotPolicy { every_records, every_bytes, old_records } = plan.snapshots;
    let retirement = match old_records {
        OldRecords::Keep => None,
        OldRecords::Archive => {
            Some(retirement(place, Some(plan.data.archive(id)?), plan.history(id)?))
        }
        OldRecords::Remove => Some(retirement(place, None, plan.history(id)?)),
    };
    let snapshots = Snapshots::new(plan.data.snapshots(id)?, open);
    Ok(Snapshots { every_records, every_bytes, retirement, ..snapshots })
}

/// How records leave the log that neither a start nor the history needs any more.
fn retirement(log: LedgerLog, archive: Option<PathBuf>, history: Place) -> Retirement {
    let open = whenever_asked(move || log.open_beside());
    // A history that is not there yet, or cannot be read, begins where the log does.
    let read_to = move || prunable(&history).ok().flatten().unwrap_or(Seq::ZERO);
    Retirement { open, archive, read_to: Arc::new(read_to) }
}

/// The history of the ledger, kept up by this process or another. It is not opened yet when this returns.
fn history(plan: &Plan<'_>, id: &InstitutionId, log: LedgerLog) -> Result<Views> {
    let (place, data) = (plan.history(id)?, plan.data.clone());
    if plan.history == HistoryKept::Apart {
        return Ok(Views::apart(place));
    }
    let open = whenever_asked(move || log.open_read_only(log.found_archive(&data).as_deref()));
    Ok(Views::start(place, open)?)
}

/// Registers a bank at the central bank, here or elsewhere, and opens its books if that was not done before.
pub(super) async fn enrol(
    opening: &mut Opening<'_>,
    central_bank: Option<&Arc<CentralBank>>,
    institution: &Institution,
) -> Result<()> {
    let plan = opening.plan;
    let at = plan.the(Role::CentralBank)?.id.clone();
    let terms = openings(plan.profile())?;
    let terms =
        terms.get(&institution.id).with_context(|| text!("a commercial bank has opening money"))?;
    let key = plan.command_key(&institution.id)?;
    let make = |key: &dyn Signer| {
        let request = enrolment(plan, institution, &at, Some(key), Listing::default())?;
        let now = plan.clock.read().wall;
        let own = sign_all(&institution.id, key, now, terms.of_bank());
        let own = own.and_then(|own| BankEnrolment::new(request.enrolment, &own));
        own.map_err(|problem| refused(&institution.id, &problem))
    };
    match central_bank {
        Some(central_bank) => {
            let registered = central_bank.enrol(&make(&*key)?).await;
            registered.map_err(|problem| refused(&at, &problem))?;
        }
        None => {
            let what = ("/central-bank/v1/enrolments", noted!("register it"));
            let first: Result<RegisteredBank, _> =
                opening.post_unless(&at, what, KEY_DIFFERS, || make(&*key)).await?;
            if let Err(body) = first {
                // The ledger may have been told of the next key before a crash.
                let ahead = plan.data.keys(&institution.id)?.ahead(COMMANDS)?;
                let Some((_, next)) = ahead else {
                    return Err(refused_with(&at, &body.code, &body.detail));
                };
                let _: RegisteredBank = opening.post(&at, what, || make(&*next)).await?;
                take_up(plan, &institution.id)?;
            }
        }
    }
    Ok(())
}

/// A key that differs from the one in the ledger was lost and made anew, or comes from another folder: every command
/// would be refused, so the city does not start with it.
async fn check_keys(plan: &Plan<'_>, ledger: &Handle<Machine>) -> Result<()> {
    // Other ledgers have keys of their own, whatever they are called.
    let own = |role| role != yufu_machine::Role::Peer;
    let keys = |machine: &Machine| {
        let institutions = machine.institutions().filter(|(_, found)| own(found.role));
        institutions.map(|(id, found)| (id.clone(), found.key)).collect::<Vec<_>>()
    };
    for (id, registered) in ledger.read(|machine, _| keys(machine)).await? {
        if !plan.serves(&id) || plan.command_key(&id)?.public_key() == registered {
            continue;
        }
        let ahead = plan.data.keys(&id)?.ahead(COMMANDS)?;
        // The ledger was told of the next key, and a crash came before anybody else was.
        let told = ahead.is_some_and(|(_, next)| next.public_key() == registered);
        if told {
            take_up(plan, &id)?;
        } else {
            bail!(text!(
                "the key of {institution} in the data folder is not the one the ledger knows: restore {institution}/keys/commands.p8 from the backup of keys",
                institution = id
            ));
        }
    }
    Ok(())
}

/// Uses the next key for commands, which the ledger knows.
fn take_up(plan: &Plan<'_>, id: &InstitutionId) -> Result<()> {
    plan.data.keys(id)?.take_up(COMMANDS, plan.clock.read().wall)?;
    Ok(())
}

/// The first commands: policy, rules, and the banks that are served here with what they begin with.
fn beginning(
    plan: &Plan<'_>,
    central_bank: &InstitutionId,
    openings: &BTreeMap<InstitutionId, BankOpening>,
) -> Result<Vec<Submission>> {
    let profile = plan.profile();
    let now = plan.clock.read().wall;
    let key = plan.command_key(central_bank)?;
    let sign = |id: &InstitutionId, key: &dyn Signer, actions| {
        sign_all(id, key, now, actions).map_err(|problem| refused(id, &problem))
    };
    let genesis = Action::Genesis {
        currency: profile.currency.code,
        central_bank: central_bank.clone(),
        key: key.public_key(),
        policy: policy(profile)?,
    };
    let rules = Action::SetHoldingRules { rules: holding_rules(profile)? };
    let deadlines = Action::SetDeadlines { deadlines: deadlines(profile)? };
    let versions = (2..=Machine::VERSION).map(|version| Action::ActivateVersion { version });
    let notes = note_rules(profile)?.map(|rules| Action::SetNoteRules { rules: Some(rules) });
    let first = [genesis, rules].into_iter().chain(versions).chain([deadlines]).chain(notes);
    let first = first.collect();
    let mut commands = sign(central_bank, &*key, first)?;
    let banks = profile.institutions_of(Role::CommercialBank).map(|bank| &bank.id);
    for bank in banks.filter(|id| plan.serves(id)) {
        let terms =
            openings.get(bank).with_context(|| text!("a commercial bank has opening money"))?;
        let bank_key = plan.command_key(bank)?;
        let of_central_bank = terms.of_central_bank(bank, bank_key.public_key());
        commands.extend(sign(central_bank, &*key, of_central_bank)?);
        commands.extend(sign(bank, &*bank_key, terms.of_bank())?);
    }
    Ok(commands)
}

/// What each bank of the profile begins with: its own money, and its share of the notes in circulation.
fn openings(profile: &Profile) -> Result<BTreeMap<InstitutionId, BankOpening>> {
    let banks: Vec<_> = profile.institutions_of(Role::CommercialBank).collect();
    let mut circulation = Shares::of(profile.paper_in_circulation, banks.len())?;
    let opening = |institution: &Institution| {
        let money = institution
            .opening_money
            .with_context(|| text!("a commercial bank has opening money"))?;
        let notes = circulation.next()?;
        let paper = money.paper.checked_add(notes)?;
        let terms = BankOpening {
            reserves: money.reserve.checked_add(money.digital)?.checked_add(paper)?,
            digital: money.digital,
            paper,
            deposits: money.deposits.checked_add(notes)?,
            notes,
        };
        Ok((institution.id.clone(), terms))
    };
    banks.into_iter().map(opening).collect()
}

/// Notes in the public's hands were once paid out by banks: each paid out a share.
struct Shares {
    left: Amount,
    banks: u64,
}

impl Shares {
    fn of(all: Amount, banks: usize) -> Result<Self> {
        Ok(Self { left: all, banks: u64::try_from(banks)? })
    }

    fn next(&mut self) -> Result<Amount> {
        let minor = self
            .left
            .minor()
            .checked_div(self.banks)
            .with_context(|| text!("there is no bank left"))?;
        let share = Amount::new(self.left.currency(), minor);
        self.left = self.left.checked_sub(share)?;
        self.banks = self.banks.saturating_sub(1);
        Ok(share)
    }
}

/// The ledger's rules on what lies in wallets, as the profile says.
fn holding_rules(profile: &Profile) -> Result<HoldingRules> {
    let mut aggregate_balance = BTreeMap::new();
    for class in &profile.wallet_classes {
        if let Some(cap) = class.opening.total_per_bank {
            aggregate_balance.insert(ClassId::new(&class.name)?, cap.minor());
        }
    }
    let dormant_after_days = profile.dormant_after_days;
    Ok(HoldingRules::new(HoldingTerms { aggregate_balance, dormant_after_days })?)
}

/// How long what is pending on the ledger may stay so, as the profile says.
fn deadlines(profile: &Profile) -> Result<Option<Deadlines>> {
    let terms = profile.deadlines.map(|deadlines| DeadlineTerms {
        hold_days: deadlines.hold_days,
        dispute_days: deadlines.dispute_days,
        freeze_confirm_days: deadlines.freeze_confirm_days,
        freeze_days: deadlines.freeze_days,
    });
    Ok(terms.map(Deadlines::new).transpose()?)
}

/// The rules for bearer notes, as the profile says; `None` if there are none.
fn note_rules(profile: &Profile) -> Result<Option<NoteRules>> {
    let Some(notes) = &profile.bearer_notes else { return Ok(None) };
    let minor = |amount: Option<Amount>| amount.map(|amount| amount.minor());
    let payees = notes.payees.iter().map(|name| ClassId::new(name)).collect::<Result<_, _>>()?;
    Ok(Some(NoteRules::new(NoteTerms {
        per_withdrawal: minor(notes.per_withdrawal),
        per_day: minor(notes.per_day),
        per_year: minor(notes.per_year),
        per_redemption: minor(notes.per_redemption),
        payees,
        least_promised: notes.least_promised,
    })?))
}

/// The ledger's policy, as the profile says.
fn policy(profile: &Profile) -> Result<Policy> {
    let minor = |amount: Option<Amount>| amount.map(|amount| amount.minor());
    let mut classes = BTreeMap::new();
    for class in &profile.wallet_classes {
        let ordinary = Limits {
            per_payment: minor(class.limits.per_payment),
            per_day: minor(class.limits.per_day),
            per_year: minor(class.limits.per_year),
            balance: minor(class.limits.balance),
        };
        let stepped_up = class.stepped_up.map(|lifted| Limits {
            per_payment: minor(lifted.per_payment),
            per_day: minor(lifted.per_day),
            ..ordinary
        });
        classes.insert(ClassId::new(&class.name)?, WalletClass { ordinary, stepped_up });
    }
    let offsets = profile.utc_offsets.entries().iter().map(|entry| UtcOffset {
        from: entry.from,
        seconds_east: entry.minutes.saturating_mul(60),
    });
    Ok(Policy::new(PolicyTerms {
        classes,
        offsets: offsets.collect(),
        id_retention_seconds: u64::from(profile.id_retention_days).saturating_mul(86_400),
        id_future_tolerance_seconds: ID_FUTURE_SECONDS,
    })?)
}
