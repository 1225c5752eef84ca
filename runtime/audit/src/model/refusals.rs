//! What was refused: where the reason names a number, or something that can be looked up, the
//! recomputed books have to bear it out.

use super::{Found, Model, flows, notes};
use crate::finding::Irregularity;
use yufu_base::{AccountId, CommandId, InstitutionId, Timestamp};
use yufu_machine::{AccountKind, Action, ClassId, LimitExceeded, LimitKind, Refusal, Standing};

impl Model {
    pub(super) fn check_refusal(
        &self,
        at: Timestamp,
        by: &InstitutionId,
        action: &Action,
        refusal: &Refusal,
    ) -> Found {
        let meant = self.meant(action);
        let borne_out = self.about_wallets(&meant, refusal)
            && self.about_pending(by, action, refusal)
            && self.about_abroad(at, by, action, refusal)
            && self.about_notes(at, by, action, refusal)
            && match refusal {
                Refusal::InsufficientFunds { account: AccountKind::Wallet, .. } => {
                    self.falls_short(&meant, action, refusal)
                }
                Refusal::LimitExceeded(exceeded) => self.exceeds(at, by, &meant, exceeded),
                Refusal::Deadline { now, latest } => {
                    let asked = self.latest(at, action);
                    asked.is_some_and(|(asked, last)| {
                        (*now, *latest) == (at, last) && !(asked > at && asked <= last)
                    })
                }
                Refusal::NoDeadlines => self.deadlines.is_none(),
                Refusal::NotNextVersion(in_force) => {
                    let next = self.version.checked_add(1);
                    let asks_next = matches!(action, Action::ActivateVersion { version } if Some(*version) == next);
                    *in_force == self.version && !asks_next
                }
                Refusal::ChainRefused { place, of } => self.breaks(at, by, action, *place, of),
                _ => true,
            };
        if borne_out { Ok(()) } else { Err(Irregularity::Refusal(refusal.to_string())) }
    }

    /// Reasons that lie in where a wallet stands.
    fn about_wallets(&self, meant: &Action, refusal: &Refusal) -> bool {
        match refusal {
            Refusal::AccountUnknown(id) => !self.wallets.contains_key(id),
            Refusal::AccountClosed(id) => self.stands(*id) == Some(Standing::Closed),
            Refusal::AccountDormant(id) => self.stands(*id) == Some(Standing::Dormant),
            Refusal::AccountFrozen(id) => {
                let gives = match meant {
                    Action::CloseWallet { account } => Some(*account),
                    _ => self.gives(meant),
                };
                let above = gives.and_then(|wallet| self.above(wallet));
                self.freezes.hold(*id) && [gives, above].contains(&Some(*id))
            }
            Refusal::HasHolds(id) => self.pending.hangs_on(*id),
            Refusal::NotEmpty(minor) => {
                let left = match meant {
                    Action::CloseWallet { account } => self.held_in(*account),
                    Action::PayAvailable { payer, most, .. } => {
                        self.held_in(*payer).saturating_sub(most.minor().into())
                    }
                    _ => return false,
                };
                left == i128::from(*minor) && left > 0
            }
            _ => true,
        }
    }

    /// Reasons that lie in what an action names: a hold, a transfer, a freeze.
    fn about_pending(&self, by: &InstitutionId, action: &Action, refusal: &Refusal) -> bool {
        match refusal {
            Refusal::HoldUnknown(id) => self.pending.get(*id).is_none(),
            Refusal::FreezeUnknown(id) => !self.freezes.contains(*id),
            Refusal::FreezeInForce(id) => self.freezes.in_force(*id),
            Refusal::SameAuthority(id) => self.freezes.ordered_by(*id) == Some(by),
            Refusal::TransferUnknown(id) => match action {
                Action::Correct { .. } => self.reversals.entry(*id).is_none(),
                _ => self.reversals.payment(*id).is_none(),
            },
            Refusal::NotYours(id) => !self.is_theirs(by, action, *id),
            Refusal::MoreThanTransferred { of, left, requested } => {
                let asked = flows::amount(action).map(|amount| amount.minor());
                *left == self.reversals.left(*of) && asked == Some(*requested) && requested > left
            }
            Refusal::MoreThanHeld { held, requested } => match action {
                Action::PostHold { hold, amount } => {
                    let promise = self.pending.get(*hold);
                    promise.is_some_and(|promise| promise.minor == *held)
                        && amount.minor() == *requested
                        && requested > held
                }
                _ => false,
            },
            _ => true,
        }
    }

    /// Whether what an action names is the submitter's to do this with.
    fn is_theirs(&self, by: &InstitutionId, action: &Action, id: CommandId) -> bool {
        match action {
            Action::PostHold { .. } => self.may_decide(by, id, true),
            Action::ReleaseHold { .. } => self.may_decide(by, id, false),
            Action::LiftFreeze { .. } => self.freezes.is_of(id, by),
            Action::Correct { .. } => self.reversals.entry(id).is_some_and(|one| one.by == *by),
            _ => {
                let paid = self.reversals.payment(id);
                let refunds = matches!(action, Action::Refund { .. });
                let whose = paid.map(|paid| if refunds { paid.payee } else { paid.payer });
                whose.is_some_and(|wallet| self.operates(by, wallet))
            }
        }
    }

    /// A wallet had less to give than was asked of it.
    fn falls_short(&self, meant: &Action, action: &Action, refusal: &Refusal) -> bool {
        let Refusal::InsufficientFunds { available, requested, .. } = refusal else { return false };
        let asked = match action {
            Action::MintNotes { minting } => Some(notes::asked(minting)),
            _ => flows::amount(action).map(|amount| amount.minor()),
        };
        let Some(wallet) = self.gives(meant) else { return false };
        let has = self.available_in(wallet);
        // A payment of what there is asks for no more than that.
        let short = match meant {
            Action::PayAvailable { .. } => has == 0,
            _ => has < i128::from(*requested),
        };
        has == i128::from(*available) && asked == Some(*requested) && short
    }

    /// A limit was exceeded by as much as the refusal says.
    fn exceeds(
        &self,
        at: Timestamp,
        by: &InstitutionId,
        meant: &Action,
        exceeded: &LimitExceeded,
    ) -> bool {
        if exceeded.kind.is_of_notes() {
            return true;
        }
        let paying = match meant {
            Action::SendAbroad { sending } => Some((sending.payer, sending.amount.minor())),
            Action::MintNotes { minting } => Some((minting.payer, notes::asked(minting))),
            _ => self.paying(meant).map(|paying| (paying.payer, paying.minor)),
        };
        let used = match (&paying, exceeded.kind, meant) {
            (Some(_), LimitKind::Single | LimitKind::SubSingle, _) => Some(0),
            (Some((payer, _)), LimitKind::SubDaily, _) => Some(self.spent_so_far(at, *payer).0),
            (Some((payer, _)), LimitKind::Daily, _) => Some(self.counted(at, *payer).0),
            (Some((payer, _)), LimitKind::Yearly, _) => Some(self.counted(at, *payer).1),
            (None, LimitKind::Balance, Action::SetClass { .. }) => Some(0),
            (None, LimitKind::Balance, Action::Exchange { .. }) => {
                flows::filled(meant).and_then(|id| u128::try_from(self.held_with_below(id)).ok())
            }
            (None, LimitKind::SubBalance, Action::FundSubWallet { account, .. }) => {
                u128::try_from(self.coming_to(*account)).ok()
            }
            (None, LimitKind::Aggregate, Action::SetClass { class, .. }) => {
                Some(self.together(by, *class))
            }
            (None, LimitKind::Aggregate, Action::Exchange { .. }) => {
                let known = flows::filled(meant).and_then(|id| self.wallets.get(&id));
                known.map(|known| self.together(by, known.class))
            }
            _ => None,
        };
        let asked = match (&paying, meant) {
            (Some((_, minor)), _) => Some((*minor).into()),
            (None, Action::SetClass { account, .. }) => Some(self.held_with_below(*account)),
            (None, _) => flows::amount(meant).map(|amount| i128::from(amount.minor())),
        };
        used.is_some_and(|used| {
            let remaining = u128::from(exceeded.limit).saturating_sub(used);
            remaining == u128::from(exceeded.remaining)
                && u128::from(exceeded.requested) > remaining
                && asked == Some(exceeded.requested.into())
        })
    }

    /// What counts against the limits of the class: a sub-wallet's payments are those of the wallet
    /// above it.
    fn counted(&self, at: Timestamp, payer: AccountId) -> (u128, u128) {
        self.spent_so_far(at, self.above(payer).unwrap_or(payer))
    }

    fn together(&self, bank: &InstitutionId, class: ClassId) -> u128 {
        let sum = self.sums.get(&(bank.clone(), class)).copied().unwrap_or(0);
        u128::try_from(sum).unwrap_or(0)
    }

    /// The order at `place` of a chain is refused for that reason once those before it are done.
    fn breaks(
        &self,
        at: Timestamp,
        by: &InstitutionId,
        action: &Action,
        place: u32,
        of: &Refusal,
    ) -> bool {
        let Action::Chain { orders } = action else { return false };
        let Ok(place) = usize::try_from(place) else { return false };
        let Some(refused) = orders.as_slice().get(place) else { return false };
        let before = orders.as_slice().get(..place).unwrap_or_default();
        if matches!(of, Refusal::IdReused) {
            let twice = before.iter().any(|order| order.id == refused.id);
            return twice || self.answers.contains(refused.id);
        }
        if of.before_admission() {
            return self.check_unadmitted(at, by, refused, of).is_ok();
        }
        let mut trial = self.excerpt(orders.as_slice());
        let done = before.iter().all(|order| trial.accept(at, by, order).is_empty());
        done && trial.check_refusal(at, by, &refused.action, of).is_ok()
    }
}
