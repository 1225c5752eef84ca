//! The courier: says to each other ledger what the state has unresolved, takes back what became of it,
//! and enters that. All it knows is in the state: after a restart it goes on where that stands, and
//! what it says twice is answered as the first time.

use super::CentralBank;
use super::transfers::{Answers, Words, encoded};
use crate::http::{Client, ClientError, Problem};
use crate::ledger::{CommandRequest, not_submitted, refused};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use yufu_base::InstitutionId;
use yufu_machine::{Action, Machine, Submission};

/// How often it looks whether anything is unresolved.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The longest it waits before it asks a ledger again that did not answer: 300 looks are a minute.
const LONGEST: u32 = 300;
/// How many payments it says at a time.
const AT_A_TIME: usize = 64;

/// Goes between this ledger and all others, for ever.
pub struct Courier {
    bank: Arc<CentralBank>,
    client: Client,
}

/// Why a way there and back resolved nothing.
#[derive(Debug, thiserror::Error)]
pub enum CourierError {
    /// This ledger did not take part.
    #[error("here: {}", .0.code())]
    Here(Problem),
    /// The other one did not answer, or refused.
    #[error("there: {0}")]
    There(#[from] ClientError),
    /// It answered something else.
    #[error("there: its answer is none to what was asked: {0}")]
    NoAnswer(&'static str),
}

impl From<Problem> for CourierError {
    fn from(problem: Problem) -> Self {
        Self::Here(problem)
    }
}

/// How often a ledger failed to answer in a row, and how many looks it is left alone.
#[derive(Default)]
struct Rest {
    failed: u32,
    looks: u32,
}

impl Rest {
    fn after(&mut self, resolved: bool) {
        self.failed = if resolved { 0 } else { self.failed.saturating_add(1) };
        let wait = 1_u32.checked_shl(self.failed).unwrap_or(LONGEST).min(LONGEST);
        self.looks = if resolved { 0 } else { wait };
    }
}

impl Courier {
    /// A courier of a central bank.
    #[must_use]
    pub const fn new(bank: Arc<CentralBank>, client: Client) -> Self {
        Self { bank, client }
    }

    /// Goes for ever. A ledger that does not answer is asked again after a pause that doubles, up to a
    /// minute; the others are not kept waiting by it.
    pub async fn run(self) {
        let courier = Arc::new(self);
        let mut rests: BTreeMap<InstitutionId, Rest> = BTreeMap::new();
        let mut ways: JoinSet<(InstitutionId, Result<usize, CourierError>)> = JoinSet::new();
        let mut under_way: Vec<InstitutionId> = Vec::new();
        loop {
            while let Some(ended) = ways.try_join_next() {
                let Ok((peer, outcome)) = ended else { continue };
                under_way.retain(|one| *one != peer);
                if let Err(error) = &outcome {
                    tracing::warn!(%peer, %error, "what went there is not resolved yet");
                }
                rests.entry(peer).or_default().after(outcome.is_ok_and(|count| count > 0));
            }
            for peer in courier.unresolved().await {
                let rest = rests.entry(peer.clone()).or_default();
                rest.looks = rest.looks.saturating_sub(1);
                if rest.looks == 0 && !under_way.contains(&peer) {
                    under_way.push(peer.clone());
                    let courier = Arc::clone(&courier);
                    ways.spawn(async move {
                        let outcome = courier.go(&peer).await;
                        (peer, outcome)
                    });
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The ledgers to which something went that is unresolved.
    async fn unresolved(&self) -> Vec<InstitutionId> {
        let some = |machine: &Machine| {
            let peers = machine.peers().into_iter();
            peers.filter(|peer| peer.settled_through < peer.sent).map(|peer| peer.name).collect()
        };
        // Whoever may not read now is no writer either, or will be again.
        self.bank.read(|machine, _| some(machine)).await.unwrap_or_default()
    }

    /// One way to another ledger and back; how many payments were resolved by it.
    ///
    /// # Errors
    /// [`CourierError`]; nothing is lost by it.
    pub async fn go(&self, peer: &InstitutionId) -> Result<usize, CourierError> {
        let words = |machine: &Machine| {
            let found = machine.peers().into_iter().find(|one| one.name == *peer);
            (found.map(|one| one.terms.address), machine.words(peer, AT_A_TIME))
        };
        let ((address, words), now) = self.bank.read(|machine, now| (words(machine), now)).await?;
        let signed = self.bank.sign_together(now, words)?;
        let (Some(address), Some(signed)) = (address, signed) else { return Ok(0) };
        let url = format!("{address}/central-bank/v1/peers/{}/transfers", self.bank.id);
        let words = Words { submission: encoded(&signed)? };
        let Answers { submission } = self.client.post(&url, None, &words).await?;
        let Some(submission) = submission else { return Ok(0) };
        let answered = CommandRequest { submission }.verified()?;
        self.enter(peer, answered).await
    }

    /// Enters what a ledger says became of payments that went there.
    async fn enter(
        &self,
        peer: &InstitutionId,
        answered: Submission,
    ) -> Result<usize, CourierError> {
        let settles = |action: &Action| matches!(action, Action::SettleTransit { .. });
        let only = match &answered.order.action {
            Action::Each { orders } => orders.as_slice().iter().all(|o| settles(&o.action)),
            action => settles(action),
        };
        if answered.institution != *peer || !only {
            return Err(CourierError::NoAnswer("it is not that ledger's word of what came"));
        }
        let applied = self.bank.ledger.submit(answered).await;
        let outcome = applied.map_err(|error| not_submitted(&error))?.outcome;
        let done = outcome.map_err(|refusal| refused(&refusal))?;
        Ok(done.each.map_or(1, |each| each.iter().filter(|one| one.is_ok()).count()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_that_does_not_answer_is_left_alone_longer_each_time_up_to_a_minute() {
        let mut rest = Rest::default();
        let mut waits = Vec::new();
        for _ in 0..40 {
            rest.after(false);
            waits.push(rest.looks);
        }
        assert_eq!(waits[..9], [2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert!(waits[8..].iter().all(|looks| *looks == LONGEST));
        rest.after(true);
        assert_eq!((rest.failed, rest.looks), (0, 0));
    }
}
