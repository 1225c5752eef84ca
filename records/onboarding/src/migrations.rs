//! The schema, in steps that are applied once each and never edited.

use yufu_database::Migration;

pub(crate) const ALL: &[Migration] = &[Migration {
    name: "customers, accounts, verifications, orders, outbox, receipts, accesses",
    sql: "
CREATE TABLE customers (
    id TEXT PRIMARY KEY NOT NULL,
    number_index {bytes} NOT NULL UNIQUE,
    sealed_claims {bytes} NOT NULL,
    enrolled_at BIGINT NOT NULL,
    retained_until BIGINT NOT NULL
);
CREATE TABLE accounts (
    id TEXT PRIMARY KEY NOT NULL,
    customer TEXT REFERENCES customers(id),
    class TEXT NOT NULL,
    wallet_key TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX accounts_by_customer ON accounts(customer);
CREATE TABLE verifications (
    id TEXT PRIMARY KEY NOT NULL,
    purpose TEXT NOT NULL,
    subject TEXT NOT NULL,
    session TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    answered_at BIGINT
);
CREATE TABLE orders (
    id TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL REFERENCES accounts(id),
    signed TEXT NOT NULL,
    state TEXT NOT NULL,
    verification TEXT REFERENCES verifications(id),
    created_at BIGINT NOT NULL
);
CREATE TABLE outbox (
    command_id TEXT PRIMARY KEY NOT NULL,
    subject TEXT NOT NULL,
    submission {bytes} NOT NULL,
    outcome TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX outbox_pending ON outbox(created_at) WHERE outcome IS NULL;
CREATE TABLE receipts (
    verification TEXT PRIMARY KEY NOT NULL REFERENCES verifications(id),
    receipt TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retained_until BIGINT NOT NULL
);
CREATE TABLE accesses (
    id TEXT PRIMARY KEY NOT NULL,
    customer TEXT NOT NULL,
    actor TEXT NOT NULL,
    purpose TEXT NOT NULL,
    fields TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX accesses_by_customer ON accesses(customer);
",
}];
