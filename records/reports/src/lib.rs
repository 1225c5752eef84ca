//! The registrar's records of reported relying parties: evidence and reason, not who reported.
#![doc = ""]
#![doc = include_str!("../README.md")]

use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, Set};
use std::collections::BTreeMap;
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_database::{Database, DatabaseError, Migration, MigrationError, from_column, to_column};

/// The schema, in steps that are applied once each and never edited.
const MIGRATIONS: &[Migration] = &[Migration {
    name: "reports",
    sql: "
CREATE TABLE reports (
    id TEXT PRIMARY KEY NOT NULL,
    request_digest TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    party TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL,
    over_asking BOOLEAN NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX reports_by_party ON reports(party);
",
}];

#[allow(unreachable_pub, reason = "the derive needs its model public within a private module")]
mod report {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "reports")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub request_digest: String,
        pub request: String,
        pub party: String,
        pub name: String,
        pub reason: String,
        pub over_asking: bool,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The registrar's records.
#[derive(Clone)]
pub struct Reports {
    database: Database,
}

/// A report, once its evidence was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What identifies the request: its digest.
    pub request_digest: String,
    /// The request as the party signed it.
    pub request: String,
    /// The party's registered id.
    pub party: String,
    /// The party's registered name.
    pub name: String,
    /// Why, in the reporter's words.
    pub reason: String,
    /// Whether the request goes beyond the registration, as the registrar found.
    pub over_asking: bool,
    /// When.
    pub at: Timestamp,
}

/// How often a party was reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The party's registered id.
    pub party: String,
    /// The party's registered name.
    pub name: String,
    /// Requests that were reported.
    pub reports: u64,
    /// Of these, requests that went beyond the registration.
    pub over_asking: u64,
}

/// Why the records could not answer.
#[derive(Debug, thiserror::Error)]
pub enum ReportsError {
    /// The database failed; nothing was written.
    #[error("the registrar's records are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl From<DbErr> for ReportsError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl Reports {
    /// The records in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`ReportsError::Migration`].
    pub async fn open(database: Database) -> Result<Self, ReportsError> {
        database.migrate("reports", MIGRATIONS).await?;
        Ok(Self { database })
    }

    /// Enters a report; its id. A request that was reported before keeps its first report, whose
    /// id is returned.
    ///
    /// # Errors
    /// [`ReportsError::Database`].
    pub async fn enter(&self, new: Report) -> Result<Uuid, ReportsError> {
        let transaction = self.database.begin().await?;
        let found = report::Entity::find()
            .filter(report::Column::RequestDigest.eq(&new.request_digest))
            .one(&transaction)
            .await?;
        if let Some(id) = found.and_then(|row| row.id.parse().ok()) {
            return Ok(id);
        }
        let id = Uuid::new_v4();
        let row = report::ActiveModel {
            id: Set(id.to_string()),
            request_digest: Set(new.request_digest),
            request: Set(new.request),
            party: Set(new.party),
            name: Set(new.name),
            reason: Set(new.reason),
            over_asking: Set(new.over_asking),
            at: Set(to_column(new.at)),
        };
        report::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// The reports of a party, oldest first.
    ///
    /// # Errors
    /// [`ReportsError::Database`].
    pub async fn of(&self, party: &str) -> Result<Vec<Report>, ReportsError> {
        let rows = report::Entity::find()
            .filter(report::Column::Party.eq(party))
            .order_by_asc(report::Column::At)
            .all(self.database.connection())
            .await?;
        Ok(rows.into_iter().map(Report::from).collect())
    }

    /// How often each party was reported, by its id.
    ///
    /// # Errors
    /// [`ReportsError::Database`].
    pub async fn tallies(&self) -> Result<Vec<Tally>, ReportsError> {
        let rows = report::Entity::find()
            .order_by_asc(report::Column::At)
            .all(self.database.connection())
            .await?;
        let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
        for row in rows {
            let none =
                Tally { party: row.party.clone(), name: row.name, reports: 0, over_asking: 0 };
            let tally = tallies.entry(row.party).or_insert(none);
            tally.reports = tally.reports.saturating_add(1);
            tally.over_asking = tally.over_asking.saturating_add(u64::from(row.over_asking));
        }
        Ok(tallies.into_values().collect())
    }
}

impl From<report::Model> for Report {
    fn from(row: report::Model) -> Self {
        Self {
            request_digest: row.request_digest,
            request: row.request,
            party: row.party,
            name: row.name,
            reason: row.reason,
            over_asking: row.over_asking,
            at: from_column(row.at).unwrap_or(Timestamp::from_millis(0)),
        }
    }
}
