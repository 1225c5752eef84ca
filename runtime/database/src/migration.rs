//! Migrations: SQL embedded in the program, applied in order, once, and remembered with a
//! checksum in the table `migration`.

use crate::connection::{Database, DatabaseError};
use aws_lc_rs::digest::{SHA256, digest};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// One step in the history of a component's tables. Once released it never changes.
///
/// The SQL is what SQLite and PostgreSQL have in common, with `{bytes}` for the type of byte
/// strings and `{uuid}` for that of UUIDs, and `{by_key}` at the end of a table whose rows lie in the order of their
/// key, where a database can have them so; statements end in semicolons.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// What it does, in a few words: `residents`.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// Why the tables could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The database has migrations this program does not know.
    #[error(
        "the tables of {component} are at migration {found}, this program knows {known}: \
         the database is newer than the program; run a newer one, or restore a backup"
    )]
    Newer {
        /// Whose tables.
        component: String,
        /// Migrations applied.
        found: usize,
        /// Migrations known.
        known: usize,
    },
    /// A migration that was applied has another text in this program.
    #[error(
        "migration {number} ({name}) of {component} was applied with another text: released \
         migrations never change; run the program it was made with, or add a new migration"
    )]
    Changed {
        /// Whose tables.
        component: String,
        /// Which one, from 1.
        number: usize,
        /// Its name in this program.
        name: String,
    },
    /// A migration failed and was rolled back.
    #[error("migration {number} ({name}) of {component} failed and was undone: {reason}")]
    Failed {
        /// Whose tables.
        component: String,
        /// Which one, from 1.
        number: usize,
        /// Its name.
        name: String,
        /// What the database says.
        reason: DatabaseError,
    },
    /// The table of migrations could not be read.
    #[error("cannot read which migrations were applied: {0}")]
    History(#[from] DatabaseError),
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
    component TEXT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (component, number))";

pub(crate) async fn run(
    database: &Database,
    component: &str,
    migrations: &[Migration],
) -> Result<(), MigrationError> {
    let connection = database.connection();
    connection.execute_unprepared(TABLE).await.map_err(DatabaseError::from)?;
    for index in 0..migrations.len().max(1) {
        // Within the transaction, so that of two programs that start together one waits.
        let transaction = database.begin().await?;
        let applied = applied(&transaction, component).await?;
        check(component, &applied, migrations)?;
        let Some(migration) = migrations.get(index).filter(|_| index >= applied.len()) else {
            continue;
        };
        let number = index.saturating_add(1);
        let backend = transaction.get_database_backend();
        let outcome = async {
            transaction.execute_unprepared(&dialect(backend, migration.sql)).await?;
            remember(&transaction, component, number, migration).await?;
            transaction.commit().await
        };
        outcome.await.map_err(|reason| MigrationError::Failed {
            component: component.to_owned(),
            number,
            name: migration.name.to_owned(),
            reason: reason.into(),
        })?;
    }
    Ok(())
}

/// The checksums applied, in order.
async fn applied(
    connection: &impl ConnectionTrait,
    component: &str,
) -> Result<Vec<String>, DatabaseError> {
    let select = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "SELECT checksum FROM migration WHERE component = $1 ORDER BY number",
        [component.into()],
    );
    let rows = connection.query_all_raw(select).await?;
    let checksums = rows.iter().map(|row| row.try_get::<String>("", "checksum"));
    Ok(checksums.collect::<Result<_, DbErr>>()?)
}

fn check(
    component: &str,
    applied: &[String],
    migrations: &[Migration],
) -> Result<(), MigrationError> {
    let component = component.to_owned();
    if applied.len() > migrations.len() {
        let (found, known) = (applied.len(), migrations.len());
        return Err(MigrationError::Newer { component, found, known });
    }
    let differs = applied.iter().zip(migrations).position(|(sum, m)| *sum != checksum(m));
    match differs.and_then(|index| Some((index, migrations.get(index)?))) {
        None => Ok(()),
        Some((index, migration)) => Err(MigrationError::Changed {
            component,
            number: index.saturating_add(1),
            name: migration.name.to_owned(),
        }),
    }
}

async fn remember(
    connection: &impl ConnectionTrait,
    component: &str,
    number: usize,
    migration: &Migration,
) -> Result<(), DbErr> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let insert = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "INSERT INTO migration (component, number, name, checksum) VALUES ($1, $2, $3, $4)",
        [component.into(), number.into(), migration.name.into(), checksum(migration).into()],
    );
    connection.execute_raw(insert).await.map(|_| ())
}

fn dialect(backend: DbBackend, sql: &str) -> String {
    let (bytes, uuid, by_key) = match backend {
        DbBackend::Postgres => ("BYTEA", "UUID", ""),
        _ => ("BLOB", "BLOB", "WITHOUT ROWID"),
    };
    sql.replace("{bytes}", bytes).replace("{uuid}", uuid).replace("{by_key}", by_key)
}

fn checksum(migration: &Migration) -> String {
    let sum = digest(&SHA256, migration.sql.as_bytes());
    sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Migration =
        Migration { name: "one", sql: "CREATE TABLE one (id {uuid}, body {bytes});" };
    const SECOND: Migration =
        Migration { name: "two", sql: "CREATE TABLE two (id BIGINT); INSERT INTO two VALUES (2);" };
    const BROKEN: Migration =
        Migration { name: "broken", sql: "CREATE TABLE three (id BIGINT); CREATE NONSENSE;" };

    async fn count(database: &Database, sql: &str) -> i64 {
        let connection = database.connection();
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    async fn tables(database: &Database) -> i64 {
        let sql = "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('one', 'two', 'three')";
        count(database, sql).await
    }

    #[tokio::test]
    async fn each_migration_is_applied_once_and_in_order() {
        let database = Database::in_memory().await.unwrap();
        database.migrate("a", &[FIRST]).await.unwrap();
        assert_eq!(tables(&database).await, 1);
        for _ in 0..2 {
            database.migrate("a", &[FIRST, SECOND]).await.unwrap();
        }
        assert_eq!(tables(&database).await, 2);
        assert_eq!(count(&database, "SELECT COUNT(*) FROM two").await, 1);
    }

    #[tokio::test]
    async fn components_have_histories_of_their_own() {
        let database = Database::in_memory().await.unwrap();
        database.migrate("a", &[FIRST]).await.unwrap();
        database.migrate("b", &[SECOND]).await.unwrap();
        assert_eq!(tables(&database).await, 2);
    }

    #[tokio::test]
    async fn a_database_newer_than_the_program_is_refused() {
        let database = Database::in_memory().await.unwrap();
        database.migrate("a", &[FIRST, SECOND]).await.unwrap();
        for known in [&[FIRST][..], &[]] {
            let refused = database.migrate("a", known).await.unwrap_err();
            assert!(matches!(refused, MigrationError::Newer { found: 2, .. }), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_released_migration_that_changed_is_refused() {
        let database = Database::in_memory().await.unwrap();
        database.migrate("a", &[FIRST]).await.unwrap();
        let refused = database.migrate("a", &[SECOND, FIRST]).await.unwrap_err();
        assert!(matches!(refused, MigrationError::Changed { number: 1, .. }), "{refused}");
        assert_eq!(tables(&database).await, 1);
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_nothing_of_itself() {
        let database = Database::in_memory().await.unwrap();
        let refused = database.migrate("a", &[FIRST, BROKEN]).await.unwrap_err();
        assert!(matches!(refused, MigrationError::Failed { number: 2, .. }), "{refused}");
        assert_eq!(tables(&database).await, 1);
        database.migrate("a", &[FIRST, SECOND]).await.unwrap();
    }

    #[test]
    fn the_types_that_differ_are_filled_in() {
        let sql = "CREATE TABLE one (id {uuid}, body {bytes});";
        let postgres = dialect(DbBackend::Postgres, sql);
        assert_eq!(postgres, "CREATE TABLE one (id UUID, body BYTEA);");
        assert_eq!(dialect(DbBackend::Sqlite, sql), "CREATE TABLE one (id BLOB, body BLOB);");
    }
}
