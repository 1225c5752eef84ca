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

table!(customer, "customers", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    number_index: Vec<u8>,
    sealed_claims: Vec<u8>,
    enrolled_at: i64,
    retained_until: i64,
});

table!(account, "accounts", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    customer: Option<String>,
    class: String,
    wallet_key: String,
    state: String,
    created_at: i64,
});

table!(verification, "verifications", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    purpose: String,
    subject: String,
    session: String,
    expires_at: i64,
    answered_at: Option<i64>,
});

table!(order, "orders", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    account: String,
    signed: String,
    state: String,
    verification: Option<String>,
    created_at: i64,
});

table!(outbox, "outbox", {
    #[sea_orm(primary_key, auto_increment = false)]
    command_id: String,
    subject: String,
    submission: Vec<u8>,
    outcome: Option<String>,
    created_at: i64,
});

table!(receipt, "receipts", {
    #[sea_orm(primary_key, auto_increment = false)]
    verification: String,
    receipt: String,
    created_at: i64,
    retained_until: i64,
});

table!(access, "accesses", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    customer: String,
    actor: String,
    purpose: String,
    fields: String,
    at: i64,
});
