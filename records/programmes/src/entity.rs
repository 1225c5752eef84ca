//! The tables as entities. Times are milliseconds since the epoch.

use yufu_database::table;

table!(setting, "settings", {
    #[sea_orm(primary_key, auto_increment = false)]
    name: String,
    value: String,
});

table!(enrolment, "enrolments", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    programme: String,
    pseudonym: String,
    holder_key: String,
    bank: String,
    account: String,
    signed_at: i64,
    session: String,
    expires_at: i64,
    answered_at: Option<i64>,
    receipt: Option<String>,
});

table!(member, "members", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    programme: String,
    pseudonym: String,
    holder_key: String,
    state: String,
    since: String,
    bank: String,
    account: String,
    signed_at: i64,
    payout_set_at: i64,
    status_uri: String,
    status_index: i64,
    says_until: i64,
    shown_at: i64,
    next_bank: Option<String>,
    next_account: Option<String>,
    next_signed_at: Option<i64>,
    next_from: Option<i64>,
    frozen_at: Option<i64>,
    guarded_at: Option<i64>,
});

table!(freeze_key, "freeze_keys", {
    #[sea_orm(primary_key, auto_increment = false)]
    member: String,
    thumbprint: String,
    freeze_key: String,
    at: i64,
});

table!(envelope, "envelopes", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    programme: String,
    month: String,
    state: String,
    prepared_by: String,
    approved_by: Option<String>,
    created_at: i64,
    items: i64,
    items_minor: i64,
    paid: i64,
    paid_minor: i64,
    returned: i64,
    returned_minor: i64,
    pending: i64,
    pending_minor: i64,
});

table!(item, "items", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    envelope: String,
    programme: String,
    month: String,
    member: String,
    amount_minor: i64,
    command: String,
    payee: Option<String>,
    sent_at: Option<i64>,
    state: String,
    reason: Option<String>,
    detail: String,
    settled_at: Option<i64>,
});

table!(attempt, "attempts", {
    #[sea_orm(primary_key, auto_increment = false)]
    command: String,
    item: String,
    outcome: String,
    at: i64,
});

table!(step, "steps", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    envelope: String,
    step: String,
    officer: String,
    at: i64,
});
