//! The keys that command accounts: each change with what authorised it, and which wallet provider
//! an account is served through.

use crate::account::{self, Account, AccountState};
use crate::customer;
use crate::entity::{access, account as accounts, freeze_key, key_change, served_through};
use crate::freeze;
use crate::guardian;
use crate::verification;
use crate::{Onboarding, OnboardingError};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Set,
};
use uuid::Uuid;
use yufu_base::{AccountId, Timestamp};

/// How a key came to command its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyWay {
    /// The account was opened with it.
    Opened,
    /// The key before it signed.
    HandedOver,
    /// The holder showed an identity.
    Recovered,
}

impl KeyWay {
    /// The way's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::HandedOver => "handed_over",
            Self::Recovered => "recovered",
        }
    }

    fn parse(word: &str) -> Result<Self, OnboardingError> {
        [Self::Opened, Self::HandedOver, Self::Recovered]
            .into_iter()
            .find(|way| way.as_str() == word)
            .ok_or(OnboardingError::Damaged("way of a key"))
    }
}

/// A change of the key that commands an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// Its id: that of the order, or of the presentation.
    pub id: String,
    /// The account.
    pub account: AccountId,
    /// What authorised it.
    pub way: KeyWay,
    /// The order as the old key signed it; empty if a presentation authorised it.
    pub evidence: String,
    /// The key that commanded the account: a JWK as stored.
    pub former_key: String,
    /// The key that does from now on: a JWK.
    pub new_key: String,
    /// The wallet provider whose wallet holds it; none for a wallet of the bank's own.
    pub provider: Option<String>,
}

/// The presentation that authorised a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The bank's signed receipt of it.
    pub receipt: String,
    /// Until when the receipt is kept.
    pub retained_until: Timestamp,
    /// When the recovery was begun: a change since then makes it void.
    pub begun: Timestamp,
}

/// The key that commands an account now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInForce {
    /// Since when.
    pub since: Timestamp,
    /// How it came to.
    pub way: KeyWay,
    /// The wallet provider that the account is served through; none for a wallet of the bank's own.
    pub provider: Option<String>,
}

impl Onboarding {
    /// Puts another key in command by an order of the old one. The same order again changes nothing.
    ///
    /// # Errors
    /// [`OnboardingError::OrderIdReused`] if another order has this id,
    /// [`OnboardingError::KeyChanged`] if the key that signed commands the account no longer.
    pub async fn hand_over(&self, new: &KeyChange, at: Timestamp) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        if let Some(known) = key_change::Entity::find_by_id(&new.id).one(&transaction).await? {
            let same = known.account == new.account.to_string() && known.new_key == new.new_key;
            return if same { Ok(()) } else { Err(OnboardingError::OrderIdReused) };
        }
        change(&transaction, new, at).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Puts another key in command by a presentation of the holder's identity: it is marked as
    /// answered, its receipt kept, and the key changed, in one transaction. A guardian is erased, a
    /// card of the account is dead, a freeze by the holder is lifted.
    ///
    /// # Errors
    /// [`OnboardingError::AlreadyAnswered`] if the presentation was used before,
    /// [`OnboardingError::KeyChanged`] if the key was changed since the recovery was begun.
    pub async fn recover(
        &self,
        new: &KeyChange,
        answered: &Answered,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        let (receipt, until) = (&answered.receipt, answered.retained_until);
        verification::answer(&transaction, &new.id, receipt, at, until).await?;
        let last = last_change(&transaction, new.account).await?;
        if last.is_some_and(|last| last.at >= crate::to_column(answered.begun)) {
            return Err(OnboardingError::KeyChanged);
        }
        change(&transaction, new, at).await?;
        freeze::end(&transaction, new.account, &freeze::Lift::Recovered, at).await?;
        let guardian = guardian::step_back(&transaction, new.account).await?;
        transaction.commit().await?;
        if let Some(guardian) = guardian {
            self.sealer.destroy(&[guardian]).await?;
        }
        Ok(())
    }

    /// The change of this id, as (account, new key, when), if there was one.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be read.
    pub async fn key_change(
        &self,
        id: &str,
    ) -> Result<Option<(AccountId, String, Timestamp)>, OnboardingError> {
        let row = key_change::Entity::find_by_id(id).one(self.database.connection()).await?;
        let change = |row: key_change::Model| {
            Ok((account_id(&row.account)?, row.new_key, crate::from_column(row.at)?))
        };
        row.map(change).transpose()
    }

    /// The open accounts of whoever has this resident number. Compares keyed digests: nothing
    /// personal is read.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if they cannot be read.
    pub async fn accounts_of(&self, number: &str) -> Result<Vec<Account>, OnboardingError> {
        let index = self.sealer.blind(customer::NUMBER, number).as_bytes().to_vec();
        account::open_of(self.database.connection(), index).await
    }

    /// The key that commands an account now.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is no such account.
    pub async fn key_in_force(&self, id: AccountId) -> Result<KeyInForce, OnboardingError> {
        let connection = self.database.connection();
        let row = accounts::Entity::find_by_id(id.to_string()).one(connection).await?;
        let row = row.ok_or(OnboardingError::Unknown("account"))?;
        let (at, way) = match last_change(connection, id).await? {
            Some(last) => (last.at, KeyWay::parse(&last.way)?),
            None => (row.created_at, KeyWay::Opened),
        };
        let served = served_through::Entity::find_by_id(id.to_string()).one(connection).await?;
        let provider = served.map(|served| served.provider);
        Ok(KeyInForce { since: crate::from_column(at)?, way, provider })
    }

    /// The keys that commanded an account before, each with when it stopped, newest first.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if they cannot be read.
    pub async fn former_keys(
        &self,
        id: AccountId,
    ) -> Result<Vec<(String, Timestamp)>, OnboardingError> {
        let rows = key_change::Entity::find()
            .filter(key_change::Column::Account.eq(id.to_string()))
            .order_by_desc(key_change::Column::At)
            .all(self.database.connection())
            .await?;
        rows.into_iter().map(|row| Ok((row.former_key, crate::from_column(row.at)?))).collect()
    }

    /// Changes after which what was issued to the old key is not known to be revoked yet.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if they cannot be read.
    pub async fn unfinished_key_changes(
        &self,
    ) -> Result<Vec<(String, AccountId)>, OnboardingError> {
        let rows = key_change::Entity::find()
            .filter(key_change::Column::CredentialsRevokedAt.is_null())
            .order_by_asc(key_change::Column::At)
            .all(self.database.connection())
            .await?;
        rows.into_iter().map(|row| Ok((row.id, account_id(&row.account)?))).collect()
    }

    /// Notes that what was issued to the old key is revoked.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be written.
    pub async fn credentials_revoked(
        &self,
        id: &str,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        let at = Expr::value(crate::to_column(at));
        key_change::Entity::update_many()
            .col_expr(key_change::Column::CredentialsRevokedAt, at)
            .filter(key_change::Column::Id.eq(id))
            .exec(self.database.connection())
            .await?;
        Ok(())
    }
}

async fn change(
    transaction: &DatabaseTransaction,
    new: &KeyChange,
    at: Timestamp,
) -> Result<(), OnboardingError> {
    let id = new.account.to_string();
    let changed = accounts::Entity::update_many()
        .col_expr(accounts::Column::WalletKey, Expr::value(&new.new_key))
        .filter(accounts::Column::Id.eq(&id))
        .filter(accounts::Column::WalletKey.eq(&new.former_key))
        .filter(accounts::Column::State.eq(AccountState::Open.as_str()))
        .exec(transaction)
        .await?;
    if changed.rows_affected != 1 {
        return Err(OnboardingError::KeyChanged);
    }
    // Later than the one before, however fast they follow: the newest is the one in force.
    let last = last_change(transaction, new.account).await?;
    let at = last.map_or(0, |last| last.at.saturating_add(1)).max(crate::to_column(at));
    let row = key_change::ActiveModel {
        id: Set(new.id.clone()),
        account: Set(id.clone()),
        way: Set(new.way.as_str().to_owned()),
        evidence: Set(new.evidence.clone()),
        former_key: Set(new.former_key.clone()),
        new_key: Set(new.new_key.clone()),
        at: Set(at),
        credentials_revoked_at: Set(None),
    };
    key_change::Entity::insert(row).exec_without_returning(transaction).await?;
    // What the former wallet left to freeze the account ends with it.
    freeze_key::Entity::delete_by_id(&id).exec(transaction).await?;
    serve_through(transaction, new.account, new.provider.as_deref(), at).await?;
    let row = accounts::Entity::find_by_id(&id).one(transaction).await?;
    if let Some(customer) = row.and_then(|row| row.customer) {
        // No read, and in the same list: the person is to see who commands the account.
        let note = access::ActiveModel {
            customer: Set(customer),
            actor: Set("the holder".to_owned()),
            purpose: Set(format!("key of account {id} changed: {}", new.way.as_str())),
            fields: Set(String::new()),
            at: Set(at),
            id: Set(Uuid::now_v7().to_string()),
        };
        access::Entity::insert(note).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Notes the wallet provider that an account is served through from now on, or that there is none.
pub(crate) async fn serve_through(
    transaction: &DatabaseTransaction,
    account: AccountId,
    provider: Option<&str>,
    since: i64,
) -> Result<(), OnboardingError> {
    served_through::Entity::delete_many()
        .filter(served_through::Column::Account.eq(account.to_string()))
        .exec(transaction)
        .await?;
    if let Some(provider) = provider {
        let row = served_through::ActiveModel {
            account: Set(account.to_string()),
            provider: Set(provider.to_owned()),
            since: Set(since),
        };
        served_through::Entity::insert(row).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Refuses unless `key` commands the account now, and holds the account until the transaction
/// ends, so that a change waits for what the key still did.
pub(crate) async fn hold(
    transaction: &DatabaseTransaction,
    account: AccountId,
    key: &str,
) -> Result<(), OnboardingError> {
    let held = accounts::Entity::update_many()
        .col_expr(accounts::Column::WalletKey, Expr::value(key))
        .filter(accounts::Column::Id.eq(account.to_string()))
        .filter(accounts::Column::WalletKey.eq(key))
        .exec(transaction)
        .await?;
    if held.rows_affected == 1 { Ok(()) } else { Err(OnboardingError::KeyChanged) }
}

async fn last_change<C: ConnectionTrait>(
    connection: &C,
    account: AccountId,
) -> Result<Option<key_change::Model>, OnboardingError> {
    let newest = key_change::Entity::find()
        .filter(key_change::Column::Account.eq(account.to_string()))
        .order_by_desc(key_change::Column::At);
    Ok(newest.one(connection).await?)
}

fn account_id(text: &str) -> Result<AccountId, OnboardingError> {
    text.parse().map_err(|_| OnboardingError::Damaged("account id"))
}
