//! Customers whose time has come: once nobody has an account any more and the law keeps the claims no longer, counted from
//! when they were shown and from when the last account was closed, their key is destroyed, which makes every copy of the
//! claims unreadable, and what led to them goes.

use crate::account;
use crate::entity::{account as accounts, customer, guardian, linked};
use crate::outbox;
use crate::{Onboarding, OnboardingError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;
use yufu_base::Timestamp;

impl Onboarding {
    /// Erases every customer who has no account that is open, or about to be, whose claims are kept until `now` at the
    /// longest, and whose last account was closed `kept_seconds` ago, as long as claims are kept; how many those were. Their
    /// accesses stay, under an id that leads nowhere.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] or [`OnboardingError::Seal`]: then it is to be repeated.
    pub async fn erase_expired(
        &self,
        now: Timestamp,
        kept_seconds: u64,
    ) -> Result<usize, OnboardingError> {
        let connection = self.database.connection();
        let due = customer::Entity::find()
            .filter(customer::Column::RetainedUntil.lte(crate::to_column(now)))
            .filter(customer::Column::SealedClaims.ne(Vec::<u8>::new()))
            .all(connection)
            .await?;
        let mut erased = 0_usize;
        for row in due {
            let of = accounts::Entity::find().filter(accounts::Column::Customer.eq(&row.id));
            let ids: Vec<String> =
                of.all(connection).await?.into_iter().map(|account| account.id).collect();
            if account::count_live(connection, ids.clone()).await? > 0 {
                continue;
            }
            let closed = outbox::last_closed(connection, &ids).await?;
            if closed.is_some_and(|closed| now < closed.plus_seconds(kept_seconds)) {
                continue;
            }
            self.erase_customer(&row.id, &ids).await?;
            erased = erased.saturating_add(1);
        }
        Ok(erased)
    }

    /// Destroys again the keys of customers who were erased: a restored file of keys may have brought them back.
    ///
    /// # Errors
    /// As [`Onboarding::erase_expired`].
    pub async fn erase_again(&self) -> Result<usize, OnboardingError> {
        let rows = customer::Entity::find()
            .filter(customer::Column::SealedClaims.eq(Vec::<u8>::new()))
            .all(self.database.connection())
            .await?;
        let erased = rows.iter().map(|row| id(&row.id)).collect::<Result<Vec<_>, _>>()?;
        if !erased.is_empty() {
            self.sealer.destroy(&erased).await?;
        }
        Ok(erased.len())
    }

    /// Keys first: if this ends after them, what they sealed is gone, and the rest is done by the next call.
    async fn erase_customer(&self, customer: &str, of: &[String]) -> Result<(), OnboardingError> {
        let connection = self.database.connection();
        let guardians = guardian::Entity::find()
            .filter(guardian::Column::Account.is_in(of))
            .all(connection)
            .await?;
        let mut keys = vec![id(customer)?];
        for row in &guardians {
            keys.push(id(&row.guardian)?);
        }
        self.sealer.destroy(&keys).await?;
        let transaction = self.database.begin().await?;
        guardian::Entity::delete_many()
            .filter(guardian::Column::Account.is_in(of))
            .exec(&transaction)
            .await?;
        linked::Entity::delete_many()
            .filter(linked::Column::Account.is_in(of))
            .exec(&transaction)
            .await?;
        // Not even with the key of the digests is it found whose number it was.
        let nobody = Uuid::new_v4().as_bytes().to_vec();
        customer::Entity::update_many()
            .col_expr(customer::Column::SealedClaims, Expr::value(Vec::<u8>::new()))
            .col_expr(customer::Column::NumberIndex, Expr::value(nobody))
            .filter(customer::Column::Id.eq(customer))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn id(text: &str) -> Result<Uuid, OnboardingError> {
    Uuid::parse_str(text).map_err(|_| OnboardingError::Damaged("customer id"))
}
