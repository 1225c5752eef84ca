//! A small city for tests: a central bank, two banks, wallets of three classes.

use crate::{
    Action, Authorisation, Chain, ClassId, DeadlineTerms, Deadlines, Direction, Limits, Machine,
    Order, Orders, Outcome, Policy, PolicyTerms, Submission, UtcOffset, WalletClass,
};
use yufu_base::{
    AccountId, Amount, CommandId, Currency, Digest, InstitutionId, PublicKey, Signature, Stamp,
    StateMachine, Timestamp,
};

/// 2026-01-15 00:00 UTC.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_768_435_200);
pub(crate) const CENTRAL_BANK: &str = "central-bank";
pub(crate) const ALICE: AccountId = AccountId::new(1);
pub(crate) const BOB: AccountId = AccountId::new(2);
pub(crate) const COURT: &str = "court";
pub(crate) const PROSECUTOR: &str = "prosecutor";
/// At the other bank.
pub(crate) const CAROL: AccountId = AccountId::new(3);
/// Of class I, without limits.
pub(crate) const SHOP: AccountId = AccountId::new(4);

pub(crate) fn cny(minor: u64) -> Amount {
    Amount::new(Currency::new("CNY").unwrap(), minor)
}

pub(crate) fn name(text: &str) -> InstitutionId {
    text.parse().unwrap()
}

pub(crate) fn class(text: &str) -> ClassId {
    ClassId::new(text).unwrap()
}

pub(crate) fn key(byte: u8) -> PublicKey {
    let mut point = [byte; 65];
    point[0] = 4;
    PublicKey::from_uncompressed(&point).unwrap()
}

pub(crate) fn key_of(institution: &str) -> PublicKey {
    key(institution.bytes().fold(0, u8::wrapping_add))
}

/// Class IV: 200 a payment (500 stepped up), 500 a day (600), 1000 a year (1100), holds 1000.
/// Class III: twice as much, no step-up. Class I: no limits.
pub(crate) fn terms() -> PolicyTerms {
    let limits = |per_payment, per_day, per_year, balance| Limits {
        per_payment: Some(per_payment),
        per_day: Some(per_day),
        per_year: Some(per_year),
        balance: Some(balance),
    };
    let four = WalletClass {
        ordinary: limits(200, 500, 1000, 1000),
        stepped_up: Some(limits(500, 600, 1100, 1000)),
    };
    let three = WalletClass { ordinary: limits(400, 1000, 2000, 2000), stepped_up: None };
    let one = WalletClass { ordinary: Limits::default(), stepped_up: None };
    PolicyTerms {
        classes: [(class("IV"), four), (class("III"), three), (class("I"), one)].into(),
        offsets: vec![UtcOffset { from: Timestamp::from_millis(0), seconds_east: 28_800 }],
        id_retention_seconds: 7 * 86_400,
        id_future_tolerance_seconds: 60,
    }
}

/// Holds 7 days, disputes 30, a freeze to be confirmed in 2 and over in 180.
pub(crate) fn deadlines() -> DeadlineTerms {
    DeadlineTerms { hold_days: 7, dispute_days: 30, freeze_confirm_days: 2, freeze_days: 180 }
}

pub(crate) fn policy() -> Policy {
    Policy::new(terms()).unwrap()
}

pub(crate) fn genesis() -> Action {
    Action::Genesis {
        currency: Currency::new("CNY").unwrap(),
        central_bank: name(CENTRAL_BANK),
        key: key_of(CENTRAL_BANK),
        policy: policy(),
    }
}

pub(crate) fn submission(by: &str, id: CommandId, action: Action) -> Submission {
    Submission {
        institution: name(by),
        key: key_of(by),
        order: Order { id, action },
        signature: Signature([7; 64]),
    }
}

pub(crate) fn pay(payer: AccountId, payee: AccountId, minor: u64) -> Action {
    let (amount, order) = (cny(minor), Digest::of(b"order"));
    Action::Pay { payer, payee, amount, order, authorisation: Authorisation::Ordinary }
}

pub(crate) fn stepped_up(payer: AccountId, payee: AccountId, minor: u64) -> Action {
    let authorisation = Authorisation::SteppedUp { presentation: Digest::of(b"presentation") };
    let (amount, order) = (cny(minor), Digest::of(b"order"));
    Action::Pay { payer, payee, amount, order, authorisation }
}

/// A payment that is held for `seconds` from when a [`City`] submits it.
pub(crate) fn hold(payer: AccountId, payee: AccountId, minor: u64, seconds: u64) -> Action {
    Action::HoldPayment {
        payer,
        payee,
        amount: cny(minor),
        expires: Timestamp::from_seconds(seconds),
        order: Digest::of(b"order"),
        authorisation: Authorisation::Ordinary,
    }
}

pub(crate) fn freeze(account: AccountId, seconds: u64) -> Action {
    let until = Timestamp::from_seconds(seconds);
    Action::OrderFreeze { account, legal_reference: Digest::of(b"case"), until }
}

/// Turns a deadline in seconds from now, as tests write it, into a time.
fn from_now(now: Timestamp, mut action: Action) -> Action {
    if let Action::HoldPayment { expires: end, .. } | Action::OrderFreeze { until: end, .. } =
        &mut action
    {
        *end = now.plus_seconds(end.seconds());
    }
    action
}

/// A machine, a clock, and ids that never repeat.
#[derive(Clone)]
pub(crate) struct City {
    pub(crate) machine: Machine,
    pub(crate) now: Timestamp,
    pub(crate) ids: u128,
}

impl City {
    pub(crate) fn empty() -> Self {
        Self { machine: Machine::new(), now: START, ids: 0 }
    }

    pub(crate) fn open() -> Self {
        let mut city = Self::empty();
        city.done(CENTRAL_BANK, genesis());
        city
    }

    /// Two banks with 100,000 each of reserves, digital stock, notes and deposits; each wallet
    /// holds 800, but Bob 900.
    pub(crate) fn furnished() -> Self {
        let mut city = Self::open();
        for bank in ["bank-a", "bank-b"] {
            let (id, amount) = (name(bank), cny(100_000));
            city.done(CENTRAL_BANK, Action::RegisterBank { bank: id.clone(), key: key_of(bank) });
            let reserves = cny(300_000);
            city.done(CENTRAL_BANK, Action::CreateReserves { bank: id.clone(), amount: reserves });
            city.done(CENTRAL_BANK, Action::Issue { bank: id.clone(), amount });
            city.done(CENTRAL_BANK, Action::SupplyPaper { bank: id, amount });
            city.done(bank, Action::CreditDeposits { amount });
        }
        for (bank, account, of, held) in [
            ("bank-a", ALICE, "IV", 800),
            ("bank-a", BOB, "IV", 900),
            ("bank-b", CAROL, "III", 800),
            ("bank-a", SHOP, "I", 800),
        ] {
            city.done(bank, Action::OpenWallet { account, class: class(of) });
            let direction = Direction::DepositToDigital(account);
            city.done(bank, Action::Exchange { direction, amount: cny(held) });
        }
        city
    }

    /// The same under version 2, with deadlines and two authorities that may order freezes.
    pub(crate) fn current() -> Self {
        let mut city = Self::furnished();
        city.done(CENTRAL_BANK, Action::ActivateVersion { version: 2 });
        let deadlines = Some(Deadlines::new(deadlines()).unwrap());
        city.done(CENTRAL_BANK, Action::SetDeadlines { deadlines });
        for authority in [COURT, PROSECUTOR] {
            let (authority, key) = (name(authority), key_of(authority));
            city.done(CENTRAL_BANK, Action::RegisterAuthority { authority, key });
        }
        city
    }

    /// Several orders under one signature.
    pub(crate) fn each<const N: usize>(&mut self, by: &str, actions: [Action; N]) -> Outcome {
        let orders =
            actions.map(|action| Order { id: self.id(), action: from_now(self.now, action) });
        self.submit(by, Action::Each { orders: Orders::new(orders.into()).unwrap() })
    }

    /// Transfers that are all done or none.
    pub(crate) fn chain<const N: usize>(&mut self, by: &str, actions: [Action; N]) -> Outcome {
        let orders =
            actions.map(|action| Order { id: self.id(), action: from_now(self.now, action) });
        self.submit(by, Action::Chain { orders: Chain::new(orders.into()).unwrap() })
    }

    /// The id of a command that is done.
    pub(crate) fn named(&mut self, by: &str, action: Action) -> CommandId {
        let id = self.id();
        let action = from_now(self.now, action);
        self.apply(&submission(by, id, action)).unwrap();
        id
    }

    pub(crate) fn later(&mut self, seconds: u64) {
        self.now = self.now.plus_seconds(seconds);
    }

    pub(crate) fn id(&mut self) -> CommandId {
        self.ids += 1;
        CommandId::at(self.now, self.ids)
    }

    pub(crate) fn apply(&mut self, submission: &Submission) -> Outcome {
        self.machine.apply(Stamp { at: self.now }, submission)
    }

    pub(crate) fn submit(&mut self, by: &str, action: Action) -> Outcome {
        let id = self.id();
        let action = from_now(self.now, action);
        self.apply(&submission(by, id, action))
    }

    pub(crate) fn done(&mut self, by: &str, action: Action) {
        self.submit(by, action).unwrap();
    }

    pub(crate) fn held(&self, account: AccountId) -> u64 {
        self.machine.balance(account).unwrap().minor()
    }
}
