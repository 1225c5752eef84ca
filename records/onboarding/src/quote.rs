//! Quotes of the bank's mint: what a withdrawal into bearer notes is to be, who pays for it, and what
//! a redemption pays to whom. What notes a withdrawal became no row says: the bank signs blindly.

use crate::entity::{melt_quote, mint_quote, outbox};
use crate::key;
use crate::outbox::{OutboxEntry, entry, put};
use crate::top_up::{self, TOP_UP};
use crate::{Onboarding, OnboardingError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, Set};
use yufu_base::{AccountId, Timestamp};

/// Who pays for a withdrawal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funding {
    /// The account that pays.
    pub account: AccountId,
    /// The order as its wallet signed it: the bank's evidence.
    pub signed: String,
}

/// What a withdrawal is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintQuote {
    /// Its id, which nobody guesses.
    pub id: String,
    /// In which way it is funded: `bank`, or the name of an adapter.
    pub method: String,
    /// How much, in minor units.
    pub amount: u64,
    /// The key that alone may have it issued, in hexadecimal (NUT-20).
    pub pubkey: Option<String>,
    /// Who pays, once somebody does.
    pub funding: Option<Funding>,
    /// The command that issues it, unless the ledger refused that.
    pub command: Option<OutboxEntry>,
    /// From when on it is no longer funded.
    pub expires: Timestamp,
}

/// What a redemption pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeltQuote {
    /// Its id, which nobody guesses.
    pub id: String,
    /// In which way it pays: `bank`, or the name of an adapter.
    pub method: String,
    /// What was asked to be paid, as it was asked.
    pub request: String,
    /// How much, in minor units.
    pub amount: u64,
    /// The account that is paid.
    pub payee: AccountId,
    /// The command that pays it, unless the ledger refused that.
    pub command: Option<OutboxEntry>,
    /// From when on it is no longer paid.
    pub expires: Timestamp,
}

impl Onboarding {
    /// Keeps a new quote for a withdrawal.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be written.
    pub async fn put_mint_quote(
        &self,
        new: &MintQuote,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        put_mint_quote(self.database.connection(), new, at).await
    }

    /// The quote for a withdrawal with this id.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is none.
    pub async fn mint_quote(&self, id: &str) -> Result<MintQuote, OnboardingError> {
        read_mint_quote(self.database.connection(), id).await
    }

    /// Notes that an account pays for a withdrawal, if `key` (a JWK, as stored) still commands it. The same
    /// order again changes nothing.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`]; [`OnboardingError::AlreadyAnswered`] if another order pays for it;
    /// [`OnboardingError::KeyChanged`] if another key commands the account.
    pub async fn fund_mint_quote(
        &self,
        id: &str,
        funding: &Funding,
        key: &str,
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        match read_mint_quote(&transaction, id).await?.funding {
            Some(known) if known == *funding => return Ok(()),
            Some(_) => return Err(OnboardingError::AlreadyAnswered),
            None => {}
        }
        key::hold(&transaction, funding.account, key).await?;
        mint_quote::Entity::update_many()
            .col_expr(mint_quote::Column::Account, Expr::value(funding.account.to_string()))
            .col_expr(mint_quote::Column::Signed, Expr::value(funding.signed.as_str()))
            .filter(mint_quote::Column::Id.eq(id))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Puts the command in that issues quotes together, unless one is on its way or was done for one of
    /// them: then that one is returned.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is no such quote.
    pub async fn issue_mint_quotes(
        &self,
        ids: &[String],
        new: OutboxEntry,
        at: Timestamp,
    ) -> Result<OutboxEntry, OnboardingError> {
        let transaction = self.database.begin().await?;
        for id in ids {
            if let Some(known) = read_mint_quote(&transaction, id).await?.command {
                return Ok(known);
            }
        }
        put(&transaction, &new, at).await?;
        mint_quote::Entity::update_many()
            .col_expr(mint_quote::Column::Command, Expr::value(new.command.to_string()))
            .filter(mint_quote::Column::Id.is_in(ids))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(new)
    }

    /// Keeps a new quote for a redemption.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be written.
    pub async fn put_melt_quote(
        &self,
        new: &MeltQuote,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        let row = melt_quote::ActiveModel {
            id: Set(new.id.clone()),
            method: Set(new.method.clone()),
            request: Set(new.request.clone()),
            amount: Set(amount_column(new.amount)?),
            payee: Set(new.payee.to_string()),
            command: Set(None),
            expires_at: Set(crate::to_column(new.expires)),
            created_at: Set(crate::to_column(at)),
        };
        melt_quote::Entity::insert(row).exec_without_returning(self.database.connection()).await?;
        Ok(())
    }

    /// The quote for a redemption with this id.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is none.
    pub async fn melt_quote(&self, id: &str) -> Result<MeltQuote, OnboardingError> {
        melt_quote(self.database.connection(), id).await
    }

    /// Puts the command in that pays a quote, unless one is on its way or was done: then that one is
    /// returned. What is asked for may be such that it is paid `once`, whatever quotes there are for it.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is no such quote; [`OnboardingError::AlreadyAnswered`] if another
    /// quote pays for the same.
    pub async fn pay_melt_quote(
        &self,
        id: &str,
        new: OutboxEntry,
        (once, at): (bool, Timestamp),
    ) -> Result<OutboxEntry, OnboardingError> {
        let transaction = self.database.begin().await?;
        let quote = melt_quote(&transaction, id).await?;
        if let Some(known) = quote.command {
            return Ok(known);
        }
        if once {
            let others = melt_quote::Entity::find()
                .filter(melt_quote::Column::Request.eq(quote.request))
                .filter(melt_quote::Column::Command.is_not_null())
                .all(&transaction)
                .await?;
            for other in others {
                // A command that the ledger refused has left the outbox: it pays for nothing.
                if command(&transaction, other.command).await?.is_some() {
                    return Err(OnboardingError::AlreadyAnswered);
                }
            }
        }
        put(&transaction, &new, at).await?;
        melt_quote::Entity::update_many()
            .col_expr(melt_quote::Column::Command, Expr::value(new.command.to_string()))
            .filter(melt_quote::Column::Id.eq(id))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(new)
    }

    /// Forgets the quotes that expired before `before` and came to nothing; how many.
    ///
    /// # Errors
    /// [`OnboardingError::Database`].
    pub async fn forget_quotes(&self, before: Timestamp) -> Result<u64, OnboardingError> {
        let before = crate::to_column(before);
        let withdrawals = mint_quote::Entity::delete_many()
            .filter(mint_quote::Column::ExpiresAt.lt(before))
            .filter(mint_quote::Column::Command.is_null())
            // Cash that was paid in waits for its notes.
            .filter(
                Condition::any()
                    .add(mint_quote::Column::Method.ne(TOP_UP))
                    .add(mint_quote::Column::Account.is_null()),
            )
            .exec(self.database.connection())
            .await?;
        let redemptions = melt_quote::Entity::delete_many()
            .filter(melt_quote::Column::ExpiresAt.lt(before))
            .filter(melt_quote::Column::Command.is_null())
            .exec(self.database.connection())
            .await?;
        top_up::forget_released(self.database.connection()).await?;
        Ok(withdrawals.rows_affected.saturating_add(redemptions.rows_affected))
    }
}

pub(crate) async fn put_mint_quote<C: ConnectionTrait>(
    connection: &C,
    new: &MintQuote,
    at: Timestamp,
) -> Result<(), OnboardingError> {
    let row = mint_quote::ActiveModel {
        id: Set(new.id.clone()),
        method: Set(new.method.clone()),
        amount: Set(amount_column(new.amount)?),
        pubkey: Set(new.pubkey.clone()),
        account: Set(new.funding.as_ref().map(|funding| funding.account.to_string())),
        signed: Set(new.funding.as_ref().map(|funding| funding.signed.clone())),
        command: Set(None),
        expires_at: Set(crate::to_column(new.expires)),
        created_at: Set(crate::to_column(at)),
    };
    mint_quote::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

pub(crate) async fn read_mint_quote<C: ConnectionTrait>(
    connection: &C,
    id: &str,
) -> Result<MintQuote, OnboardingError> {
    let row = mint_quote::Entity::find_by_id(id).one(connection).await?;
    let row = row.ok_or(OnboardingError::Unknown("quote"))?;
    let funding = match row.account.zip(row.signed) {
        Some((account, signed)) => Some(Funding { account: account_id(&account)?, signed }),
        None => None,
    };
    Ok(MintQuote {
        id: row.id,
        method: row.method,
        amount: amount(row.amount)?,
        pubkey: row.pubkey,
        funding,
        command: command(connection, row.command).await?,
        expires: crate::from_column(row.expires_at)?,
    })
}

async fn melt_quote<C: ConnectionTrait>(
    connection: &C,
    id: &str,
) -> Result<MeltQuote, OnboardingError> {
    let row = melt_quote::Entity::find_by_id(id).one(connection).await?;
    let row = row.ok_or(OnboardingError::Unknown("quote"))?;
    Ok(MeltQuote {
        id: row.id,
        method: row.method,
        request: row.request,
        amount: amount(row.amount)?,
        payee: account_id(&row.payee)?,
        command: command(connection, row.command).await?,
        expires: crate::from_column(row.expires_at)?,
    })
}

async fn command<C: ConnectionTrait>(
    connection: &C,
    id: Option<String>,
) -> Result<Option<OutboxEntry>, OnboardingError> {
    let Some(id) = id else { return Ok(None) };
    let row = outbox::Entity::find_by_id(id).one(connection).await?;
    row.map(entry).transpose()
}

fn account_id(text: &str) -> Result<AccountId, OnboardingError> {
    text.parse().map_err(|_| OnboardingError::Damaged("account id"))
}

pub(crate) fn amount_column(minor: u64) -> Result<i64, OnboardingError> {
    i64::try_from(minor).map_err(|_| OnboardingError::Damaged("amount"))
}

fn amount(column: i64) -> Result<u64, OnboardingError> {
    u64::try_from(column).map_err(|_| OnboardingError::Damaged("amount"))
}
