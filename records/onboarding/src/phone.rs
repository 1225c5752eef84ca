//! Opening a purse without identity: whoever answers the code sent to a phone number, or brings a
//! token from a counter, gets one. Of the number only a keyed digest stays readable; the number
//! itself is sealed under a key of its own, and erased with it.

use crate::account::{self, Account};
use crate::entity::{code, message, phone, token};
use crate::key;
use crate::outbox::{self, OutboxEntry};
use crate::{AccountState, Onboarding, OnboardingError};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use uuid::Uuid;
use yufu_base::{AccountId, CommandId, GrowingDelay, Timestamp};

/// The index under which a number is found again without being readable.
const NUMBER: &str = "onboarding.phone-number";
/// What a sealed number is bound to.
pub(crate) const PLACE: &str = "onboarding.phones.number";
const CODE: &str = "onboarding.code";
const TOKEN: &str = "onboarding.counter-token";

/// For how long a code may be answered, in seconds.
const CODE_SECONDS: u64 = 600;
/// How many answers one code may have.
const MOST_ATTEMPTS: i64 = 5;
/// The longest that a number has to wait, in seconds.
const LONGEST_WAIT: u64 = 3600;
/// Between codes sent to a number.
const BETWEEN_CODES: GrowingDelay = GrowingDelay { first: 15, longest: LONGEST_WAIT };
/// After wrong answers.
const AFTER_WRONG: GrowingDelay = GrowingDelay { first: 1, longest: LONGEST_WAIT };
/// After a quiet day a number's count of codes and wrong answers begins anew.
const QUIET_SECONDS: u64 = 86_400;

/// A purse that is to be opened for whoever answers the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeOpening {
    /// Its id, unguessable.
    pub id: String,
    /// The wallet class.
    pub class: String,
    /// The key that is to give orders: a JWK.
    pub wallet_key: String,
    /// The account's id, drawn at random.
    pub account: AccountId,
    /// The wallet provider it is served through; none for a wallet of the bank's own.
    pub provider: Option<String>,
}

/// Where an opening by code stands.
const WAITING: &str = "waiting";
const REPLACED: &str = "replaced";
const DONE: &str = "done";

/// What a code is sent for: to open a purse, or to wake it.
const OPENING: &str = "open";
pub(crate) const WAKING: &str = "wake";

impl Onboarding {
    /// Notes that `code` is sent to `number`, to open what `new` says; an earlier code to the same
    /// number is void. Which phone it is, for delivery.
    ///
    /// # Errors
    /// [`OnboardingError::TooSoon`] while the number has to wait: longer with every code.
    pub async fn send_code(
        &self,
        new: &CodeOpening,
        number: &str,
        code: &str,
        at: Timestamp,
    ) -> Result<Uuid, OnboardingError> {
        let transaction = self.database.begin().await?;
        let row = self.phone(&transaction, number, at).await?;
        let id = parse_id(&row.id)?;
        self.put_code(&transaction, row, (new, OPENING), code, at).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Notes a code to a number, for what it is sent; an earlier one to the same number is void.
    pub(crate) async fn put_code(
        &self,
        transaction: &DatabaseTransaction,
        row: phone::Model,
        (new, purpose): (&CodeOpening, &str),
        code: &str,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        let wait_until = crate::from_column(row.wait_until)?;
        if at < wait_until {
            return Err(too_soon(at, wait_until));
        }
        let quiet = at >= wait_until.plus_seconds(QUIET_SECONDS);
        let sent = if quiet { 1 } else { row.codes_sent.saturating_add(1) };
        let until = crate::to_column(later(at, BETWEEN_CODES, sent));
        phone::Entity::update_many()
            .col_expr(phone::Column::CodesSent, Expr::value(sent))
            .col_expr(phone::Column::WaitUntil, Expr::value(until))
            .filter(phone::Column::Id.eq(&row.id))
            .exec(transaction)
            .await?;
        code::Entity::update_many()
            .col_expr(code::Column::State, Expr::value(REPLACED))
            .filter(code::Column::Phone.eq(&row.id))
            .filter(code::Column::State.eq(WAITING))
            .exec(transaction)
            .await?;
        let opening = code::ActiveModel {
            id: Set(new.id.clone()),
            phone: Set(row.id),
            class: Set(new.class.clone()),
            wallet_key: Set(new.wallet_key.clone()),
            account: Set(new.account.to_string()),
            provider: Set(new.provider.clone()),
            code_index: Set(self.code_index(&new.id, code)),
            attempts: Set(0),
            answer_from: Set(crate::to_column(at)),
            expires_at: Set(crate::to_column(at.plus_seconds(CODE_SECONDS))),
            state: Set(WAITING.to_owned()),
            purpose: Set(purpose.to_owned()),
        };
        code::Entity::insert(opening).exec_without_returning(transaction).await?;
        Ok(())
    }

    /// The code that is answered rightly; a wrong answer is counted, durably.
    pub(crate) async fn right_code(
        &self,
        transaction: DatabaseTransaction,
        (id, purpose): (&str, &str),
        given: &str,
        at: Timestamp,
    ) -> Result<(DatabaseTransaction, code::Model), OnboardingError> {
        let row = code::Entity::find_by_id(id).one(&transaction).await?;
        let row = row.filter(|row| row.purpose == purpose);
        let row = row.ok_or(OnboardingError::Unknown("opening"))?;
        answerable(&row, at)?;
        if row.code_index != self.code_index(id, given) {
            let refusal = wrong(&transaction, &row, at).await?;
            transaction.commit().await?;
            return Err(refusal);
        }
        Ok((transaction, row))
    }

    /// What is to be opened when the code is answered.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is no such opening.
    pub async fn code_opening(&self, id: &str) -> Result<CodeOpening, OnboardingError> {
        let row = code::Entity::find_by_id(id).one(self.database.connection()).await?;
        let row = row.filter(|row| row.purpose == OPENING);
        let row = row.ok_or(OnboardingError::Unknown("opening"))?;
        let account = row.account.parse().map_err(|_| OnboardingError::Damaged("account id"))?;
        let (id, class, wallet_key, provider) = (row.id, row.class, row.wallet_key, row.provider);
        Ok(CodeOpening { id, class, wallet_key, account, provider })
    }

    /// Answers a code: the right one enters the account and its ledger command, once. A wrong one
    /// is counted, and the next answer has to wait longer. The command that opens the account.
    ///
    /// # Errors
    /// In this order: [`OnboardingError::Unknown`], [`OnboardingError::AlreadyAnswered`],
    /// [`OnboardingError::CodeExpired`], [`OnboardingError::CodeExhausted`],
    /// [`OnboardingError::TooSoon`], [`OnboardingError::CodeWrong`],
    /// [`OnboardingError::TooManyAccounts`].
    pub async fn answer_code(
        &self,
        id: &str,
        given: &str,
        at_most: u32,
        command: &OutboxEntry,
        at: Timestamp,
    ) -> Result<CommandId, OnboardingError> {
        let transaction = self.database.begin().await?;
        let (transaction, row) = self.right_code(transaction, (id, OPENING), given, at).await?;
        if held(&transaction, &row.phone, &row.class).await? >= u64::from(at_most) {
            return Err(OnboardingError::TooManyAccounts { class: row.class, at_most });
        }
        done(&transaction, id).await?;
        let account = row.account.parse().map_err(|_| OnboardingError::Damaged("account id"))?;
        insert(&transaction, account, (row.class, row.wallet_key), command, at).await?;
        let since = crate::to_column(at);
        key::serve_through(&transaction, account, row.provider.as_deref(), since).await?;
        transaction.commit().await?;
        Ok(command.command)
    }

    /// Notes a token for one purse of `class`, given out at a counter.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be written.
    pub async fn issue_token(
        &self,
        text: &str,
        class: &str,
        officer: &str,
        (at, expires): (Timestamp, Timestamp),
    ) -> Result<(), OnboardingError> {
        let row = token::ActiveModel {
            token_index: Set(self.sealer.blind(TOKEN, text).as_bytes().to_vec()),
            class: Set(class.to_owned()),
            officer: Set(officer.to_owned()),
            issued_at: Set(crate::to_column(at)),
            expires_at: Set(crate::to_column(expires)),
            account: Set(None),
        };
        token::Entity::insert(row).exec_without_returning(self.database.connection()).await?;
        Ok(())
    }

    /// Opens a purse for a token: it is used up, the account and its ledger command entered, in
    /// one transaction.
    ///
    /// # Errors
    /// In this order: [`OnboardingError::TokenUnknown`] (also for another class),
    /// [`OnboardingError::TokenUsed`], [`OnboardingError::TokenExpired`].
    pub async fn use_token(
        &self,
        text: &str,
        new: &CodeOpening,
        command: &OutboxEntry,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        let index = self.sealer.blind(TOKEN, text).as_bytes().to_vec();
        let transaction = self.database.begin().await?;
        let row = token::Entity::find_by_id(index.clone()).one(&transaction).await?;
        let row = row.filter(|row| row.class == new.class).ok_or(OnboardingError::TokenUnknown)?;
        if row.account.is_some() {
            return Err(OnboardingError::TokenUsed);
        }
        if at >= crate::from_column(row.expires_at)? {
            return Err(OnboardingError::TokenExpired);
        }
        token::Entity::update_many()
            .col_expr(token::Column::Account, Expr::value(new.account.to_string()))
            .filter(token::Column::TokenIndex.eq(index))
            .exec(&transaction)
            .await?;
        let terms = (new.class.clone(), new.wallet_key.clone());
        insert(&transaction, new.account, terms, command, at).await?;
        let since = crate::to_column(at);
        key::serve_through(&transaction, new.account, new.provider.as_deref(), since).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Erases the number behind a purse: its data key is destroyed, so that neither it nor the
    /// messages to it can be read again. The keyed digest stays, and with it "one per number".
    ///
    /// # Errors
    /// [`OnboardingError::Seal`] if the key cannot be destroyed; nothing happens without a number.
    pub async fn erase_number(&self, account: AccountId) -> Result<(), OnboardingError> {
        let row = code::Entity::find()
            .filter(code::Column::Account.eq(account.to_string()))
            .one(self.database.connection())
            .await?;
        let Some(row) = row else { return Ok(()) };
        let id = parse_id(&row.phone)?;
        self.sealer.destroy(&[id]).await?;
        message::Entity::delete_many()
            .filter(message::Column::Phone.eq(&row.phone))
            .exec(self.database.connection())
            .await?;
        phone::Entity::update_many()
            .col_expr(phone::Column::SealedNumber, Expr::value(Vec::<u8>::new()))
            .filter(phone::Column::Id.eq(&row.phone))
            .exec(self.database.connection())
            .await?;
        Ok(())
    }

    /// Forgets every number that opened no purse and has been quiet for a day: row, codes, key.
    ///
    /// # Errors
    /// [`OnboardingError::Seal`], [`OnboardingError::Database`].
    pub async fn forget_unanswered(&self, at: Timestamp) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        let quiet = crate::to_column(at.minus_seconds(QUIET_SECONDS));
        let rows = phone::Entity::find()
            .filter(phone::Column::WaitUntil.lt(quiet))
            .all(&transaction)
            .await?;
        for row in rows {
            let codes = || code::Entity::find().filter(code::Column::Phone.eq(&row.id));
            let opened = codes().filter(code::Column::State.eq(DONE)).one(&transaction).await?;
            if opened.is_some() {
                continue;
            }
            self.sealer.destroy(&[parse_id(&row.id)?]).await?;
            let codes = code::Entity::delete_many().filter(code::Column::Phone.eq(&row.id));
            codes.exec(&transaction).await?;
            let messages =
                message::Entity::delete_many().filter(message::Column::Phone.eq(&row.id));
            messages.exec(&transaction).await?;
            phone::Entity::delete_by_id(row.id).exec(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The row of a number; a new one, sealed, if it was never seen. Both take the same statements and write the same
    /// rows: whoever tries numbers learns from neither answer nor time which the bank knows.
    async fn phone(
        &self,
        transaction: &DatabaseTransaction,
        number: &str,
        at: Timestamp,
    ) -> Result<phone::Model, OnboardingError> {
        let index = self.sealer.blind(NUMBER, number).as_bytes().to_vec();
        let found = phone::Entity::find()
            .filter(phone::Column::NumberIndex.eq(index.clone()))
            .one(transaction)
            .await?;
        let fresh = phone::Model {
            id: Uuid::new_v4().to_string(),
            number_index: index,
            sealed_number: Vec::new(),
            codes_sent: 0,
            wait_until: 0,
            first_at: crate::to_column(at),
        };
        let mut row = found.unwrap_or(fresh);
        // Sealed anew each time; it was empty if the number was erased meanwhile.
        let key = self.sealer.ensure(parse_id(&row.id)?).await?;
        row.sealed_number = key.seal(PLACE, number.as_bytes())?;
        let known = OnConflict::column(phone::Column::NumberIndex)
            .update_column(phone::Column::SealedNumber)
            .to_owned();
        phone::Entity::insert(phone::ActiveModel::from(row.clone()))
            .on_conflict(known)
            .exec_without_returning(transaction)
            .await?;
        Ok(row)
    }

    fn code_index(&self, opening: &str, code: &str) -> Vec<u8> {
        self.sealer.blind(CODE, &format!("{opening}\0{code}")).as_bytes().to_vec()
    }
}

/// Marks a code as answered: it counts once.
pub(crate) async fn done(
    transaction: &DatabaseTransaction,
    id: &str,
) -> Result<(), OnboardingError> {
    code::Entity::update_many()
        .col_expr(code::Column::State, Expr::value(DONE))
        .filter(code::Column::Id.eq(id))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Whether a code may be answered at all.
fn answerable(row: &code::Model, at: Timestamp) -> Result<(), OnboardingError> {
    let answer_from = crate::from_column(row.answer_from)?;
    match row.state.as_str() {
        WAITING if at >= crate::from_column(row.expires_at)? => Err(OnboardingError::CodeExpired),
        WAITING if row.attempts >= MOST_ATTEMPTS => Err(OnboardingError::CodeExhausted),
        WAITING if at < answer_from => Err(too_soon(at, answer_from)),
        WAITING => Ok(()),
        REPLACED => Err(OnboardingError::CodeExpired),
        _ => Err(OnboardingError::AlreadyAnswered),
    }
}

/// Counts a wrong answer; the number has to wait for the next answer, and for the next code.
async fn wrong(
    transaction: &DatabaseTransaction,
    row: &code::Model,
    at: Timestamp,
) -> Result<OnboardingError, OnboardingError> {
    let attempts = row.attempts.saturating_add(1);
    let from = later(at, AFTER_WRONG, attempts);
    code::Entity::update_many()
        .col_expr(code::Column::Attempts, Expr::value(attempts))
        .col_expr(code::Column::AnswerFrom, Expr::value(crate::to_column(from)))
        .filter(code::Column::Id.eq(&row.id))
        .exec(transaction)
        .await?;
    let left = u32::try_from(MOST_ATTEMPTS.saturating_sub(attempts)).unwrap_or(0);
    let retry_after = from.seconds().saturating_sub(at.seconds());
    Ok(OnboardingError::CodeWrong { left, retry_after })
}

/// When the wait after so many times in a row is over.
pub(crate) fn later(at: Timestamp, delay: GrowingDelay, times: i64) -> Timestamp {
    at.plus_seconds(delay.seconds(u32::try_from(times).unwrap_or(0)))
}

fn too_soon(at: Timestamp, until: Timestamp) -> OnboardingError {
    let millis = until.millis().saturating_sub(at.millis());
    OnboardingError::TooSoon { retry_after: millis.div_ceil(1000) }
}

/// How many purses of a class a number has that are neither refused nor closed.
async fn held(
    transaction: &DatabaseTransaction,
    phone: &str,
    class: &str,
) -> Result<u64, OnboardingError> {
    let done = code::Entity::find()
        .filter(code::Column::Phone.eq(phone))
        .filter(code::Column::Class.eq(class))
        .filter(code::Column::State.eq(DONE))
        .all(transaction)
        .await?;
    let ids: Vec<String> = done.into_iter().map(|row| row.account).collect();
    account::count_live(transaction, ids).await
}

async fn insert(
    transaction: &DatabaseTransaction,
    id: AccountId,
    (class, wallet_key): (String, String),
    command: &OutboxEntry,
    at: Timestamp,
) -> Result<(), OnboardingError> {
    let state = AccountState::Opening;
    let new = Account { id, customer: None, class, wallet_key, state };
    account::insert(transaction, &new, at).await?;
    outbox::put(transaction, command, at).await
}

pub(crate) fn parse_id(text: &str) -> Result<Uuid, OnboardingError> {
    Uuid::parse_str(text).map_err(|_| OnboardingError::Damaged("phone id"))
}
