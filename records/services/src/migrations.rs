//! The schema, in steps that are applied once each and never edited.

use yufu_database::Migration;

pub(crate) const ALL: &[Migration] = &[Migration {
    name: "settings, requests, charges, stays, accesses, departures, tickets",
    sql: "
CREATE TABLE settings (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);
CREATE TABLE asked (
    id TEXT PRIMARY KEY NOT NULL,
    purpose TEXT NOT NULL,
    subject TEXT NOT NULL,
    session TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    answered_at BIGINT,
    receipt TEXT
);
CREATE TABLE charges (
    subject TEXT PRIMARY KEY NOT NULL,
    order_id TEXT NOT NULL UNIQUE,
    amount_minor BIGINT NOT NULL,
    bank TEXT NOT NULL,
    forwarded TEXT NOT NULL,
    state TEXT NOT NULL,
    payment TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE TABLE stays (
    id TEXT PRIMARY KEY NOT NULL,
    room TEXT NOT NULL,
    nights INTEGER NOT NULL,
    sealed_guest {bytes},
    retained_until BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX stays_by_retention ON stays(retained_until);
CREATE TABLE accesses (
    id TEXT PRIMARY KEY NOT NULL,
    stay TEXT NOT NULL,
    actor TEXT NOT NULL,
    purpose TEXT NOT NULL,
    fields TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE TABLE departures (
    id TEXT PRIMARY KEY NOT NULL,
    train TEXT NOT NULL,
    date TEXT NOT NULL,
    class TEXT NOT NULL,
    price_minor BIGINT NOT NULL,
    seats INTEGER NOT NULL
);
CREATE TABLE tickets (
    id TEXT PRIMARY KEY NOT NULL,
    departure TEXT NOT NULL REFERENCES departures(id),
    seat INTEGER NOT NULL,
    state TEXT NOT NULL,
    paid_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX tickets_by_seat ON tickets(departure, seat)
    WHERE state IN ('booked', 'valid', 'used', 'refunding');
",
}];
