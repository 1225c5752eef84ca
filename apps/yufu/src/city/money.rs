//! The ledger at its beginning: policy from the profile, the banks, and the money there is. All of it is
//! one record of the log, so that a crash leaves either nothing or everything.

use super::Plan;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::sync::Arc;
use yufu_api::central_bank::CentralBank;
use yufu_base::{Amount, CommandId, InstitutionId, Signer, Timestamp};
use yufu_engine::{Engine, Handle, Settings};
use yufu_keys::random;
use yufu_log::SqliteLog;
use yufu_machine::{
    Action, ClassId, Direction, HoldingRules, HoldingTerms, Limits, Machine, Order, Policy,
    PolicyTerms, Submission, UtcOffset, WalletClass,
};
use yufu_profile::{Profile, Role};

/// How far ahead of the ledger's clock a command id may have been made, in seconds.
const ID_FUTURE_SECONDS: u64 = 300;

/// Opens the log, replays it, and opens the ledger if it is new.
pub(super) async fn open(plan: &Plan<'_>) -> Result<(Engine<Machine>, Arc<CentralBank>)> {
    let id = plan.the(Role::CentralBank)?.id.clone();
    let path = plan.data.database(&id, "ledger")?;
    let log = SqliteLog::open(&path).with_context(|| path.display().to_string())?;
    let clock = Arc::clone(&plan.clock);
    let start = move || Engine::start(Box::new(log), Machine::new(), clock, Settings::default());
    let engine = tokio::task::spawn_blocking(start).await?.context("the ledger's log")?;
    let ledger = engine.handle();
    if ledger.read(|machine, _| machine.currency()).is_none() {
        let commands = opening(plan, &id)?;
        for (number, applied) in ledger.submit_all(commands).await?.into_iter().enumerate() {
            if let Err(refusal) = applied.outcome {
                bail!(
                    "the ledger's opening was refused at command {number}: {refusal}; correct the profile's opening money, and start over"
                );
            }
        }
    }
    check_keys(plan, &ledger)?;
    let currency = &plan.profile().currency;
    let central_bank = CentralBank {
        signer: plan.command_key(&id)?,
        operator: plan.operator(&id)?,
        currency: (currency.code, currency.decimals),
        ledger,
        id,
    };
    Ok((engine, Arc::new(central_bank)))
}

/// A key that differs from the one in the ledger was lost and made anew, or comes from another folder: every command
/// would be refused, so the city does not start with it.
fn check_keys(plan: &Plan<'_>, ledger: &Handle<Machine>) -> Result<()> {
    for (id, registered) in ledger.read(|machine, _| {
        machine.institutions().map(|(id, found)| (id.clone(), found.key)).collect::<Vec<_>>()
    }) {
        if plan.command_key(&id)?.public_key() != registered {
            bail!(
                "the key of {id} in the data folder is not the one the ledger knows: restore {id}/keys/commands.p8 from the backup of keys"
            );
        }
    }
    Ok(())
}

/// Signs commands that follow one another.
struct Opening {
    now: Timestamp,
    commands: Vec<Submission>,
}

impl Opening {
    fn push(&mut self, id: &InstitutionId, signer: &dyn Signer, action: Action) -> Result<()> {
        let order = Order { id: CommandId::at(self.now, u128::from_be_bytes(random())), action };
        let signature = signer.sign(&Submission::signing_bytes(id, &order))?;
        let key = signer.public_key();
        self.commands.push(Submission { institution: id.clone(), key, order, signature });
        Ok(())
    }
}

fn opening(plan: &Plan<'_>, central_bank: &InstitutionId) -> Result<Vec<Submission>> {
    let profile = plan.profile();
    let key = plan.command_key(central_bank)?;
    let mut opening = Opening { now: plan.clock.read().wall, commands: Vec::new() };
    let genesis = Action::Genesis {
        currency: profile.currency.code,
        central_bank: central_bank.clone(),
        key: key.public_key(),
        policy: policy(profile)?,
    };
    opening.push(central_bank, &*key, genesis)?;
    let rules = holding_rules(profile)?;
    opening.push(central_bank, &*key, Action::SetHoldingRules { rules })?;
    let banks: Vec<_> = profile.institutions_of(Role::CommercialBank).collect();
    let mut circulation = Shares::of(profile.paper_in_circulation, banks.len())?;
    for institution in banks {
        let bank = institution.id.clone();
        let bank_key = plan.command_key(&bank)?;
        let money = institution.opening_money.context("a commercial bank has opening money")?;
        let notes = circulation.next()?;
        let paper = money.paper.checked_add(notes)?;
        let reserves = money.reserve.checked_add(money.digital)?.checked_add(paper)?;
        let deposits = money.deposits.checked_add(notes)?;
        let register = Action::RegisterBank { bank: bank.clone(), key: bank_key.public_key() };
        opening.push(central_bank, &*key, register)?;
        let of_central_bank = [
            (reserves, Action::CreateReserves { bank: bank.clone(), amount: reserves }),
            (money.digital, Action::Issue { bank: bank.clone(), amount: money.digital }),
            (paper, Action::SupplyPaper { bank: bank.clone(), amount: paper }),
        ];
        let of_bank = [
            (deposits, Action::CreditDeposits { amount: deposits }),
            (notes, Action::Exchange { direction: Direction::DepositToPaper, amount: notes }),
        ];
        for (_, action) in of_central_bank.into_iter().filter(|(amount, _)| !amount.is_zero()) {
            opening.push(central_bank, &*key, action)?;
        }
        for (_, action) in of_bank.into_iter().filter(|(amount, _)| !amount.is_zero()) {
            opening.push(&bank, &*bank_key, action)?;
        }
    }
    Ok(opening.commands)
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
        let minor = self.left.minor().checked_div(self.banks).context("there is no bank left")?;
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
