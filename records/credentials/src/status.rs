//! The place of every issued credential in a status list, and its status.

use crate::entity::{issuance, status_entry, status_list};
use crate::issuance::Issuance;
use crate::once::{Completion, Done, What};
use crate::pseudonym::{self, Pseudonym};
use crate::shards::Place;
use crate::{Credentials, CredentialsError, once, to_column};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect as _,
};
use std::collections::BTreeSet;
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_database::written;

/// Token Status List, section 7.1: valid.
pub(crate) const VALID: i32 = 0;
/// Revoked, for good.
pub(crate) const INVALID: i32 = 1;
/// Suspended.
pub(crate) const SUSPENDED: i32 = 2;

/// What is to be allocated for a batch of credentials.
#[derive(Clone, Copy, Debug)]
pub struct Allocation {
    /// How many credentials the batch has.
    pub count: usize,
    /// Until when somebody may look at their places: not before they expire.
    pub kept_until: Timestamp,
}

/// A status list as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListState {
    /// How many places it has.
    pub places: i32,
    /// A number that is another one whenever a status in it changed.
    pub version: i64,
}

/// A place in a list with a status other than valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// The place.
    pub position: i32,
    /// The status: 1 invalid, 2 suspended (Token Status List, section 7.1).
    pub status: i32,
}

impl Credentials {
    /// The last stage of an issuance: its nonces are spent, the batch gets its places in the status
    /// lists (drawn by `draw`, so that neighbours tell nothing), and the issuance is passed. Together, or not at all.
    ///
    /// # Errors
    /// [`CredentialsError::NonceSpent`], [`CredentialsError::AlreadyPassed`] or [`CredentialsError::ListFull`].
    pub async fn complete_issuance(
        &self,
        issuance: &Issuance,
        nonces: &BTreeSet<String>,
        wanted: Allocation,
        draw: impl FnMut() -> u32 + Send + Sync + 'static,
        now: Timestamp,
    ) -> Result<Vec<Place>, CredentialsError> {
        self.complete_issuance_under(issuance, nonces, &[], wanted, draw, now).await
    }

    /// As [`Credentials::complete_issuance`], of credentials that carry pseudonyms: those must be the
    /// person's registered ones, or are registered now.
    ///
    /// # Errors
    /// Also [`CredentialsError::PseudonymDiffers`] and [`CredentialsError::PseudonymTaken`].
    pub async fn complete_issuance_under(
        &self,
        issuance: &Issuance,
        nonces: &BTreeSet<String>,
        pseudonyms: &[Pseudonym],
        wanted: Allocation,
        draw: impl FnMut() -> u32 + Send + Sync + 'static,
        now: Timestamp,
    ) -> Result<Vec<Place>, CredentialsError> {
        let what = What::Complete(Box::new(Completion {
            issuance: issuance.clone(),
            nonces: nonces.clone(),
            pseudonyms: pseudonyms.to_vec(),
            wanted,
            draw: Box::new(draw),
        }));
        match self.step(Vec::new(), now, what).await? {
            Done::Places(places) => Ok(places),
            Done::Replayed => Err(CredentialsError::AlreadyPassed),
        }
    }

    /// Marks every credential of a person as invalid, and ends her grants, so that no wallet refreshes them; how
    /// many credentials that were. Irreversible.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn revoke(&self, person: Uuid) -> Result<u64, CredentialsError> {
        let transaction = self.database.begin().await?;
        once::end(&transaction, once::of_person(&person.to_string())).await?;
        let revoked = pseudonym::revoke(&transaction, person).await?;
        transaction.commit().await?;
        Ok(revoked)
    }

    /// As [`Credentials::revoke`], and what is still under way for the person ends too: nothing that was
    /// begun before is issued after; how many credentials became void. Again is harmless.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn withdraw(&self, person: Uuid) -> Result<u64, CredentialsError> {
        let person = person.to_string();
        let (under_way, placed) =
            (issuance::Column::Person.eq(&person), status_entry::Column::Person.eq(&person));
        self.end(under_way, placed, once::of_person(&person)).await
    }

    /// Marks every credential that was derived from these cards as invalid, and ends what is under way from them; how
    /// many credentials that were. Irreversible; again is harmless.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn revoke_derived(&self, cards: &[Uuid]) -> Result<u64, CredentialsError> {
        let cards: Vec<String> = cards.iter().map(Uuid::to_string).collect();
        let (under_way, placed) =
            (issuance::Column::Card.is_in(&cards), status_entry::Column::Card.is_in(&cards));
        self.end(under_way, placed, once::of_cards(&cards)).await
    }

    async fn end(
        &self,
        under_way: SimpleExpr,
        placed: SimpleExpr,
        granted: SimpleExpr,
    ) -> Result<u64, CredentialsError> {
        let transaction = self.database.begin().await?;
        issuance::Entity::update_many()
            .col_expr(issuance::Column::Lookup, Expr::col(issuance::Column::Id))
            .col_expr(issuance::Column::Session, Expr::value(""))
            .col_expr(issuance::Column::Stage, Expr::col(issuance::Column::Stage).add(1))
            .filter(under_way)
            .exec(&transaction)
            .await?;
        let changed = mark(&transaction, placed, &[VALID, SUSPENDED], INVALID).await?;
        once::end(&transaction, granted).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// Whom the credential at a place is about, and whether it is still valid.
    ///
    /// # Errors
    /// [`CredentialsError::Unknown`] if nothing is placed there.
    pub async fn placed(&self, place: Place) -> Result<(Uuid, bool), CredentialsError> {
        let row = status_entry::Entity::find_by_id((place.list, place.position));
        let row = row.one(self.database.connection()).await?;
        let row = row.ok_or(CredentialsError::Unknown("credential"))?;
        let person = Uuid::parse_str(&row.person).map_err(|_| CredentialsError::Damaged("id"))?;
        Ok((person, row.status == VALID))
    }

    /// Whether the credential at a place was derived from a chip card, with which it ends.
    ///
    /// # Errors
    /// [`CredentialsError::Unknown`] if nothing is placed there.
    pub async fn is_of_card(&self, place: Place) -> Result<bool, CredentialsError> {
        let row = status_entry::Entity::find_by_id((place.list, place.position));
        let row = row.one(self.database.connection()).await?;
        Ok(row.ok_or(CredentialsError::Unknown("credential"))?.card.is_some())
    }

    /// The numbers of the status lists.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if they cannot be read.
    pub async fn status_lists(&self) -> Result<Vec<i32>, CredentialsError> {
        let lists = status_list::Entity::find()
            .select_only()
            .column(status_list::Column::List)
            .order_by_asc(status_list::Column::List)
            .into_tuple()
            .all(self.database.connection())
            .await?;
        Ok(lists)
    }

    /// How a list stands.
    ///
    /// # Errors
    /// [`CredentialsError::Unknown`] if there is none of that number.
    pub async fn list_state(&self, list: i32) -> Result<ListState, CredentialsError> {
        let row = status_list::Entity::find_by_id(list).one(self.database.connection()).await?;
        let row = row.ok_or(CredentialsError::Unknown("status list"))?;
        Ok(ListState { places: row.places, version: row.version })
    }

    /// The places of a list that are not valid, of credentials that somebody may look at after `ended`.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if they cannot be read.
    pub async fn invalid(
        &self,
        list: i32,
        ended: Timestamp,
    ) -> Result<Vec<StatusEntry>, CredentialsError> {
        let rows = status_entry::Entity::find()
            .filter(status_entry::Column::List.eq(list))
            .filter(status_entry::Column::Status.into_expr().ne(written(VALID)))
            .filter(status_entry::Column::ExpiresAt.gte(to_column(ended)))
            .all(self.database.connection())
            .await?;
        Ok(rows.iter().map(|r| StatusEntry { position: r.position, status: r.status }).collect())
    }

    /// Frees the places at which nobody looks any more since before `ended`, and forgets whose they were; how many.
    /// List by list: none keeps others waiting for long.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if they cannot be freed.
    pub async fn free_places(&self, ended: Timestamp) -> Result<u64, CredentialsError> {
        let mut freed = 0_u64;
        for list in self.status_lists().await? {
            let gone = status_entry::Entity::delete_many()
                .filter(status_entry::Column::List.eq(list))
                .filter(status_entry::Column::ExpiresAt.lt(to_column(ended)))
                .exec(self.database.connection())
                .await?;
            freed = freed.saturating_add(gone.rows_affected);
        }
        Ok(freed)
    }
}

/// Gives the places that have one of the statuses `from` the status `to`; how many. Every list that it touches gets
/// another version, so that it is published anew.
pub(crate) async fn mark<C: ConnectionTrait>(
    connection: &C,
    placed: SimpleExpr,
    from: &[i32],
    to: i32,
) -> Result<u64, CredentialsError> {
    let before = status_entry::Column::Status.is_in(from.iter().copied());
    let changed = status_entry::Entity::update_many()
        .col_expr(status_entry::Column::Status, Expr::value(to))
        .filter(placed.clone().and(before))
        .exec(connection)
        .await?;
    if changed.rows_affected == 0 {
        return Ok(0);
    }
    // Afterwards, so that none is missed that was placed meanwhile; one too many is published anew for nothing.
    let lists: Vec<i32> = status_entry::Entity::find()
        .select_only()
        .column(status_entry::Column::List)
        .distinct()
        .filter(placed.and(status_entry::Column::Status.eq(to)))
        .into_tuple()
        .all(connection)
        .await?;
    status_list::Entity::update_many()
        .col_expr(status_list::Column::Version, Expr::col(status_list::Column::Version).add(1))
        .filter(status_list::Column::List.is_in(lists))
        .exec(connection)
        .await?;
    Ok(changed.rows_affected)
}
