//! A command in words: who, what, how much, from and to whom, and what it came to. Keys, signatures and
//! commitments are left out: they tell a reader nothing.

use crate::words::noted;
use serde::Serialize;
use std::collections::BTreeMap;
use yufu_base::{AccountId, Amount, InstitutionId};
use yufu_machine::{Action, Direction, Order, Outcome, Submission};

/// A command, told.
#[derive(Serialize)]
pub(super) struct Told {
    id: String,
    /// Which institution commands it.
    pub(super) by: String,
    /// What is to be done, in one word.
    pub(super) kind: String,
    /// Of whom and how much.
    pub(super) details: BTreeMap<&'static str, String>,
    /// The code of the refusal; none, if it was done.
    #[serde(rename = "refused")]
    pub(super) outcome: Option<String>,
    /// The orders that it consists of, if it is several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) orders: Vec<Self>,
}

pub(super) fn told(command: &Submission, outcome: &Outcome) -> Told {
    of(&command.institution, &command.order, outcome)
}

fn of(by: &InstitutionId, order: &Order, outcome: &Outcome) -> Told {
    let (orders, each): (&[Order], _) = match &order.action {
        Action::Each { orders } => {
            (orders.as_slice(), outcome.as_ref().ok().and_then(|done| done.each.as_deref()))
        }
        Action::Chain { orders } => (orders.as_slice(), None),
        _ => (&[], None),
    };
    // Those of a chain come to what the whole does.
    let each = each.unwrap_or_default().iter().chain(std::iter::repeat(outcome));
    Told {
        id: order.id.to_string(),
        by: by.to_string(),
        kind: kind(&order.action),
        details: details(&order.action).into_iter().collect(),
        outcome: outcome.as_ref().err().map(|refusal| refusal.code().to_owned()),
        orders: orders.iter().zip(each).map(|(order, outcome)| of(by, order, outcome)).collect(),
    }
}

/// The action's name as one word: `OpenWallet` is `open_wallet`.
fn kind(action: &Action) -> String {
    let debugged = format!("{action:?}");
    let name = debugged.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let mut word = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(character.to_ascii_lowercase());
    }
    word
}

fn details(action: &Action) -> Vec<(&'static str, String)> {
    let sum = |amount: &Amount| (noted!("amount_minor"), amount.minor().to_string());
    let of_account = |account: &AccountId| (noted!("account"), account.to_string());
    match action {
        Action::RegisterBank { bank, .. } => vec![(noted!("bank"), bank.to_string())],
        Action::ReplaceKey { institution, .. } => {
            vec![(noted!("institution"), institution.to_string())]
        }
        Action::CreateReserves { bank, amount }
        | Action::CancelReserves { bank, amount }
        | Action::Issue { bank, amount }
        | Action::Redeem { bank, amount }
        | Action::SupplyPaper { bank, amount }
        | Action::ReturnPaper { bank, amount } => {
            vec![(noted!("bank"), bank.to_string()), sum(amount)]
        }
        Action::CreditDeposits { amount } => vec![sum(amount)],
        Action::OpenWallet { account, class } | Action::SetClass { account, class } => {
            vec![of_account(account), (noted!("class"), class.to_string())]
        }
        Action::Exchange { direction, amount } => {
            let account = match direction {
                Direction::PaperToDigital(account)
                | Direction::DigitalToPaper(account)
                | Direction::DepositToDigital(account)
                | Direction::DigitalToDeposit(account) => Some(of_account(account)),
                Direction::PaperToDeposit | Direction::DepositToPaper => None,
            };
            account.into_iter().chain([sum(amount)]).collect()
        }
        Action::Pay { payer, payee, amount, .. } => vec![
            (noted!("payer"), payer.to_string()),
            (noted!("payee"), payee.to_string()),
            sum(amount),
        ],
        Action::CloseWallet { account }
        | Action::FlagDormant { account }
        | Action::Reactivate { account, .. } => vec![of_account(account)],
        Action::OpenSubWallet { account, parent, payee, .. } => vec![
            of_account(account),
            (noted!("parent"), parent.to_string()),
            (noted!("payee"), payee.to_string()),
        ],
        Action::FundSubWallet { account, amount, .. } => vec![of_account(account), sum(amount)],
        Action::PayAvailable { payer, payee, most: amount, .. }
        | Action::HoldPayment { payer, payee, amount, .. } => vec![
            (noted!("payer"), payer.to_string()),
            (noted!("payee"), payee.to_string()),
            sum(amount),
        ],
        Action::PostHold { hold: of, amount }
        | Action::Refund { of, amount, .. }
        | Action::DisputePayment { of, amount, .. }
        | Action::Correct { of, amount, .. } => vec![(noted!("of"), of.to_string()), sum(amount)],
        Action::ReleaseHold { hold: of }
        | Action::ConfirmFreeze { freeze: of }
        | Action::LiftFreeze { freeze: of } => vec![(noted!("of"), of.to_string())],
        Action::OrderFreeze { account, .. } => vec![of_account(account)],
        Action::RegisterAuthority { authority, .. } => {
            vec![(noted!("institution"), authority.to_string())]
        }
        Action::ActivateVersion { version } => vec![(noted!("version"), version.to_string())],
        action => of_other_ledgers(action),
    }
}

fn of_other_ledgers(action: &Action) -> Vec<(&'static str, String)> {
    let sum = |amount: &Amount| (noted!("amount_minor"), amount.minor().to_string());
    match action {
        Action::RegisterPeer { peer, .. }
        | Action::SetPeer { peer, .. }
        | Action::Correspond { peer, .. } => vec![(noted!("peer"), peer.to_string())],
        Action::SendAbroad { sending } => vec![
            (noted!("peer"), sending.peer.to_string()),
            (noted!("payer"), sending.payer.to_string()),
            (noted!("payee"), sending.payee.to_string()),
            sum(&sending.amount),
        ],
        Action::ReceiveFromAbroad { transit, .. } => vec![
            (noted!("number"), transit.number.to_string()),
            (noted!("payee"), transit.payee.to_string()),
            sum(&transit.amount),
        ],
        Action::SettleTransit { number, resolution, .. } => vec![
            (noted!("number"), number.to_string()),
            (noted!("came_to"), resolution.code().to_owned()),
        ],
        // Rules and policies stand in the profile; what is newer than this table is told by its name alone.
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_named_in_one_word() {
        let account = AccountId::new(7);
        assert_eq!(kind(&Action::CloseWallet { account }), "close_wallet");
    }
}
