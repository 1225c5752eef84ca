//! The place of every issued credential in a status list, and its status.

use crate::entity::{issuance, status_entry};
use crate::issuance::{Issuance, advance};
use crate::pseudonym::{self, Pseudonym};
use crate::{Credentials, CredentialsError, DerivedFrom, nonce, once, to_column};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect as _, Set,
};
use std::collections::{BTreeMap, BTreeSet};
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
        draw: impl FnMut() -> u32 + Send + Sync,
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
        mut draw: impl FnMut() -> u32 + Send + Sync,
        now: Timestamp,
    ) -> Result<Vec<i32>, CredentialsError> {
        let transaction = self.database.begin().await?;
        for spent in nonces {
            nonce::spend(&transaction, spent, now).await?;
        }
        pseudonym::register(&transaction, issuance.person, pseudonyms, now).await?;
        let id = issuance.id.to_string();
        let basis = (issuance.person, id.as_str(), issuance.derived_from);
        let positions = allocate(&transaction, basis, wanted, &mut draw).await?;
        advance(&transaction, issuance, &id, "").await?;
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

/// What is drawn for one batch.
pub(crate) struct Drawing<'d> {
    /// What is wanted.
    pub(crate) wanted: Allocation,
    /// Draws at random.
    pub(crate) draw: &'d mut (dyn FnMut() -> u32 + Send + Sync),
    /// The places that were found free: as many as are wanted, unless the list is full.
    pub(crate) free: Vec<i32>,
}

impl Drawing<'_> {
    fn missing(&self) -> usize {
        self.wanted.count.saturating_sub(self.free.len())
    }

    /// A place of the list, taken or free.
    fn drawn(&mut self) -> Option<i32> {
        let size = u32::try_from(self.wanted.size).ok()?;
        i32::try_from((self.draw)().checked_rem(size)?).ok()
    }
}

/// Draws free places for batches, none twice: one query of a list for all that is drawn at a time.
pub(crate) async fn draw_places<C: ConnectionTrait>(
    connection: &C,
    drawings: &mut [Drawing<'_>],
) -> Result<(), CredentialsError> {
    let mut seen = BTreeSet::new();
    for _ in 0..DRAWS {
        if drawings.iter().all(|drawing| drawing.missing() == 0) {
            break;
        }
        let mut drawn: BTreeMap<i32, BTreeMap<i32, usize>> = BTreeMap::new();
        for (index, drawing) in drawings.iter_mut().enumerate() {
            let list = drawing.wanted.list;
            for place in (0..drawing.missing()).filter_map(|_| drawing.drawn()) {
                if seen.insert((list, place)) {
                    drawn.entry(list).or_default().insert(place, index);
                }
            }
        }
        for (list, mut places) in drawn {
            for place in taken(connection, list, &places).await? {
                places.remove(&place);
            }
            for (place, index) in places {
                if let Some(drawing) = drawings.get_mut(index) {
                    drawing.free.push(place);
                }
            }
        }
    }
    Ok(())
}

async fn taken<C: ConnectionTrait>(
    connection: &C,
    list: i32,
    places: &BTreeMap<i32, usize>,
) -> Result<Vec<i32>, CredentialsError> {
    let taken = status_entry::Entity::find()
        .select_only()
        .column(status_entry::Column::Position)
        .filter(status_entry::Column::List.eq(list))
        .filter(status_entry::Column::Position.is_in(places.keys().copied()))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(taken)
}

/// The rows of a batch's places: about whom, on what it rests, and the card behind it.
pub(crate) fn rows<'p>(
    (person, basis, derived_from): (Uuid, &'p str, Option<DerivedFrom>),
    wanted: Allocation,
    places: &'p [i32],
) -> impl Iterator<Item = status_entry::ActiveModel> + 'p {
    places.iter().map(move |position| status_entry::ActiveModel {
        list: Set(wanted.list),
        position: Set(*position),
        person: Set(person.to_string()),
        issuance: Set(basis.to_owned()),
        status: Set(0),
        expires_at: Set(to_column(wanted.expires_at)),
        card: Set(derived_from.map(|from| from.card.to_string())),
    })
}

/// Places for one batch.
pub(crate) async fn allocate<C: ConnectionTrait>(
    connection: &C,
    about: (Uuid, &str, Option<DerivedFrom>),
    wanted: Allocation,
    draw: &mut (dyn FnMut() -> u32 + Send + Sync),
) -> Result<Vec<i32>, CredentialsError> {
    let mut drawing = [Drawing { wanted, draw, free: Vec::with_capacity(wanted.count) }];
    draw_places(connection, &mut drawing).await?;
    let [Drawing { free, .. }] = drawing;
    if free.len() < wanted.count {
        return Err(CredentialsError::ListFull);
    }
    let rows = rows(about, wanted, &free);
    status_entry::Entity::insert_many(rows).exec_without_returning(connection).await?;
    Ok(free)
}
