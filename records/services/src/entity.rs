//! The tables as entities. Times are milliseconds since the epoch.

/// A table's entity.
macro_rules! table {
    ($module:ident, $name:literal, { $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)? }) => {
        #[allow(unreachable_pub, reason = "the derive needs its model public within a private module")]
        pub(crate) mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $name)]
            pub struct Model {
                $($(#[$meta])* pub $field: $type),*
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

table!(setting, "settings", {
    #[sea_orm(primary_key, auto_increment = false)]
    name: String,
    value: String,
});

table!(asked, "asked", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    purpose: String,
    subject: String,
    session: String,
    expires_at: i64,
    answered_at: Option<i64>,
    receipt: Option<String>,
});

table!(charge, "charges", {
    #[sea_orm(primary_key, auto_increment = false)]
    subject: String,
    order_id: String,
    amount_minor: i64,
    bank: String,
    forwarded: String,
    state: String,
    payment: String,
    detail: String,
});

table!(stay, "stays", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    room: String,
    nights: i32,
    sealed_guest: Option<Vec<u8>>,
    retained_until: Option<i64>,
    created_at: i64,
});

table!(access, "accesses", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    stay: String,
    actor: String,
    purpose: String,
    fields: String,
    at: i64,
});

table!(departure, "departures", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    train: String,
    date: String,
    class: String,
    price_minor: i64,
    seats: i32,
});

table!(ticket, "tickets", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    departure: String,
    seat: i32,
    state: String,
    paid_by: String,
    created_at: i64,
});
