//! Withdrawal, swap and redemption of bearer notes: balance, spent notes and what is out of each
//! keyset change together, or not at all.

use crate::books::{Books, Found, Submitter};
use crate::command::{Authorisation, Melting, Minting, Swapping};
use crate::limits::{self, Asked};
use crate::outcome::Done;
use crate::refusal::{LimitKind, Refusal};
use yufu_ledger::{AccountKind, Backing, BankNumber, BearerTo, Period, Spending};
use yufu_mint::{Checked, Input, KeysetError, KeysetNumber, Output};
use yufu_registry::Role;

impl Books {
    pub(crate) fn mint_notes(&mut self, by: Submitter, minting: &Minting) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        self.note_rules()?;
        self.must_own(by, minting.outputs.iter().map(|output| output.keyset))?;
        let from = self.own_wallet(by, minting.payer)?;
        from.must_be_awake()?;
        self.must_not_be_below(&from)?;
        from.must_not_be_frozen()?;
        let exchange = self.notes.mint.check(&[], &minting.outputs, by.now)?;
        let minor = positive(exchange.left().saturating_neg())?;
        let now = self.period(by.now);
        let checked = self
            .ledger
            .check_withdrawal(from.slot, by.bank(), minor, now)
            .ok_or(Refusal::NotPermitted { needed: Role::Bank })??;
        let withdrawn = self.within_withdrawal_limits(&from, minting.authorisation, minor, now)?;
        let slot = from.slot;
        self.notes.mint.commit(exchange);
        self.ledger.commit(checked);
        self.notes.withdrawn.insert(slot, withdrawn);
        self.moved(by, [Some(slot)]);
        Ok(by.done(Some(self.amount(self.ledger.balance(slot)))))
    }

    pub(crate) fn swap_notes(
        &mut self,
        by: Submitter,
        swapping: &Swapping,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        let Swapping { inputs, outputs } = swapping;
        self.must_own(by, keysets(inputs))?;
        let issuer = self.issuer(outputs)?;
        let exchange = self.notes.mint.check(inputs, outputs, by.now)?;
        let (taken, given) = worth(&exchange);
        // Nothing for something would be a fee beyond what the notes are worth.
        if taken != given || given == 0 {
            return Err(Refusal::NotesUneven { taken, given });
        }
        let to = issuer.filter(|bank| *bank != by.bank());
        let to = to.map(|bank| (BearerTo::Bank(bank), given));
        self.settle(by, exchange, to)?;
        Ok(by.done(None))
    }

    pub(crate) fn melt_notes(&mut self, by: Submitter, melting: &Melting) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        let Melting { inputs, payee, change, quote: _ } = melting;
        self.must_own(by, keysets(inputs))?;
        self.must_own(by, change.iter().map(|output| output.keyset))?;
        let to = self.wallet(*payee)?;
        to.must_be_open()?;
        let exchange = self.notes.mint.check(inputs, change, by.now)?;
        let (taken, given) = worth(&exchange);
        let minor = taken.checked_sub(given).filter(|left| *left > 0);
        let minor = minor.ok_or(Refusal::NotesUneven { taken, given })?;
        self.within_redemption_limits(&to, exchange.is_for_registered_payees(), minor)?;
        let slot = to.slot;
        self.settle(by, exchange, Some((BearerTo::Wallet(slot), minor)))?;
        self.moved(by, [Some(slot)]);
        Ok(by.done(None))
    }

    /// Does an exchange of the submitter's notes and moves the money behind them, together.
    fn settle(
        &mut self,
        by: Submitter,
        exchange: Checked<'_>,
        to: Option<(BearerTo, u64)>,
    ) -> Result<(), Refusal> {
        let fee = exchange.shares().get(&by.number.0).map_or(0, |share| share.fee);
        let checked = self
            .ledger
            .check_backing(Backing { bank: by.bank(), to, fee })
            .ok_or(Refusal::NotPermitted { needed: Role::Bank })??;
        self.notes.mint.commit(exchange);
        self.ledger.commit_backing(checked);
        Ok(())
    }

    /// Every keyset is the submitter's: it alone can have verified its notes, and signs with it.
    fn must_own(
        &self,
        by: Submitter,
        keysets: impl Iterator<Item = KeysetNumber>,
    ) -> Result<(), Refusal> {
        for number in keysets {
            let keyset = self.notes.mint.keyset(number).ok_or(KeysetError::Unknown(number))?;
            if keyset.owner != by.number.0 {
                return Err(KeysetError::NotOwned(number).into());
            }
        }
        Ok(())
    }

    /// The one bank whose keysets are to sign outputs; `None` if there are no outputs.
    fn issuer(&self, outputs: &[Output]) -> Result<Option<BankNumber>, Refusal> {
        let mut issuer = None;
        for output in outputs {
            let unknown = KeysetError::Unknown(output.keyset);
            let owner = self.notes.mint.keyset(output.keyset).ok_or(unknown)?.owner;
            if issuer.is_some_and(|first| first != owner) {
                return Err(KeysetError::NotOwned(output.keyset).into());
            }
            issuer = Some(owner);
        }
        Ok(issuer.map(BankNumber))
    }

    /// Holds a withdrawal against the limits of the wallet's class and those on notes; gives what
    /// will have been withdrawn.
    fn within_withdrawal_limits(
        &self,
        from: &Found<'_>,
        authorisation: Authorisation,
        minor: u64,
        now: Period,
    ) -> Result<Spending, Refusal> {
        let stepped_up = matches!(authorisation, Authorisation::SteppedUp { .. });
        let asked = Asked::new(from.wallet, now, minor);
        limits::check_payment(self.policy(), from.class, &asked, stepped_up)?;
        let terms = self.note_rules()?.terms();
        let so_far = self.notes.withdrawn.get(&from.slot).copied().unwrap_or(Spending::NONE);
        let rows = [
            (LimitKind::NotesSingle, terms.per_withdrawal, 0),
            (LimitKind::NotesDaily, terms.per_day, so_far.on_day(now)),
            (LimitKind::NotesYearly, terms.per_year, so_far.in_year(now)),
        ];
        for (kind, limit, used) in rows {
            limit.map_or(Ok(()), |limit| limits::check_below(kind, limit, used, minor))?;
        }
        so_far.plus(now, minor).ok_or(Refusal::OutOfRange(AccountKind::Wallet))
    }

    /// Holds a redemption against what the payee may be paid with notes, and may hold.
    fn within_redemption_limits(
        &self,
        to: &Found<'_>,
        registered_alone: bool,
        minor: u64,
    ) -> Result<(), Refusal> {
        let rules = self.notes.rules.as_ref();
        let registered = rules.is_some_and(|rules| rules.is_payee(to.wallet.class));
        if registered_alone && !registered {
            return Err(Refusal::NotRegisteredPayee(to.id));
        }
        let limit = rules.and_then(|rules| rules.terms().per_redemption).filter(|_| registered);
        let within = |limit| limits::check_below(LimitKind::NotesRedeemed, limit, 0, minor);
        limit.map_or(Ok(()), within)?;
        let (bank, class) = (to.wallet.bank, to.wallet.class);
        let together = self.ledger.held_or_promised_by_class(bank, class);
        let fits_class = limits::check_aggregate(&self.registry, class, together, minor).is_ok();
        let fits = fits_class && self.may_hold_more(to, minor);
        if fits { Ok(()) } else { Err(Refusal::PayeeFull) }
    }
}

fn keysets(inputs: &[Input]) -> impl Iterator<Item = KeysetNumber> {
    inputs.iter().map(|input| input.keyset)
}

/// What the notes of an exchange are worth after fees, and what is asked for them in outputs.
fn worth(exchange: &Checked<'_>) -> (u64, u64) {
    let given: u128 = exchange.shares().values().map(|share| share.issued).sum();
    let taken = i128::try_from(given).unwrap_or(i128::MAX).saturating_add(exchange.left());
    // Below 0 only where the fee is more than the notes are worth.
    let taken = u64::try_from(taken.max(0)).unwrap_or(u64::MAX);
    (taken, u64::try_from(given).unwrap_or(u64::MAX))
}

fn positive(minor: i128) -> Result<u64, Refusal> {
    match u64::try_from(minor) {
        Ok(0) => Err(Refusal::AmountZero),
        Ok(minor) => Ok(minor),
        Err(_) => Err(Refusal::OutOfRange(AccountKind::BearerNotes)),
    }
}
