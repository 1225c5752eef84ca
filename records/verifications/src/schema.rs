//! The tables. Times are milliseconds since the epoch.

use yufu_database::{Migration, table};

/// The schema, in steps that are applied once each and never edited.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "verifications, accesses",
        sql: "
CREATE TABLE verifications (
    id TEXT PRIMARY KEY NOT NULL,
    purpose TEXT NOT NULL,
    result BOOLEAN NOT NULL,
    receipt TEXT NOT NULL,
    code_digest TEXT,
    sealed_claims {bytes},
    sealed_evidence {bytes},
    key_id TEXT,
    answered_at BIGINT NOT NULL,
    retained_until BIGINT NOT NULL
);
CREATE INDEX verifications_by_retention ON verifications(retained_until);
CREATE TABLE accesses (
    id TEXT PRIMARY KEY NOT NULL,
    verification TEXT NOT NULL,
    actor TEXT NOT NULL,
    purpose TEXT NOT NULL,
    fields TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX accesses_by_verification ON accesses(verification);
",
    },
    Migration {
        name: "what waits across a restart",
        sql: "
CREATE TABLE waiting (
    key_id TEXT PRIMARY KEY NOT NULL,
    sealed {bytes} NOT NULL,
    ends_at BIGINT NOT NULL
);
",
    },
];

table!(verification, "verifications", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    purpose: String,
    result: bool,
    receipt: String,
    code_digest: Option<String>,
    sealed_claims: Option<Vec<u8>>,
    sealed_evidence: Option<Vec<u8>>,
    key_id: Option<String>,
    answered_at: i64,
    retained_until: i64,
});

table!(access, "accesses", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    verification: String,
    actor: String,
    purpose: String,
    fields: String,
    at: i64,
});

table!(waiting, "waiting", {
    #[sea_orm(primary_key, auto_increment = false)]
    key_id: String,
    sealed: Vec<u8>,
    ends_at: i64,
});
