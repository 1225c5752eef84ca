//! The history of an account, for the bank that operates it: from the read model, which follows
//! behind the ledger and says with every answer how far it has come.

mod wire;

pub use wire::{
    AccountEntries, AccountEntry, BalanceThen, EntryOrder, HistoryThrough, TransferLeg,
    TransferThen,
};

use super::CentralBank;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use utoipa::IntoParams;
use wire::word;
use yufu_base::{AccountId, CommandId, InstitutionId, Timestamp};
use yufu_log::Seq;
use yufu_machine::{AccountKind, Machine, institution_account};
use yufu_views::{AskError, Leg, Listing, QueryError, StatementQuery, TransferView, View};

/// How long an answer waits for the history to come so far as is asked.
const PATIENCE: Duration = Duration::from_secs(3);
/// Entries in an answer, unless it is said, and at most.
const ENTRIES: usize = 100;
const MOST_ENTRIES: usize = 1_000;

/// Which entries are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EntriesAsked {
    /// Entries of this time and later, in milliseconds since the epoch.
    from: Option<u64>,
    /// Entries before this time, in milliseconds since the epoch.
    until: Option<u64>,
    /// The `number` of the last entry seen: those that follow it in the order asked for. It stays
    /// what it is while entries are added.
    cursor: Option<u64>,
    /// At most so many: 1 to 1,000. Default 100.
    limit: Option<usize>,
    /// `newest_first` (default) or `oldest_first`.
    order: Option<EntryOrder>,
    /// Answer only once the history has come to this record of the log (the `seq` of a command's
    /// answer); it is waited for, for 3 seconds.
    after_seq: Option<u64>,
}

/// Which instant is asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct InstantAsked {
    /// The instant, in milliseconds since the epoch.
    at: u64,
    /// Answer only once the history has come to this record of the log.
    after_seq: Option<u64>,
}

/// From when on a transfer is to be there.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TransferAsked {
    /// Answer only once the history has come to this record of the log.
    after_seq: Option<u64>,
}

/// The entries of an account that the asking bank operates.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the bank's key, for this address.
#[utoipa::path(get, path = "/central-bank/v1/accounts/{account}/entries", tag = "central bank",
    params(("account" = String, Path, description = "the account's id"), EntriesAsked),
    security(("request" = [])),
    responses(
        (status = 200, body = AccountEntries),
        (status = 400, description = "the question cannot be understood", body = ProblemBody),
        (status = 401, description = "not a bank's token", body = ProblemBody),
        (status = 404, description = "no account of that bank", body = ProblemBody),
        (status = 422, description = "from before the history begins", body = ProblemBody),
        (status = 503, description = "the history has not come so far", body = ProblemBody)))]
pub(super) async fn entries(
    State(bank): State<Arc<CentralBank>>,
    Path(account): Path<String>,
    asked: Result<Query<EntriesAsked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<AccountEntries>, Problem> {
    let Query(asked) = asked.map_err(|rejection| Problem::malformed(rejection.body_text()))?;
    let path = format!("/central-bank/v1/accounts/{account}/entries");
    let id = bank.own_account(&headers, &path, &account).await?;
    let (query, after) = (asked.query(id)?, asked.after_seq);
    let statement = bank.history(after, move |view| view.statement(&query)).await?;
    Ok(Json(statement.into()))
}

/// What an account that the asking bank operates held at an instant.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the bank's key, for this address.
#[utoipa::path(get, path = "/central-bank/v1/accounts/{account}/balance", tag = "central bank",
    params(("account" = String, Path, description = "the account's id"), InstantAsked),
    security(("request" = [])),
    responses(
        (status = 200, body = BalanceThen),
        (status = 400, description = "the question cannot be understood", body = ProblemBody),
        (status = 401, description = "not a bank's token", body = ProblemBody),
        (status = 404, description = "no account of that bank", body = ProblemBody),
        (status = 422, description = "from before the history begins", body = ProblemBody),
        (status = 503, description = "the history has not come so far", body = ProblemBody)))]
pub(super) async fn balance(
    State(bank): State<Arc<CentralBank>>,
    Path(account): Path<String>,
    asked: Result<Query<InstantAsked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<BalanceThen>, Problem> {
    let Query(asked) = asked.map_err(|rejection| Problem::malformed(rejection.body_text()))?;
    let path = format!("/central-bank/v1/accounts/{account}/balance");
    let id = bank.own_account(&headers, &path, &account).await?;
    let at = Timestamp::from_millis(asked.at);
    let found = bank.history(asked.after_seq, move |view| view.balance_at(id, at)).await?;
    Ok(Json(found.into()))
}

/// What a command moved, if one of the accounts is the asking bank's.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the bank's key, for this address. Of a
/// list or a chain each order has its own id.
#[utoipa::path(get, path = "/central-bank/v1/transfers/{command}", tag = "central bank",
    params(("command" = String, Path, description = "the command's id"), TransferAsked),
    security(("request" = [])),
    responses(
        (status = 200, body = TransferThen),
        (status = 400, description = "the question cannot be understood", body = ProblemBody),
        (status = 401, description = "not a bank's token", body = ProblemBody),
        (status = 404, description = "no transfer of an account of that bank", body = ProblemBody),
        (status = 503, description = "the history has not come so far", body = ProblemBody)))]
pub(super) async fn transfer(
    State(bank): State<Arc<CentralBank>>,
    Path(command): Path<String>,
    asked: Result<Query<TransferAsked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<TransferThen>, Problem> {
    let Query(asked) = asked.map_err(|rejection| Problem::malformed(rejection.body_text()))?;
    let id: CommandId = command.parse().map_err(Problem::malformed)?;
    let path = format!("/central-bank/v1/transfers/{command}");
    let asker = bank.asking_bank(&headers, ("GET", &path)).await?;
    let found = bank.history(asked.after_seq, move |view| view.transfer(id)).await?;
    Ok(Json(bank.transfer_for(&asker, found).await?))
}

impl EntriesAsked {
    fn query(&self, account: AccountId) -> Result<StatementQuery, Problem> {
        let limit = self.limit.unwrap_or(ENTRIES);
        let limit = NonZeroUsize::new(limit).filter(|limit| limit.get() <= MOST_ENTRIES);
        let wrong = || Problem::malformed(format!("limit has to be 1 to {MOST_ENTRIES}"));
        Ok(StatementQuery {
            account,
            from: self.from.map(Timestamp::from_millis),
            until: self.until.map(Timestamp::from_millis),
            cursor: self.cursor,
            listing: match self.order.unwrap_or_default() {
                EntryOrder::NewestFirst => Listing::NewestFirst,
                EntryOrder::OldestFirst => Listing::OldestFirst,
            },
            limit: limit.ok_or_else(wrong)?,
        })
    }
}

impl CentralBank {
    /// An account that the bank which signed the request operates.
    async fn own_account(
        &self,
        headers: &HeaderMap,
        path: &str,
        account: &str,
    ) -> Result<AccountId, Problem> {
        let id: AccountId = account.parse().map_err(Problem::malformed)?;
        let asker = self.asking_bank(headers, ("GET", path)).await?;
        let own = self.read(|machine, now| operates(machine, now, &asker, id)).await?;
        if own { Ok(id) } else { Err(Problem::not_found("account of yours")) }
    }

    /// Asks the history, on a thread that may wait.
    async fn history<R: Send + 'static>(
        &self,
        after: Option<u64>,
        ask: impl FnOnce(&View) -> Result<R, QueryError> + Send + 'static,
    ) -> Result<R, Problem> {
        let (views, after) = (Arc::clone(&self.views), after.map(Seq::new));
        let asked = tokio::task::spawn_blocking(move || views.ask((after, PATIENCE), ask));
        asked.await.map_err(Problem::internal)?.map_err(|error| unanswered(&error))
    }

    /// A transfer as a bank may see it: its own accounts' balances, and none at all if no account
    /// is its own.
    async fn transfer_for(
        &self,
        asker: &InstitutionId,
        found: TransferView,
    ) -> Result<TransferThen, Problem> {
        let legs = |machine: &Machine, now| {
            let leg = |leg: &Leg| {
                let own = |account| operates(machine, now, asker, account);
                TransferLeg {
                    debit: leg.debit.to_string(),
                    credit: leg.credit.to_string(),
                    amount_minor: leg.amount,
                    debit_balance_minor: own(leg.debit).then_some(leg.debit_balance),
                    credit_balance_minor: own(leg.credit).then_some(leg.credit_balance),
                }
            };
            found.legs.iter().map(leg).collect::<Vec<_>>()
        };
        let legs = self.read(legs).await?;
        let own = |leg: &TransferLeg| {
            leg.debit_balance_minor.is_some() || leg.credit_balance_minor.is_some()
        };
        if !legs.iter().any(own) {
            return Err(Problem::not_found("transfer of yours"));
        }
        let TransferView { through, seq, at, kind, .. } = found;
        let (seq, at, kind) = (seq.get(), at.millis(), word(kind).to_owned());
        Ok(TransferThen { through: through.into(), seq, at, kind, legs })
    }
}

/// Whether an account is a wallet that an institution operates, or one of its own.
fn operates(machine: &Machine, now: Timestamp, asker: &InstitutionId, account: AccountId) -> bool {
    let own = |kind| institution_account(asker, kind) == account;
    match machine.wallet(account, now) {
        Some(wallet) => wallet.bank == *asker,
        None => machine.balance(account).is_some() && AccountKind::ALL.into_iter().any(own),
    }
}

fn unanswered(error: &AskError) -> Problem {
    match error {
        AskError::Behind { through } => {
            Problem::unavailable("views.behind", error).with("through_seq", through.seq.get())
        }
        // The ledger has it, so the history will.
        AskError::Query(QueryError::AccountUnknown(_)) => {
            Problem::unavailable("views.behind", error)
        }
        AskError::Query(QueryError::TransferUnknown(_)) => Problem::not_found("transfer of yours"),
        AskError::Query(QueryError::BeforeHistory { begins }) => {
            Problem::refused("views.before_history", error).with("begins", begins.millis())
        }
        AskError::Stopped(_) | AskError::Query(QueryError::View(_)) => {
            tracing::error!(%error, "the history does not answer");
            Problem::unavailable("views.stopped", error)
        }
    }
}
