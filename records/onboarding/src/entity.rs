//! The tables as entities. Times are milliseconds since the epoch.

use yufu_database::table;

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
