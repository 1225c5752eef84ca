//! Freezes by the holder: a key that was left for it when the wallet was at hand stops everything that leaves the
//! account. It can do nothing else, and it cannot undo that: showing the identity for a new key does, or a counter.

use crate::Access;
use crate::customer;
use crate::entity::{account as accounts, account_freeze, freeze_key};
use crate::{Onboarding, OnboardingError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;
use yufu_base::{AccountId, Timestamp};

/// The key that may freeze an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreezeKey {
    /// The account.
    pub account: AccountId,
    /// The key's thumbprint (RFC 7638, base64url).
    pub thumbprint: String,
    /// The key: a JWK.
    pub key: String,
}

/// What an officer did at a counter, and on what evidence: a reference, no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterStep {
    /// The officer's name.
    pub officer: String,
    /// What was seen, and where it is filed.
    pub evidence: String,
}

/// What lifts a freeze.
pub(crate) enum Lift {
    /// The holder showed an identity for another key.
    Recovered,
    /// An officer saw the holder.
    Counter(CounterStep),
}

impl Onboarding {
    /// Keeps the key that may freeze an account, in the place of one that was there.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be written.
    pub async fn keep_freeze_key(
        &self,
        new: FreezeKey,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        let account = new.account.to_string();
        freeze_key::Entity::delete_by_id(&account).exec(&transaction).await?;
        let row = freeze_key::ActiveModel {
            account: Set(account),
            thumbprint: Set(new.thumbprint),
            freeze_key: Set(new.key),
            at: Set(crate::to_column(at)),
        };
        freeze_key::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The key with this thumbprint and its account, if it may freeze one.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be read.
    pub async fn freeze_key(&self, thumbprint: &str) -> Result<Option<FreezeKey>, OnboardingError> {
        let row = freeze_key::Entity::find()
            .filter(freeze_key::Column::Thumbprint.eq(thumbprint))
            .one(self.database.connection())
            .await?;
        row.map(|row| {
            let account = row.account.parse();
            let account = account.map_err(|_| OnboardingError::Damaged("account id"))?;
            Ok(FreezeKey { account, thumbprint: row.thumbprint, key: row.freeze_key })
        })
        .transpose()
    }

    /// Freezes an account: by its holder's key, or at a counter. One that is frozen stays as it is. Since when it is.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be written.
    pub async fn freeze(
        &self,
        account: AccountId,
        at_counter: Option<CounterStep>,
        at: Timestamp,
    ) -> Result<Timestamp, OnboardingError> {
        let transaction = self.database.begin().await?;
        if let Some(since) = since(&transaction, account).await? {
            return Ok(since);
        }
        let (officer, evidence) = at_counter.map(|step| (step.officer, step.evidence)).unzip();
        let row = account_freeze::ActiveModel {
            id: Set(Uuid::now_v7().to_string()),
            account: Set(account.to_string()),
            officer: Set(officer.clone()),
            evidence: Set(evidence),
            at: Set(crate::to_column(at)),
            lifted_at: Set(None),
            lifted_by: Set(None),
            lift_evidence: Set(None),
        };
        account_freeze::Entity::insert(row).exec_without_returning(&transaction).await?;
        note(&transaction, account, officer.as_deref(), "frozen", at).await?;
        transaction.commit().await?;
        Ok(at)
    }

    /// Since when an account is frozen by its holder, if it is.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be read.
    pub async fn frozen_since(
        &self,
        account: AccountId,
    ) -> Result<Option<Timestamp>, OnboardingError> {
        since(self.database.connection(), account).await
    }

    /// Lifts a freeze at a counter.
    ///
    /// # Errors
    /// [`OnboardingError::NotFrozen`] if the account is not frozen.
    pub async fn lift_freeze(
        &self,
        account: AccountId,
        step: CounterStep,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        if !end(&transaction, account, &Lift::Counter(step), at).await? {
            return Err(OnboardingError::NotFrozen);
        }
        transaction.commit().await?;
        Ok(())
    }
}

async fn since<C: ConnectionTrait>(
    connection: &C,
    account: AccountId,
) -> Result<Option<Timestamp>, OnboardingError> {
    let row = account_freeze::Entity::find()
        .filter(account_freeze::Column::Account.eq(account.to_string()))
        .filter(account_freeze::Column::LiftedAt.is_null())
        .one(connection)
        .await?;
    row.map(|row| crate::from_column(row.at)).transpose()
}

/// Ends the freeze of an account; whether there was one.
pub(crate) async fn end<C: ConnectionTrait>(
    connection: &C,
    account: AccountId,
    lift: &Lift,
    at: Timestamp,
) -> Result<bool, OnboardingError> {
    let (by, evidence) = match lift {
        Lift::Recovered => ("recovered", None),
        Lift::Counter(step) => (step.officer.as_str(), Some(step.evidence.clone())),
    };
    let changed = account_freeze::Entity::update_many()
        .col_expr(account_freeze::Column::LiftedAt, Expr::value(crate::to_column(at)))
        .col_expr(account_freeze::Column::LiftedBy, Expr::value(by))
        .col_expr(account_freeze::Column::LiftEvidence, Expr::value(evidence))
        .filter(account_freeze::Column::Account.eq(account.to_string()))
        .filter(account_freeze::Column::LiftedAt.is_null())
        .exec(connection)
        .await?;
    let ended = changed.rows_affected > 0;
    if ended {
        let officer = matches!(lift, Lift::Counter(_)).then_some(by);
        note(connection, account, officer, "freed", at).await?;
    }
    Ok(ended)
}

/// Puts it into the list of who touched the holder's file: no read, but the holder is to see it there.
async fn note<C: ConnectionTrait>(
    connection: &C,
    account: AccountId,
    officer: Option<&str>,
    what: &str,
    at: Timestamp,
) -> Result<(), OnboardingError> {
    let row = accounts::Entity::find_by_id(account.to_string()).one(connection).await?;
    let Some(customer) = row.and_then(|row| row.customer) else { return Ok(()) };
    let access = Access {
        actor: officer.unwrap_or("the holder").to_owned(),
        purpose: format!("account {account} {what}"),
        fields: Vec::new(),
        at,
    };
    customer::record(connection, &customer, access).await
}
