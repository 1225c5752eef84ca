//! Steps of many wallets at once, committed together. Those that have nothing in common are decided and written as
//! sets, at the price of a few statements for all of them; the others one after another, in the same commit.

use crate::entity::issuance;
use crate::issuance::{Issuance, read};
use crate::once::{Done, Step, perform};
use crate::shards::Shards;
use crate::{CredentialsError, sets};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, TransactionTrait};
use yufu_database::{Answers, Database, Together, padded};

/// Writes what wallets' steps come to.
pub(crate) struct Steps(pub(crate) Database, pub(crate) Shards);

impl Together for Steps {
    type Step = Step;
    type Done = Done;
    type Error = CredentialsError;

    async fn perform(&self, steps: &mut [Step]) -> Answers<Done, CredentialsError> {
        let all = self.0.begin().await?;
        let decided = sets::perform(&all, &self.1, steps).await?;
        let mut answers = Vec::with_capacity(steps.len());
        for (step, answer) in steps.iter_mut().zip(decided) {
            answers.push(match answer {
                Some(answer) => answer,
                None => alone(&all, &self.1, step).await?,
            });
        }
        all.commit().await?;
        self.1.committed(&self.0).await;
        Ok(answers)
    }
}

/// A step that is refused leaves nothing.
async fn alone(
    all: &DatabaseTransaction,
    shards: &Shards,
    step: &mut Step,
) -> Result<Result<Done, CredentialsError>, CredentialsError> {
    let one = all.begin().await?;
    match perform(&one, shards, step).await {
        Ok(done) => {
            one.commit().await?;
            Ok(Ok(done))
        }
        Err(error) => {
            one.rollback().await?;
            Ok(Err(error))
        }
    }
}

/// Finds issuances by the digests of what messages carry.
pub(crate) struct Lookups(pub(crate) Database);

impl Together for Lookups {
    type Step = String;
    type Done = Issuance;
    type Error = CredentialsError;

    async fn perform(&self, lookups: &mut [String]) -> Answers<Issuance, CredentialsError> {
        let rows = issuance::Entity::find()
            .filter(issuance::Column::Lookup.is_in(padded(lookups.iter().map(String::as_str))))
            .all(self.0.connection())
            .await?;
        let found = |lookup: &mut String| {
            let row = rows.iter().find(|row| row.lookup == *lookup);
            read(row.ok_or(CredentialsError::Unknown("issuance"))?)
        };
        Ok(lookups.iter_mut().map(found).collect())
    }
}
