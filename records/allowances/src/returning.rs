//! Where a browser goes back to with a code, once the presentation was answered: the authorization code grant.

use crate::entity::{request, returning};
use crate::quota::insert;
use crate::{Allowances, AllowancesError, Pending};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

/// Where a browser goes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// The wallet's address.
    pub redirect_uri: String,
    /// What the wallet recognises its own request by.
    pub state: Option<String>,
    /// What the wallet's verifier has to hash to (RFC 7636).
    pub challenge: String,
}

impl Allowances {
    /// Stores a request of a browser before it is shown anything: together with where it goes back to.
    ///
    /// # Errors
    /// [`AllowancesError::Database`].
    pub async fn ask_returning(&self, new: Pending, to: Return) -> Result<(), AllowancesError> {
        let transaction = self.database.begin().await?;
        let row = returning::ActiveModel {
            request: Set(new.id.clone()),
            redirect_uri: Set(to.redirect_uri),
            state: Set(to.state),
            challenge: Set(to.challenge),
        };
        insert(&transaction, new).await?;
        returning::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Where the browser of a request goes back to.
    ///
    /// # Errors
    /// [`AllowancesError::Unknown`] if no browser began it.
    pub async fn returning(&self, id: &str) -> Result<Return, AllowancesError> {
        let row = returning::Entity::find_by_id(id).one(self.database.connection()).await?;
        let row = row.ok_or(AllowancesError::Unknown("request"))?;
        let returning::Model { redirect_uri, state, challenge, .. } = row;
        Ok(Return { redirect_uri, state, challenge })
    }

    /// Puts another code, by its digest, in the place of the one by which a request's token is fetched.
    ///
    /// # Errors
    /// [`AllowancesError::Unknown`] if there is no such request.
    pub async fn replace_code(&self, id: &str, code: &str) -> Result<(), AllowancesError> {
        let changed = request::Entity::update_many()
            .col_expr(request::Column::Device, Expr::value(code))
            .filter(request::Column::Id.eq(id))
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(AllowancesError::Unknown("request")) }
    }

    /// Uses up the code of a request: of two who bring it, one is let through.
    ///
    /// # Errors
    /// [`AllowancesError::Unknown`] if it is not the code, or was used.
    pub async fn use_code(&self, id: &str, code: &str) -> Result<(), AllowancesError> {
        let changed = request::Entity::update_many()
            .col_expr(request::Column::Device, Expr::value(format!("used {id}")))
            .filter(request::Column::Id.eq(id))
            .filter(request::Column::Device.eq(code))
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(AllowancesError::Unknown("code")) }
    }

    /// Forgets where browsers go back to whose requests are forgotten.
    pub(crate) async fn forget_returns(&self) -> Result<(), AllowancesError> {
        let known = Query::select().column(request::Column::Id).from(request::Entity).to_owned();
        returning::Entity::delete_many()
            .filter(returning::Column::Request.not_in_subquery(known))
            .exec(self.database.connection())
            .await?;
        Ok(())
    }
}
