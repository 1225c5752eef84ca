//! A wallet provider's records: the keys of its wallets' instances, and nothing about persons.
#![doc = ""]
#![doc = include_str!("../README.md")]

use sea_orm::{DbErr, EntityTrait, Set};
use yufu_base::Timestamp;
use yufu_database::{Database, DatabaseError, Migration, MigrationError, table};

const DAY_SECONDS: u64 = 86_400;

/// The schema, in steps that are applied once each and never edited.
const MIGRATIONS: &[Migration] = &[Migration {
    name: "instances",
    sql: "
CREATE TABLE instances (
    thumbprint TEXT PRIMARY KEY NOT NULL,
    instance_key TEXT NOT NULL,
    registered_day BIGINT NOT NULL
);
",
}];

table!(instance, "instances", {
    #[sea_orm(primary_key, auto_increment = false)]
    thumbprint: String,
    instance_key: String,
    registered_day: i64,
});

/// A wallet provider's records.
#[derive(Clone)]
pub struct Instances {
    database: Database,
}

/// An instance of the provider's wallet: all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The thumbprint of its key (RFC 7638, base64url).
    pub thumbprint: String,
    /// Its key: a JWK.
    pub key: String,
    /// The day on which it was registered: its first second.
    pub registered: Timestamp,
}

/// Why the records could not answer.
#[derive(Debug, thiserror::Error)]
pub enum InstancesError {
    /// The database failed; nothing was written.
    #[error("the wallet provider's records are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl From<DbErr> for InstancesError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl Instances {
    /// The records in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`InstancesError::Migration`].
    pub async fn open(database: Database) -> Result<Self, InstancesError> {
        database.migrate("instances", MIGRATIONS).await?;
        Ok(Self { database })
    }

    /// Registers an instance. Of one that is known the first day stays.
    ///
    /// # Errors
    /// [`InstancesError::Database`].
    pub async fn register(
        &self,
        thumbprint: &str,
        key: &str,
        at: Timestamp,
    ) -> Result<(), InstancesError> {
        let transaction = self.database.begin().await?;
        if instance::Entity::find_by_id(thumbprint).one(&transaction).await?.is_none() {
            let day = at.seconds().checked_div(DAY_SECONDS).unwrap_or(0);
            let row = instance::ActiveModel {
                thumbprint: Set(thumbprint.to_owned()),
                instance_key: Set(key.to_owned()),
                registered_day: Set(i64::try_from(day).unwrap_or(i64::MAX)),
            };
            instance::Entity::insert(row).exec_without_returning(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The instance with a key of this thumbprint, if it is registered.
    ///
    /// # Errors
    /// [`InstancesError::Database`].
    pub async fn instance(&self, thumbprint: &str) -> Result<Option<Instance>, InstancesError> {
        let row = instance::Entity::find_by_id(thumbprint).one(self.database.connection()).await?;
        Ok(row.map(|row| {
            let day = u64::try_from(row.registered_day).unwrap_or(0);
            let registered = Timestamp::from_seconds(day.saturating_mul(DAY_SECONDS));
            Instance { thumbprint: row.thumbprint, key: row.instance_key, registered }
        }))
    }
}
