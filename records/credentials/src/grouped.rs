//! Steps of many wallets at once, committed together: whoever comes while a commit is under way waits for the
//! next one, so that the disk's pace bounds the groups and not the steps. Each step stands alone: one that is
//! refused leaves nothing, and harms no other.

use crate::CredentialsError;
use crate::once::{Done, Step, perform};
use sea_orm::{DbErr, TransactionTrait};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;
use yufu_database::Database;

/// The most steps in one commit.
const MOST: usize = 64;

type Answer = Result<Done, CredentialsError>;

/// What waits for a commit.
#[derive(Default)]
pub(crate) struct Group(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    steps: Vec<(Step, oneshot::Sender<Answer>)>,
    working: bool,
}

impl Group {
    /// Does a step, together with those that others ask for at the same time. It is done even if whoever asked
    /// no longer waits.
    pub(crate) async fn done(self: &Arc<Self>, database: &Database, step: Step) -> Answer {
        let (tell, told) = oneshot::channel();
        let idle = {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.steps.push((step, tell));
            !std::mem::replace(&mut waiting.working, true)
        };
        if idle {
            let (group, database) = (Arc::clone(self), database.clone());
            tokio::spawn(async move { group.work(&database).await });
        }
        told.await.unwrap_or_else(|_| Err(failed("the step was cut off")))
    }

    async fn work(&self, database: &Database) {
        loop {
            let steps = {
                let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let count = waiting.steps.len().min(MOST);
                waiting.working = count > 0;
                waiting.steps.drain(..count).collect::<Vec<_>>()
            };
            if steps.is_empty() {
                return;
            }
            let (steps, tell): (Vec<Step>, Vec<_>) = steps.into_iter().unzip();
            let count = steps.len();
            let answers = commit(database, steps).await.unwrap_or_else(|error| {
                let why = error.to_string();
                (0..count).map(|_| Err(failed(&why))).collect()
            });
            for (tell, answer) in tell.into_iter().zip(answers) {
                // Whoever no longer waits does not hear.
                let _ = tell.send(answer);
            }
        }
    }
}

/// The answer to each step; an error if nothing was committed.
async fn commit(database: &Database, steps: Vec<Step>) -> Result<Vec<Answer>, CredentialsError> {
    let all = database.begin().await?;
    let mut answers = Vec::with_capacity(steps.len());
    for step in steps {
        let one = all.begin().await?;
        match perform(&one, step).await {
            Ok(done) => {
                one.commit().await?;
                answers.push(Ok(done));
            }
            Err(error) => {
                one.rollback().await?;
                answers.push(Err(error));
            }
        }
    }
    all.commit().await?;
    Ok(answers)
}

fn failed(why: &str) -> CredentialsError {
    DbErr::Custom(why.to_owned()).into()
}
