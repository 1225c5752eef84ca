//! The tables.

use yufu_database::table;

table!(request, "requests", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    device: String,
    bank: String,
    link: String,
    session: String,
    expires_at: i64,
    answered_at: Option<i64>,
    receipt: Option<String>,
    token: Option<String>,
    subject: Option<String>,
    epoch: Option<i64>,
});

table!(returning, "returns", {
    #[sea_orm(primary_key, auto_increment = false)]
    request: String,
    redirect_uri: String,
    state: Option<String>,
    challenge: String,
});

table!(grant, "grants", {
    #[sea_orm(primary_key, auto_increment = false)]
    pseudonym: String,
    #[sea_orm(primary_key, auto_increment = false)]
    epoch: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    number: i64,
});

table!(keyset, "keysets", {
    #[sea_orm(primary_key, auto_increment = false)]
    bank: String,
    #[sea_orm(primary_key, auto_increment = false)]
    epoch: i64,
    keyset: String,
});
