//! Steps of many callers, done together: whoever comes while a commit is under way waits for the next one, so that
//! the disk's pace, and the price of a statement, are shared by all that come at the same time.

use crate::connection::DatabaseError;
use sea_orm::DbErr;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

/// The most steps that are done together.
const MOST: usize = 128;
/// How far apart groups begin while many come at the same time, so that the price of one is shared by more of them.
/// Whoever comes alone does not wait.
const APART: Duration = Duration::from_millis(3);

/// What can be done for many callers together.
pub trait Together: Send + Sync + 'static {
    /// What one caller asks for.
    type Step: Send + 'static;
    /// What it gets.
    type Done: Send + 'static;
    /// Why it does not.
    type Error: From<DatabaseError> + Send + 'static;

    /// Does these steps: an answer to each, in their order. Each stands alone: one that is refused leaves nothing, and
    /// harms no other. Fails only if nothing of any was done; each is then tried alone.
    fn perform(
        &self,
        steps: &mut [Self::Step],
    ) -> impl Future<Output = Answers<Self::Done, Self::Error>> + Send;
}

/// The answer to each of the steps, or why nothing was done.
pub type Answers<D, E> = Result<Vec<Result<D, E>>, E>;

type Waiter<W> =
    (<W as Together>::Step, oneshot::Sender<Result<<W as Together>::Done, <W as Together>::Error>>);

/// Gathers the steps of many callers. Clones share what waits.
pub struct Group<W: Together>(Arc<Gathering<W>>);

struct Gathering<W: Together> {
    work: W,
    waiting: Mutex<Waiting<W>>,
}

struct Waiting<W: Together> {
    steps: Vec<Waiter<W>>,
    working: bool,
    /// Before which no group begins.
    next: Option<Instant>,
}

impl<W: Together> Group<W> {
    /// A group for which nothing waits.
    #[must_use]
    pub fn new(work: W) -> Self {
        let waiting = Mutex::new(Waiting { steps: Vec::new(), working: false, next: None });
        Self(Arc::new(Gathering { work, waiting }))
    }

    /// Does a step, together with those that others ask for at the same time. It is done even if whoever asked
    /// no longer waits.
    ///
    /// # Errors
    /// As the work refuses it; [`DatabaseError::Statement`] if the work broke off.
    pub async fn done(&self, step: W::Step) -> Result<W::Done, W::Error> {
        let (tell, told) = oneshot::channel();
        if self.0.idle_before(step, tell) {
            let gathering = Arc::clone(&self.0);
            tokio::spawn(async move { gathering.work().await });
        }
        let cut_off = || DatabaseError::from(DbErr::Custom("the step was cut off".to_owned()));
        told.await.unwrap_or_else(|_| Err(cut_off().into()))
    }
}

impl<W: Together> Clone for Group<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: Together> fmt::Debug for Group<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Group")
    }
}

impl<W: Together> Gathering<W> {
    /// Has a step wait; whether nobody works on what waits.
    fn idle_before(&self, step: W::Step, tell: oneshot::Sender<Result<W::Done, W::Error>>) -> bool {
        let mut waiting = self.waiting();
        waiting.steps.push((step, tell));
        !std::mem::replace(&mut waiting.working, true)
    }

    async fn work(&self) {
        let mut over = Over(self, true);
        while let Some(next) = self.next().await {
            let (mut steps, tell): (Vec<W::Step>, Vec<_>) = next.into_iter().unzip();
            let answers = match self.work.perform(&mut steps).await {
                Ok(answers) => answers,
                Err(error) if steps.len() == 1 => vec![Err(error)],
                Err(_) => self.one_by_one(steps).await,
            };
            for (tell, answer) in tell.into_iter().zip(answers) {
                // Whoever no longer waits does not hear.
                let _ = tell.send(answer);
            }
        }
        over.1 = false;
    }

    /// What is done next, once it is time; `None`, and nobody works any more, if nothing waits.
    async fn next(&self) -> Option<Vec<Waiter<W>>> {
        let time = self.waiting().next;
        if let Some(time) = time.filter(|time| Instant::now() < *time) {
            sleep_until(time).await;
        }
        let mut waiting = self.waiting();
        let count = waiting.steps.len().min(MOST);
        waiting.working = count > 0;
        if count > 0 {
            waiting.next = (count > 1).then(|| Instant::now().checked_add(APART)).flatten();
        }
        (count > 0).then(|| waiting.steps.drain(..count).collect())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<W>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a failure of all together: what one of them cannot have takes nothing from the others.
    async fn one_by_one(&self, steps: Vec<W::Step>) -> Vec<Result<W::Done, W::Error>> {
        let mut answers = Vec::with_capacity(steps.len());
        for step in steps {
            let answer = match self.work.perform(&mut [step]).await {
                Ok(mut answers) => answers.pop().unwrap_or_else(|| {
                    let none = DbErr::Custom("a step was not answered".to_owned());
                    Err(DatabaseError::from(none).into())
                }),
                Err(error) => Err(error),
            };
            answers.push(answer);
        }
        answers
    }
}

/// Work that breaks off: nobody waits for it in vain, and the next step begins anew.
struct Over<'g, W: Together>(&'g Gathering<W>, bool);

impl<W: Together> Drop for Over<'_, W> {
    fn drop(&mut self) {
        if self.1 {
            let mut waiting = self.0.waiting();
            waiting.working = false;
            waiting.steps.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Adds one; 13 is refused, 17 fails for all that are with it, and 23 breaks the work off.
    #[derive(Default)]
    struct Adding(Arc<AtomicUsize>);

    impl Together for Adding {
        type Step = u32;
        type Done = u32;
        type Error = DatabaseError;

        async fn perform(&self, steps: &mut [u32]) -> Answers<u32, DatabaseError> {
            tokio::task::yield_now().await;
            self.0.fetch_add(1, Ordering::Relaxed);
            let failed = |why: &str| DatabaseError::from(DbErr::Custom(why.to_owned()));
            if steps.contains(&17) {
                return Err(failed("all"));
            }
            assert!(!steps.contains(&23), "broken off");
            let each = |step: &mut u32| {
                if *step == 13 { Err(failed("13")) } else { Ok(step.wrapping_add(1)) }
            };
            Ok(steps.iter_mut().map(each).collect())
        }
    }

    async fn all(
        group: &Group<Adding>,
        steps: impl Iterator<Item = u32>,
    ) -> Vec<Result<u32, DatabaseError>> {
        let asked = steps.map(|step| {
            let group = group.clone();
            tokio::spawn(async move { group.done(step).await })
        });
        let mut answers = Vec::new();
        for answer in asked.collect::<Vec<_>>() {
            answers.push(answer.await.unwrap());
        }
        answers
    }

    #[tokio::test]
    async fn each_gets_its_own_answer_and_many_are_done_together() {
        let times = Arc::new(AtomicUsize::new(0));
        let group = Group::new(Adding(Arc::clone(&times)));
        let answers = all(&group, 100..500).await;
        let expected: Vec<u32> = (101..501).collect();
        assert_eq!(answers.into_iter().map(Result::unwrap).collect::<Vec<_>>(), expected);
        assert!(times.load(Ordering::Relaxed) < 40, "they were done one by one");
    }

    #[tokio::test]
    async fn one_that_is_refused_or_fails_for_all_harms_no_other() {
        let group = Group::new(Adding::default());
        for poison in [13, 17] {
            let answers = all(&group, 0..12).await;
            assert!(answers.iter().all(Result::is_ok));
            let answers = all(&group, [1, poison, 2].into_iter()).await;
            let fine: Vec<bool> = answers.iter().map(Result::is_ok).collect();
            assert_eq!(fine, [true, false, true]);
        }
    }

    #[tokio::test]
    async fn work_that_breaks_off_leaves_nobody_waiting_and_the_next_step_is_done() {
        let group = Group::new(Adding::default());
        let answers = all(&group, [23, 1, 2].into_iter()).await;
        assert!(answers[0].is_err());
        assert_eq!(group.done(4).await.unwrap(), 5);
    }
}
