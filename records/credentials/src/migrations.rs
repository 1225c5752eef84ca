//! The schema, in steps that are applied once each and never edited.

use yufu_database::Migration;

pub(crate) const ALL: &[Migration] =
    &[ISSUANCES, PSEUDONYMS, CARDS, GRANTS, FREEZES, LISTS, SIGN_INS, TYPES, MARKERS];

const ISSUANCES: Migration = Migration {
    name: "authentications, issuances, nonces, status entries",
    sql: "
CREATE TABLE authentications (
    id TEXT PRIMARY KEY NOT NULL,
    person TEXT NOT NULL,
    officer TEXT NOT NULL,
    evidence TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE TABLE issuances (
    id TEXT PRIMARY KEY NOT NULL,
    authentication TEXT NOT NULL REFERENCES authentications(id),
    person TEXT NOT NULL,
    lookup TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL,
    stage INTEGER NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE nonces (
    nonce TEXT PRIMARY KEY NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX nonces_by_expiry ON nonces(expires_at);
CREATE TABLE status_entries (
    list INTEGER NOT NULL,
    position INTEGER NOT NULL,
    person TEXT NOT NULL,
    issuance TEXT NOT NULL,
    status INTEGER NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (list, position)
);
CREATE INDEX status_entries_by_person ON status_entries(person);
CREATE INDEX status_entries_invalid ON status_entries(list) WHERE status <> 0;
",
};

const GRANTS: Migration = Migration {
    name: "what was used once, grants, officers' checks",
    sql: "
CREATE TABLE used_once (
    marker TEXT PRIMARY KEY NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_once_by_expiry ON used_once(expires_at);
CREATE TABLE grants (
    id TEXT PRIMARY KEY NOT NULL,
    person TEXT NOT NULL,
    state INTEGER NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    card TEXT
);
CREATE INDEX grants_by_person ON grants(person);
CREATE INDEX grants_by_card ON grants(card) WHERE card IS NOT NULL;
CREATE TABLE checks (
    id TEXT PRIMARY KEY NOT NULL,
    grant_id TEXT NOT NULL REFERENCES grants(id),
    person TEXT NOT NULL,
    credential TEXT NOT NULL,
    at BIGINT NOT NULL,
    state INTEGER NOT NULL,
    officer TEXT,
    evidence TEXT,
    decided_at BIGINT
);
CREATE INDEX status_entries_by_issuance ON status_entries(issuance);
CREATE INDEX checks_waiting ON checks(at) WHERE state = 0;
",
};

const PSEUDONYMS: Migration = Migration {
    name: "pseudonyms, their replacements",
    sql: "
CREATE TABLE pseudonyms (
    sector TEXT NOT NULL,
    digest {bytes} NOT NULL,
    person TEXT NOT NULL,
    retired_at BIGINT,
    PRIMARY KEY (sector, digest)
);
CREATE UNIQUE INDEX pseudonyms_live ON pseudonyms(person, sector) WHERE retired_at IS NULL;
CREATE TABLE pseudonym_replacements (
    id TEXT PRIMARY KEY NOT NULL,
    person TEXT NOT NULL,
    officer TEXT NOT NULL,
    evidence TEXT NOT NULL,
    at BIGINT NOT NULL,
    effective BIGINT NOT NULL,
    state INTEGER NOT NULL
);
CREATE UNIQUE INDEX pseudonym_replacements_pending ON pseudonym_replacements(person) WHERE state = 0;
",
};

const CARDS: Migration = Migration {
    name: "which chip card credentials were derived from",
    sql: "
ALTER TABLE issuances ADD COLUMN card TEXT;
ALTER TABLE issuances ADD COLUMN until BIGINT;
ALTER TABLE status_entries ADD COLUMN card TEXT;
CREATE INDEX issuances_by_card ON issuances(card) WHERE card IS NOT NULL;
CREATE INDEX status_entries_by_card ON status_entries(card) WHERE card IS NOT NULL;
",
};

const FREEZES: Migration = Migration {
    name: "keys that freeze what was issued to a wallet",
    sql: "
CREATE TABLE freeze_handles (
    batch TEXT PRIMARY KEY NOT NULL,
    thumbprint TEXT NOT NULL,
    freeze_key TEXT NOT NULL,
    grant_id TEXT,
    person TEXT NOT NULL,
    at BIGINT NOT NULL,
    frozen_at BIGINT
);
CREATE INDEX freeze_handles_by_thumbprint ON freeze_handles(thumbprint);
CREATE INDEX freeze_handles_by_person ON freeze_handles(person);
",
};

const LISTS: Migration = Migration {
    name: "status lists: several, each with a version",
    sql: "
CREATE TABLE status_lists (
    list INTEGER PRIMARY KEY NOT NULL,
    places INTEGER NOT NULL,
    version BIGINT NOT NULL
);
",
};

const SIGN_INS: Migration = Migration {
    name: "sign-ins by presentation, offers by reference",
    sql: "
CREATE TABLE sign_ins (
    id TEXT PRIMARY KEY NOT NULL,
    pushed TEXT NOT NULL UNIQUE,
    wanted TEXT NOT NULL,
    session TEXT NOT NULL,
    link TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    state INTEGER NOT NULL,
    person TEXT,
    granted TEXT
);
CREATE INDEX sign_ins_by_expiry ON sign_ins(expires_at);
CREATE TABLE offers (
    id TEXT PRIMARY KEY NOT NULL,
    sealed TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX offers_by_expiry ON offers(expires_at);
",
};

const TYPES: Migration = Migration {
    name: "metadata of types, by their digest",
    sql: "
CREATE TABLE type_documents (
    name TEXT PRIMARY KEY NOT NULL,
    vct TEXT NOT NULL,
    document TEXT NOT NULL,
    at BIGINT NOT NULL
);
",
};

const MARKERS: Migration = Migration {
    name: "markers in the order in which they expire",
    sql: "
ALTER TABLE used_once RENAME TO used_before;
CREATE TABLE used_once (
    expires_at BIGINT NOT NULL,
    marker TEXT NOT NULL,
    PRIMARY KEY (expires_at, marker)
) {by_key};
INSERT INTO used_once (expires_at, marker) SELECT expires_at, marker FROM used_before;
DROP TABLE used_before;
",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credentials, CredentialsError, Marker, Once};
    use sea_orm::ConnectionTrait as _;
    use yufu_base::Timestamp;
    use yufu_database::Database;

    #[tokio::test]
    async fn what_was_used_before_markers_were_put_in_order_stays_used() {
        let database = Database::in_memory().await.unwrap();
        let before = ALL.iter().position(|one| one.name == MARKERS.name).unwrap();
        database.migrate("credentials", &ALL[..before]).await.unwrap();
        let used = "INSERT INTO used_once (marker, expires_at) VALUES ('token:a', 60000)";
        database.connection().execute_unprepared(used).await.unwrap();
        let records = Credentials::open(database).await.unwrap();
        let token = |id: &str| {
            let expires_at = Timestamp::from_seconds(60);
            vec![Marker { what: Once::Token, id: id.to_owned(), expires_at }]
        };
        let again = records.use_once(token("a"), None, Timestamp::from_seconds(1)).await;
        assert!(matches!(again, Err(CredentialsError::UsedBefore(Once::Token))));
        records.use_once(token("b"), None, Timestamp::from_seconds(1)).await.unwrap();
    }
}
