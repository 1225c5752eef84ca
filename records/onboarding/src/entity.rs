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

table!(phone, "phones", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    number_index: Vec<u8>,
    sealed_number: Vec<u8>,
    codes_sent: i64,
    wait_until: i64,
    first_at: i64,
});

table!(code, "phone_codes", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    phone: String,
    class: String,
    wallet_key: String,
    account: String,
    provider: Option<String>,
    code_index: Vec<u8>,
    attempts: i64,
    answer_from: i64,
    expires_at: i64,
    state: String,
    purpose: String,
});

table!(message, "phone_messages", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    phone: String,
    sealed_text: Vec<u8>,
    at: i64,
});

table!(token, "counter_tokens", {
    #[sea_orm(primary_key, auto_increment = false)]
    token_index: Vec<u8>,
    class: String,
    officer: String,
    issued_at: i64,
    expires_at: i64,
    account: Option<String>,
});

table!(branch_step, "branch_steps", {
    #[sea_orm(primary_key, auto_increment = false)]
    command_id: String,
    account: String,
    step: String,
    officer: String,
    evidence: String,
    at: i64,
});

table!(key_change, "key_changes", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    account: String,
    way: String,
    evidence: String,
    former_key: String,
    new_key: String,
    at: i64,
    credentials_revoked_at: Option<i64>,
});

table!(served_through, "served_through", {
    #[sea_orm(primary_key, auto_increment = false)]
    account: String,
    provider: String,
    since: i64,
});

table!(linked, "linked_accounts", {
    #[sea_orm(primary_key, auto_increment = false)]
    reference_index: Vec<u8>,
    account: String,
    bank: String,
    sealed_statement: Vec<u8>,
    at: i64,
});

table!(guardian, "guardians", {
    #[sea_orm(primary_key, auto_increment = false)]
    account: String,
    guardian: String,
    sealed: Vec<u8>,
    at: i64,
});

table!(card, "cards", {
    #[sea_orm(primary_key, auto_increment = false)]
    card_index: Vec<u8>,
    account: String,
    state: String,
    pin_salt: Option<Vec<u8>>,
    pin_digest: Option<Vec<u8>>,
    issued_at: i64,
});

table!(attempt, "card_attempts", {
    #[sea_orm(primary_key, auto_increment = false)]
    card_index: Vec<u8>,
    failed: i64,
    wait_until: i64,
});

table!(card_step, "card_steps", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    account: String,
    step: String,
    officer: String,
    evidence: String,
    at: i64,
});

table!(terminal, "terminal_sessions", {
    #[sea_orm(primary_key, auto_increment = false)]
    session_index: Vec<u8>,
    terminal: String,
    officer: String,
    expires_at: i64,
});

table!(mint_quote, "mint_quotes", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    method: String,
    amount: i64,
    pubkey: Option<String>,
    account: Option<String>,
    signed: Option<String>,
    command: Option<String>,
    expires_at: i64,
    created_at: i64,
});

table!(melt_quote, "melt_quotes", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    method: String,
    request: String,
    amount: i64,
    payee: String,
    command: Option<String>,
    expires_at: i64,
    created_at: i64,
});

table!(blind_batch, "blind_batches", {
    #[sea_orm(primary_key, auto_increment = false)]
    token: String,
    outputs: Vec<u8>,
    epoch: i64,
});

table!(blind_token, "blind_tokens", {
    #[sea_orm(primary_key, auto_increment = false)]
    point: Vec<u8>,
    quote: String,
    epoch: i64,
});

table!(top_up, "top_ups", {
    #[sea_orm(primary_key, auto_increment = false)]
    quote: String,
    account: String,
    officer: String,
    command: Option<String>,
    at: i64,
});

table!(note_preimage, "note_preimages", {
    #[sea_orm(primary_key, auto_increment = false)]
    point: Vec<u8>,
    preimage: Vec<u8>,
    over_at: i64,
});

table!(freeze_key, "freeze_keys", {
    #[sea_orm(primary_key, auto_increment = false)]
    account: String,
    thumbprint: String,
    freeze_key: String,
    at: i64,
});

table!(account_freeze, "account_freezes", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    account: String,
    officer: Option<String>,
    evidence: Option<String>,
    at: i64,
    lifted_at: Option<i64>,
    lifted_by: Option<String>,
    lift_evidence: Option<String>,
});
