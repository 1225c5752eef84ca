//! A wallet provider's records: the keys of its wallets' instances, and nothing about persons.
#![doc = ""]
#![doc = include_str!("../README.md")]

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, Set};
use yufu_base::Timestamp;
use yufu_database::{Database, DatabaseError, Migration, MigrationError, table};

const DAY_SECONDS: u64 = 86_400;

/// The schema, in steps that are applied once each and never edited.
const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "instances",
        sql: "
CREATE TABLE instances (
    thumbprint TEXT PRIMARY KEY NOT NULL,
    instance_key TEXT NOT NULL,
    registered_day BIGINT NOT NULL
);
",
    },
    Migration {
        name: "keys that stop an instance",
        sql: "
ALTER TABLE instances ADD COLUMN freeze_thumbprint TEXT;
ALTER TABLE instances ADD COLUMN freeze_key TEXT;
ALTER TABLE instances ADD COLUMN stopped_day BIGINT;
CREATE INDEX instances_by_freeze_thumbprint ON instances(freeze_thumbprint) WHERE freeze_thumbprint IS NOT NULL;
",
    },
];

table!(instance, "instances", {
    #[sea_orm(primary_key, auto_increment = false)]
    thumbprint: String,
    instance_key: String,
    registered_day: i64,
    freeze_thumbprint: Option<String>,
    freeze_key: Option<String>,
    stopped_day: Option<i64>,
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
    /// The day on which it was stopped for good, if it was: its first second.
    pub stopped: Option<Timestamp>,
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
            let row = instance::ActiveModel {
                thumbprint: Set(thumbprint.to_owned()),
                instance_key: Set(key.to_owned()),
                registered_day: Set(day(at)),
                freeze_thumbprint: Set(None),
                freeze_key: Set(None),
                stopped_day: Set(None),
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
        Ok(row.map(|row| Instance {
            thumbprint: row.thumbprint,
            key: row.instance_key,
            registered: first_second(row.registered_day),
            stopped: row.stopped_day.map(first_second),
        }))
    }

    /// Keeps the key that may stop an instance, in the place of one that was there.
    ///
    /// # Errors
    /// [`InstancesError::Database`].
    pub async fn keep_freeze_key(
        &self,
        instance: &str,
        (thumbprint, key): (&str, &str),
    ) -> Result<(), InstancesError> {
        instance::Entity::update_many()
            .col_expr(instance::Column::FreezeThumbprint, Expr::value(thumbprint))
            .col_expr(instance::Column::FreezeKey, Expr::value(key))
            .filter(instance::Column::Thumbprint.eq(instance))
            .exec(self.database.connection())
            .await?;
        Ok(())
    }

    /// The key with this thumbprint, if it may stop an instance.
    ///
    /// # Errors
    /// [`InstancesError::Database`].
    pub async fn freeze_key(&self, thumbprint: &str) -> Result<Option<String>, InstancesError> {
        let row = instance::Entity::find()
            .filter(instance::Column::FreezeThumbprint.eq(thumbprint))
            .one(self.database.connection())
            .await?;
        Ok(row.and_then(|row| row.freeze_key))
    }

    /// Stops the instances that this key may stop, for good. Of one that is stopped the first day stays.
    ///
    /// # Errors
    /// [`InstancesError::Database`].
    pub async fn stop(&self, thumbprint: &str, at: Timestamp) -> Result<(), InstancesError> {
        instance::Entity::update_many()
            .col_expr(instance::Column::StoppedDay, Expr::value(day(at)))
            .filter(instance::Column::FreezeThumbprint.eq(thumbprint))
            .filter(instance::Column::StoppedDay.is_null())
            .exec(self.database.connection())
            .await?;
        Ok(())
    }
}

fn day(at: Timestamp) -> i64 {
    let day = at.seconds().checked_div(DAY_SECONDS).unwrap_or(0);
    i64::try_from(day).unwrap_or(i64::MAX)
}

fn first_second(day: i64) -> Timestamp {
    Timestamp::from_seconds(u64::try_from(day).unwrap_or(0).saturating_mul(DAY_SECONDS))
}
