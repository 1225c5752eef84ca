//! The schema, in steps that are applied once each and never edited.

use yufu_database::Migration;

pub(crate) const ALL: &[Migration] = &[
    Migration {
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
    },
    Migration {
        name: "purses without identity, steps at a branch",
        sql: "
CREATE TABLE phones (
    id TEXT PRIMARY KEY NOT NULL,
    number_index {bytes} NOT NULL UNIQUE,
    sealed_number {bytes} NOT NULL,
    codes_sent BIGINT NOT NULL,
    wait_until BIGINT NOT NULL,
    first_at BIGINT NOT NULL
);
CREATE TABLE phone_codes (
    id TEXT PRIMARY KEY NOT NULL,
    phone TEXT NOT NULL REFERENCES phones(id),
    class TEXT NOT NULL,
    wallet_key TEXT NOT NULL,
    account TEXT NOT NULL,
    code_index {bytes} NOT NULL,
    attempts BIGINT NOT NULL,
    answer_from BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX phone_codes_by_phone ON phone_codes(phone);
CREATE INDEX phone_codes_by_account ON phone_codes(account);
CREATE TABLE phone_messages (
    id TEXT PRIMARY KEY NOT NULL,
    phone TEXT NOT NULL REFERENCES phones(id),
    sealed_text {bytes} NOT NULL,
    at BIGINT NOT NULL
);
CREATE TABLE counter_tokens (
    token_index {bytes} PRIMARY KEY NOT NULL,
    class TEXT NOT NULL,
    officer TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    account TEXT
);
CREATE TABLE branch_steps (
    command_id TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL REFERENCES accounts(id),
    step TEXT NOT NULL,
    officer TEXT NOT NULL,
    evidence TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX branch_steps_by_account ON branch_steps(account);
",
    },
    Migration {
        name: "linked bank accounts",
        sql: "
CREATE TABLE linked_accounts (
    reference_index {bytes} PRIMARY KEY NOT NULL,
    account TEXT NOT NULL UNIQUE REFERENCES accounts(id),
    bank TEXT NOT NULL,
    sealed_statement {bytes} NOT NULL,
    at BIGINT NOT NULL
);
",
    },
    Migration {
        name: "changes of keys, wallet providers",
        sql: "
CREATE TABLE key_changes (
    id TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL REFERENCES accounts(id),
    way TEXT NOT NULL,
    evidence TEXT NOT NULL,
    former_key TEXT NOT NULL,
    new_key TEXT NOT NULL,
    at BIGINT NOT NULL,
    credentials_revoked_at BIGINT
);
CREATE INDEX key_changes_by_account ON key_changes(account, at);
CREATE INDEX key_changes_unfinished ON key_changes(at) WHERE credentials_revoked_at IS NULL;
CREATE TABLE served_through (
    account TEXT PRIMARY KEY NOT NULL REFERENCES accounts(id),
    provider TEXT NOT NULL,
    since BIGINT NOT NULL
);
ALTER TABLE phone_codes ADD COLUMN provider TEXT;
",
    },
    Migration {
        name: "codes to wake a purse",
        sql: "ALTER TABLE phone_codes ADD COLUMN purpose TEXT NOT NULL DEFAULT 'open';",
    },
    Migration {
        name: "guardians",
        sql: "
CREATE TABLE guardians (
    account TEXT PRIMARY KEY NOT NULL REFERENCES accounts(id),
    guardian TEXT NOT NULL,
    sealed {bytes} NOT NULL,
    at BIGINT NOT NULL
);
",
    },
    Migration {
        name: "cards, their PINs, terminals",
        sql: "
CREATE TABLE cards (
    card_index {bytes} PRIMARY KEY NOT NULL,
    account TEXT NOT NULL REFERENCES accounts(id),
    state TEXT NOT NULL,
    pin_salt {bytes},
    pin_digest {bytes},
    issued_at BIGINT NOT NULL
);
CREATE INDEX cards_by_account ON cards(account);
CREATE TABLE card_attempts (
    card_index {bytes} PRIMARY KEY NOT NULL,
    failed BIGINT NOT NULL,
    wait_until BIGINT NOT NULL
);
CREATE TABLE card_steps (
    id TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL REFERENCES accounts(id),
    step TEXT NOT NULL,
    officer TEXT NOT NULL,
    evidence TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX card_steps_by_account ON card_steps(account);
CREATE TABLE terminal_sessions (
    session_index {bytes} PRIMARY KEY NOT NULL,
    terminal TEXT NOT NULL,
    officer TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX orders_by_account ON orders(account);
",
    },
    Migration {
        name: "quotes of the mint",
        sql: "
CREATE TABLE mint_quotes (
    id TEXT PRIMARY KEY NOT NULL,
    method TEXT NOT NULL,
    amount BIGINT NOT NULL,
    pubkey TEXT,
    account TEXT,
    signed TEXT,
    command TEXT,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX mint_quotes_idle ON mint_quotes(expires_at) WHERE command IS NULL;
CREATE TABLE melt_quotes (
    id TEXT PRIMARY KEY NOT NULL,
    method TEXT NOT NULL,
    request TEXT NOT NULL,
    amount BIGINT NOT NULL,
    payee TEXT NOT NULL,
    command TEXT,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX melt_quotes_idle ON melt_quotes(expires_at) WHERE command IS NULL;
",
    },
    Migration {
        name: "anonymous top-ups",
        sql: "
CREATE TABLE blind_batches (
    token TEXT PRIMARY KEY NOT NULL,
    outputs {bytes} NOT NULL,
    epoch BIGINT NOT NULL
);
CREATE TABLE blind_tokens (
    point {bytes} PRIMARY KEY NOT NULL,
    quote TEXT NOT NULL,
    epoch BIGINT NOT NULL
);
CREATE TABLE top_ups (
    quote TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL,
    officer TEXT NOT NULL,
    command TEXT,
    at BIGINT NOT NULL
);
",
    },
    Migration {
        name: "freezes by the holder",
        sql: "
CREATE TABLE freeze_keys (
    account TEXT PRIMARY KEY NOT NULL REFERENCES accounts(id),
    thumbprint TEXT NOT NULL UNIQUE,
    freeze_key TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE TABLE account_freezes (
    id TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL REFERENCES accounts(id),
    officer TEXT,
    evidence TEXT,
    at BIGINT NOT NULL,
    lifted_at BIGINT,
    lifted_by TEXT,
    lift_evidence TEXT
);
CREATE UNIQUE INDEX account_freezes_in_force ON account_freezes(account) WHERE lifted_at IS NULL;
",
    },
    Migration {
        name: "preimages that opened notes",
        sql: "
CREATE TABLE note_preimages (
    point {bytes} PRIMARY KEY NOT NULL,
    preimage {bytes} NOT NULL,
    over_at BIGINT NOT NULL
);
CREATE INDEX note_preimages_over ON note_preimages(over_at);
",
    },
];
