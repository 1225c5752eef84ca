//! Swaps: verified and put before the ledger many at a time, under one signature, and signed when the
//! ledger has done them. A swap that was done before is answered as it was: its signatures follow from
//! what the ledger promised, so nothing has to be remembered of it.

use super::checks::{self, Notes};
use super::keysets::Book;
use super::{Bank, Mint, MintRefusal};
use crate::ledger::OrderOutcome;
use axum::Json;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use yufu_ecash::KeysetId;
use yufu_ecash::message::{BlindedMessage, HashedSwap, Signatures, SwapRequest};
use yufu_ecash::spend::Transaction;
use yufu_machine::{Action, Output, Point, Swapping};

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

/// Notes to be exchanged for outputs, and who waits for it.
pub(super) struct Exchange {
    notes: Notes,
    outputs: Vec<Output>,
    /// What is signed once it is done; nothing where another bank signs.
    messages: Vec<BlindedMessage>,
    reply: oneshot::Sender<Result<Signatures, MintRefusal>>,
}

/// Exchange notes for new ones (NUT-03).
pub(super) async fn swap(
    bank: &Arc<Bank>,
    mint: &Mint,
    book: &Book,
    swap: &HashedSwap,
) -> Result<Json<Signatures>, MintRefusal> {
    let request = &swap.request;
    let foreign = request.inputs.first().filter(|first| book.get(first.id).is_none());
    if let Some(first) = foreign {
        // What seldom happens is on the heap: where it stands, every request has to carry it along.
        Box::pin(bank.take_in(mint, book, request, first.id)).await?;
        let signatures = checks::sign(book, &request.outputs)?;
        return Ok(Json(Signatures { signatures }));
    }
    let (notes, outputs) = prepared(bank, mint, book, swap)?;
    let asked = (notes, outputs, request.outputs.clone());
    match bank.exchange_notes(mint, asked).await {
        Err(refusal) if refusal.may_be_a_repeat() => {
            Box::pin(bank.as_before(book, request, refusal)).await.map(Json)
        }
        done => done.map(Json),
    }
}

/// Exchange notes of this bank for outputs of another one, which asks for a customer of its own. That one
/// signs once the ledger has done it; here nobody is told more than that it was done.
pub(super) async fn exchange(
    bank: &Arc<Bank>,
    mint: &Mint,
    book: &Book,
    HashedSwap { request, hashed }: &HashedSwap,
) -> Result<Json<Signatures>, MintRefusal> {
    checks::well_formed(&request.outputs)?;
    let output = |message: &BlindedMessage| {
        let other = book.other(message.id).ok_or_else(|| checks::unknown(message.id))?;
        let blinded = Point(message.blinded.to_bytes());
        Ok(Output { keyset: other.number, amount: message.amount, blinded })
    };
    let outputs: Result<Vec<_>, MintRefusal> = request.outputs.iter().map(output).collect();
    let outputs = outputs?;
    let transaction = Transaction { outputs: &request.outputs, quote: None };
    let notes = mint.notes(book, (&request.inputs, Some(hashed)), transaction, bank.now())?;
    checks::even(notes.worth, checks::sum(&request.outputs)?)?;
    Ok(Json(bank.exchange_notes(mint, (notes, outputs, Vec::new())).await?))
}

fn prepared(
    bank: &Bank,
    mint: &Mint,
    book: &Book,
    HashedSwap { request, hashed }: &HashedSwap,
) -> Result<(Notes, Vec<Output>), MintRefusal> {
    let outputs = mint.outputs(book, &request.outputs, bank.now())?;
    let transaction = Transaction { outputs: &request.outputs, quote: None };
    let notes = mint.notes(book, (&request.inputs, Some(hashed)), transaction, bank.now())?;
    checks::even(notes.worth, checks::sum(&request.outputs)?)?;
    Ok((notes, outputs))
}

impl Bank {
    /// Notes of another bank that a customer brings, of `keyset` there: exchanged for outputs that this one may sign then,
    /// as the ledger has promised them.
    async fn take_in(
        &self,
        mint: &Mint,
        book: &Book,
        request: &SwapRequest,
        keyset: KeysetId,
    ) -> Result<(), MintRefusal> {
        let other = book.other(keyset).ok_or_else(|| checks::unknown(keyset))?;
        let there = mint.others.iter().find(|(bank, _)| *bank == other.bank);
        let (_, address) = there.ok_or_else(|| checks::unknown(keyset))?;
        mint.outputs(book, &request.outputs, self.now())?;
        let url = format!("{address}/v1/exchange");
        let done = self.ask_mint(&url, request).await;
        // Whatever that bank says: what the ledger promised counts.
        if self.is_promised(book, &request.outputs).await? {
            return Ok(());
        }
        match done {
            Err(refusal) => Err(refusal),
            Ok(()) => Err(MintRefusal::internal("a bank said that it was done, and it is not")),
        }
    }

    /// Asks another bank's mint for an exchange; its refusal is passed on as it is.
    async fn ask_mint(&self, url: &str, request: &SwapRequest) -> Result<(), MintRefusal> {
        let body = serde_json::to_vec(request).map_err(MintRefusal::internal)?;
        let kind = [("content-type".to_owned(), "application/json".to_owned())];
        let (status, _, answer) = self.client.exchange("POST", url, &kind, body).await?;
        if status == 200 { Ok(()) } else { Err(MintRefusal::passed_on(status, &answer)) }
    }

    async fn is_promised(
        &self,
        book: &Book,
        outputs: &[BlindedMessage],
    ) -> Result<bool, MintRefusal> {
        let blinded = outputs.iter().map(|output| output.blinded);
        let known = self.ask_notes(std::iter::empty(), blinded).await?;
        Ok(known.promises(outputs, |output| book.number_of(output)))
    }

    /// What an exchange came to when it was done, if that was before: its notes are spent and its outputs promised
    /// already. Else it is refused.
    async fn as_before(
        &self,
        book: &Book,
        request: &SwapRequest,
        refusal: MintRefusal,
    ) -> Result<Signatures, MintRefusal> {
        let hashed = request.inputs.iter().filter_map(|proof| proof.hashed().ok());
        let blinded = request.outputs.iter().map(|output| output.blinded);
        let known = self.ask_notes(hashed, blinded).await?;
        let promised = known.promises(&request.outputs, |output| book.number_of(output));
        if promised && known.spent.iter().all(|spent| *spent) {
            Ok(Signatures { signatures: checks::sign(book, &request.outputs)? })
        } else {
            Err(refusal)
        }
    }

    /// Puts an exchange before the ledger, with others that wait.
    pub(super) async fn exchange_notes(
        self: &Arc<Self>,
        mint: &Mint,
        (notes, outputs, messages): (Notes, Vec<Output>, Vec<BlindedMessage>),
    ) -> Result<Signatures, MintRefusal> {
        let (reply, answer) = oneshot::channel();
        let queue = mint.exchanges.get_or_init(|| begin(self));
        let exchange = Exchange { notes, outputs, messages, reply };
        queue.try_send(exchange).map_err(|_| MintRefusal::busy())?;
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
    const fn points(&self) -> usize {
        self.notes.inputs.len().saturating_add(self.outputs.len())
    }

    fn action(&self) -> Action {
        let (inputs, outputs) = (self.notes.inputs.clone(), self.outputs.clone());
        Action::SwapNotes { swapping: Box::new(Swapping { inputs, outputs }) }
    }

    /// Whoever stopped waiting is not told.
    fn answer(self, answer: Result<Signatures, MintRefusal>) {
        drop(self.reply.send(answer));
    }
}

impl Bank {
    /// Verifies, orders and signs a batch, and answers all who wait for it.
    async fn put(self: Arc<Self>, batch: Vec<Exchange>) {
        let verified = tokio::task::spawn_blocking(move || {
            let notes: Vec<&Notes> = batch.iter().map(|exchange| &exchange.notes).collect();
            let bad = checks::verify(&notes);
            (batch, bad)
        });
        let Ok((batch, bad)) = verified.await else { return };
        let bad = match bad {
            Ok(bad) => bad,
            Err(refusal) => return refuse(batch, &refusal),
        };
        let mut good = Vec::with_capacity(batch.len());
        for (place, exchange) in batch.into_iter().enumerate() {
            if bad.contains(&place) {
                exchange.answer(Err(checks::forged()));
            } else {
                good.push(exchange);
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
    async fn ordered(&self, good: &[Exchange]) -> Result<Vec<OrderOutcome>, MintRefusal> {
        let list = self.list(good.iter().map(Exchange::action).collect())?;
        let submission = self.signed(list)?;
        let done = self.put_before_ledger(submission).await?;
        if done.each.len() == good.len() {
            Ok(done.each)
        } else {
            Err(MintRefusal::internal("the ledger answered less than it was asked"))
        }
    }

    /// Signs what the ledger has done, on all cores, and answers all who wait for it.
    async fn answer_all(&self, good: Vec<Exchange>, outcomes: Vec<OrderOutcome>) {
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
fn answer_part(book: &Book, part: Vec<(Exchange, OrderOutcome)>) {
    let mut done = Vec::with_capacity(part.len());
    for (exchange, outcome) in part {
        match outcome {
            OrderOutcome::Done { .. } => done.push(exchange),
            OrderOutcome::Refused { code, detail } => {
                exchange.answer(Err(MintRefusal::of_ledger(&code, &detail)));
            }
        }
    }
    match checks::sign(book, done.iter().flat_map(|exchange| &exchange.messages)) {
        Ok(signatures) => {
            let mut signatures = signatures.into_iter();
            for exchange in done {
                let signatures = signatures.by_ref().take(exchange.messages.len()).collect();
                exchange.answer(Ok(Signatures { signatures }));
            }
        }
        // One of them may be to blame: what the others are owed is signed.
        Err(_) => {
            for exchange in done {
                let signed = checks::sign(book, &exchange.messages);
                exchange.answer(signed.map(|signatures| Signatures { signatures }));
            }
        }
    }
}

fn refuse(batch: Vec<Exchange>, refusal: &MintRefusal) {
    for exchange in batch {
        exchange.answer(Err(refusal.clone()));
    }
}
