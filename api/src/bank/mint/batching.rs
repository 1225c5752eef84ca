//! Exchanges of notes, many at a time: their points worked out and their signatures verified together, put before the ledger under one
//! signature, and signed when the ledger has done them.

use super::checks::{self, Notes};
use super::exchanging::prepared;
use super::keysets::Book;
use super::{Bank, Mint, MintRefusal};
use crate::ledger::OrderOutcome;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use yufu_ecash::message::{BlindedMessage, CompressedSwap, Signatures};
use yufu_machine::{Action, Output, Swapping};

/// Exchanges that wait; more are told to come again.
const WAITING: usize = 4_096;
/// Exchanges put before the ledger at once.
const TOGETHER: usize = 256;
/// Notes and outputs put before the ledger at once: what fits a request to it.
const POINTS: usize = 2_000;
/// Batches under way at once: while the ledger writes one, the other is verified or signed.
const UNDER_WAY: usize = 2;
/// Exchanges of a batch go to the cores in shares of so many, as many as are signed beside each other.
const SHARE: usize = 8;
/// Asked once: the system is looked through for it.
static CORES: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));

/// How batches follow one another. Each costs the same beside its notes (the bank's attestation, two requests, a
/// record of the log), so those that overlap begin evenly spread over the time that one takes: an exchange that
/// comes right after another waits for company instead of taking a place by itself.
struct Pace {
    under_way: Arc<Semaphore>,
    /// How long a batch takes, in microseconds: the average, the newest counting for a quarter.
    takes: AtomicU64,
    /// Rung when a batch has come to its end.
    ended: Notify,
}

impl Pace {
    fn new() -> Self {
        let under_way = Arc::new(Semaphore::new(UNDER_WAY));
        Self { under_way, takes: AtomicU64::new(0), ended: Notify::new() }
    }

    /// Waits until the next batch may begin after one that began at `last`: at once if nothing is under way.
    async fn wait(&self, last: Option<Instant>) {
        let Some(last) = last else { return };
        let takes = Duration::from_micros(self.takes.load(Ordering::Relaxed));
        let until = u32::try_from(UNDER_WAY).ok().and_then(|places| takes.checked_div(places));
        let until = until.and_then(|apart| last.checked_add(apart)).unwrap_or(last);
        loop {
            let ended = self.ended.notified();
            // The next batch has its own place already.
            if self.under_way.available_permits().saturating_add(1) >= UNDER_WAY {
                return;
            }
            if tokio::time::timeout_at(until, ended).await.is_err() {
                return;
            }
        }
    }

    /// A batch that began at `begun` has come to its end.
    fn end(&self, place: OwnedSemaphorePermit, begun: Instant) {
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let before = self.takes.load(Ordering::Relaxed);
        let average = before.saturating_mul(3).saturating_add(took) / 4;
        self.takes.store(average, Ordering::Relaxed);
        drop(place);
        self.ended.notify_one();
    }
}

/// What is to be exchanged, and who waits for it.
pub(super) struct Exchange {
    asked: Asked,
    reply: Reply,
}

pub(super) enum Asked {
    /// A swap whose points are still to be worked out, beside those of others.
    Swap(Arc<Book>, CompressedSwap),
    /// Notes whose form is in order.
    Notes(Box<Prepared>),
}

pub(super) struct Prepared {
    pub(super) notes: Notes,
    pub(super) outputs: Vec<Output>,
    /// What is signed once it is done; nothing where another bank signs.
    pub(super) messages: Vec<BlindedMessage>,
}

type Reply = oneshot::Sender<Result<Signatures, Refused>>;

/// Why an exchange was not done, and what it was, as far as it was worked out.
pub(super) struct Refused {
    pub(super) refusal: MintRefusal,
    pub(super) asked: Option<Box<Prepared>>,
}

impl From<MintRefusal> for Refused {
    fn from(refusal: MintRefusal) -> Self {
        Self { refusal, asked: None }
    }
}

impl Bank {
    /// Puts an exchange before the ledger, with others that wait.
    pub(super) async fn exchange_notes(
        self: &Arc<Self>,
        mint: &Mint,
        asked: Asked,
    ) -> Result<Signatures, Refused> {
        let (reply, answer) = oneshot::channel();
        let queue = mint.exchanges.get_or_init(|| begin(self));
        queue.try_send(Exchange { asked, reply }).map_err(|_| MintRefusal::busy())?;
        answer.await.map_err(MintRefusal::internal)?
    }
}

/// Begins to put exchanges before the ledger, as long as the bank is there.
fn begin(bank: &Arc<Bank>) -> mpsc::Sender<Exchange> {
    let (queue, waiting) = mpsc::channel(WAITING);
    tokio::spawn(put_all(Arc::downgrade(bank), waiting));
    queue
}

async fn put_all(bank: Weak<Bank>, mut waiting: mpsc::Receiver<Exchange>) {
    let pace = Arc::new(Pace::new());
    let mut held: Option<Exchange> = None;
    let mut last = None;
    loop {
        let Ok(place) = Arc::clone(&pace.under_way).acquire_owned().await else { return };
        let first = match held.take() {
            Some(first) => Some(first),
            None => waiting.recv().await,
        };
        let Some(first) = first else { return };
        pace.wait(last).await;
        let mut points = first.points();
        let mut batch = vec![first];
        while batch.len() < TOGETHER {
            let Ok(next) = waiting.try_recv() else { break };
            points = points.saturating_add(next.points());
            if points > POINTS {
                held = Some(next);
                break;
            }
            batch.push(next);
        }
        let Some(bank) = bank.upgrade() else { return };
        let begun = Instant::now();
        last = Some(begun);
        let pace = Arc::clone(&pace);
        tokio::spawn(async move {
            bank.put(batch).await;
            pace.end(place, begun);
        });
    }
}

impl Exchange {
    fn points(&self) -> usize {
        match &self.asked {
            Asked::Swap(_, swap) => swap.points(),
            Asked::Notes(asked) => asked.notes.inputs.len().saturating_add(asked.outputs.len()),
        }
    }
}

/// An exchange whose form is in order, and who waits for it.
struct Ready {
    asked: Box<Prepared>,
    reply: Reply,
}

impl Ready {
    fn action(&self) -> Action {
        let (inputs, outputs) = (self.asked.notes.inputs.clone(), self.asked.outputs.clone());
        Action::SwapNotes { swapping: Box::new(Swapping { inputs, outputs }) }
    }

    /// Whoever stopped waiting is not told.
    fn refuse(self, refusal: MintRefusal) {
        drop(self.reply.send(Err(Refused { refusal, asked: Some(self.asked) })));
    }
}

/// Those of a batch whose form is in order, after the points of all of them were worked out beside each other. The others are told.
fn ready(bank: &Bank, mint: &Mint, batch: Vec<Exchange>) -> Vec<Ready> {
    let mut ready = Vec::with_capacity(batch.len());
    let (mut swaps, mut waiting) = (Vec::new(), Vec::new());
    for Exchange { asked, reply } in batch {
        match asked {
            Asked::Notes(asked) => ready.push(Ready { asked, reply }),
            Asked::Swap(book, swap) => {
                swaps.push(swap);
                waiting.push((book, reply));
            }
        }
    }
    for (swap, (book, reply)) in CompressedSwap::all_worked(swaps).into_iter().zip(waiting) {
        let swap = swap.map_err(MintRefusal::from);
        match swap.and_then(|swap| prepared(bank, mint, &book, swap)) {
            Ok(asked) => ready.push(Ready { asked: Box::new(asked), reply }),
            Err(refusal) => drop(reply.send(Err(refusal.into()))),
        }
    }
    ready
}

impl Bank {
    /// Reads, verifies, orders and signs a batch, and answers all who wait for it.
    async fn put(self: Arc<Self>, batch: Vec<Exchange>) {
        let bank = Arc::clone(&self);
        let verified = tokio::task::spawn_blocking(move || {
            let Some(mint) = &bank.mint else { return (Vec::new(), Ok(Vec::new())) };
            let batch = ready(&bank, mint, batch);
            let notes: Vec<&Notes> = batch.iter().map(|ready| &ready.asked.notes).collect();
            let bad = checks::verify(&notes);
            (batch, bad)
        });
        let Ok((batch, bad)) = verified.await else { return };
        let bad = match bad {
            Ok(bad) => bad,
            Err(refusal) => return refuse(batch, &refusal),
        };
        let mut good = Vec::with_capacity(batch.len());
        for (place, ready) in batch.into_iter().enumerate() {
            if bad.contains(&place) {
                ready.refuse(checks::forged());
            } else {
                good.push(ready);
            }
        }
        if good.is_empty() {
            return;
        }
        match self.ordered(&good).await {
            Ok(outcomes) => self.answer_all(good, outcomes).await,
            Err(refusal) => refuse(good, &refusal),
        }
    }

    /// What the ledger says of each.
    async fn ordered(&self, good: &[Ready]) -> Result<Vec<OrderOutcome>, MintRefusal> {
        let list = self.list(good.iter().map(Ready::action).collect())?;
        let submission = self.signed(list)?;
        let done = self.put_before_ledger(submission).await?;
        if done.each.len() == good.len() {
            Ok(done.each)
        } else {
            Err(MintRefusal::internal("the ledger answered less than it was asked"))
        }
    }

    /// Signs what the ledger has done, on all cores, and answers all who wait for it.
    async fn answer_all(&self, good: Vec<Ready>, outcomes: Vec<OrderOutcome>) {
        let Some(mint) = &self.mint else { return };
        let book = mint.book();
        let share = good.len().div_ceil(*CORES).next_multiple_of(SHARE);
        let mut answered = good.into_iter().zip(outcomes);
        let mut signing = JoinSet::new();
        loop {
            let part: Vec<_> = answered.by_ref().take(share).collect();
            if part.is_empty() {
                break;
            }
            let book = Arc::clone(&book);
            signing.spawn_blocking(move || answer_part(&book, part));
        }
        mint.changed();
        while let Some(signed) = signing.join_next().await {
            if let Err(error) = signed {
                tracing::error!(%error, "what the ledger promised was not signed; it is when it is asked for again");
            }
        }
    }
}

/// Answers with signatures where the ledger has done what was asked. All are signed together.
fn answer_part(book: &Book, part: Vec<(Ready, OrderOutcome)>) {
    let mut done = Vec::with_capacity(part.len());
    for (ready, outcome) in part {
        match outcome {
            OrderOutcome::Done { .. } => done.push(ready),
            OrderOutcome::Refused { code, detail } => {
                ready.refuse(MintRefusal::of_ledger(&code, &detail));
            }
        }
    }
    match checks::sign(book, done.iter().flat_map(|ready| &ready.asked.messages)) {
        Ok(signatures) => {
            let mut signatures = signatures.into_iter();
            for Ready { asked, reply } in done {
                let signatures = signatures.by_ref().take(asked.messages.len()).collect();
                drop(reply.send(Ok(Signatures { signatures })));
            }
        }
        // One of them may be to blame: what the others are owed is signed.
        Err(_) => {
            for Ready { asked, reply } in done {
                let signed = checks::sign(book, &asked.messages);
                let answer = signed.map(|signatures| Signatures { signatures });
                drop(reply.send(answer.map_err(Refused::from)));
            }
        }
    }
}

fn refuse(batch: Vec<Ready>, refusal: &MintRefusal) {
    for ready in batch {
        ready.refuse(refusal.clone());
    }
}
