//! Chip cards: which card is whose, whether an officer just compared its holder with its portrait, and whether it is in
//! force.
//! A card is found by a keyed digest of its number; nothing that stands on it lies here.

use crate::entity::card;
use crate::{Entry, PersonId, Population, PopulationError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_database::to_column;

/// A card, as the register knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardEntry {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub person: PersonId,
    /// Whether it is in force.
    pub in_force: bool,
}

impl Population {
    /// Records a new card of a person; those before it are replaced. `checked` says that the officer compared the holder
    /// with the portrait.
    ///
    /// # Errors
    /// [`PopulationError::Database`].
    pub async fn record_card(
        &self,
        person: PersonId,
        document_number: &str,
        checked: bool,
        entry: Entry,
    ) -> Result<Uuid, PopulationError> {
        let (id, at) = (Uuid::new_v4(), to_column(entry.at));
        let transaction = self.database().begin().await?;
        end(&transaction, person, (&entry.officer, "replaced"), at).await?;
        let row = card::ActiveModel {
            id: Set(id),
            person: Set(person.uuid()),
            number_index: Set(self.card_index(document_number)),
            officer: Set(entry.officer.clone()),
            evidence: Set(entry.basis),
            at: Set(at),
            checked_at: Set(checked.then_some(at)),
            checked_by: Set(checked.then_some(entry.officer)),
            ended_at: Set(None),
            ended_by: Set(None),
            end_reason: Set(None),
        };
        card::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// The card with this number, if the authority issued it.
    ///
    /// # Errors
    /// [`PopulationError::Database`].
    pub async fn card(&self, document_number: &str) -> Result<Option<CardEntry>, PopulationError> {
        let index = self.card_index(document_number);
        let found = card::Entity::find().filter(card::Column::NumberIndex.eq(index));
        let row = found.one(self.database().connection()).await?;
        Ok(row.map(|row| CardEntry {
            id: row.id,
            person: PersonId::new(row.person),
            in_force: row.ended_at.is_none(),
        }))
    }

    /// Notes that an officer compared the holder with the portrait of the card in force; whether there is one.
    ///
    /// # Errors
    /// [`PopulationError::Database`].
    pub async fn check_card(
        &self,
        person: PersonId,
        entry: Entry,
    ) -> Result<bool, PopulationError> {
        let done = card::Entity::update_many()
            .col_expr(card::Column::CheckedAt, Expr::value(to_column(entry.at)))
            .col_expr(card::Column::CheckedBy, Expr::value(entry.officer))
            .col_expr(card::Column::Evidence, Expr::value(entry.basis))
            .filter(card::Column::Person.eq(person.uuid()))
            .filter(card::Column::EndedAt.is_null())
            .exec(self.database().connection())
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Uses up a check of the card's holder that was noted since `since`; whether there was one. Of two at once, one
    /// finds it used.
    ///
    /// # Errors
    /// [`PopulationError::Database`].
    pub async fn take_check(&self, card: Uuid, since: Timestamp) -> Result<bool, PopulationError> {
        let done = card::Entity::update_many()
            .col_expr(card::Column::CheckedAt, Expr::value(None::<i64>))
            .filter(card::Column::Id.eq(card))
            .filter(card::Column::EndedAt.is_null())
            .filter(card::Column::CheckedAt.gte(to_column(since)))
            .exec(self.database().connection())
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Blocks every card of a person that is in force; how many those were. Again is harmless.
    ///
    /// # Errors
    /// [`PopulationError::Database`].
    pub async fn end_cards(&self, person: PersonId, entry: Entry) -> Result<u64, PopulationError> {
        let (by, at) = ((entry.officer.as_str(), entry.basis.as_str()), to_column(entry.at));
        Ok(end(self.database().connection(), person, by, at).await?)
    }

    /// A person's cards that are no longer in force.
    ///
    /// # Errors
    /// [`PopulationError::Database`].
    pub async fn ended_cards(&self, person: PersonId) -> Result<Vec<Uuid>, PopulationError> {
        let ended = card::Entity::find()
            .filter(card::Column::Person.eq(person.uuid()))
            .filter(card::Column::EndedAt.is_not_null());
        let rows = ended.all(self.database().connection()).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    fn card_index(&self, document_number: &str) -> Vec<u8> {
        self.sealer().blind("card.number", document_number).as_bytes().to_vec()
    }
}

async fn end(
    connection: &impl ConnectionTrait,
    person: PersonId,
    (officer, reason): (&str, &str),
    at: i64,
) -> Result<u64, DbErr> {
    let done = card::Entity::update_many()
        .col_expr(card::Column::EndedAt, Expr::value(at))
        .col_expr(card::Column::EndedBy, Expr::value(officer))
        .col_expr(card::Column::EndReason, Expr::value(reason))
        .filter(card::Column::Person.eq(person.uuid()))
        .filter(card::Column::EndedAt.is_null())
        .exec(connection)
        .await?;
    Ok(done.rows_affected)
}
