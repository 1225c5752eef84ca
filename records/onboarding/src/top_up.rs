//! Anonymous top-ups: batches of blind tokens that were signed, tokens that were used, and cash that was paid in at a
//! counter for a quote. No row says whose a batch was, nor which batch a token is of: the bank signs blindly.

use crate::entity::{blind_batch, blind_token, mint_quote, outbox, top_up};
use crate::outbox::{OutboxEntry, entry, put};
use crate::quote::{MintQuote, amount_column, read_mint_quote};
use crate::{Onboarding, OnboardingError};
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use yufu_base::{AccountId, Timestamp};

/// The method of quotes that cash at a counter pays for.
pub const TOP_UP: &str = "cash";

/// A blind token as it is kept once it is used.
#[derive(Clone, Copy, Debug)]
pub struct UsedToken<'a> {
    /// The point of its secret.
    pub point: &'a [u8],
    /// The epoch that it is of.
    pub epoch: u64,
}

/// Cash that was paid in for a quote.
#[derive(Clone, Debug)]
pub struct PaidIn {
    /// The quote.
    pub quote: String,
    /// The account that holds it until it is in notes.
    pub account: AccountId,
    /// Who took it.
    pub officer: String,
}

impl Onboarding {
    /// Notes that a batch of tokens is signed for an access token. The same batch again changes nothing.
    ///
    /// # Errors
    /// [`OnboardingError::AlreadyAnswered`] if another batch was signed for it.
    pub async fn sign_batch(
        &self,
        token: &str,
        outputs: &[u8],
        epoch: u64,
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        match blind_batch::Entity::find_by_id(token).one(&transaction).await? {
            Some(known) if known.outputs == outputs => return Ok(()),
            Some(_) => return Err(OnboardingError::AlreadyAnswered),
            None => {}
        }
        let row = blind_batch::ActiveModel {
            token: Set(token.to_owned()),
            outputs: Set(outputs.to_vec()),
            epoch: Set(amount_column(epoch)?),
        };
        blind_batch::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Keeps a new quote for a top-up together with the token that lets it be made. A token whose quote came to
    /// nothing is as good as before; asked for once more with the same token, a quote that waits is returned.
    ///
    /// # Errors
    /// [`OnboardingError::AlreadyAnswered`] if the token is used.
    pub async fn put_top_up(
        &self,
        new: MintQuote,
        token: UsedToken<'_>,
        now: Timestamp,
    ) -> Result<MintQuote, OnboardingError> {
        let transaction = self.database.begin().await?;
        if let Some(used) =
            blind_token::Entity::find_by_id(token.point.to_vec()).one(&transaction).await?
        {
            if let Some(waiting) = waiting(&transaction, &used.quote, now).await? {
                let unused = waiting.command.is_none();
                let same = unused && waiting.amount == new.amount && waiting.pubkey == new.pubkey;
                return if same { Ok(waiting) } else { Err(OnboardingError::AlreadyAnswered) };
            }
            blind_token::Entity::delete_by_id(token.point.to_vec()).exec(&transaction).await?;
        }
        let row = blind_token::ActiveModel {
            point: Set(token.point.to_vec()),
            quote: Set(new.id.clone()),
            epoch: Set(amount_column(token.epoch)?),
        };
        blind_token::Entity::insert(row).exec_without_returning(&transaction).await?;
        crate::quote::put_mint_quote(&transaction, &new, now).await?;
        transaction.commit().await?;
        Ok(new)
    }

    /// Puts the command in that takes cash for a quote into an account, unless one is on its way or was done: then
    /// that one is returned. What the ledger refused is tried anew.
    ///
    /// # Errors
    /// [`OnboardingError::Database`].
    pub async fn pay_in(
        &self,
        paid: &PaidIn,
        new: OutboxEntry,
        at: Timestamp,
    ) -> Result<OutboxEntry, OnboardingError> {
        let transaction = self.database.begin().await?;
        let known = top_up::Entity::find_by_id(&paid.quote).one(&transaction).await?;
        if let Some(command) = known.and_then(|row| row.command) {
            let row = outbox::Entity::find_by_id(command).one(&transaction).await?;
            return entry(row.ok_or(OnboardingError::Damaged("command"))?);
        }
        put(&transaction, &new, at).await?;
        let row = top_up::ActiveModel {
            quote: Set(paid.quote.clone()),
            account: Set(paid.account.to_string()),
            officer: Set(paid.officer.clone()),
            command: Set(Some(new.command.to_string())),
            at: Set(crate::to_column(at)),
        };
        let again = OnConflict::column(top_up::Column::Quote)
            .update_columns([top_up::Column::Officer, top_up::Column::Command, top_up::Column::At])
            .to_owned();
        top_up::Entity::insert(row).on_conflict(again).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(new)
    }
}

/// The ledger answered a command that takes cash for a quote: the quote is paid for, or the cash goes back.
pub(crate) async fn paid_in(
    transaction: &DatabaseTransaction,
    quote: &str,
    accepted: bool,
) -> Result<(), OnboardingError> {
    if !accepted {
        top_up::Entity::update_many()
            .col_expr(top_up::Column::Command, Expr::value(None::<String>))
            .filter(top_up::Column::Quote.eq(quote))
            .exec(transaction)
            .await?;
        return Ok(());
    }
    let row = top_up::Entity::find_by_id(quote).one(transaction).await?;
    let row = row.ok_or(OnboardingError::Damaged("top-up"))?;
    mint_quote::Entity::update_many()
        .col_expr(mint_quote::Column::Account, Expr::value(row.account))
        .col_expr(mint_quote::Column::Signed, Expr::value(r#"{"paid_in":"at a counter"}"#))
        .filter(mint_quote::Column::Id.eq(quote))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Forgets tokens whose quotes are forgotten: they are as good as before, while their epoch lasts.
pub(crate) async fn forget_released<C: ConnectionTrait>(
    connection: &C,
) -> Result<(), OnboardingError> {
    let quotes = Query::select().column(mint_quote::Column::Id).from(mint_quote::Entity).to_owned();
    blind_token::Entity::delete_many()
        .filter(blind_token::Column::Quote.not_in_subquery(quotes))
        .exec(connection)
        .await?;
    Ok(())
}

/// A quote that is not over: paid for, or to be paid yet.
async fn waiting(
    transaction: &DatabaseTransaction,
    quote: &str,
    now: Timestamp,
) -> Result<Option<MintQuote>, OnboardingError> {
    match read_mint_quote(transaction, quote).await {
        Ok(found) if found.funding.is_some() || found.expires > now => Ok(Some(found)),
        Ok(_) => {
            // Cash may be on its way into the ledger for it.
            let begun = top_up::Entity::find_by_id(quote).one(transaction).await?;
            let begun = begun.is_some_and(|row| row.command.is_some());
            if begun { read_mint_quote(transaction, quote).await.map(Some) } else { Ok(None) }
        }
        Err(OnboardingError::Unknown(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
