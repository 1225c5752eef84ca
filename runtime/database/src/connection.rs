//! Opening a relational database. SQLite in a file of its own is the default; everything
//! above this file is written so that PostgreSQL serves as well.

use crate::migration::{self, Migration, MigrationError};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another writer before it fails.
const BUSY: Duration = Duration::from_secs(10);
/// Connections to one file for single statements, and for reading.
const CONNECTIONS: u32 = 4;
/// How much of a file the connection that writes keeps in memory, in KiB: what it looks at again and again.
const WRITING_CACHE: u32 = 16 * 1024;
/// How much the others keep each, in KiB, until somebody writes.
const CACHE: u32 = 2 * 1024;
/// How many pages the write-ahead log has before it is moved into the file: 32 MiB. A page that is written again and again
/// is moved once.
const LOG_PAGES: u32 = 8_192;

/// Why a database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It could not be opened.
    #[error("cannot open the database {name}: {reason}; check the path and its permissions")]
    Open {
        /// The file, or `memory`.
        name: String,
        /// What the database says.
        reason: Box<DbErr>,
    },
    /// A statement failed.
    #[error("the database refused: {0}")]
    Statement(Box<DbErr>),
}

impl From<DbErr> for DatabaseError {
    fn from(error: DbErr) -> Self {
        Self::Statement(Box::new(error))
    }
}

/// An open database; clones share its connections.
#[derive(Clone, Debug)]
pub struct Database {
    connection: DatabaseConnection,
    /// The one for transactions. One connection that writes has what it wrote at hand; of several that write by turns,
    /// each has to read anew what another one changed.
    writing: DatabaseConnection,
}

impl Database {
    /// Opens the SQLite file at `path`, making it if there is none: write-ahead log, every
    /// commit synced, foreign keys enforced, deleted content overwritten.
    ///
    /// # Errors
    /// [`DatabaseError::Open`].
    pub async fn open(path: &Path) -> Result<Self, DatabaseError> {
        let options = |connections: u32, cache: u32| {
            let file = path.to_owned();
            let mut options = ConnectOptions::new("sqlite://file");
            options.max_connections(connections).map_sqlx_sqlite_opts(move |sqlite| {
                sqlite
                    .filename(&file)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(BUSY)
                    .foreign_keys(true)
                    .pragma("secure_delete", "ON")
                    .pragma("temp_store", "MEMORY")
                    .pragma("cache_size", format!("-{cache}"))
                    .pragma("wal_autocheckpoint", LOG_PAGES.to_string())
            });
            options
        };
        let name = path.display().to_string();
        let writing = connect(options(1, WRITING_CACHE), &name).await?;
        let connection = connect(options(CONNECTIONS, CACHE), &name).await?;
        Ok(Self { connection, writing })
    }

    /// A database in memory, gone with the last clone. It has one connection: a transaction
    /// makes others wait, so that tests meet the order of a single writer.
    ///
    /// # Errors
    /// [`DatabaseError::Open`].
    pub async fn in_memory() -> Result<Self, DatabaseError> {
        let mut options = ConnectOptions::new("sqlite::memory:");
        let never = Duration::from_secs(u64::from(u32::MAX));
        options
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(never)
            .max_lifetime(never)
            .map_sqlx_sqlite_opts(|sqlite| sqlite.foreign_keys(true));
        let connection = connect(options, "memory").await?;
        Ok(Self { writing: connection.clone(), connection })
    }

    /// For single statements, and for reading.
    #[must_use]
    pub const fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Begins a transaction that may write. It takes the write lock at once (SQLite), so that
    /// it cannot fail half-way because another one wrote meanwhile. Dropped, it rolls back.
    ///
    /// # Errors
    /// [`DatabaseError::Statement`], if no connection or lock came free in time.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DatabaseError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.writing.begin_with_options(options).await?)
    }

    /// Brings the tables of `component` up to date: applies those of `migrations`, the whole
    /// history in order, that are not yet applied, each in a transaction of its own.
    ///
    /// # Errors
    /// [`MigrationError`]; those applied before stay applied.
    pub async fn migrate(
        &self,
        component: &str,
        migrations: &[Migration],
    ) -> Result<(), MigrationError> {
        migration::run(self, component, migrations).await
    }
}

async fn connect(
    mut options: ConnectOptions,
    name: &str,
) -> Result<DatabaseConnection, DatabaseError> {
    // Statements carry sealed and personal values: they belong in no log.
    options.sqlx_logging(false);
    // A file in this machine does not go away between two transactions.
    options.test_before_acquire(false);
    let open = |reason| DatabaseError::Open { name: name.to_owned(), reason: Box::new(reason) };
    sea_orm::Database::connect(options).await.map_err(open)
}
