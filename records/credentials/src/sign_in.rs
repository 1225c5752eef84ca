//! Sign-ins: a wallet asked without an offer, and its holder shows who she is. Each pushed request leads to one
//! presentation, which is answered once. What was shown is not kept: only whom it stands for here.

use crate::entity::sign_in;
use crate::{Credentials, CredentialsError, from_column, to_column};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;
use yufu_base::Timestamp;

const WAITS: i32 = 0;
const SHOWN: i32 = 1;
const DECLINED: i32 = 2;

/// A sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The presentation request's id.
    pub id: String,
    /// The digest of the pushed request that it is for.
    pub pushed: String,
    /// The credentials that are wanted, by their ids in the profile.
    pub wanted: Vec<String>,
    /// The verifier's session as JSON; empty once it was answered.
    pub session: String,
    /// `openid4vp://...`, for the wallet.
    pub link: String,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// How it stands.
    pub state: SignInState,
}

/// How a sign-in stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInState {
    /// Nobody answered yet.
    Waits,
    /// Somebody showed who she is.
    Shown(SignedIn),
    /// The person declined.
    Declined,
}

/// Who signed in, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Whom the credentials will be about, by the issuer's internal id.
    pub person: Uuid,
    /// Those of the wanted credentials that may be issued.
    pub credentials: Vec<String>,
}

impl Credentials {
    /// Begins a sign-in for a pushed request; the one that was begun for it before, if one was.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn begin_sign_in(&self, new: SignIn) -> Result<SignIn, CredentialsError> {
        let pushed = new.pushed.clone();
        let row = sign_in::ActiveModel {
            id: Set(new.id),
            pushed: Set(new.pushed),
            wanted: Set(listed(&new.wanted)),
            session: Set(new.session),
            link: Set(new.link),
            expires_at: Set(to_column(new.expires_at)),
            state: Set(WAITS),
            person: Set(None),
            granted: Set(None),
        };
        let once = OnConflict::column(sign_in::Column::Pushed).do_nothing().to_owned();
        sign_in::Entity::insert(row)
            .on_conflict(once)
            .exec_without_returning(self.database.connection())
            .await?;
        self.sign_in_for(&pushed).await?.ok_or(CredentialsError::Unknown("sign-in"))
    }

    /// The sign-in that was begun for a pushed request, if one was.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be read.
    pub async fn sign_in_for(&self, pushed: &str) -> Result<Option<SignIn>, CredentialsError> {
        let row = sign_in::Entity::find()
            .filter(sign_in::Column::Pushed.eq(pushed))
            .one(self.database.connection())
            .await?;
        row.map(read).transpose()
    }

    /// The sign-in with this presentation request.
    ///
    /// # Errors
    /// [`CredentialsError::Unknown`] if there is none.
    pub async fn sign_in(&self, id: &str) -> Result<SignIn, CredentialsError> {
        let row = sign_in::Entity::find_by_id(id).one(self.database.connection()).await?;
        read(row.ok_or(CredentialsError::Unknown("sign-in"))?)
    }

    /// Stores the verifier's session anew.
    ///
    /// # Errors
    /// [`CredentialsError::AlreadyAnswered`].
    pub async fn store_sign_in(&self, id: &str, session: &str) -> Result<(), CredentialsError> {
        let changed = sign_in::Entity::update_many()
            .col_expr(sign_in::Column::Session, Expr::value(session))
            .filter(sign_in::Column::Id.eq(id))
            .filter(sign_in::Column::State.eq(WAITS))
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(CredentialsError::AlreadyAnswered) }
    }

    /// Records who signed in, or that the person declined. Once.
    ///
    /// # Errors
    /// [`CredentialsError::AlreadyAnswered`].
    pub async fn answer_sign_in(
        &self,
        id: &str,
        who: Option<&SignedIn>,
    ) -> Result<(), CredentialsError> {
        let state = if who.is_some() { SHOWN } else { DECLINED };
        let person = who.map(|who| who.person.to_string());
        let granted = who.map(|who| listed(&who.credentials));
        let changed = sign_in::Entity::update_many()
            .col_expr(sign_in::Column::State, Expr::value(state))
            .col_expr(sign_in::Column::Person, Expr::value(person))
            .col_expr(sign_in::Column::Granted, Expr::value(granted))
            .col_expr(sign_in::Column::Session, Expr::value(""))
            .filter(sign_in::Column::Id.eq(id))
            .filter(sign_in::Column::State.eq(WAITS))
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(CredentialsError::AlreadyAnswered) }
    }

    pub(crate) async fn forget_sign_ins(&self, before: Timestamp) -> Result<u64, CredentialsError> {
        let gone = sign_in::Entity::delete_many()
            .filter(sign_in::Column::ExpiresAt.lt(to_column(before)))
            .exec(self.database.connection())
            .await?;
        Ok(gone.rows_affected)
    }
}

/// Ids of credentials hold no space.
fn listed(ids: &[String]) -> String {
    ids.join(" ")
}

fn read(row: sign_in::Model) -> Result<SignIn, CredentialsError> {
    let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let state = match (row.state, row.person.as_deref(), row.granted.as_deref()) {
        (WAITS, ..) => SignInState::Waits,
        (SHOWN, Some(person), Some(granted)) => SignInState::Shown(SignedIn {
            person: Uuid::parse_str(person).map_err(|_| CredentialsError::Damaged("id"))?,
            credentials: list(granted),
        }),
        (DECLINED, ..) => SignInState::Declined,
        _ => return Err(CredentialsError::Damaged("sign-in")),
    };
    Ok(SignIn {
        wanted: list(&row.wanted),
        expires_at: from_column(row.expires_at)?,
        id: row.id,
        pushed: row.pushed,
        session: row.session,
        link: row.link,
        state,
    })
}
