//! The steps: one file for each thing that crosses ledger and registry.

mod abroad;
mod arrival;
mod correction;
mod dispute;
mod dormancy;
mod exchange;
mod freeze;
mod hold;
mod institution;
mod issuance;
mod keyset;
mod notes;
mod payment;
mod peer;
mod policy;
mod refund;
mod sub_wallet;
mod wallet;

use crate::books::{Books, Submitter};
use crate::command::Action;
use crate::freezes::End;
use crate::memory::Memory;
use crate::outcome::Done;
use crate::refusal::Refusal;
use crate::reversal::Reversible;
use crate::sub_wallets::SubWallet;
use hold::Holding;
use payment::Paying;
use yufu_base::{CommandId, Timestamp};
use yufu_ledger::Movement as M;

/// What a step came to: done, and what can be taken back of it.
pub(crate) type Step = Result<(Done, Reversible), Refusal>;

/// What is over by `now`: pending transfers are released, freezes end.
pub(crate) fn lapse(books: &mut Books, memory: &mut Memory, now: Timestamp) {
    while let Some((id, hold)) = books.ledger.lapsed_hold(now) {
        books.ledger.release_hold(id);
        hold::released(memory, &hold, hold.amount());
    }
    while let Some(id) = books.freezes.over(now) {
        books.end_freeze(id, End::Time);
    }
}

/// One line per action: which step does it.
pub(crate) fn step(
    books: &mut Books,
    memory: &mut Memory,
    by: Submitter,
    id: CommandId,
    action: &Action,
) -> Step {
    match action {
        Action::Pay { payer, payee, amount, order: _, authorisation } => books.pay(
            by,
            Paying { payer: *payer, payee: *payee, authorisation: *authorisation },
            *amount,
        ),
        Action::PayAvailable { payer, payee, most, close, order: _, authorisation } => {
            let paying = Paying { payer: *payer, payee: *payee, authorisation: *authorisation };
            books.pay_available(by, paying, *most, *close)
        }
        Action::Exchange { direction, amount } => books.exchange(by, *direction, *amount),
        Action::CreateReserves { bank, amount } => {
            books.issue(by, bank, M::CreateReserves, *amount)
        }
        Action::CancelReserves { bank, amount } => {
            books.issue(by, bank, M::CancelReserves, *amount)
        }
        Action::Issue { bank, amount } => books.issue(by, bank, M::Issue, *amount),
        Action::Redeem { bank, amount } => books.issue(by, bank, M::Redeem, *amount),
        Action::SupplyPaper { bank, amount } => books.issue(by, bank, M::SupplyPaper, *amount),
        Action::ReturnPaper { bank, amount } => books.issue(by, bank, M::ReturnPaper, *amount),
        Action::CreditDeposits { amount } => books.credit_deposits(by, *amount),
        Action::PostHold { hold, amount } => books.post_hold(memory, by, *hold, *amount),
        Action::Refund { of, amount, order: _ } => {
            books.refund(memory, by, *of, *amount).map(final_)
        }
        Action::Correct { of, amount, reason: _ } => {
            books.correct(memory, by, *of, *amount).map(final_)
        }
        Action::DisputePayment { of, amount, expires, evidence: _ } => {
            books.dispute(memory, by, id, (*of, *amount, *expires)).map(final_)
        }
        Action::ReleaseHold { hold } => books.release_hold(memory, by, *hold).map(final_),
        Action::SendAbroad { sending } => books.send_abroad(by, id, sending),
        Action::SettleTransit { ledger, number, resolution } => {
            books.settle_transit(memory, by, (ledger, *number, *resolution)).map(final_)
        }
        action => order(books, by, id, action).map(final_),
    }
}

/// What cannot be taken back.
const fn final_(done: Done) -> (Done, Reversible) {
    (done, Reversible::Nothing)
}

/// One line per action of which nothing can be taken back.
fn order(
    books: &mut Books,
    by: Submitter,
    id: CommandId,
    action: &Action,
) -> Result<Done, Refusal> {
    match action {
        Action::RegisterBank { bank, key } => books.register_bank(by, bank, *key),
        Action::RegisterAuthority { authority, key } => {
            books.register_authority(by, authority, *key)
        }
        Action::ReplaceKey { institution, key } => books.replace_key(by, institution, *key),
        Action::SetPolicy { policy } => books.set_policy(by, policy),
        Action::SetHoldingRules { rules } => books.set_holding_rules(by, rules),
        Action::SetDeadlines { deadlines } => books.set_deadlines(by, *deadlines),
        Action::OpenWallet { account, class } => books.open_wallet(by, *account, *class),
        Action::SetClass { account, class } => books.set_class(by, *account, *class),
        Action::CloseWallet { account } => books.close_wallet(by, *account),
        Action::FlagDormant { account } => books.flag_dormant(by, *account),
        Action::Reactivate { account, evidence: _ } => books.reactivate(by, *account),
        Action::OpenSubWallet { account, parent, payee, limits, order: _ } => {
            books.open_sub_wallet(by, *account, SubWallet::new(*parent, *payee, *limits))
        }
        Action::FundSubWallet { account, amount, order: _ } => {
            books.fund_sub_wallet(by, *account, *amount)
        }
        Action::HoldPayment { payer, payee, amount, expires, order: _, authorisation } => {
            let paying = Paying { payer: *payer, payee: *payee, authorisation: *authorisation };
            books.hold_payment(by, id, Holding { paying, amount: *amount, expires: *expires })
        }
        Action::OrderFreeze { account, legal_reference, until } => {
            books.order_freeze(by, id, *account, *legal_reference, *until)
        }
        Action::ConfirmFreeze { freeze } => books.confirm_freeze(by, *freeze),
        Action::LiftFreeze { freeze } => books.lift_freeze(by, *freeze),
        Action::RegisterPeer { peer, key, currency, peering } => {
            books.register_peer(by, (peer, *key), (*currency, peering))
        }
        Action::SetPeer { peer, peering } => books.set_peer(by, peer, peering),
        Action::Correspond { peer, correspondent } => {
            books.correspond(by, peer, correspondent.as_ref())
        }
        Action::ReceiveFromAbroad { ledger, transit, settled } => {
            books.receive_from_abroad(by, (ledger, transit, *settled))
        }
        Action::SetNoteRules { rules } => books.set_note_rules(by, rules.as_ref()),
        Action::RegisterKeyset { keys, terms } => books.register_keyset(by, *keys, *terms),
        Action::DeactivateKeyset { keyset } => books.deactivate_keyset(by, *keyset),
        Action::ExpireKeyset { keyset } => books.expire_keyset(by, *keyset),
        Action::MintNotes { minting } => books.mint_notes(by, minting),
        Action::SwapNotes { swapping } => books.swap_notes(by, swapping),
        Action::MeltNotes { melting } => books.melt_notes(by, melting),
        // Every other action is a step above, or the machine's own.
        _ => Err(Refusal::AlreadyOpen),
    }
}
