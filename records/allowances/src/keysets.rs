//! Which keyset each bank signs blind tokens with in an epoch: the first one seen is the one for everybody, so that a
//! bank cannot tell people apart by keys of their own.

use crate::entity::keyset;
use crate::{Allowances, AllowancesError, epoch_column};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};

impl Allowances {
    /// Notes that a bank shows a keyset for an epoch.
    ///
    /// # Errors
    /// [`AllowancesError::KeysetDiffers`] if it showed another one before.
    pub async fn saw_keyset(
        &self,
        bank: &str,
        epoch: u64,
        shown: &str,
    ) -> Result<(), AllowancesError> {
        let key = (bank.to_owned(), epoch_column(epoch)?);
        let transaction = self.database.begin().await?;
        match keyset::Entity::find_by_id(key.clone()).one(&transaction).await? {
            Some(known) if known.keyset == shown => return Ok(()),
            Some(_) => return Err(AllowancesError::KeysetDiffers),
            None => {}
        }
        let row = keyset::ActiveModel {
            bank: Set(key.0),
            epoch: Set(key.1),
            keyset: Set(shown.to_owned()),
        };
        keyset::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The keyset of each bank that was seen in an epoch, by bank.
    ///
    /// # Errors
    /// [`AllowancesError::Database`].
    pub async fn keysets(&self, epoch: u64) -> Result<Vec<(String, String)>, AllowancesError> {
        let rows = keyset::Entity::find()
            .filter(keyset::Column::Epoch.eq(epoch_column(epoch)?))
            .order_by_asc(keyset::Column::Bank)
            .all(self.database.connection())
            .await?;
        Ok(rows.into_iter().map(|row| (row.bank, row.keyset)).collect())
    }
}
