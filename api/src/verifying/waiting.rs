//! Requests that wait for their answer, in memory: each stands for ten minutes. A server that stops lays them down, and
//! takes them up when it starts; what a crash cuts off is asked again. What was answered is in the records: what is kept,
//! and until then what waits for the browser that began.

use super::outcome::Outcome;
use crate::http::Problem;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use yufu_base::Timestamp;
use yufu_openid4vc::presentation::DigitalRequest;
use yufu_verifier::Requested;

/// How many requests of a party may wait at once: some kilobytes of memory each.
const MOST_OPEN: usize = 20_000;
/// How many may be remembered, those answered included.
const MOST: usize = 200_000;
/// For how long after its end a request is remembered, so that its end can be told, in seconds.
const REMEMBERED_SECONDS: u64 = 600;

/// A party's requests.
#[derive(Default)]
pub(super) struct Waiting(Mutex<Table>);

#[derive(Default)]
struct Table {
    by_id: BTreeMap<String, Request>,
    by_end: BTreeSet<(Timestamp, String)>,
    /// How many wait for an answer.
    open: usize,
}

/// A request.
#[derive(Clone)]
pub(super) struct Request {
    /// For which purpose.
    pub(super) purpose: String,
    /// Where the browser that began goes on, with a response code; none if another device shows the link.
    pub(super) return_to: Option<String>,
    /// Until when it may be answered.
    pub(super) expires_at: Timestamp,
    pub(super) stage: Stage,
    /// What came last, if it was no answer that counts.
    pub(super) note: Option<Note>,
}

/// How far a request is.
#[derive(Clone)]
pub(super) enum Stage {
    /// Nobody has answered.
    Open(Arc<Ways>),
    /// An answer is being kept.
    Settling,
    /// Answered, and nothing of it is in the records.
    Settled(Box<Outcome>),
}

/// A request that nobody has answered, as it is laid down.
#[derive(Serialize, Deserialize)]
pub(super) struct Laid {
    id: String,
    purpose: String,
    return_to: Option<String>,
    /// Until when it may be answered, in seconds since the epoch.
    until: u64,
    ways: Ways,
}

/// The ways in which a wallet can be asked for one verification: the first answer counts, whichever way it comes.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Ways {
    /// By a link, which another device shows or this one opens.
    pub(super) link: Requested,
    /// That link: `openid4vp://...`.
    pub(super) shown: String,
    /// By a page in a browser that has a wallet behind it, and what that page gets.
    pub(super) page: Option<(Requested, DigitalRequest)>,
}

/// What came instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// The person declined.
    Declined,
    /// An answer was refused, with this code.
    Refused(String),
}

impl Waiting {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request. Those whose end is long past make room.
    pub(super) fn add(&self, id: &str, request: Request, now: Timestamp) -> Result<(), Problem> {
        let mut table = self.table();
        table.forget_before(now.minus_seconds(REMEMBERED_SECONDS));
        if table.open >= MOST_OPEN || table.by_id.len() >= MOST {
            let detail = format!(
                "{MOST_OPEN} requests of this verifier wait for an answer: start fewer, or wait some minutes"
            );
            return Err(Problem::unavailable("verification.too_many", detail));
        }
        table.open = table.open.saturating_add(1);
        table.by_end.insert((request.expires_at, id.to_owned()));
        table.by_id.insert(id.to_owned(), request);
        Ok(())
    }

    /// The request with this id, as it stands.
    pub(super) fn get(&self, id: &str) -> Option<Request> {
        self.table().by_id.get(id).cloned()
    }

    /// Whether there is a request with this id, however it stands.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.table().by_id.contains_key(id)
    }

    /// A copy of a request that nobody has answered yet, and the ways to answer it.
    pub(super) fn open(&self, id: &str) -> Result<(Request, Arc<Ways>), Problem> {
        let mut request = self.get(id).ok_or_else(|| Problem::not_found("request"))?;
        match std::mem::replace(&mut request.stage, Stage::Settling) {
            Stage::Open(ways) => Ok((request, ways)),
            Stage::Settling | Stage::Settled(_) => Err(already_answered()),
        }
    }

    /// Notes what was sent last: evidence and receipt are about that. A request that was answered meanwhile stays so.
    pub(super) fn sent(&self, id: &str, session: Requested) {
        if let Some(Request { stage: Stage::Open(open), .. }) = self.table().by_id.get_mut(id) {
            Arc::make_mut(open).link = session;
        }
    }

    /// Notes what came instead of an answer.
    pub(super) fn note(&self, id: &str, note: Note) {
        if let Some(request) = self.table().by_id.get_mut(id) {
            request.note = Some(note);
        }
    }

    /// Adds a request that a crash cut off after it was answered, while the one answer that counts is being kept.
    pub(super) fn settle_lost(&self, id: &str, request: Request) -> Result<(), Problem> {
        let mut table = self.table();
        if table.by_id.contains_key(id) {
            return Err(already_answered());
        }
        table.by_end.insert((request.expires_at, id.to_owned()));
        table.by_id.insert(id.to_owned(), Request { stage: Stage::Settling, ..request });
        Ok(())
    }

    /// Takes a request for the one answer that counts.
    pub(super) fn settle(&self, id: &str) -> Result<Stage, Problem> {
        let mut table = self.table();
        let request = table.by_id.get_mut(id).ok_or_else(|| Problem::not_found("request"))?;
        if !request.stage.is_open() {
            return Err(already_answered());
        }
        let before = std::mem::replace(&mut request.stage, Stage::Settling);
        table.open = table.open.saturating_sub(1);
        Ok(before)
    }

    /// Puts a request that is being settled at a stage: what it was before, if its answer could not be kept.
    pub(super) fn put(&self, id: &str, stage: Stage) {
        let mut table = self.table();
        let opened = usize::from(stage.is_open());
        if let Some(request) = table.by_id.get_mut(id) {
            request.stage = stage;
            table.open = table.open.saturating_add(opened);
        }
    }

    /// Everything that may still be answered, taken out of here, and when the last of it ends.
    pub(super) fn lay_down(&self, now: Timestamp) -> (Vec<Laid>, Timestamp) {
        let table = std::mem::take(&mut *self.table());
        let (mut all, mut last) = (Vec::new(), now);
        for (id, Request { purpose, return_to, expires_at, stage, .. }) in table.by_id {
            if let Stage::Open(ways) = stage
                && now < expires_at
            {
                last = last.max(expires_at);
                let until = expires_at.seconds();
                let ways = Arc::unwrap_or_clone(ways);
                all.push(Laid { id, purpose, return_to, until, ways });
            }
        }
        (all, last)
    }

    /// Takes up what was laid down.
    pub(super) fn take_up(&self, laid: Laid, now: Timestamp) -> Result<(), Problem> {
        let Laid { id, purpose, return_to, until, ways } = laid;
        let (expires_at, stage) = (Timestamp::from_seconds(until), Stage::Open(Arc::new(ways)));
        self.add(&id, Request { purpose, return_to, expires_at, stage, note: None }, now)
    }

    /// Forgets a request whose answer is in the records.
    pub(super) fn forget(&self, id: &str) {
        self.table().remove(id);
    }
}

impl Stage {
    const fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }
}

impl Table {
    fn forget_before(&mut self, end: Timestamp) {
        while let Some((first, id)) = self.by_end.first().cloned()
            && first < end
        {
            self.remove(&id);
            self.by_end.remove(&(first, id));
        }
    }

    fn remove(&mut self, id: &str) {
        if let Some(request) = self.by_id.remove(id) {
            self.open = self.open.saturating_sub(usize::from(request.stage.is_open()));
            self.by_end.remove(&(request.expires_at, id.to_owned()));
        }
    }
}

/// The code of an answer that comes too late.
pub(super) const ALREADY_ANSWERED: &str = "presentation.already_answered";

pub(super) fn already_answered() -> Problem {
    let detail = "this request was answered before: start a new one";
    Problem::conflict("presentation.already_answered", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn request(until: u64) -> Request {
        Request {
            purpose: "check-age".to_owned(),
            return_to: None,
            expires_at: NOW.plus_seconds(until),
            stage: Stage::Settling,
            note: None,
        }
    }

    #[test]
    fn a_request_is_remembered_ten_minutes_past_its_end_and_then_makes_room() {
        let waiting = Waiting::default();
        waiting.add("a", request(600), NOW).unwrap();
        waiting.add("b", request(700), NOW.plus_seconds(1_200)).unwrap();
        assert!(waiting.get("a").is_some());
        waiting.add("c", request(2_000), NOW.plus_seconds(1_201)).unwrap();
        assert!(waiting.get("a").is_none() && waiting.get("b").is_some());
        waiting.forget("b");
        assert!(waiting.get("b").is_none());
        assert_eq!(waiting.table().by_end.len(), 1);
    }

    #[test]
    fn a_request_that_a_crash_cut_off_is_settled_once() {
        let waiting = Waiting::default();
        waiting.settle_lost("a", request(600)).unwrap();
        let refused = waiting.settle_lost("a", request(600)).unwrap_err();
        assert_eq!(refused.code(), ALREADY_ANSWERED);
        assert_eq!(waiting.settle("a").err().unwrap().code(), ALREADY_ANSWERED);
        waiting.forget("a");
        let table = waiting.table();
        assert_eq!((table.open, table.by_end.len()), (0, 0));
    }

    #[test]
    fn a_party_with_as_many_requests_as_may_wait_starts_no_more() {
        let waiting = Waiting::default();
        waiting.table().open = MOST_OPEN;
        let refused = waiting.add("a", request(600), NOW).unwrap_err();
        assert_eq!(refused.code(), "verification.too_many");
    }
}
