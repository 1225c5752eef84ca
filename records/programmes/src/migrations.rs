//! The schema, in steps that are applied once each and never edited. That an envelope's items are
//! what was paid, returned and pending is checked by the database too.

use yufu_database::Migration;

pub(crate) const ALL: &[Migration] = &[FIRST, FROZEN];

/// What a lost or stolen wallet cannot do: another account rests before it is paid, and a member freezes everything.
const FROZEN: Migration = Migration {
    name: "accounts that rest, freeze keys, frozen members",
    sql: "
ALTER TABLE members ADD COLUMN next_bank TEXT;
ALTER TABLE members ADD COLUMN next_account TEXT;
ALTER TABLE members ADD COLUMN next_signed_at BIGINT;
ALTER TABLE members ADD COLUMN next_from BIGINT;
ALTER TABLE members ADD COLUMN frozen_at BIGINT;
ALTER TABLE members ADD COLUMN guarded_at BIGINT;
CREATE INDEX members_by_next ON members(next_from);
CREATE TABLE freeze_keys (
    member TEXT PRIMARY KEY NOT NULL REFERENCES members(id),
    thumbprint TEXT NOT NULL UNIQUE,
    freeze_key TEXT NOT NULL,
    at BIGINT NOT NULL
);
",
};

const FIRST: Migration = Migration {
    name: "settings, enrolments, members, envelopes, items, attempts, steps",
    sql: "
CREATE TABLE settings (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);
CREATE TABLE enrolments (
    id TEXT PRIMARY KEY NOT NULL,
    programme TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    holder_key TEXT NOT NULL,
    bank TEXT NOT NULL,
    account TEXT NOT NULL,
    signed_at BIGINT NOT NULL,
    session TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    answered_at BIGINT,
    receipt TEXT
);
CREATE INDEX enrolments_by_expiry ON enrolments(expires_at);
CREATE TABLE members (
    id TEXT PRIMARY KEY NOT NULL,
    programme TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    holder_key TEXT NOT NULL,
    state TEXT NOT NULL,
    since TEXT NOT NULL,
    bank TEXT NOT NULL,
    account TEXT NOT NULL,
    signed_at BIGINT NOT NULL,
    payout_set_at BIGINT NOT NULL,
    status_uri TEXT NOT NULL,
    status_index BIGINT NOT NULL,
    says_until BIGINT NOT NULL,
    shown_at BIGINT NOT NULL,
    UNIQUE (programme, pseudonym)
);
CREATE TABLE envelopes (
    id TEXT PRIMARY KEY NOT NULL,
    programme TEXT NOT NULL,
    month TEXT NOT NULL,
    state TEXT NOT NULL,
    prepared_by TEXT NOT NULL,
    approved_by TEXT,
    created_at BIGINT NOT NULL,
    items BIGINT NOT NULL,
    items_minor BIGINT NOT NULL,
    paid BIGINT NOT NULL CHECK (paid >= 0),
    paid_minor BIGINT NOT NULL CHECK (paid_minor >= 0),
    returned BIGINT NOT NULL CHECK (returned >= 0),
    returned_minor BIGINT NOT NULL CHECK (returned_minor >= 0),
    pending BIGINT NOT NULL CHECK (pending >= 0),
    pending_minor BIGINT NOT NULL CHECK (pending_minor >= 0),
    CHECK (items = paid + returned + pending),
    CHECK (items_minor = paid_minor + returned_minor + pending_minor)
);
CREATE UNIQUE INDEX envelopes_prepared ON envelopes(programme, month) WHERE state = 'prepared';
CREATE TABLE items (
    id TEXT PRIMARY KEY NOT NULL,
    envelope TEXT NOT NULL REFERENCES envelopes(id),
    programme TEXT NOT NULL,
    month TEXT NOT NULL,
    member TEXT NOT NULL REFERENCES members(id),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    command TEXT NOT NULL UNIQUE,
    payee TEXT,
    sent_at BIGINT,
    state TEXT NOT NULL,
    reason TEXT,
    detail TEXT NOT NULL,
    settled_at BIGINT,
    UNIQUE (programme, month, member)
);
CREATE INDEX items_of_envelope ON items(envelope, state, id);
CREATE INDEX items_of_member ON items(member);
CREATE TABLE attempts (
    command TEXT PRIMARY KEY NOT NULL,
    item TEXT NOT NULL REFERENCES items(id),
    outcome TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX attempts_of_item ON attempts(item);
CREATE TABLE steps (
    id TEXT PRIMARY KEY NOT NULL,
    envelope TEXT NOT NULL,
    step TEXT NOT NULL,
    officer TEXT NOT NULL,
    at BIGINT NOT NULL
);
",
};
