//! Paying an envelope: what is to be sent is written down first, then ordered at the bank some at a
//! time, then what became of it is written down. Cut off anywhere, it is taken up again.

use super::Agency;
use super::desk::RunStop;
use super::life::StatusLists;
use super::paying::Settled;
use crate::http::Problem;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinSet;
use uuid::Uuid;
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_programmes::{Decision, Due, Envelope, Item, Outcome};

/// How many payments are written down together.
const BATCH: u64 = 64;
/// How many are at the bank at once.
const IN_FLIGHT: usize = 16;
/// From which age on an order's id, never sent, is replaced: all of the time for which the ledger
/// remembers it is then ahead. In seconds.
const OLD_SECONDS: u64 = 3_600;

/// Which envelopes are being paid by this process, and how their last runs ended.
#[derive(Clone, Default)]
pub struct Runs(Arc<Mutex<BTreeMap<Uuid, Run>>>);

#[derive(Default)]
struct Run {
    running: bool,
    stopped: Option<RunStop>,
}

/// Ends a run's entry, however the run ends.
struct Running {
    runs: Runs,
    envelope: Uuid,
    stopped: Option<RunStop>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let ended = Run { running: false, stopped: self.stopped.take() };
        self.runs.entries().insert(self.envelope, ended);
    }
}

impl Runs {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<Uuid, Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an envelope is being paid, and why its last run stopped.
    pub(super) fn of(&self, envelope: Uuid) -> (bool, Option<RunStop>) {
        let entries = self.entries();
        let found = entries.get(&envelope);
        found.map_or((false, None), |run| (run.running, run.stopped.clone()))
    }

    /// Begins a run, unless one is under way.
    fn begin(&self, envelope: Uuid) -> Option<Running> {
        let mut entries = self.entries();
        let entry = entries.entry(envelope).or_default();
        if entry.running {
            return None;
        }
        *entry = Run { running: true, stopped: None };
        drop(entries);
        Some(Running { runs: self.clone(), envelope, stopped: None })
    }
}

impl Agency {
    /// Begins to pay an envelope in the background, unless it is being paid.
    pub(super) fn start_run(self: &Arc<Self>, envelope: &Envelope) {
        let Some(mut running) = self.runs.begin(envelope.id) else { return };
        let (agency, envelope) = (Arc::clone(self), envelope.clone());
        tokio::spawn(async move {
            if let Err(stop) = agency.pay_envelope(&envelope).await {
                let RunStop { code, detail } = &stop;
                tracing::warn!(envelope = %envelope.id, code, detail, "a run stopped");
                running.stopped = Some(stop);
            }
            drop(running);
        });
    }

    async fn pay_envelope(self: &Arc<Self>, envelope: &Envelope) -> Result<(), RunStop> {
        let account = self.own_account().await?;
        self.records.rested(self.now()).await.map_err(Problem::from)?;
        let mut lists = StatusLists::default();
        let mut after = None;
        loop {
            let due = self.records.due(envelope.id, after, BATCH).await.map_err(Problem::from)?;
            let Some(last) = due.last() else { break };
            after = Some(last.item.id);
            lists.fetch(self, &due).await?;
            let items = self.to_send(envelope, due, &lists).await?;
            let settled = self.order_all(envelope, account, items).await?;
            let outcomes: Vec<(Uuid, CommandId, Outcome)> = settled
                .iter()
                .map(|(item, done)| (item.id, item.command, done.outcome.clone()))
                .collect();
            let records = &self.records;
            records.settle(envelope.id, &outcomes, self.now()).await.map_err(Problem::from)?;
            if let Some(stop) = settled.into_iter().find_map(|(_, done)| done.stop) {
                return Err(stop);
            }
        }
        lists.failure.map_or(Ok(()), Err)
    }

    /// Decides on what was not sent yet and writes that down; with what was sent before.
    async fn to_send(
        &self,
        envelope: &Envelope,
        due: Vec<Due>,
        lists: &StatusLists,
    ) -> Result<Vec<Item>, Problem> {
        let days = self.programme(&envelope.programme)?.proof_of_life_days;
        let now = self.now();
        let mut sent = Vec::new();
        let mut decisions = Vec::new();
        for due in due {
            if due.item.sent_at.is_some() {
                // It may be paid already: whether it should be is no question any more.
                sent.push(due.item);
                continue;
            }
            let decision = match lists.doubt(&due.member, days, now) {
                // Not known: it stays as it is.
                None => continue,
                Some(Some(reason)) => Decision::Return(reason),
                Some(None) => Decision::Send {
                    payee: due.member.payout.account,
                    command: self.young(due.item.command, now),
                },
            };
            decisions.push((due.item.id, decision));
        }
        sent.extend(self.records.decide(envelope.id, &decisions, now).await?);
        Ok(sent)
    }

    /// The item's own id, or a fresh one if it has lain for long. It was never sent.
    fn young(&self, command: CommandId, now: Timestamp) -> CommandId {
        let old = command.created().plus_seconds(OLD_SECONDS) <= now;
        if old { self.fresh() } else { command }
    }

    /// Orders items at the bank, some at a time.
    async fn order_all(
        self: &Arc<Self>,
        envelope: &Envelope,
        account: AccountId,
        items: Vec<Item>,
    ) -> Result<Vec<(Item, Settled)>, Problem> {
        let words = self.words(envelope)?;
        let mut waiting = items.into_iter();
        let mut at_bank = JoinSet::new();
        let mut settled = Vec::new();
        loop {
            while at_bank.len() < IN_FLIGHT
                && let Some(item) = waiting.next()
            {
                let (agency, words) = (Arc::clone(self), words.clone());
                at_bank.spawn(async move {
                    let done = agency.order(account, &item, &words).await;
                    (item, done)
                });
            }
            match at_bank.join_next().await {
                None => return Ok(settled),
                Some(Ok((item, done))) => settled.push((item, done?)),
                Some(Err(error)) => return Err(Problem::internal(error)),
            }
        }
    }
}

impl From<Problem> for RunStop {
    fn from(problem: Problem) -> Self {
        Self { code: problem.code().to_owned(), detail: problem.detail().to_owned() }
    }
}
