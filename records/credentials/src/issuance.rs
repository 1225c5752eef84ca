//! Issuances: an officer's authentication of a person, and the session that follows from it.
//! Each stage is passed once: moving on names the stage it moves from.

use crate::entity::{authentication, issuance};
use crate::{Credentials, CredentialsError, from_column, to_column};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;
use yufu_base::Timestamp;

/// An officer's recorded statement that a person was authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// Its id.
    pub id: Uuid,
    /// The person, by the authority's internal id.
    pub person: Uuid,
    /// The officer.
    pub officer: String,
    /// What the officer relied on, in their words: "ID card and portrait at counter 3".
    pub evidence: String,
    /// When.
    pub at: Timestamp,
}

/// The chip card that credentials are derived from: they end with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DerivedFrom {
    /// The card, by the authority's internal id.
    pub card: Uuid,
    /// When its last day is over, wherever on earth.
    pub until: Timestamp,
}

/// An issuance under way.
#[derive(Clone, PartialEq, Eq)]
pub struct Issuance {
    /// Its id.
    pub id: Uuid,
    /// The authentication that it rests on.
    pub authentication: Uuid,
    /// Whom the credentials will be about.
    pub person: Uuid,
    /// What the next message will carry, digested: the pre-authorized code, then the access token.
    pub lookup: String,
    /// The issuer's session as JSON.
    pub session: String,
    /// How many stages were passed.
    pub stage: i32,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// The card behind it, if one is.
    pub derived_from: Option<DerivedFrom>,
}

impl Credentials {
    /// Records an officer's authentication and the offer that follows from it, together.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if they cannot be written.
    pub async fn start_issuance(
        &self,
        basis: Authentication,
        new: Issuance,
    ) -> Result<(), CredentialsError> {
        let transaction = self.database.begin().await?;
        let basis = authentication::ActiveModel {
            id: Set(basis.id.to_string()),
            person: Set(basis.person.to_string()),
            officer: Set(basis.officer),
            evidence: Set(basis.evidence),
            at: Set(to_column(basis.at)),
        };
        authentication::Entity::insert(basis).exec_without_returning(&transaction).await?;
        issuance::Entity::insert(row(&new)).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The issuance that a message belongs to, by the digest of what it carries.
    ///
    /// # Errors
    /// [`CredentialsError::Unknown`] if there is none.
    pub async fn issuance(&self, lookup: &str) -> Result<Issuance, CredentialsError> {
        self.lookups.done(lookup.to_owned()).await
    }

    /// Forgets issuances, sign-ins, offers and grants that lapsed before `before`, and what was used before then. The officer's
    /// authentications stay. How many there were.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if they cannot be removed.
    pub async fn forget_lapsed(&self, before: Timestamp) -> Result<u64, CredentialsError> {
        let gone = issuance::Entity::delete_many()
            .filter(issuance::Column::ExpiresAt.lt(to_column(before)))
            .exec(self.database.connection())
            .await?;
        let begun = self.forget_sign_ins(before).await?;
        let begun = begun.saturating_add(self.forget_offers(before).await?);
        let used = self.forget_used(before).await?.saturating_add(begun);
        Ok(gone.rows_affected.saturating_add(used))
    }

    /// Stores an issuance's session anew, from the stage in which it was read, with what the next
    /// message will carry. A wrong transaction code is also a stage: attempts cannot be raced.
    ///
    /// # Errors
    /// [`CredentialsError::AlreadyPassed`] if another request was quicker.
    pub async fn advance(
        &self,
        from: &Issuance,
        lookup: &str,
        session: &str,
    ) -> Result<(), CredentialsError> {
        self.move_on(from.clone(), (lookup.to_owned(), session.to_owned())).await
    }
}

pub(crate) async fn advance<C: ConnectionTrait>(
    connection: &C,
    from: &Issuance,
    lookup: &str,
    session: &str,
) -> Result<(), CredentialsError> {
    let changed = issuance::Entity::update_many()
        .col_expr(issuance::Column::Lookup, Expr::value(lookup))
        .col_expr(issuance::Column::Session, Expr::value(session))
        .col_expr(issuance::Column::Stage, Expr::value(from.stage.saturating_add(1)))
        .filter(issuance::Column::Id.eq(from.id.to_string()))
        .filter(issuance::Column::Stage.eq(from.stage))
        .exec(connection)
        .await?;
    if changed.rows_affected == 1 { Ok(()) } else { Err(CredentialsError::AlreadyPassed) }
}

/// The row of an issuance.
pub(crate) fn row(new: &Issuance) -> issuance::ActiveModel {
    issuance::ActiveModel {
        id: Set(new.id.to_string()),
        authentication: Set(new.authentication.to_string()),
        person: Set(new.person.to_string()),
        lookup: Set(new.lookup.clone()),
        session: Set(new.session.clone()),
        stage: Set(new.stage),
        expires_at: Set(to_column(new.expires_at)),
        card: Set(new.derived_from.map(|from| from.card.to_string())),
        until: Set(new.derived_from.map(|from| to_column(from.until))),
    }
}

/// What a row says.
pub(crate) fn read(row: &issuance::Model) -> Result<Issuance, CredentialsError> {
    let id = |text: &str| Uuid::parse_str(text).map_err(|_| CredentialsError::Damaged("id"));
    let derived_from = match row.card.as_deref().zip(row.until) {
        Some((card, until)) => Some(DerivedFrom { card: id(card)?, until: from_column(until)? }),
        None => None,
    };
    Ok(Issuance {
        id: id(&row.id)?,
        authentication: id(&row.authentication)?,
        person: id(&row.person)?,
        lookup: row.lookup.clone(),
        session: row.session.clone(),
        stage: row.stage,
        expires_at: from_column(row.expires_at)?,
        derived_from,
    })
}
