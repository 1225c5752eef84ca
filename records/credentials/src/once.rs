//! What may happen once in the authorization code flow, whose sessions the wallets carry: grants and whether they
//! stand, and officers' checks before a credential is issued.

use crate::entity::{check, grant, status_entry};
use crate::issuance::{Issuance, advance};
use crate::marker::{Marker, forget, mark};
use crate::pseudonym::{self, Pseudonym};
use crate::shards::{Place, Shards, allocate};
use crate::status::{Allocation, INVALID, SUSPENDED, VALID, mark as mark_places};
use crate::{Credentials, CredentialsError, DerivedFrom, from_column, nonce, to_column};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, Set,
};
use std::collections::BTreeSet;
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_database::written;

const STANDS: i32 = 0;
const ENDED: i32 = 1;

const WAITS: i32 = 0;
const APPROVED: i32 = 1;
const DECLINED: i32 = 2;
const FETCHED: i32 = 3;

/// A grant: what a code was exchanged for, and what its tokens rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGrant {
    /// Its id.
    pub id: String,
    /// Whom it is about.
    pub person: Uuid,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// The card behind it, if one is: it ends with it.
    pub derived_from: Option<DerivedFrom>,
}

impl NewGrant {
    /// Its row, made at `now`.
    pub(crate) fn row(&self, now: Timestamp) -> grant::ActiveModel {
        grant::ActiveModel {
            id: Set(self.id.clone()),
            person: Set(self.person.to_string()),
            state: Set(STANDS),
            at: Set(to_column(now)),
            expires_at: Set(to_column(self.expires_at)),
            card: Set(self.derived_from.map(|from| from.card.to_string())),
        }
    }
}

/// A batch that is about to be issued.
pub struct Batch {
    /// Its own id.
    pub id: String,
    /// The grant that it rests on.
    pub grant: String,
    /// The officer's check that it waited for, if it did.
    pub check: Option<String>,
    /// Whom it is about.
    pub person: Uuid,
    /// The card behind it, if one is.
    pub derived_from: Option<DerivedFrom>,
    /// The pseudonyms that its credentials carry.
    pub pseudonyms: Vec<Pseudonym>,
    /// Its places in the status lists.
    pub wanted: Allocation,
    /// Draws them at random.
    pub draw: Box<dyn FnMut() -> u32 + Send + Sync>,
}

/// A check that an officer is to make before a credential is issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its id.
    pub id: String,
    /// The grant that it is for.
    pub grant: String,
    /// Whom the credential is about.
    pub person: Uuid,
    /// The credential.
    pub credential: String,
    /// Since when it waits.
    pub at: Timestamp,
}

/// An officer's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The officer.
    pub officer: String,
    /// What the officer relied on, in words.
    pub evidence: String,
    /// Whether the credential is issued.
    pub approved: bool,
    /// When.
    pub at: Timestamp,
}

/// A step that is committed together with others'.
pub(crate) struct Step {
    pub(crate) markers: Vec<Marker>,
    pub(crate) now: Timestamp,
    pub(crate) what: What,
}

pub(crate) enum What {
    /// The markers alone; and that a grant stands.
    Spend { grant: Option<String> },
    /// An offer is taken up: its row moves on.
    Take { from: Box<Issuance>, lookup: String, session: String },
    /// A code is exchanged.
    Grant(NewGrant),
    /// A batch is issued.
    Issue(Box<Batch>),
    /// A batch waits for an officer.
    Defer(Check),
    /// A nonce is handed out.
    Remember { nonce: String, expires_at: Timestamp },
    /// The last stage of an issuance.
    Complete(Box<Completion>),
}

/// The last stage of an issuance with a pre-authorized code.
pub(crate) struct Completion {
    pub(crate) issuance: Issuance,
    pub(crate) nonces: BTreeSet<String>,
    pub(crate) pseudonyms: Vec<Pseudonym>,
    pub(crate) wanted: Allocation,
    pub(crate) draw: Box<dyn FnMut() -> u32 + Send + Sync>,
}

/// What a step did.
pub(crate) enum Done {
    /// What it was to do; the places in the status lists, if there are any.
    Places(Vec<Place>),
    /// The code was exchanged before: what was granted then is ended.
    Replayed,
}

pub(crate) async fn perform<C: ConnectionTrait>(
    connection: &C,
    shards: &Shards,
    step: &mut Step,
) -> Result<Done, CredentialsError> {
    let now = step.now;
    for marker in &step.markers {
        mark(connection, marker).await?;
    }
    let nothing = Done::Places(Vec::new());
    match &mut step.what {
        What::Spend { grant } => {
            if let Some(id) = grant {
                must_stand(connection, id, now).await?;
            }
            Ok(nothing)
        }
        What::Take { from, lookup, session } => {
            advance(connection, from, lookup, session).await?;
            Ok(nothing)
        }
        What::Grant(new) => grant_once(connection, new, now).await,
        What::Issue(batch) => {
            must_stand(connection, &batch.grant, now).await?;
            if let Some(check) = &batch.check {
                fetch(connection, check).await?;
            }
            pseudonym::register(connection, batch.person, &batch.pseudonyms, now).await?;
            let about = (batch.person, batch.id.as_str(), batch.derived_from);
            let (wanted, draw) = (batch.wanted, &mut *batch.draw);
            let places = allocate(connection, shards, about, wanted, draw).await?;
            Ok(Done::Places(places))
        }
        What::Defer(new) => {
            must_stand(connection, &new.grant, now).await?;
            let row = check::ActiveModel {
                id: Set(new.id.clone()),
                grant_id: Set(new.grant.clone()),
                person: Set(new.person.to_string()),
                credential: Set(new.credential.clone()),
                at: Set(to_column(new.at)),
                state: Set(WAITS),
                officer: Set(None),
                evidence: Set(None),
                decided_at: Set(None),
            };
            check::Entity::insert(row).exec_without_returning(connection).await?;
            Ok(nothing)
        }
        What::Remember { nonce, expires_at } => {
            nonce::remember(connection, nonce, now, *expires_at).await?;
            Ok(nothing)
        }
        What::Complete(completion) => {
            let Completion { issuance, nonces, pseudonyms, wanted, draw } = &mut **completion;
            for spent in nonces.iter() {
                nonce::spend(connection, spent, now).await?;
            }
            pseudonym::register(connection, issuance.person, pseudonyms, now).await?;
            let id = issuance.id.to_string();
            let about = (issuance.person, id.as_str(), issuance.derived_from);
            let places = allocate(connection, shards, about, *wanted, &mut **draw).await?;
            advance(connection, issuance, &id, "").await?;
            Ok(Done::Places(places))
        }
    }
}

async fn grant_once<C: ConnectionTrait>(
    connection: &C,
    new: &NewGrant,
    now: Timestamp,
) -> Result<Done, CredentialsError> {
    if grant::Entity::find_by_id(&new.id).one(connection).await?.is_some() {
        end(connection, grant::Column::Id.eq(&new.id)).await?;
        return Ok(Done::Replayed);
    }
    grant::Entity::insert(new.row(now)).exec_without_returning(connection).await?;
    Ok(Done::Places(Vec::new()))
}

async fn must_stand<C: ConnectionTrait>(
    connection: &C,
    id: &str,
    now: Timestamp,
) -> Result<(), CredentialsError> {
    let row = grant::Entity::find_by_id(id).one(connection).await?;
    stands(row.as_ref(), now)
}

/// That a grant is known, was not ended, and has not lapsed.
pub(crate) fn stands(row: Option<&grant::Model>, now: Timestamp) -> Result<(), CredentialsError> {
    let stands = row.is_some_and(|row| row.state == STANDS && to_column(now) < row.expires_at);
    if stands { Ok(()) } else { Err(CredentialsError::GrantEnded) }
}

/// Ends grants: nothing is issued any more for what was begun before.
pub(crate) async fn end<C: ConnectionTrait>(
    connection: &C,
    which: SimpleExpr,
) -> Result<(), CredentialsError> {
    grant::Entity::update_many()
        .col_expr(grant::Column::State, Expr::value(ENDED))
        .filter(which)
        .exec(connection)
        .await?;
    Ok(())
}

/// The grants of a person.
pub(crate) fn of_person(person: &str) -> SimpleExpr {
    grant::Column::Person.eq(person)
}

/// The grants that were derived from these cards.
pub(crate) fn of_cards(cards: &[String]) -> SimpleExpr {
    grant::Column::Card.is_in(cards)
}

/// What an officer approved is fetched once.
async fn fetch<C: ConnectionTrait>(connection: &C, id: &str) -> Result<(), CredentialsError> {
    let row = check::Entity::find_by_id(id).one(connection).await?;
    match row.ok_or(CredentialsError::Unknown("deferred issuance"))?.state {
        APPROVED => {}
        WAITS => return Err(CredentialsError::CheckWaits),
        DECLINED => return Err(CredentialsError::CheckDeclined),
        _ => return Err(CredentialsError::Unknown("deferred issuance")),
    }
    check::Entity::update_many()
        .col_expr(check::Column::State, Expr::value(FETCHED))
        .filter(check::Column::Id.eq(id))
        .exec(connection)
        .await?;
    Ok(())
}

impl Credentials {
    pub(crate) async fn step(
        &self,
        markers: Vec<Marker>,
        now: Timestamp,
        what: What,
    ) -> Result<Done, CredentialsError> {
        self.steps.done(Step { markers, now, what }).await
    }

    /// Uses what may be used once; with a grant, only if it stands.
    ///
    /// # Errors
    /// [`CredentialsError::UsedBefore`], [`CredentialsError::GrantEnded`]; then nothing was used.
    pub async fn use_once(
        &self,
        markers: Vec<Marker>,
        grant: Option<String>,
        now: Timestamp,
    ) -> Result<(), CredentialsError> {
        self.step(markers, now, What::Spend { grant }).await.map(|_| ())
    }

    /// Takes up an offer: its row moves on from the stage in which it was read.
    ///
    /// # Errors
    /// [`CredentialsError::UsedBefore`], [`CredentialsError::AlreadyPassed`].
    pub async fn take_up(
        &self,
        from: Issuance,
        (lookup, session): (String, String),
        markers: Vec<Marker>,
        now: Timestamp,
    ) -> Result<(), CredentialsError> {
        let what = What::Take { from: Box::new(from), lookup, session };
        self.step(markers, now, what).await.map(|_| ())
    }

    /// Moves an issuance on, and uses nothing up.
    pub(crate) async fn move_on(
        &self,
        from: Issuance,
        (lookup, session): (String, String),
    ) -> Result<(), CredentialsError> {
        // Stages have no time: whoever asks has looked whether the issuance lapsed.
        let ever = Timestamp::from_seconds(0);
        self.take_up(from, (lookup, session), Vec::new(), ever).await
    }

    /// Records what a code is exchanged for. A code that comes again ends what it was exchanged for.
    ///
    /// # Errors
    /// [`CredentialsError::UsedBefore`], [`CredentialsError::CodeReplayed`].
    pub async fn grant(
        &self,
        new: NewGrant,
        markers: Vec<Marker>,
        now: Timestamp,
    ) -> Result<(), CredentialsError> {
        match self.step(markers, now, What::Grant(new)).await? {
            Done::Places(_) => Ok(()),
            Done::Replayed => Err(CredentialsError::CodeReplayed),
        }
    }

    /// The places of a batch in the status lists: together with what it uses up, or not at all.
    ///
    /// # Errors
    /// [`CredentialsError`]: of markers, of the grant, of the check, of the pseudonyms, or of the list.
    pub async fn issue_batch(
        &self,
        batch: Batch,
        markers: Vec<Marker>,
        now: Timestamp,
    ) -> Result<Vec<Place>, CredentialsError> {
        match self.step(markers, now, What::Issue(Box::new(batch))).await? {
            Done::Places(places) => Ok(places),
            Done::Replayed => Err(CredentialsError::CodeReplayed),
        }
    }

    /// Has a batch wait for an officer.
    ///
    /// # Errors
    /// [`CredentialsError::UsedBefore`], [`CredentialsError::GrantEnded`].
    pub async fn defer(
        &self,
        check: Check,
        markers: Vec<Marker>,
        now: Timestamp,
    ) -> Result<(), CredentialsError> {
        self.step(markers, now, What::Defer(check)).await.map(|_| ())
    }

    /// The checks that wait for an officer, the oldest first.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if they cannot be read.
    pub async fn checks(&self) -> Result<Vec<Check>, CredentialsError> {
        let rows = check::Entity::find()
            .filter(check::Column::State.into_expr().eq(written(WAITS)))
            .order_by_asc(check::Column::At)
            .all(self.database.connection())
            .await?;
        rows.into_iter().map(read).collect()
    }

    /// A check that waits.
    ///
    /// # Errors
    /// [`CredentialsError::Unknown`] if there is none.
    pub async fn check(&self, id: &str) -> Result<Check, CredentialsError> {
        let row = check::Entity::find_by_id(id).one(self.database.connection()).await?;
        read(row.ok_or(CredentialsError::Unknown("check"))?)
    }

    /// Whether nobody looked yet.
    ///
    /// # Errors
    /// [`CredentialsError::Unknown`] if there is no such check.
    pub async fn check_waits(&self, id: &str) -> Result<bool, CredentialsError> {
        let row = check::Entity::find_by_id(id).one(self.database.connection()).await?;
        Ok(row.ok_or(CredentialsError::Unknown("deferred issuance"))?.state == WAITS)
    }

    /// Marks every credential of a batch as invalid. Again is harmless.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn revoke_batch(&self, batch: &str) -> Result<(), CredentialsError> {
        let transaction = self.database.begin().await?;
        let placed = status_entry::Column::Issuance.eq(batch);
        mark_places(&transaction, placed, &[VALID, SUSPENDED], INVALID).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Records an officer's decision, once.
    ///
    /// # Errors
    /// [`CredentialsError::Unknown`], [`CredentialsError::AlreadyPassed`] if it was decided before.
    pub async fn decide(&self, id: &str, decision: Decision) -> Result<(), CredentialsError> {
        let state = if decision.approved { APPROVED } else { DECLINED };
        let changed = check::Entity::update_many()
            .col_expr(check::Column::State, Expr::value(state))
            .col_expr(check::Column::Officer, Expr::value(decision.officer))
            .col_expr(check::Column::Evidence, Expr::value(decision.evidence))
            .col_expr(check::Column::DecidedAt, Expr::value(to_column(decision.at)))
            .filter(check::Column::Id.eq(id))
            .filter(check::Column::State.eq(WAITS))
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(CredentialsError::AlreadyPassed) }
    }

    /// Forgets markers that would be refused anyway, and grants that lapsed with their checks; how many.
    pub(crate) async fn forget_used(&self, before: Timestamp) -> Result<u64, CredentialsError> {
        let (connection, before) = (self.database.connection(), to_column(before));
        let markers = forget(connection, before).await?;
        let lapsed = grant::Entity::find().filter(grant::Column::ExpiresAt.lt(before));
        let lapsed: Vec<String> =
            lapsed.all(connection).await?.into_iter().map(|row| row.id).collect();
        for id in &lapsed {
            let checks = check::Entity::delete_many().filter(check::Column::GrantId.eq(id));
            checks.exec(connection).await?;
            grant::Entity::delete_by_id(id).exec(connection).await?;
        }
        let grants = u64::try_from(lapsed.len()).unwrap_or(u64::MAX);
        Ok(markers.saturating_add(grants))
    }
}

fn read(row: check::Model) -> Result<Check, CredentialsError> {
    Ok(Check {
        person: Uuid::parse_str(&row.person).map_err(|_| CredentialsError::Damaged("id"))?,
        at: from_column(row.at)?,
        id: row.id,
        grant: row.grant_id,
        credential: row.credential,
    })
}
