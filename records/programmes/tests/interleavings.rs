//! Whatever officers, members, crashes and the bank do in whatever order: an envelope adds up after
//! every step, nobody is paid twice for a month, and what is written as paid was paid.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use support::{AMOUNT, MONTH, Office, life, payout};
use uuid::Uuid;
use yufu_base::{CommandId, Timestamp};
use yufu_programmes::{
    Decision, Due, EnvelopeState, ItemState, Outcome, Payout, ProgrammesError, Reason,
};

const DAY: u64 = 86_400;
/// Until when an order may be taken after its id was made; answers are kept longer.
const ORDER_DAYS: u64 = 6;

#[derive(Clone, Debug)]
enum Act {
    Enrol(u8),
    Leave(u8),
    Prepare,
    Approve(u8),
    Cancel(u8),
    /// Pays, and stops like a crash would after so many things were done; 9 does not crash.
    Run(u8, u8),
    Reissue(u8),
    CloseAccount(u8),
    NewAccount(u8),
    Revoke(u8),
    Fund,
    Wait(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..6_u8).prop_map(Act::Enrol),
        1 => (0..6_u8).prop_map(Act::Leave),
        3 => Just(Act::Prepare),
        3 => (0..3_u8).prop_map(Act::Approve),
        1 => (0..3_u8).prop_map(Act::Cancel),
        6 => (0..3_u8, 0..10_u8).prop_map(|(envelope, crash)| Act::Run(envelope, crash)),
        3 => (0..8_u8).prop_map(Act::Reissue),
        1 => (0..6_u8).prop_map(Act::CloseAccount),
        1 => (0..6_u8).prop_map(Act::NewAccount),
        1 => (0..6_u8).prop_map(Act::Revoke),
        2 => Just(Act::Fund),
        1 => (0..9_u8).prop_map(Act::Wait),
    ]
}

/// A bank that gives a repeated order its first answer, as ours does.
#[derive(Default)]
struct Bank {
    funds: u64,
    closed: BTreeSet<String>,
    answers: BTreeMap<CommandId, Result<(), &'static str>>,
    /// How often each item was paid.
    paid: BTreeMap<Uuid, u64>,
}

impl Bank {
    /// Takes an order; none if it has expired and was never taken.
    fn pay(
        &mut self,
        (item, command): (Uuid, CommandId),
        payee: &str,
        now: Timestamp,
    ) -> Option<Result<(), &'static str>> {
        if let Some(known) = self.answers.get(&command) {
            return Some(*known);
        }
        if now >= command.created().plus_seconds(ORDER_DAYS * DAY) {
            return None;
        }
        let answer = if self.closed.contains(payee) {
            Err("account.closed")
        } else if self.funds < AMOUNT {
            Err("transfer.insufficient_funds")
        } else {
            self.funds -= AMOUNT;
            *self.paid.entry(item).or_default() += 1;
            Ok(())
        };
        self.answers.insert(command, answer);
        Some(answer)
    }
}

struct World {
    office: Office,
    bank: Bank,
    seconds: u64,
    accounts: BTreeMap<String, u32>,
    revoked: BTreeSet<String>,
}

impl World {
    async fn new() -> Self {
        Self {
            office: Office::open().await,
            bank: Bank::default(),
            seconds: 0,
            accounts: BTreeMap::new(),
            revoked: BTreeSet::new(),
        }
    }

    fn now(&self) -> Timestamp {
        support::at(self.seconds)
    }

    fn account(&self, name: &str) -> String {
        format!("{name}-{}", self.accounts.get(name).copied().unwrap_or_default())
    }

    async fn envelope(&self, index: u8) -> Option<Uuid> {
        let all = self.office.records.envelopes("basic-pension", MONTH.parse().unwrap());
        let all = all.await.unwrap();
        let index = usize::from(index).checked_rem(all.len())?;
        Some(all[index].id)
    }

    async fn act(&mut self, act: Act) {
        self.seconds += 1;
        let now = self.now();
        match act {
            Act::Enrol(who) => {
                let name = format!("m{who}");
                let mut begun = self.office.begin(&name, self.seconds).await;
                begun.payout.account = self.account(&name);
                let (records, month) = (&self.office.records, MONTH.parse().unwrap());
                records.enrol(&begun, "r", &life(self.seconds), month).await.unwrap();
                self.revoked.remove(&name);
            }
            Act::Leave(who) => {
                if let Some(id) = self.member(who).await {
                    self.office.records.leave(id).await.unwrap();
                }
            }
            Act::Prepare => {
                let prepared = self.office.prepare(MONTH).await;
                assert!(matches!(prepared, Ok(_) | Err(ProgrammesError::NothingDue)));
            }
            Act::Approve(index) => {
                if let Some(id) = self.envelope(index).await {
                    let _ = self.office.records.approve(id, "wu", now).await;
                }
            }
            Act::Cancel(index) => {
                if let Some(id) = self.envelope(index).await {
                    let _ = self.office.records.cancel(id, "li", now).await;
                }
            }
            Act::Run(index, crash) => {
                if let Some(id) = self.envelope(index).await {
                    self.run(id, crash).await;
                }
            }
            Act::Reissue(index) => self.reissue(index).await,
            Act::CloseAccount(who) => {
                let account = self.account(&format!("m{who}"));
                self.bank.closed.insert(account);
            }
            Act::NewAccount(who) => {
                let name = format!("m{who}");
                *self.accounts.entry(name.clone()).or_default() += 1;
                let account = self.account(&name);
                if let Some(id) = self.member(who).await {
                    let payout = Payout { account, ..payout(&name, self.seconds) };
                    self.office.records.set_payout(id, &payout, now).await.unwrap();
                }
            }
            Act::Revoke(who) => {
                self.revoked.insert(format!("m{who}"));
            }
            Act::Fund => self.bank.funds += 2 * AMOUNT,
            Act::Wait(days) => self.seconds += u64::from(days) * DAY,
        }
    }

    async fn member(&self, who: u8) -> Option<Uuid> {
        let found = self.office.records.member("basic-pension", &format!("m{who}")).await;
        found.ok().map(|member| member.id)
    }

    /// One pass over an envelope as the agency makes it, cut off where `crash` says.
    async fn run(&mut self, envelope: Uuid, crash: u8) {
        let now = self.now();
        if self.office.records.note_run(envelope, "li", now).await.is_err() {
            return;
        }
        let mut after = None;
        loop {
            let due = self.office.records.due(envelope, after, 2).await.unwrap();
            let Some(last) = due.last() else { return };
            after = Some(last.item.id);
            let unsent = due.iter().filter(|due| due.item.sent_at.is_none());
            let decisions: Vec<_> =
                unsent.map(|due| (due.item.id, self.decision(due, now))).collect();
            let mut sent: Vec<_> = due
                .iter()
                .filter(|due| due.item.sent_at.is_some())
                .map(|d| d.item.clone())
                .collect();
            sent.extend(self.office.records.decide(envelope, &decisions, now).await.unwrap());
            if crash == 0 {
                return;
            }
            let mut outcomes = Vec::new();
            for (done, item) in (1_u8..).zip(&sent) {
                let payee = item.payee.as_deref().unwrap();
                let answer = self.bank.pay((item.id, item.command), payee, now);
                outcomes.push((item.id, item.command, self.outcome(answer, now)));
                if done == crash {
                    return;
                }
            }
            if crash < 5 {
                return;
            }
            self.office.records.settle(envelope, &outcomes, now).await.unwrap();
            if crash > 7 {
                // An answer that comes twice.
                self.office.records.settle(envelope, &outcomes, now).await.unwrap();
            }
        }
    }

    fn decision(&self, due: &Due, now: Timestamp) -> Decision {
        if self.revoked.contains(&due.member.pseudonym) {
            return Decision::Return(Reason::IdentityRevoked);
        }
        let old = due.item.command.created().plus_seconds(DAY) <= now;
        let command = if old { self.office.fresh_at(now) } else { due.item.command };
        Decision::Send { payee: due.member.payout.account.clone(), command }
    }

    fn outcome(&self, answer: Option<Result<(), &'static str>>, now: Timestamp) -> Outcome {
        match answer {
            Some(Ok(())) => Outcome::Paid,
            Some(Err("account.closed")) => {
                Outcome::Returned { reason: Reason::AccountClosed, code: String::new() }
            }
            // Never taken, and never will be; or refused for want of money.
            None | Some(Err(_)) => {
                Outcome::Anew { command: self.office.fresh_at(now), code: String::new() }
            }
        }
    }

    async fn reissue(&self, index: u8) {
        let mut all = Vec::new();
        let month = MONTH.parse().unwrap();
        for envelope in self.office.records.envelopes("basic-pension", month).await.unwrap() {
            all.extend(self.office.records.returns(envelope.id).await.unwrap());
        }
        if let Some(at) = usize::from(index).checked_rem(all.len()) {
            let (fresh, now) = (self.office.fresh_at(self.now()), self.now());
            let _ = self.office.records.reissue(all[at].id, "li", fresh, now).await;
        }
    }

    /// What must hold after every step.
    async fn check(&self) {
        let records = &self.office.records;
        let mut paid = BTreeSet::new();
        let month = MONTH.parse().unwrap();
        for envelope in records.envelopes("basic-pension", month).await.unwrap() {
            // Compared with its items, one by one.
            let found = records.envelope(envelope.id).await.unwrap();
            assert!(found.totals.balance(), "{found:?}");
            let open = found.totals.pending.count > 0;
            assert!(!(open && found.state == EnvelopeState::Closed), "{found:?}");
            assert!(found.state != EnvelopeState::Cancelled || found.totals.items.count == 0);
        }
        for who in 0..6 {
            let Some(member) = self.member(who).await else { continue };
            let payments = records.payments(member).await.unwrap();
            assert!(payments.len() <= 1, "two payments for one month: {payments:?}");
            if payments.iter().any(|payment| payment.state == ItemState::Paid) {
                paid.insert(member);
            }
        }
        assert!(self.bank.paid.values().all(|times| *times == 1), "paid twice");
        assert!(paid.len() <= self.bank.paid.len(), "written as paid, and was not");
    }

    /// At the end everybody puts everything right, and all is paid.
    async fn finish(&mut self) {
        self.bank.closed.clear();
        self.bank.funds += 100 * AMOUNT;
        for who in 0..6 {
            if self.member(who).await.is_some() {
                self.act(Act::NewAccount(who)).await;
                self.act(Act::Enrol(who)).await;
            }
        }
        let _ = self.office.prepare(MONTH).await;
        for index in 0..3 {
            self.act(Act::Approve(index)).await;
        }
        let month = MONTH.parse().unwrap();
        let all = self.office.records.envelopes("basic-pension", month).await.unwrap();
        for envelope in &all {
            let _ = self.office.records.approve(envelope.id, "wu", self.now()).await;
            self.run(envelope.id, 9).await;
            for item in self.office.records.returns(envelope.id).await.unwrap() {
                let fresh = self.office.fresh_at(self.now());
                self.office.records.reissue(item.id, "li", fresh, self.now()).await.unwrap();
            }
            self.run(envelope.id, 9).await;
            self.run(envelope.id, 9).await;
        }
        let mut items = 0;
        for envelope in all {
            let found = self.office.records.envelope(envelope.id).await.unwrap();
            assert_eq!(found.totals.paid, found.totals.items, "{found:?}");
            items += found.totals.items.count;
        }
        assert_eq!(u64::try_from(self.bank.paid.len()).unwrap(), items);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_envelope_adds_up_and_nobody_is_paid_twice_whatever_happens_when(
        acts in prop::collection::vec(act(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for act in acts {
                world.act(act).await;
                world.check().await;
            }
            world.finish().await;
            world.check().await;
        });
    }
}
