//! The tables, and their history. Only opaque ids, keyed digests and sealed bytes lie in them,
//! beside who read what, when and why.

use yufu_database::Migration;

pub(crate) const COMPONENT: &str = "population";

pub(crate) const MIGRATIONS: [Migration; 5] = [FIRST, DEATHS, GUARDIANSHIPS, CARDS, ERASURES];

const ERASURES: Migration = Migration {
    name: "erasures that were asked for",
    sql: "
    CREATE TABLE erasures (
        id {uuid} NOT NULL PRIMARY KEY,
        person {uuid} NOT NULL,
        asked_by TEXT NOT NULL,
        evidence TEXT NOT NULL,
        at BIGINT NOT NULL,
        until BIGINT NOT NULL,
        confirmed_by TEXT,
        confirmed_at BIGINT
    );
    CREATE INDEX erasures_of_person ON erasures (person, until);",
};

const DEATHS: Migration = Migration {
    name: "deaths",
    sql: "
    CREATE TABLE population_death (
        person {uuid} NOT NULL PRIMARY KEY,
        at BIGINT NOT NULL
    );",
};

const FIRST: Migration = Migration {
    name: "persons, imports, accesses",
    sql: "
    CREATE TABLE person (
        id {uuid} NOT NULL PRIMARY KEY,
        number_index {bytes} NOT NULL UNIQUE,
        sealed {bytes} NOT NULL
    );
    CREATE TABLE population_import (
        id BIGINT NOT NULL PRIMARY KEY,
        fingerprint {bytes} NOT NULL,
        persons BIGINT NOT NULL
    );
    CREATE TABLE population_access (
        id {uuid} NOT NULL PRIMARY KEY,
        person {uuid},
        at BIGINT NOT NULL,
        deed TEXT NOT NULL,
        actor TEXT NOT NULL,
        role TEXT NOT NULL,
        purpose TEXT NOT NULL,
        fields TEXT NOT NULL
    );
    CREATE INDEX population_access_of_person ON population_access (person, at);",
};

const GUARDIANSHIPS: Migration = Migration {
    name: "guardianships",
    sql: "
    CREATE TABLE guardianships (
        id {uuid} NOT NULL PRIMARY KEY,
        guardian {uuid} NOT NULL,
        ward {uuid} NOT NULL,
        officer TEXT NOT NULL,
        evidence TEXT NOT NULL,
        at BIGINT NOT NULL,
        ended_at BIGINT,
        ended_by TEXT,
        end_reason TEXT
    );
    CREATE UNIQUE INDEX guardianships_in_force ON guardianships (guardian, ward) WHERE ended_at IS NULL;",
};

const CARDS: Migration = Migration {
    name: "cards",
    sql: "
    CREATE TABLE cards (
        id {uuid} NOT NULL PRIMARY KEY,
        person {uuid} NOT NULL,
        number_index {bytes} NOT NULL UNIQUE,
        officer TEXT NOT NULL,
        evidence TEXT NOT NULL,
        at BIGINT NOT NULL,
        checked_at BIGINT,
        checked_by TEXT,
        ended_at BIGINT,
        ended_by TEXT,
        end_reason TEXT
    );
    CREATE UNIQUE INDEX cards_in_force ON cards (person) WHERE ended_at IS NULL;",
};

yufu_database::table!(asked, "erasures", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    person: Uuid,
    asked_by: String,
    evidence: String,
    at: i64,
    until: i64,
    confirmed_by: Option<String>,
    confirmed_at: Option<i64>,
});

yufu_database::table!(card, "cards", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    person: Uuid,
    number_index: Vec<u8>,
    officer: String,
    evidence: String,
    at: i64,
    checked_at: Option<i64>,
    checked_by: Option<String>,
    ended_at: Option<i64>,
    ended_by: Option<String>,
    end_reason: Option<String>,
});

yufu_database::table!(guardianship, "guardianships", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    guardian: Uuid,
    ward: Uuid,
    officer: String,
    evidence: String,
    at: i64,
    ended_at: Option<i64>,
    ended_by: Option<String>,
    end_reason: Option<String>,
});

/// A person: everything the register knows is within `sealed`.
pub(crate) mod person {
    #![expect(unreachable_pub, reason = "sea-orm derives public items from public ones")]
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "person")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub number_index: Vec<u8>,
        pub sealed: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The one import a register is made by.
pub(crate) mod import {
    #![expect(unreachable_pub, reason = "sea-orm derives public items from public ones")]
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "population_import")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub fingerprint: Vec<u8>,
        pub persons: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who did what with a person's record; `person` is empty if the number was unknown.
pub(crate) mod access {
    #![expect(unreachable_pub, reason = "sea-orm derives public items from public ones")]
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "population_access")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub person: Option<Uuid>,
        pub at: i64,
        pub deed: String,
        pub actor: String,
        pub role: String,
        pub purpose: String,
        pub fields: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who died, by internal id; on what evidence, the access that recorded it says.
pub(crate) mod death {
    #![expect(unreachable_pub, reason = "sea-orm derives public items from public ones")]
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "population_death")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Uuid,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
