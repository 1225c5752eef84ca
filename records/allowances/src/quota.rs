//! Requests for an allowance, and the quota that they are charged to: so many batches for each pseudonym in each
//! epoch, whichever banks they are for.

use crate::entity::{grant, request};
use crate::{Allowances, AllowancesError, epoch_column, from_column, to_column};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use yufu_base::Timestamp;

/// A request that waits for its presentation, or was answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its id: at least 128 random bits, part of the address that the wallet answers to.
    pub id: String,
    /// A digest of the code by which the wallet fetches its access token.
    pub code: String,
    /// The bank that is to sign the tokens.
    pub bank: String,
    /// The presentation request, as wallets open it.
    pub link: String,
    /// The verifier's session as JSON, secrets included.
    pub session: String,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// What was granted, once it was answered.
    pub grant: Option<Grant>,
}

/// A batch that was granted: what the access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The access token's id.
    pub token: String,
    /// Whom it is for, as the bank is told: another name at every bank and in every epoch.
    pub subject: String,
    /// The epoch that it is charged to.
    pub epoch: u64,
}

/// Whom a batch is charged to, and how many there may be.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// A keyed digest of the pseudonym that was shown.
    pub pseudonym: &'a str,
    /// The most batches in an epoch.
    pub most: u32,
}

impl Allowances {
    /// Stores a request before the wallet is told of it.
    ///
    /// # Errors
    /// [`AllowancesError::Database`].
    pub async fn ask(&self, new: Pending) -> Result<(), AllowancesError> {
        insert(self.database.connection(), new).await
    }

    /// The request with this id.
    ///
    /// # Errors
    /// [`AllowancesError::Unknown`] if there is none.
    pub async fn asked(&self, id: &str) -> Result<Pending, AllowancesError> {
        let row = request::Entity::find_by_id(id).one(self.database.connection()).await?;
        pending(row.ok_or(AllowancesError::Unknown("request"))?)
    }

    /// The request whose token is fetched by a code with this digest.
    ///
    /// # Errors
    /// [`AllowancesError::Unknown`] if there is none.
    pub async fn asked_by(&self, code: &str) -> Result<Pending, AllowancesError> {
        let found = request::Entity::find().filter(request::Column::Device.eq(code));
        let row = found.one(self.database.connection()).await?;
        pending(row.ok_or(AllowancesError::Unknown("request"))?)
    }

    /// Stores the session of a request that is not answered yet anew.
    ///
    /// # Errors
    /// [`AllowancesError::AlreadyAnswered`] if it was answered in the meantime.
    pub async fn store_session(&self, id: &str, session: &str) -> Result<(), AllowancesError> {
        let changed = request::Entity::update_many()
            .col_expr(request::Column::Session, Expr::value(session))
            .filter(request::Column::Id.eq(id))
            .filter(request::Column::AnsweredAt.is_null())
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(AllowancesError::AlreadyAnswered) }
    }

    /// The presentation was accepted: the request is marked, its secrets wiped, and a batch charged to the pseudonym;
    /// together, or nothing. The access token can be fetched until `until`.
    ///
    /// # Errors
    /// [`AllowancesError::AlreadyAnswered`]; [`AllowancesError::Used`] if no batch is left in the epoch: then the
    /// request stays unanswered, and lapses.
    pub async fn grant(
        &self,
        id: &str,
        subject: Subject<'_>,
        grant: &Grant,
        (receipt, at, until): (&str, Timestamp, Timestamp),
    ) -> Result<(), AllowancesError> {
        let epoch = epoch_column(grant.epoch)?;
        let transaction = self.database.begin().await?;
        let marked = request::Entity::update_many()
            .col_expr(request::Column::AnsweredAt, Expr::value(to_column(at)))
            .col_expr(request::Column::Session, Expr::value(""))
            .col_expr(request::Column::Receipt, Expr::value(receipt))
            .col_expr(request::Column::Token, Expr::value(grant.token.as_str()))
            .col_expr(request::Column::Subject, Expr::value(grant.subject.as_str()))
            .col_expr(request::Column::Epoch, Expr::value(epoch))
            .col_expr(request::Column::ExpiresAt, Expr::value(to_column(until)))
            .filter(request::Column::Id.eq(id))
            .filter(request::Column::AnsweredAt.is_null())
            .exec(&transaction)
            .await?;
        if marked.rows_affected != 1 {
            return Err(AllowancesError::AlreadyAnswered);
        }
        let granted = grant::Entity::find()
            .filter(grant::Column::Pseudonym.eq(subject.pseudonym))
            .filter(grant::Column::Epoch.eq(epoch))
            .count(&transaction)
            .await?;
        if granted >= u64::from(subject.most) {
            return Err(AllowancesError::Used(subject.most));
        }
        // Two at once would take the same number: the key lets one of them through.
        let row = grant::ActiveModel {
            pseudonym: Set(subject.pseudonym.to_owned()),
            epoch: Set(epoch),
            number: Set(epoch_column(granted)?),
        };
        grant::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets requests that lapsed before `before`, and quotas of epochs before `epoch`; how many requests.
    ///
    /// # Errors
    /// [`AllowancesError::Database`].
    pub async fn forget(&self, before: Timestamp, epoch: u64) -> Result<u64, AllowancesError> {
        let connection = self.database.connection();
        let gone = request::Entity::delete_many()
            .filter(request::Column::ExpiresAt.lt(to_column(before)))
            .exec(connection)
            .await?;
        self.forget_returns().await?;
        grant::Entity::delete_many()
            .filter(grant::Column::Epoch.lt(epoch_column(epoch)?))
            .exec(connection)
            .await?;
        Ok(gone.rows_affected)
    }
}

/// Stores a request.
pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    new: Pending,
) -> Result<(), AllowancesError> {
    let row = request::ActiveModel {
        id: Set(new.id),
        device: Set(new.code),
        bank: Set(new.bank),
        link: Set(new.link),
        session: Set(new.session),
        expires_at: Set(to_column(new.expires_at)),
        answered_at: Set(None),
        receipt: Set(None),
        token: Set(None),
        subject: Set(None),
        epoch: Set(None),
    };
    request::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

fn pending(row: request::Model) -> Result<Pending, AllowancesError> {
    let granted = row.token.zip(row.subject).zip(row.epoch);
    let grant = granted.map(|((token, subject), epoch)| {
        let epoch = u64::try_from(epoch).map_err(|_| AllowancesError::Damaged("epoch"))?;
        Ok::<_, AllowancesError>(Grant { token, subject, epoch })
    });
    Ok(Pending {
        id: row.id,
        code: row.device,
        bank: row.bank,
        link: row.link,
        session: row.session,
        expires_at: from_column(row.expires_at)?,
        grant: grant.transpose()?,
    })
}
