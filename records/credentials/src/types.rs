//! The metadata of types, as they were published: each under the digest that credentials name, for as long as there are
//! records, so that what was said when a credential was issued can be read for as long as it is held.

use crate::entity::type_document;
use crate::{Credentials, CredentialsError, to_column};
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, Set};
use yufu_base::Timestamp;

impl Credentials {
    /// Keeps a document under its name; one that is there already stays as it is.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn keep_type(
        &self,
        (name, vct, document): (String, String, String),
        now: Timestamp,
    ) -> Result<(), CredentialsError> {
        let row = type_document::ActiveModel {
            name: Set(name),
            vct: Set(vct),
            document: Set(document),
            at: Set(to_column(now)),
        };
        let once = OnConflict::column(type_document::Column::Name).do_nothing().to_owned();
        type_document::Entity::insert(row)
            .on_conflict(once)
            .exec_without_returning(self.database.connection())
            .await?;
        Ok(())
    }

    /// The document of this name.
    ///
    /// # Errors
    /// [`CredentialsError::Unknown`] if none was published under it.
    pub async fn type_document(&self, name: &str) -> Result<String, CredentialsError> {
        let row = type_document::Entity::find_by_id(name).one(self.database.connection()).await?;
        Ok(row.ok_or(CredentialsError::Unknown("type of credential here"))?.document)
    }
}
