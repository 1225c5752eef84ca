//! What each action moves, told as flows between places: from where, to where, how much. The
//! chart of accounts says the same in debits and credits; here it is said a second time, apart.

use yufu_base::{AccountId, Amount, InstitutionId};
use yufu_machine::{Action, Direction};

/// Where money is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Reserve(InstitutionId),
    PaperVault(InstitutionId),
    PaperPublic,
    Vault(InstitutionId),
    Deposits(InstitutionId),
    /// On its way to another ledger.
    InFlight(InstitutionId),
    /// Behind the bearer notes of a bank.
    Bearer(InstitutionId),
    Wallet(AccountId),
}

/// One flow. Without a `from`, money comes into being; without a `to`, it ceases to be.
pub(super) struct Flow {
    pub(super) from: Option<Place>,
    pub(super) to: Option<Place>,
    pub(super) minor: u64,
    /// Whether it adds to M0.
    pub(super) issues: bool,
    /// Whether it takes from M0.
    pub(super) cancels: bool,
}

/// The amount an action moves, if it moves any.
pub(super) fn amount(action: &Action) -> Option<Amount> {
    match action {
        Action::CreateReserves { amount, .. }
        | Action::CancelReserves { amount, .. }
        | Action::Issue { amount, .. }
        | Action::Redeem { amount, .. }
        | Action::SupplyPaper { amount, .. }
        | Action::ReturnPaper { amount, .. }
        | Action::CreditDeposits { amount }
        | Action::Exchange { amount, .. }
        | Action::Pay { amount, .. }
        | Action::FundSubWallet { amount, .. }
        | Action::HoldPayment { amount, .. }
        | Action::PostHold { amount, .. }
        | Action::Refund { amount, .. }
        | Action::DisputePayment { amount, .. }
        | Action::Correct { amount, .. } => Some(*amount),
        Action::PayAvailable { most, .. } => Some(*most),
        Action::SendAbroad { sending } => Some(sending.amount),
        Action::Genesis { .. }
        | Action::RegisterBank { .. }
        | Action::ReplaceKey { .. }
        | Action::SetPolicy { .. }
        | Action::OpenWallet { .. }
        | Action::SetHoldingRules { .. }
        | Action::SetClass { .. }
        | Action::CloseWallet { .. }
        | Action::FlagDormant { .. }
        | Action::Reactivate { .. }
        | Action::OpenSubWallet { .. }
        | Action::ActivateVersion { .. }
        | Action::RegisterAuthority { .. }
        | Action::SetDeadlines { .. }
        | Action::Each { .. }
        | Action::Chain { .. }
        | Action::ReleaseHold { .. }
        | Action::OrderFreeze { .. }
        | Action::ConfirmFreeze { .. }
        | Action::LiftFreeze { .. }
        | Action::RegisterPeer { .. }
        | Action::SetPeer { .. }
        | Action::Correspond { .. }
        | Action::ReceiveFromAbroad { .. }
        | Action::SettleTransit { .. }
        | Action::SetNoteRules { .. }
        | Action::RegisterKeyset { .. }
        | Action::DeactivateKeyset { .. }
        | Action::ExpireKeyset { .. }
        | Action::MintNotes { .. }
        | Action::SwapNotes { .. }
        | Action::MeltNotes { .. } => None,
    }
}

/// The wallet that takes part in an exchange.
pub(super) const fn wallet(direction: Direction) -> Option<AccountId> {
    match direction {
        Direction::PaperToDigital(id)
        | Direction::DigitalToPaper(id)
        | Direction::DepositToDigital(id)
        | Direction::DigitalToDeposit(id) => Some(id),
        Direction::PaperToDeposit | Direction::DepositToPaper => None,
    }
}

/// The wallet an exchange puts money into.
pub(super) const fn filled(action: &Action) -> Option<AccountId> {
    match action {
        Action::Exchange {
            direction: Direction::PaperToDigital(id) | Direction::DepositToDigital(id),
            ..
        } => Some(*id),
        _ => None,
    }
}

/// What an action moves when `by` submits it.
pub(super) fn of(by: &InstitutionId, action: &Action) -> Vec<Flow> {
    use Place::{Deposits, PaperPublic, PaperVault, Reserve, Vault, Wallet};
    let Some(amount) = amount(action) else { return Vec::new() };
    let minor = amount.minor();
    let flow = |from, to| Flow { from, to, minor, issues: false, cancels: false };
    let own = |place: fn(InstitutionId) -> Place| Some(place(by.clone()));
    let of_bank =
        |bank: &InstitutionId, place: fn(InstitutionId) -> Place| Some(place(bank.clone()));
    match action {
        Action::CreateReserves { bank, .. } => {
            vec![Flow { issues: true, ..flow(None, of_bank(bank, Reserve)) }]
        }
        Action::CancelReserves { bank, .. } => {
            vec![Flow { cancels: true, ..flow(of_bank(bank, Reserve), None) }]
        }
        Action::Issue { bank, .. } => vec![flow(of_bank(bank, Reserve), of_bank(bank, Vault))],
        Action::Redeem { bank, .. } => vec![flow(of_bank(bank, Vault), of_bank(bank, Reserve))],
        Action::SupplyPaper { bank, .. } => {
            vec![flow(of_bank(bank, Reserve), of_bank(bank, PaperVault))]
        }
        Action::ReturnPaper { bank, .. } => {
            vec![flow(of_bank(bank, PaperVault), of_bank(bank, Reserve))]
        }
        Action::CreditDeposits { .. } => vec![flow(None, own(Deposits))],
        Action::Exchange { direction, .. } => {
            let notes_in = flow(Some(PaperPublic), own(PaperVault));
            let notes_out = flow(own(PaperVault), Some(PaperPublic));
            let load = |id: &AccountId| flow(own(Vault), Some(Wallet(*id)));
            let unload = |id: &AccountId| flow(Some(Wallet(*id)), own(Vault));
            match direction {
                Direction::PaperToDigital(id) => vec![notes_in, load(id)],
                Direction::DigitalToPaper(id) => vec![unload(id), notes_out],
                Direction::DepositToDigital(id) => vec![flow(own(Deposits), None), load(id)],
                Direction::DigitalToDeposit(id) => vec![unload(id), flow(None, own(Deposits))],
                Direction::PaperToDeposit => vec![notes_in, flow(None, own(Deposits))],
                Direction::DepositToPaper => vec![flow(own(Deposits), None), notes_out],
            }
        }
        _ => Vec::new(),
    }
}
