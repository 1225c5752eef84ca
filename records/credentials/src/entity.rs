//! The tables as entities. Times are milliseconds since the epoch.

use yufu_database::table;

table!(authentication, "authentications", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    person: String,
    officer: String,
    evidence: String,
    at: i64,
});

table!(issuance, "issuances", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    authentication: String,
    person: String,
    lookup: String,
    session: String,
    stage: i32,
    expires_at: i64,
    card: Option<String>,
    until: Option<i64>,
});

table!(nonce, "nonces", {
    #[sea_orm(primary_key, auto_increment = false)]
    nonce: String,
    expires_at: i64,
});

table!(status_entry, "status_entries", {
    #[sea_orm(primary_key, auto_increment = false)]
    list: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    position: i32,
    person: String,
    issuance: String,
    status: i32,
    expires_at: i64,
    card: Option<String>,
});

table!(status_list, "status_lists", {
    #[sea_orm(primary_key, auto_increment = false)]
    list: i32,
    places: i32,
    version: i64,
});

table!(used_once, "used_once", {
    #[sea_orm(primary_key, auto_increment = false)]
    expires_at: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    marker: String,
});

table!(grant, "grants", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    person: String,
    state: i32,
    at: i64,
    expires_at: i64,
    card: Option<String>,
});

table!(check, "checks", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    grant_id: String,
    person: String,
    credential: String,
    at: i64,
    state: i32,
    officer: Option<String>,
    evidence: Option<String>,
    decided_at: Option<i64>,
});

table!(pseudonym, "pseudonyms", {
    #[sea_orm(primary_key, auto_increment = false)]
    sector: String,
    #[sea_orm(primary_key, auto_increment = false)]
    digest: Vec<u8>,
    person: String,
    retired_at: Option<i64>,
});

table!(replacement, "pseudonym_replacements", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    person: String,
    officer: String,
    evidence: String,
    at: i64,
    effective: i64,
    state: i32,
});

table!(freeze_handle, "freeze_handles", {
    #[sea_orm(primary_key, auto_increment = false)]
    batch: String,
    thumbprint: String,
    freeze_key: String,
    grant_id: Option<String>,
    person: String,
    at: i64,
    frozen_at: Option<i64>,
});

table!(sign_in, "sign_ins", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    pushed: String,
    wanted: String,
    session: String,
    link: String,
    expires_at: i64,
    state: i32,
    person: Option<String>,
    granted: Option<String>,
});

table!(offer, "offers", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    sealed: String,
    expires_at: i64,
});

table!(type_document, "type_documents", {
    #[sea_orm(primary_key, auto_increment = false)]
    name: String,
    vct: String,
    document: String,
    at: i64,
});
