//! Properties over random command streams, held against a model that knows nothing of the
//! ledger: it recomputes balances and limits from the plain list of what was accepted.

use super::support::*;
use crate::{Action, Authorisation, Direction, Limits, Machine, Outcome, Submission};
use proptest::prelude::*;
use std::collections::BTreeMap;
use yufu_base::{AccountId, CommandId, Stamp, StateMachine, Timestamp};

const WALLETS: [AccountId; 4] = [ALICE, BOB, CAROL, SHOP];

fn wallet() -> impl Strategy<Value = AccountId> {
    prop_oneof![9 => proptest::sample::select(WALLETS.to_vec()), 1 => Just(AccountId::new(99))]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![
        wallet().prop_map(Direction::PaperToDigital),
        wallet().prop_map(Direction::DigitalToPaper),
        wallet().prop_map(Direction::DepositToDigital),
        wallet().prop_map(Direction::DigitalToDeposit),
        Just(Direction::PaperToDeposit),
        Just(Direction::DepositToPaper),
    ]
}

fn money() -> impl Strategy<Value = u64> {
    prop_oneof![20 => 1..300u64, 5 => 300..2000u64, 1 => Just(0), 1 => 100_000..400_000u64]
}

fn action() -> impl Strategy<Value = Action> {
    let bank = || proptest::sample::select(vec!["bank-a", "bank-b", "nobody"]).prop_map(name);
    let payment = (wallet(), wallet(), money(), any::<bool>())
        .prop_map(|(from, to, m, up)| if up { stepped_up(from, to, m) } else { pay(from, to, m) });
    let exchange = (direction(), money())
        .prop_map(|(direction, m)| Action::Exchange { direction, amount: cny(m) });
    let issue = (bank(), money(), 0..6u8).prop_map(|(bank, m, which)| {
        let amount = cny(m);
        match which {
            0 => Action::CreateReserves { bank, amount },
            1 => Action::CancelReserves { bank, amount },
            2 => Action::Issue { bank, amount },
            3 => Action::Redeem { bank, amount },
            4 => Action::SupplyPaper { bank, amount },
            _ => Action::ReturnPaper { bank, amount },
        }
    });
    let credit = money().prop_map(|m| Action::CreditDeposits { amount: cny(m) });
    prop_oneof![8 => payment, 4 => exchange, 2 => issue, 1 => credit]
}

/// Who submits what, and how many seconds pass before.
fn steps() -> impl Strategy<Value = Vec<(&'static str, Action, u64)>> {
    let by = prop_oneof![
        5 => Just("bank-a"), 2 => Just("bank-b"), 2 => Just(CENTRAL_BANK), 1 => Just("stranger")
    ];
    let pause = prop_oneof![8 => 0..600u64, 2 => 3600..40_000u64, 1 => 86_400..4_000_000u64];
    proptest::collection::vec((by, action(), pause), 1..60)
}

/// What the model keeps: plain balances, and every payment with its local day and year.
#[derive(Default)]
struct Model {
    wallets: BTreeMap<AccountId, i128>,
    payments: Vec<(AccountId, u64, i64, i16, bool)>,
    m0: i128,
}

impl Model {
    fn furnished() -> Self {
        let wallets = [(ALICE, 800), (BOB, 900), (CAROL, 800), (SHOP, 800)].into();
        Self { wallets, payments: Vec::new(), m0: 600_000 }
    }

    fn accept(&mut self, at: Timestamp, action: &Action) {
        let mut add = |id: &AccountId, minor: i128| *self.wallets.entry(*id).or_default() += minor;
        match action {
            Action::Pay { payer, payee, amount, authorisation, .. } => {
                add(payer, -i128::from(amount.minor()));
                add(payee, i128::from(amount.minor()));
                let (day, year) = local(at);
                let up = *authorisation != Authorisation::Ordinary;
                self.payments.push((*payer, amount.minor(), day, year, up));
            }
            Action::Exchange { direction, amount } => match direction {
                Direction::PaperToDigital(id) | Direction::DepositToDigital(id) => {
                    add(id, i128::from(amount.minor()));
                }
                Direction::DigitalToPaper(id) | Direction::DigitalToDeposit(id) => {
                    add(id, -i128::from(amount.minor()));
                }
                _ => {}
            },
            Action::CreateReserves { amount, .. } => self.m0 += i128::from(amount.minor()),
            Action::CancelReserves { amount, .. } => self.m0 -= i128::from(amount.minor()),
            _ => {}
        }
    }

    /// No payment exceeded the limits of its wallet's class, by the list of payments alone.
    fn within_limits(&self) {
        for (place, (payer, amount, day, year, up)) in self.payments.iter().enumerate() {
            let limits = limits_of(*payer, *up);
            let so_far = self.payments[..=place].iter().filter(|p| p.0 == *payer);
            let on_day: u64 = so_far.clone().filter(|p| p.2 == *day).map(|p| p.1).sum();
            let in_year: u64 = so_far.filter(|p| p.3 == *year).map(|p| p.1).sum();
            assert!(limits.per_payment.is_none_or(|limit| *amount <= limit));
            assert!(limits.per_day.is_none_or(|limit| on_day <= limit));
            assert!(limits.per_year.is_none_or(|limit| in_year <= limit));
        }
    }
}

fn limits_of(wallet: AccountId, up: bool) -> Limits {
    let of = if wallet == CAROL {
        "III"
    } else if wallet == SHOP {
        "I"
    } else {
        "IV"
    };
    let class = terms().classes[&class(of)];
    class.stepped_up.filter(|_| up).unwrap_or(class.ordinary)
}

/// The local day and year by an independent calendar.
fn local(at: Timestamp) -> (i64, i16) {
    let instant = jiff::Timestamp::from_millisecond(i64::try_from(at.millis()).unwrap()).unwrap();
    let date = jiff::tz::Offset::from_seconds(28_800).unwrap().to_datetime(instant).date();
    let day = date.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days();
    (i64::from(day), date.year())
}

fn commands(
    city: &mut City,
    steps: Vec<(&'static str, Action, u64)>,
) -> Vec<(Timestamp, Submission)> {
    let mut now = city.now;
    let mut number = city.ids;
    steps
        .into_iter()
        .map(|(by, action, pause)| {
            now = now.plus_seconds(pause);
            number += 1;
            (now, submission(by, CommandId::at(now, number), action))
        })
        .collect()
}

fn books_hold(machine: &Machine, model: &Model) {
    let ledger = &machine.books.as_ref().unwrap().ledger;
    let sums = ledger.accounts().fold((0, 0), |(debits, credits), (_, account)| {
        (debits + u128::from(account.debits()), credits + u128::from(account.credits()))
    });
    assert_eq!(sums.0, sums.1, "debits and credits differ");
    for (_, account) in ledger.accounts() {
        let (more, less) = if account.kind().debit_balanced() {
            (account.debits(), account.credits())
        } else {
            (account.credits(), account.debits())
        };
        assert!(more >= less, "{:?} is overdrawn", account.kind());
    }
    let supply = machine.supply();
    assert!(supply.balanced);
    assert_eq!(i128::try_from(supply.backing).unwrap(), model.m0);
    let wallets: i128 = model.wallets.values().sum();
    assert_eq!(i128::try_from(supply.wallets).unwrap(), wallets);
    for (id, held) in &model.wallets {
        assert_eq!(i128::from(machine.balance(*id).unwrap().minor()), *held);
        let cap = limits_of(*id, false).balance;
        assert!(cap.is_none_or(|cap| *held <= i128::from(cap)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_stream_keeps_the_books_the_supply_and_the_limits(steps in steps()) {
        let mut city = City::furnished();
        let mut model = Model::furnished();
        for (at, command) in commands(&mut city, steps) {
            let books = city.machine.books_hash();
            match city.machine.apply(Stamp { at }, &command) {
                Ok(_) => model.accept(at, &command.order.action),
                Err(_) => prop_assert_eq!(city.machine.books_hash(), books),
            }
            books_hold(&city.machine, &model);
        }
        model.within_limits();
    }

    #[test]
    fn the_same_log_gives_the_same_hash_and_repeats_change_nothing(steps in steps()) {
        let mut city = City::furnished();
        let log = commands(&mut city, steps);
        let (mut once, mut with_repeats) = (city.machine.clone(), city.machine);
        for (at, command) in log {
            let stamp = Stamp { at };
            let first: Outcome = once.apply(stamp, &command);
            prop_assert_eq!(&with_repeats.apply(stamp, &command), &first);
            prop_assert_eq!(&with_repeats.apply(stamp, &command), &first);
            prop_assert_eq!(once.state_hash(), with_repeats.state_hash());
        }
    }
}
