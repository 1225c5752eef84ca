//! The tables. Released migrations never change. Times are milliseconds since the epoch.

use yufu_database::{Migration, table};

pub(crate) const ALL: &[Migration] = &[Migration {
    name: "registrations and revocations",
    sql: "
CREATE TABLE revocations (
    id TEXT PRIMARY KEY NOT NULL,
    party TEXT NOT NULL,
    intended_use TEXT NOT NULL,
    reason TEXT NOT NULL,
    officer TEXT NOT NULL,
    at BIGINT NOT NULL,
    lift_reason TEXT,
    lift_officer TEXT,
    lifted_at BIGINT
);
CREATE UNIQUE INDEX revocations_standing ON revocations(party, intended_use) WHERE lifted_at IS NULL;

CREATE TABLE registrations (
    list INTEGER NOT NULL,
    position INTEGER NOT NULL,
    party TEXT NOT NULL,
    intended_use TEXT NOT NULL,
    access_key TEXT NOT NULL,
    certified_at BIGINT NOT NULL,
    renewed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revocation TEXT REFERENCES revocations(id),
    PRIMARY KEY (list, position)
);
CREATE UNIQUE INDEX registrations_standing ON registrations(party, intended_use, access_key)
    WHERE revocation IS NULL;
",
}];

table!(registration, "registrations", {
    #[sea_orm(primary_key, auto_increment = false)]
    list: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    position: i32,
    party: String,
    intended_use: String,
    access_key: String,
    certified_at: i64,
    renewed_at: i64,
    expires_at: i64,
    revocation: Option<String>,
});

table!(revocation, "revocations", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    party: String,
    intended_use: String,
    reason: String,
    officer: String,
    at: i64,
    lift_reason: Option<String>,
    lift_officer: Option<String>,
    lifted_at: Option<i64>,
});
