//! The tables, and their history. Only opaque ids, keyed digests and sealed bytes lie in them,
//! beside who read what, when and why.

use yufu_database::Migration;

pub(crate) const COMPONENT: &str = "population";

pub(crate) const MIGRATIONS: [Migration; 2] = [FIRST, DEATHS];

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
