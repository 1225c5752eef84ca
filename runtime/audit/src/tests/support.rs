//! A small signed log to audit, and logs doctored from it.

use crate::report::AuditReport;
use std::collections::BTreeMap;
use yufu_base::{
    AccountId, Amount, CommandId, Currency, Digest, InstitutionId, Signer, Stamp, StateMachine,
    Timestamp,
};
use yufu_engine::{Batch, Checkpoint, Commitment, Header, Trail, outcomes_digest};
use yufu_jose::SoftwareKey;
use yufu_log::{Appended, Epoch, Head, Log, LogError, Record, Refusal, SealError, Seq};
use yufu_machine::{
    Action, Authorisation, ClassId, Direction, Limits, Machine, Order, Policy, PolicyTerms,
    Submission, UtcOffset, WalletClass,
};

pub(crate) const START: Timestamp = Timestamp::from_seconds(1_768_435_200);
/// The batch that is marked, counted from 0.
const MARKED: u64 = 5;
pub(crate) const ALICE: AccountId = AccountId::new(1);
pub(crate) const BOB: AccountId = AccountId::new(2);
pub(crate) const CAROL: AccountId = AccountId::new(3);

pub(crate) fn cny(minor: u64) -> Amount {
    Amount::new(Currency::new("CNY").unwrap(), minor)
}

pub(crate) fn name(text: &str) -> InstitutionId {
    text.parse().unwrap()
}

pub(crate) fn key_of(institution: &str) -> SoftwareKey {
    let mut seed = [0; 32];
    seed[..institution.len()].copy_from_slice(institution.as_bytes());
    SoftwareKey::from_seed(&seed).unwrap()
}

/// 200 a payment (400 stepped up), 500 a day, 1000 a year, holds 1000.
pub(crate) fn policy() -> Policy {
    let limits = |single| Limits {
        per_payment: Some(single),
        per_day: Some(500),
        per_year: Some(1000),
        balance: Some(1000),
    };
    let class = WalletClass { ordinary: limits(200), stepped_up: Some(limits(400)) };
    Policy::new(PolicyTerms {
        classes: [(ClassId::new("IV").unwrap(), class)].into(),
        offsets: vec![UtcOffset { from: Timestamp::from_millis(0), seconds_east: 28_800 }],
        id_retention_seconds: 86_400,
        id_future_tolerance_seconds: 60,
    })
    .unwrap()
}

pub(crate) fn pay(payer: AccountId, payee: AccountId, minor: u64) -> Action {
    let order = Digest::of(b"order");
    let authorisation = Authorisation::Ordinary;
    Action::Pay { payer, payee, amount: cny(minor), order, authorisation }
}

pub(crate) fn signed(by: &str, id: CommandId, action: Action) -> Submission {
    let key = key_of(by);
    let order = Order { id, action };
    let signature = key.sign(&Submission::signing_bytes(&name(by), &order)).unwrap();
    Submission { institution: name(by), key: key.public_key(), order, signature }
}

/// The actions that open a ledger with two banks and three wallets of 900, 600 and 600.
pub(crate) fn furnishing() -> Vec<(&'static str, Action)> {
    let key = |institution| key_of(institution).public_key();
    let mut actions = vec![(
        "central-bank",
        Action::Genesis {
            currency: Currency::new("CNY").unwrap(),
            central_bank: name("central-bank"),
            key: key("central-bank"),
            policy: policy(),
        },
    )];
    for by in ["bank-a", "bank-b"] {
        let bank = || name(by);
        let amount = cny(10_000);
        actions.extend([
            ("central-bank", Action::RegisterBank { bank: bank(), key: key(by) }),
            ("central-bank", Action::CreateReserves { bank: bank(), amount: cny(30_000) }),
            ("central-bank", Action::Issue { bank: bank(), amount }),
            ("central-bank", Action::SupplyPaper { bank: bank(), amount }),
            (by, Action::CreditDeposits { amount }),
            (by, Action::Exchange { direction: Direction::DepositToPaper, amount: cny(3000) }),
        ]);
    }
    let class = ClassId::new("IV").unwrap();
    for (by, account, minor) in
        [("bank-a", ALICE, 900), ("bank-a", BOB, 600), ("bank-b", CAROL, 600)]
    {
        let direction = Direction::PaperToDigital(account);
        actions.push((by, Action::OpenWallet { account, class }));
        actions.push((by, Action::Exchange { direction, amount: cny(minor) }));
    }
    actions
}

/// A furnished ledger, then payments done and refused, a step-up, exchanges and a redemption.
pub(crate) fn story() -> Vec<(&'static str, Action)> {
    let mut actions = furnishing();
    let exchange = |direction, minor| Action::Exchange { direction, amount: cny(minor) };
    let presentation = Digest::of(b"presentation");
    let stepped_up = Action::Pay {
        payer: ALICE,
        payee: BOB,
        amount: cny(300),
        order: Digest::of(b"order"),
        authorisation: Authorisation::SteppedUp { presentation },
    };
    actions.extend([
        ("bank-a", pay(ALICE, CAROL, 150)),
        ("bank-a", pay(ALICE, BOB, 300)),
        ("bank-a", stepped_up),
        ("bank-a", pay(ALICE, CAROL, 100)),
        ("bank-a", pay(ALICE, AccountId::new(9), 1)),
        ("bank-b", pay(CAROL, ALICE, 800)),
        ("bank-b", pay(ALICE, CAROL, 1)),
        ("bank-a", exchange(Direction::DigitalToDeposit(BOB), 500)),
        ("bank-a", exchange(Direction::DigitalToPaper(ALICE), 100)),
        ("bank-b", exchange(Direction::PaperToDeposit, 50)),
        ("central-bank", Action::Redeem { bank: name("bank-a"), amount: cny(1000) }),
        ("central-bank", Action::ReturnPaper { bank: name("bank-b"), amount: cny(1000) }),
        ("central-bank", Action::CancelReserves { bank: name("bank-b"), amount: cny(1000) }),
    ]);
    actions
}

pub(crate) fn submissions(actions: Vec<(&str, Action)>) -> Vec<Submission> {
    let id = |number| CommandId::at(START, number);
    (1..).zip(actions).map(|(n, (by, action))| signed(by, id(n), action)).collect()
}

/// A log a test may tamper with: it keeps what it is given, and reads it out.
#[derive(Clone, Default)]
pub(crate) struct Doctored(pub(crate) Vec<Record>);

impl Doctored {
    /// An honest log of `commands`, three to a record, a second apart, with a checkpoint.
    pub(crate) fn honest(commands: &[Submission]) -> Self {
        let mut machine = Machine::new();
        let mut trail = Trail::new(machine.version());
        let mut log = Self::default();
        let mut checkpoint = None;
        for (number, commands) in (0..).zip(commands.chunks(3)) {
            let (seq, point) = trail.newest();
            let header = Header {
                machine_version: point.version,
                stamp: Stamp { at: START.plus_seconds(number) },
                outcomes: Commitment::Through { seq, digest: point.running },
                marked: number == MARKED,
                checkpoint: checkpoint.take(),
            };
            log.append_batch(&Batch { header, commands: commands.to_vec() });
            let applied: Vec<_> = commands.iter().map(|c| machine.apply(header.stamp, c)).collect();
            trail.push(outcomes_digest(&applied), machine.version());
            if header.marked {
                let seq = log.head().seq;
                checkpoint = Some(Checkpoint { seq, state_root: machine.state_hash() });
            }
        }
        log
    }

    pub(crate) fn story() -> Self {
        Self::honest(&submissions(story()))
    }

    pub(crate) fn head(&self) -> Head {
        self.0.last().map_or(Head::EMPTY, Record::head)
    }

    fn append_batch(&mut self, batch: &Batch<Submission>) {
        let payload = batch.payload().unwrap();
        let epoch = Epoch::new(1);
        let Head { seq, chain } = self.head().extend(epoch, &payload);
        self.0.push(Record { seq, epoch, payload, chain });
    }

    /// What an insider could do: decode the batches, doctor them, and chain them anew.
    pub(crate) fn rewritten(&self, doctor: impl FnOnce(&mut Vec<Batch<Submission>>)) -> Self {
        let decode = |r: &Record| yufu_engine::decode_batch::<Machine>(&r.payload).unwrap();
        let mut batches: Vec<_> = self.0.iter().map(decode).collect();
        doctor(&mut batches);
        let mut log = Self::default();
        batches.iter().for_each(|batch| log.append_batch(batch));
        log
    }
}

impl Log for Doctored {
    fn append(&mut self, _: Head, _: Epoch, _: &[u8]) -> Appended {
        Appended::Refused(Refusal::ReadOnly)
    }

    fn seal(&mut self, _: Epoch) -> Result<Head, SealError> {
        Err(SealError::ReadOnly)
    }

    fn epoch(&self) -> Result<Epoch, LogError> {
        Ok(Epoch::new(1))
    }

    fn read(&self, from: Seq, max: usize) -> Result<Vec<Record>, LogError> {
        let skip = usize::try_from(from.get() - 1).unwrap();
        Ok(self.0.iter().skip(skip).take(max).cloned().collect())
    }

    fn durable_head(&self) -> Result<Head, LogError> {
        Ok(self.head())
    }
}

/// How often each code was found.
pub(crate) fn codes(report: &AuditReport) -> BTreeMap<&'static str, usize> {
    let mut codes = BTreeMap::new();
    for finding in &report.findings {
        *codes.entry(finding.code).or_default() += 1;
    }
    codes
}
