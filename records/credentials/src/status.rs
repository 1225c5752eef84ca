//! The place of every issued credential in a status list, and its status.

use crate::entity::{issuance, status_entry};
use crate::issuance::{Issuance, advance};
use crate::pseudonym::{self, Pseudonym};
use crate::{Credentials, CredentialsError, DerivedFrom, nonce, once, to_column};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect as _, Set,
};
use std::collections::BTreeSet;
use uuid::Uuid;
use yufu_base::Timestamp;

/// How often taken places are answered by other draws before the list counts as full.
const DRAWS: usize = 64;

/// What is to be allocated for a batch of credentials.
#[derive(Clone, Copy, Debug)]
pub struct Allocation {
    /// The status list's number.
    pub list: i32,
    /// How many places the list has.
    pub size: i32,
    /// How many credentials the batch has.
    pub count: usize,
    /// When the credentials expire.
    pub expires_at: Timestamp,
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
    /// list (drawn by `draw`, so that neighbours tell nothing), and the issuance is passed. Together, or not at all.
    ///
    /// # Errors
    /// [`CredentialsError::NonceSpent`], [`CredentialsError::AlreadyPassed`] or [`CredentialsError::ListFull`].
    pub async fn complete_issuance(
        &self,
        issuance: &Issuance,
        nonces: &BTreeSet<String>,
        wanted: Allocation,
        draw: impl FnMut() -> u32 + Send,
        now: Timestamp,
    ) -> Result<Vec<i32>, CredentialsError> {
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
        draw: impl FnMut() -> u32 + Send,
        now: Timestamp,
    ) -> Result<Vec<i32>, CredentialsError> {
        let transaction = self.database.begin().await?;
        for spent in nonces {
            nonce::spend(&transaction, spent, now).await?;
        }
        pseudonym::register(&transaction, issuance.person, pseudonyms, now).await?;
        let basis = (issuance.person, issuance.id.to_string(), issuance.derived_from);
        let positions = allocate(&transaction, basis, wanted, draw).await?;
        advance(&transaction, issuance, &issuance.id.to_string(), "").await?;
        transaction.commit().await?;
        Ok(positions)
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
    /// begun before is issued after. Again is harmless.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn withdraw(&self, person: Uuid) -> Result<(), CredentialsError> {
        let person = person.to_string();
        let (under_way, placed) =
            (issuance::Column::Person.eq(&person), status_entry::Column::Person.eq(&person));
        self.end(under_way, placed, once::of_person(&person)).await.map(|_| ())
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
        let changed = status_entry::Entity::update_many()
            .col_expr(status_entry::Column::Status, Expr::value(1))
            .filter(placed)
            .filter(status_entry::Column::Status.ne(1))
            .exec(&transaction)
            .await?;
        once::end(&transaction, granted).await?;
        transaction.commit().await?;
        Ok(changed.rows_affected)
    }

    /// Whom the credential at a place of a list is about, and whether it is still valid.
    ///
    /// # Errors
    /// [`CredentialsError::Unknown`] if nothing was placed there.
    pub async fn placed(&self, list: i32, position: i32) -> Result<(Uuid, bool), CredentialsError> {
        let row = status_entry::Entity::find_by_id((list, position));
        let row = row.one(self.database.connection()).await?;
        let row = row.ok_or(CredentialsError::Unknown("credential"))?;
        let person = Uuid::parse_str(&row.person).map_err(|_| CredentialsError::Damaged("id"))?;
        Ok((person, row.status == 0))
    }

    /// The places of a list that are not valid.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if they cannot be read.
    pub async fn invalid(&self, list: i32) -> Result<Vec<StatusEntry>, CredentialsError> {
        let rows = status_entry::Entity::find()
            .filter(status_entry::Column::List.eq(list))
            .filter(status_entry::Column::Status.ne(0))
            .all(self.database.connection())
            .await?;
        Ok(rows.iter().map(|r| StatusEntry { position: r.position, status: r.status }).collect())
    }
}

/// Places for a batch: about whom, on what it rests, and the card behind it.
pub(crate) async fn allocate<C: ConnectionTrait>(
    connection: &C,
    (person, basis, derived_from): (Uuid, String, Option<DerivedFrom>),
    wanted: Allocation,
    mut draw: impl FnMut() -> u32 + Send,
) -> Result<Vec<i32>, CredentialsError> {
    let size =
        u32::try_from(wanted.size).ok().filter(|s| *s > 0).ok_or(CredentialsError::ListFull)?;
    let mut free: Vec<i32> = Vec::with_capacity(wanted.count);
    for _ in 0..DRAWS {
        let missing = wanted.count.saturating_sub(free.len());
        if missing == 0 {
            break;
        }
        // Looked up together: a query for a batch, not for each of its places.
        let mut drawn = Vec::with_capacity(missing);
        for _ in 0..missing {
            let place = draw().checked_rem(size).and_then(|p| i32::try_from(p).ok()).unwrap_or(0);
            if !free.contains(&place) && !drawn.contains(&place) {
                drawn.push(place);
            }
        }
        let taken: BTreeSet<i32> = status_entry::Entity::find()
            .select_only()
            .column(status_entry::Column::Position)
            .filter(status_entry::Column::List.eq(wanted.list))
            .filter(status_entry::Column::Position.is_in(drawn.iter().copied()))
            .into_tuple()
            .all(connection)
            .await?
            .into_iter()
            .collect();
        free.extend(drawn.into_iter().filter(|place| !taken.contains(place)));
    }
    if free.len() < wanted.count {
        return Err(CredentialsError::ListFull);
    }
    let rows = free.iter().map(|position| status_entry::ActiveModel {
        list: Set(wanted.list),
        position: Set(*position),
        person: Set(person.to_string()),
        issuance: Set(basis.clone()),
        status: Set(0),
        expires_at: Set(to_column(wanted.expires_at)),
        card: Set(derived_from.map(|from| from.card.to_string())),
    });
    status_entry::Entity::insert_many(rows).exec_without_returning(connection).await?;
    Ok(free)
}
