//! Markers of what was used and may be used once. They lie in the order in which what they stand for expires: what comes at
//! the same time was mostly made at the same time, and what it marks then lies on few pages.

use crate::CredentialsError;
use crate::entity::used_once;
use crate::to_column;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Set, Statement, Value,
};
use std::collections::BTreeSet;
use yufu_base::Timestamp;
use yufu_database::{padded, push_values};

/// What can be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// A DPoP proof.
    DpopProof,
    /// A proof that goes with a wallet attestation.
    AttestationProof,
    /// A nonce for proofs of possession.
    Nonce,
    /// An access token, for one batch.
    Token,
    /// A pushed request, for one code.
    PushedRequest,
}

impl Once {
    const fn word(self) -> &'static str {
        match self {
            Self::DpopProof => "dpop",
            Self::AttestationProof => "attestation",
            Self::Nonce => "nonce",
            Self::Token => "token",
            Self::PushedRequest => "pushed",
        }
    }
}

/// That something is used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// What it is.
    pub what: Once,
    /// Which one: a digest.
    pub id: String,
    /// From when it would be refused anyway. Follows from what is used alone, never from when that is: a marker is found by
    /// both.
    pub expires_at: Timestamp,
}

impl Marker {
    /// What it is kept under.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.what.word(), self.id)
    }

    /// Its row, under its name.
    pub(crate) fn row(&self, name: String) -> used_once::ActiveModel {
        let expires_at = to_column(self.expires_at);
        used_once::ActiveModel { marker: Set(name), expires_at: Set(expires_at) }
    }
}

/// The names of those of these markers that are there.
pub(crate) async fn used<C: ConnectionTrait>(
    connection: &C,
    markers: impl Iterator<Item = (&Marker, &String)>,
) -> Result<BTreeSet<String>, CredentialsError> {
    let wanted: Vec<[Value; 2]> =
        markers.map(|(marker, name)| [to_column(marker.expires_at).into(), name.into()]).collect();
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let backend = connection.get_database_backend();
    let (sql, values) = looked_for(backend, wanted);
    let select = Statement::from_sql_and_values(backend, sql, values);
    let rows = connection.query_all_raw(select).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

/// The statement that finds which of these are there, and its values.
fn looked_for(backend: DbBackend, wanted: Vec<[Value; 2]>) -> (String, Vec<Value>) {
    let wanted = padded(wanted);
    let mut sql = "SELECT used.marker FROM (".to_owned();
    push_values(&mut sql, backend, (wanted.len(), 2));
    // The order of a cross join is as written: each of the few that are given is looked for.
    sql.push_str(
        ") AS given CROSS JOIN used_once AS used \
         WHERE used.expires_at = given.column1 AND used.marker = given.column2",
    );
    (sql, wanted.into_iter().flatten().collect())
}

/// Marks one as used.
///
/// # Errors
/// [`CredentialsError::UsedBefore`] if it is already.
pub(crate) async fn mark<C: ConnectionTrait>(
    connection: &C,
    marker: &Marker,
) -> Result<(), CredentialsError> {
    let name = marker.name();
    if !used(connection, [(marker, &name)].into_iter()).await?.is_empty() {
        return Err(CredentialsError::UsedBefore(marker.what));
    }
    used_once::Entity::insert(marker.row(name)).exec_without_returning(connection).await?;
    Ok(())
}

/// Forgets what would be refused anyway; how many.
pub(crate) async fn forget<C: ConnectionTrait>(
    connection: &C,
    before: i64,
) -> Result<u64, CredentialsError> {
    let lapsed = used_once::Column::ExpiresAt.lt(before);
    let gone = used_once::Entity::delete_many().filter(lapsed).exec(connection).await?;
    Ok(gone.rows_affected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations;
    use yufu_database::Database;

    #[tokio::test]
    async fn each_marker_is_looked_for_by_its_key_and_the_table_is_never_read_whole() {
        let database = Database::in_memory().await.unwrap();
        database.migrate("credentials", migrations::ALL).await.unwrap();
        let connection = database.connection();
        for count in [1, 2, 64] {
            let (sql, values) =
                looked_for(connection.get_database_backend(), vec![[1.into(), "a".into()]; count]);
            let plan = Statement::from_sql_and_values(
                connection.get_database_backend(),
                format!("EXPLAIN QUERY PLAN {sql}"),
                values,
            );
            let rows = connection.query_all_raw(plan).await.unwrap();
            let plan: Vec<String> =
                rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
            let by_key = "SEARCH used USING PRIMARY KEY (expires_at=? AND marker=?)";
            assert!(plan.iter().any(|step| step == by_key), "{count}: {plan:?}");
        }
    }
}
