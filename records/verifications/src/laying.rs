//! What waits for an answer, laid down when a server stops and taken up when it starts: sealed, once, and no longer than it
//! stands.

use crate::schema::waiting;
use crate::{Verifications, VerificationsError, from_column, to_column};
use sea_orm::{EntityTrait, Set};
use uuid::Uuid;
use yufu_base::Timestamp;

/// What it is bound to.
const PLACE: &str = "verifications.waiting";

impl Verifications {
    /// Lays down what waits, until the time at which the last of it ends. It holds the keys that answers are encrypted to.
    ///
    /// # Errors
    /// [`VerificationsError::Database`] or [`VerificationsError::Seal`]; then nothing is laid down.
    pub async fn lay_down(&self, text: &str, until: Timestamp) -> Result<(), VerificationsError> {
        let id = Uuid::new_v4();
        let keys = self.sealer.create(&[id]).await?;
        let key = keys.first().ok_or(VerificationsError::Damaged("key"))?;
        let row = waiting::ActiveModel {
            key_id: Set(id.to_string()),
            sealed: Set(key.seal(PLACE, text.as_bytes())?),
            ends_at: Set(to_column(until)),
        };
        waiting::Entity::insert(row).exec_without_returning(self.database.connection()).await?;
        Ok(())
    }

    /// Takes up what was laid down, if any of it still stands. It is gone from the records then, whatever comes of it, and
    /// what sealed it is destroyed: nobody answers the same request at two servers.
    ///
    /// # Errors
    /// [`VerificationsError`]: then nothing is taken up.
    pub async fn take_up(&self, now: Timestamp) -> Result<Vec<String>, VerificationsError> {
        let rows = waiting::Entity::find().all(self.database.connection()).await?;
        let (mut taken, mut keys) = (Vec::new(), Vec::new());
        for row in rows {
            let id =
                Uuid::parse_str(&row.key_id).map_err(|_| VerificationsError::Damaged("key id"))?;
            if from_column(row.ends_at)? > now {
                let plain = self.sealer.key(id).await?.open(PLACE, &row.sealed)?;
                let text = String::from_utf8(plain.to_vec());
                taken.push(text.map_err(|_| VerificationsError::Damaged("request"))?);
            }
            keys.push(id);
        }
        if !keys.is_empty() {
            waiting::Entity::delete_many().exec(self.database.connection()).await?;
            self.sealer.destroy(&keys).await?;
        }
        Ok(taken)
    }
}
