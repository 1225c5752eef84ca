//! Many rows written, or looked for, by statements of few lengths: a database that prepares each statement once has it
//! at hand the next time, whatever the number of rows.

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, DbErr, EntityName as _, EntityTrait,
    IdenStatic as _, Iterable as _, Statement, Value,
};

/// The most rows in one statement.
const MOST: usize = 256;

/// Inserts rows of one table, all of whose columns are set, the first never to null. Goes into the transaction that it is
/// called in, which is to be given up if this fails: some of the rows may have been written by then.
///
/// # Errors
/// [`DbErr`] of the statement; [`DbErr::Custom`] for a row without one of its columns, before anything is written.
pub async fn insert_rows<C: ConnectionTrait, A: ActiveModelTrait>(
    connection: &C,
    rows: Vec<A>,
) -> Result<(), DbErr> {
    let columns: Vec<_> = <A::Entity as EntityTrait>::Column::iter().collect();
    let names: Vec<&str> = columns.iter().map(|column| column.as_str()).collect();
    let mut values = Vec::with_capacity(rows.len().saturating_mul(columns.len()));
    for mut row in rows {
        for column in &columns {
            let lacking = || DbErr::Custom("a row lacks one of its columns".to_owned());
            values.push(row.take(*column).into_value().ok_or_else(lacking)?);
        }
    }
    insert_values(connection, A::Entity::default().table_name(), &names, values).await
}

/// As [`insert_rows`], of a table without an entity: the values of one row after those of the other.
///
/// # Errors
/// As [`insert_rows`].
pub(crate) async fn insert_values<C: ConnectionTrait>(
    connection: &C,
    table: &str,
    columns: &[&str],
    mut values: Vec<Value>,
) -> Result<(), DbErr> {
    let width = columns.len().max(1);
    let nameless = |row: &[Value]| row.first().is_none_or(|first| *first == first.as_null());
    if values.chunks(width).any(nameless) {
        return Err(DbErr::Custom("a row begins with nothing".to_owned()));
    }
    let backend = connection.get_database_backend();
    while !values.is_empty() {
        let rest = values.split_off(values.len().min(width.saturating_mul(MOST)));
        let rows = values.len().div_ceil(width).next_power_of_two();
        // A statement that fails half-way is not undone by itself: the transaction is. SQLite need not
        // remember how each page looked before the statement.
        let insert = if backend == DbBackend::Sqlite { "INSERT OR FAIL" } else { "INSERT" };
        let mut sql = format!("{insert} INTO \"{table}\" (\"{}\")", columns.join("\", \""));
        sql.push_str(" SELECT * FROM (");
        push_values(&mut sql, backend, (rows, columns.len()));
        sql.push_str(") AS given WHERE column1 IS NOT NULL");
        let nulls: Vec<Value> = values.iter().take(width).map(Value::as_null).collect();
        let lacking = rows.saturating_mul(width).saturating_sub(values.len());
        values.extend(nulls.into_iter().cycle().take(lacking));
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        values = rest;
    }
    Ok(())
}

/// The same values, the last of them repeated until they are as many as one of few numbers: for a list in a statement that asks
/// which rows have one of them.
#[must_use]
pub fn padded<T: Clone>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

/// `VALUES (?, ?), (?, ?)`: so many rows of so many columns, which are called `column1` and so on.
pub fn push_values(sql: &mut String, backend: DbBackend, (rows, columns): (usize, usize)) {
    let mut number = 0_usize;
    let mut between = "VALUES (";
    for _ in 0..rows {
        for _ in 0..columns {
            sql.push_str(between);
            number = number.saturating_add(1);
            if backend == DbBackend::Sqlite {
                sql.push('?');
            } else {
                sql.push('$');
                sql.push_str(&number.to_string());
            }
            between = ", ";
        }
        between = "), (";
    }
    sql.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Database;
    use sea_orm::{ActiveValue, QueryOrder as _, Set};

    crate::table!(thing, "things", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i64,
        name: String,
        size: Option<i64>,
    });

    async fn things() -> Database {
        let database = Database::in_memory().await.unwrap();
        let table =
            "CREATE TABLE things (id INTEGER NOT NULL, name TEXT NOT NULL UNIQUE, size INTEGER);";
        database.connection().execute_unprepared(table).await.unwrap();
        database
    }

    fn row(id: i64) -> thing::ActiveModel {
        let size = (id % 3 == 0).then_some(id);
        thing::ActiveModel { id: Set(id), name: Set(format!("thing {id}")), size: Set(size) }
    }

    #[tokio::test]
    async fn exactly_the_rows_that_are_given_are_inserted_whatever_their_number() {
        for count in [0, 1, 2, 3, 5, 8, 100, 255, 256, 257, 700] {
            let database = things().await;
            let rows: Vec<_> = (0..count).map(row).collect();
            insert_rows(database.connection(), rows).await.unwrap();
            let found = thing::Entity::find().order_by_asc(thing::Column::Id);
            let found = found.all(database.connection()).await.unwrap();
            let expected: Vec<thing::Model> = (0..count)
                .map(|id| thing::Model {
                    id,
                    name: format!("thing {id}"),
                    size: (id % 3 == 0).then_some(id),
                })
                .collect();
            assert_eq!(found, expected);
        }
    }

    #[tokio::test]
    async fn one_row_that_fails_fails_them_all_and_the_transaction_gives_all_up() {
        let database = things().await;
        let all = database.begin().await.unwrap();
        let twice: Vec<_> = (0..10).chain([4]).map(row).collect();
        insert_rows(&all, twice).await.unwrap_err();
        all.rollback().await.unwrap();
        assert_eq!(thing::Entity::find().all(database.connection()).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_row_that_is_not_whole_is_refused_before_anything_is_written() {
        let database = things().await;
        let unset = thing::ActiveModel { size: ActiveValue::NotSet, ..row(2) };
        let refused = insert_rows(database.connection(), vec![row(1), unset]).await;
        assert!(matches!(refused, Err(DbErr::Custom(_))));
        assert_eq!(thing::Entity::find().all(database.connection()).await.unwrap(), []);
    }

    #[test]
    fn a_list_is_padded_with_what_is_in_it_anyway() {
        assert!(padded(Vec::<u8>::new()).is_empty());
        assert_eq!(padded(vec![1]), [1]);
        assert_eq!(padded(vec![1, 2, 3, 4, 5]), [1, 2, 3, 4, 5, 5, 5, 5]);
        assert_eq!(padded(vec![1, 2, 3, 4]), [1, 2, 3, 4]);
    }

    #[test]
    fn values_are_numbered_where_the_database_numbers_them() {
        let written = |backend| {
            let mut sql = String::new();
            push_values(&mut sql, backend, (2, 2));
            sql
        };
        assert_eq!(written(DbBackend::Sqlite), "VALUES (?, ?), (?, ?)");
        assert_eq!(written(DbBackend::Postgres), "VALUES ($1, $2), ($3, $4)");
    }
}
