//! What opened hash locks of notes that were spent here (NUT-14): whoever paid with such a note learns it by asking
//! how the note stands (NUT-07). Kept until the note's keyset is over; by whom it was shown no row says.

use crate::entity::note_preimage;
use crate::{Onboarding, OnboardingError};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use std::collections::BTreeMap;
use yufu_base::Timestamp;

/// A preimage, and the note that it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What the ledger knows the spent note by: its secret's point, compressed.
    pub point: [u8; 33],
    /// What was shown.
    pub preimage: [u8; 32],
    /// When the note's keyset is over.
    pub over: Timestamp,
}

impl Onboarding {
    /// Keeps what opened notes. Again changes nothing.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be written; then none is kept.
    pub async fn keep_preimages(&self, opened: &[Opened]) -> Result<(), OnboardingError> {
        if opened.is_empty() {
            return Ok(());
        }
        let rows = opened.iter().map(|one| note_preimage::ActiveModel {
            point: Set(one.point.to_vec()),
            preimage: Set(one.preimage.to_vec()),
            over_at: Set(crate::to_column(one.over)),
        });
        let known = OnConflict::column(note_preimage::Column::Point).do_nothing().to_owned();
        note_preimage::Entity::insert_many(rows)
            .on_conflict(known)
            .exec_without_returning(self.database.connection())
            .await?;
        Ok(())
    }

    /// What opened notes with these points, where something did.
    ///
    /// # Errors
    /// [`OnboardingError::Database`].
    pub async fn preimages(
        &self,
        points: &[[u8; 33]],
    ) -> Result<BTreeMap<[u8; 33], [u8; 32]>, OnboardingError> {
        if points.is_empty() {
            return Ok(BTreeMap::new());
        }
        let wanted = points.iter().map(|point| point.to_vec());
        let rows = note_preimage::Entity::find()
            .filter(note_preimage::Column::Point.is_in(wanted))
            .all(self.database.connection())
            .await?;
        let read = |row: note_preimage::Model| {
            let damaged = |_| OnboardingError::Damaged("preimage");
            let point = <[u8; 33]>::try_from(row.point).map_err(damaged)?;
            Ok((point, <[u8; 32]>::try_from(row.preimage).map_err(damaged)?))
        };
        rows.into_iter().map(read).collect()
    }

    /// Forgets what opened notes of keysets that were over at `now`; how many.
    ///
    /// # Errors
    /// [`OnboardingError::Database`].
    pub async fn forget_preimages(&self, now: Timestamp) -> Result<u64, OnboardingError> {
        let gone = note_preimage::Entity::delete_many()
            .filter(note_preimage::Column::OverAt.lte(crate::to_column(now)))
            .exec(self.database.connection())
            .await?;
        Ok(gone.rows_affected)
    }
}
