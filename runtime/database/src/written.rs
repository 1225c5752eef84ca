//! Constants that stand in a statement's own text, where values are otherwise its parameters.

use sea_orm::Value;
use sea_orm::sea_query::Expr;

/// A constant of the program, as a part of the statement. An index over some rows (`WHERE state = 0`) serves a statement that
/// says so itself; of a parameter a database that plans once does not know what it will be. Never for what came from outside.
#[must_use]
pub fn written(constant: impl Into<Value>) -> Expr {
    Expr::Constant(constant.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Database;
    use sea_orm::sea_query::{ExprTrait as _, Query, SqliteQueryBuilder};
    use sea_orm::{ConnectionTrait as _, Statement};

    #[tokio::test]
    async fn an_index_over_some_rows_serves_what_is_written_and_not_what_is_a_parameter() {
        let database = Database::in_memory().await.unwrap();
        let connection = database.connection();
        let table = "CREATE TABLE t (state INTEGER, at INTEGER);
            CREATE INDEX waiting ON t(at) WHERE state = 0;";
        connection.execute_unprepared(table).await.unwrap();
        for (of, by_index) in [(written(0), true), (Expr::value(0), false)] {
            let mut query = Query::select();
            query
                .column("at")
                .from("t")
                .and_where(Expr::column("state").eq(of))
                .order_by("at", sea_orm::Order::Asc);
            let (sql, values) = query.build(SqliteQueryBuilder);
            let plan = Statement::from_sql_and_values(
                connection.get_database_backend(),
                format!("EXPLAIN QUERY PLAN {sql}"),
                values,
            );
            let rows = connection.query_all_raw(plan).await.unwrap();
            let plan: String =
                rows.iter().map(|row| row.try_get::<String>("", "detail").unwrap()).collect();
            assert_eq!(plan.contains("waiting"), by_index, "{sql}: {plan}");
        }
    }
}
