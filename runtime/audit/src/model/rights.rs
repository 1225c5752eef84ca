//! Who may do what: by role, by version of the rules, and with whose wallets.

use super::flows;
use super::{Found, Model};
use crate::finding::Irregularity;
use yufu_base::{AccountId, InstitutionId};
use yufu_machine::{Action, Role};

impl Model {
    pub(super) fn check_right(&self, by: &InstitutionId, action: &Action) -> Found {
        let denied = || Irregularity::Permission(by.clone());
        let (role, _) = self.institutions.get(by).ok_or_else(denied)?;
        let permitted = match action {
            Action::OpenWallet { .. }
            | Action::CreditDeposits { .. }
            | Action::Exchange { .. }
            | Action::Pay { .. }
            | Action::PayAvailable { .. }
            | Action::HoldPayment { .. }
            | Action::Refund { .. }
            | Action::DisputePayment { .. }
            | Action::SetClass { .. }
            | Action::CloseWallet { .. }
            | Action::FlagDormant { .. }
            | Action::Reactivate { .. }
            | Action::OpenSubWallet { .. }
            | Action::FundSubWallet { .. }
            | Action::SendAbroad { .. }
            | Action::Correspond { .. }
            | Action::RegisterKeyset { .. }
            | Action::DeactivateKeyset { .. }
            | Action::ExpireKeyset { .. }
            | Action::MintNotes { .. }
            | Action::SwapNotes { .. }
            | Action::MeltNotes { .. } => *role == Role::Bank,
            Action::ReceiveFromAbroad { .. } | Action::SettleTransit { .. } => *role == Role::Peer,
            Action::PostHold { .. } | Action::ReleaseHold { .. } | Action::Correct { .. } => {
                matches!(role, Role::Bank | Role::CentralBank)
            }
            Action::OrderFreeze { .. }
            | Action::ConfirmFreeze { .. }
            | Action::LiftFreeze { .. } => *role == Role::Authority,
            Action::ReplaceKey { institution, .. } => {
                *role == Role::CentralBank || institution == by
            }
            // Whoever may do what is in it.
            Action::Each { .. } | Action::Chain { .. } => true,
            _ => *role == Role::CentralBank,
        };
        if permitted { Ok(()) } else { Err(denied()) }
    }

    /// The rules in force know the action.
    pub(super) fn check_version(&self, action: &Action) -> Found {
        let abroad = matches!(
            action,
            Action::RegisterPeer { .. }
                | Action::SetPeer { .. }
                | Action::Correspond { .. }
                | Action::SendAbroad { .. }
                | Action::ReceiveFromAbroad { .. }
                | Action::SettleTransit { .. }
        );
        let notes = matches!(
            action,
            Action::SetNoteRules { .. }
                | Action::RegisterKeyset { .. }
                | Action::DeactivateKeyset { .. }
                | Action::ExpireKeyset { .. }
                | Action::MintNotes { .. }
                | Action::SwapNotes { .. }
                | Action::MeltNotes { .. }
        );
        let since = match (notes, abroad) {
            (true, _) => 4,
            (_, true) => 3,
            _ => 2,
        };
        let known = self.version >= since
            || matches!(
                action,
                Action::Genesis { .. }
                    | Action::RegisterBank { .. }
                    | Action::ReplaceKey { .. }
                    | Action::SetPolicy { .. }
                    | Action::CreateReserves { .. }
                    | Action::CancelReserves { .. }
                    | Action::Issue { .. }
                    | Action::Redeem { .. }
                    | Action::SupplyPaper { .. }
                    | Action::ReturnPaper { .. }
                    | Action::OpenWallet { .. }
                    | Action::CreditDeposits { .. }
                    | Action::Exchange { .. }
                    | Action::Pay { .. }
                    | Action::SetHoldingRules { .. }
                    | Action::SetClass { .. }
                    | Action::CloseWallet { .. }
                    | Action::FlagDormant { .. }
                    | Action::Reactivate { .. }
                    | Action::OpenSubWallet { .. }
                    | Action::FundSubWallet { .. }
                    | Action::ActivateVersion { .. }
            );
        if known { Ok(()) } else { Err(Irregularity::Version(self.version)) }
    }

    /// Whether a bank operates a wallet.
    pub(super) fn operates(&self, by: &InstitutionId, wallet: AccountId) -> bool {
        self.wallets.get(&wallet).is_some_and(|known| known.bank == *by)
    }

    /// The wallet that gives, or takes part in an exchange, is operated by the submitter.
    pub(super) fn check_wallets(&self, by: &InstitutionId, action: &Action) -> Found {
        let operated = |id: AccountId| {
            if self.operates(by, id) { Ok(()) } else { Err(Irregularity::Wallet(id)) }
        };
        match action {
            Action::Pay { payer, payee, .. }
            | Action::PayAvailable { payer, payee, .. }
            | Action::HoldPayment { payer, payee, .. } => {
                operated(*payer)?;
                if payer == payee {
                    return Err(Irregularity::Malformed);
                }
                let there = self.wallets.contains_key(payee);
                if there { Ok(()) } else { Err(Irregularity::Wallet(*payee)) }
            }
            Action::Exchange { direction, .. } => {
                flows::wallet(*direction).map_or(Ok(()), operated)
            }
            Action::SetClass { account, .. }
            | Action::CloseWallet { account }
            | Action::FlagDormant { account }
            | Action::Reactivate { account, .. }
            | Action::FundSubWallet { account, .. } => operated(*account),
            Action::OpenSubWallet { parent, payee, .. } => {
                operated(*parent)?;
                let there = parent != payee && self.wallets.contains_key(payee);
                if there { Ok(()) } else { Err(Irregularity::Wallet(*payee)) }
            }
            Action::SendAbroad { sending } => operated(sending.payer),
            Action::MintNotes { minting } => operated(minting.payer),
            Action::MeltNotes { melting } => {
                let there = self.wallets.contains_key(&melting.payee);
                if there { Ok(()) } else { Err(Irregularity::Wallet(melting.payee)) }
            }
            Action::OrderFreeze { account, .. } => {
                let there = self.wallets.contains_key(account);
                if there { Ok(()) } else { Err(Irregularity::Wallet(*account)) }
            }
            _ => Ok(()),
        }
    }
}
