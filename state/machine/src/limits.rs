//! Limits: the registry says what may be paid and held, the ledger what was; here one is held
//! against the other, and the step-up that would lift a limit is found.

use crate::command::SubLimits;
use crate::refusal::{LimitExceeded, LimitKind, Refusal, StepUp};
use yufu_ledger::{Period, Wallet};
use yufu_registry::{ClassId, Limits, Policy, Registry, WalletClass};

/// A payment to be held against limits.
pub(crate) struct Asked {
    pub(crate) amount: u64,
    pub(crate) paid_on_day: u64,
    pub(crate) paid_in_year: u64,
}

impl Asked {
    pub(crate) fn new(wallet: &Wallet<ClassId>, now: Period, amount: u64) -> Self {
        Self {
            amount,
            paid_on_day: wallet.spending.on_day(now),
            paid_in_year: wallet.spending.in_year(now),
        }
    }
}

/// Holds a payment against the limits of the payer's class.
pub(crate) fn check_payment(
    policy: &Policy,
    class: &WalletClass,
    asked: &Asked,
    stepped_up: bool,
) -> Result<(), Refusal> {
    let limits = match class.stepped_up {
        Some(limits) if stepped_up => limits,
        _ => class.ordinary,
    };
    let Some((kind, limit, remaining)) = exceeded(&limits, asked) else { return Ok(()) };
    let admits = |limits: &Limits| exceeded(limits, asked).is_none();
    let step_up = match class.stepped_up {
        Some(limits) if !stepped_up && admits(&limits) => Some(StepUp::Presentation),
        _ => classes_where(policy, |class| admits(&class.ordinary)),
    };
    let requested = asked.amount;
    Err(Refusal::LimitExceeded(LimitExceeded { kind, limit, remaining, requested, step_up }))
}

/// Whether a wallet that holds `balance` may hold `amount` more.
pub(crate) fn may_hold(class: &WalletClass, balance: u64, amount: u64) -> bool {
    room(&class.ordinary, balance).is_none_or(|room| amount <= room)
}

/// Holds what is put into a wallet against the holding cap of its class.
pub(crate) fn check_holding(
    policy: &Policy,
    class: &WalletClass,
    balance: u64,
    amount: u64,
) -> Result<(), Refusal> {
    if may_hold(class, balance, amount) {
        return Ok(());
    }
    Err(Refusal::LimitExceeded(LimitExceeded {
        kind: LimitKind::Balance,
        limit: class.ordinary.balance.unwrap_or(u64::MAX),
        remaining: room(&class.ordinary, balance).unwrap_or(u64::MAX),
        requested: amount,
        step_up: classes_where(policy, |class| may_hold(class, balance, amount)),
    }))
}

/// Holds what is added to all wallets of a class at a bank, which hold `together`, against the cap
/// of their sum.
pub(crate) fn check_aggregate(
    registry: &Registry,
    class: ClassId,
    together: u128,
    amount: u64,
) -> Result<(), Refusal> {
    let rules = registry.holding();
    let Some(limit) = rules.aggregate(class) else { return Ok(()) };
    let remaining = u128::from(limit).saturating_sub(together);
    if u128::from(amount) <= remaining {
        return Ok(());
    }
    let classes = registry.policy().terms().classes.keys();
    let uncapped: Vec<_> = classes.copied().filter(|id| rules.aggregate(*id).is_none()).collect();
    Err(Refusal::LimitExceeded(LimitExceeded {
        kind: LimitKind::Aggregate,
        limit,
        remaining: u64::try_from(remaining).unwrap_or(limit),
        requested: amount,
        step_up: (!uncapped.is_empty()).then_some(StepUp::Classes(uncapped)),
    }))
}

/// Holds a payment from a sub-wallet against its own limits. Nothing but its holder lifts them.
pub(crate) fn check_sub_payment(limits: &SubLimits, asked: &Asked) -> Result<(), Refusal> {
    check_below(LimitKind::SubSingle, limits.per_payment, 0, asked.amount)?;
    check_below(LimitKind::SubDaily, limits.per_day, asked.paid_on_day, asked.amount)
}

/// Holds `amount` against a limit of a sub-wallet of which `used` is used.
pub(crate) fn check_below(
    kind: LimitKind,
    limit: u64,
    used: u64,
    amount: u64,
) -> Result<(), Refusal> {
    if may_hold_below(limit, used, amount) {
        return Ok(());
    }
    let remaining = limit.saturating_sub(used);
    let (requested, step_up) = (amount, None);
    Err(Refusal::LimitExceeded(LimitExceeded { kind, limit, remaining, requested, step_up }))
}

/// Whether `amount` fits into what is left of a sub-wallet's limit.
pub(crate) const fn may_hold_below(limit: u64, used: u64, amount: u64) -> bool {
    amount <= limit.saturating_sub(used)
}

/// How much more a wallet that holds `balance` may hold; `None` is any amount.
pub(crate) fn room(limits: &Limits, balance: u64) -> Option<u64> {
    limits.balance.map(|cap| cap.saturating_sub(balance))
}

/// The first limit a payment exceeds, the limit itself, and what remains of it.
fn exceeded(limits: &Limits, asked: &Asked) -> Option<(LimitKind, u64, u64)> {
    [
        (LimitKind::Single, limits.per_payment, 0),
        (LimitKind::Daily, limits.per_day, asked.paid_on_day),
        (LimitKind::Yearly, limits.per_year, asked.paid_in_year),
    ]
    .into_iter()
    .filter_map(|(kind, limit, used)| limit.map(|limit| (kind, limit, limit.saturating_sub(used))))
    .find(|(_, _, remaining)| asked.amount > *remaining)
}

fn classes_where(policy: &Policy, admits: impl Fn(&WalletClass) -> bool) -> Option<StepUp> {
    let classes: Vec<ClassId> = policy
        .terms()
        .classes
        .iter()
        .filter(|(_, class)| admits(class))
        .map(|(id, _)| *id)
        .collect();
    (!classes.is_empty()).then_some(StepUp::Classes(classes))
}
