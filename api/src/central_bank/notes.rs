//! Bearer notes as the ledger knows them: what anybody may know of each keyset, signed, and what a bank
//! asks of its own notes.

use super::CentralBank;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::Timestamp;
use yufu_jose::Header;
use yufu_machine::{KeysetView, MOST_NOTES, NoteRules, Payees, Point};

/// The type of the signed list of keysets.
const TYPE: &str = "yufu-keysets+jwt";
/// For how long a signed list may be relied on, in seconds.
const GOOD_FOR: u64 = 86_400;

/// All keysets of all banks, by the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Keysets {
    /// The same as a JWS of type `yufu-keysets+jwt`, signed by the central bank: what wallets hold a
    /// mint's keysets against, so that no mint can tag people with keysets of their own.
    pub statement: String,
    /// The keysets, by their numbers.
    pub keysets: Vec<PublishedKeyset>,
    /// The rules for notes; absent where no new ones are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<PublishedNoteRules>,
}

/// One keyset and what is out of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublishedKeyset {
    /// What the log knows it by.
    pub number: u32,
    /// The bank whose it is.
    pub bank: String,
    /// The digest of its id: BLAKE3 in the context `yufu keyset v1`, 64 hexadecimal digits.
    pub keys: String,
    /// How many denominations it has: 1, 2, 4, ... minor units.
    pub denominations: u8,
    /// The fee of spending a note, in parts per thousand of a minor unit.
    pub input_fee_ppk: u32,
    /// From when on, in seconds since the epoch, its notes are not redeemed any more.
    pub final_expiry: u64,
    /// Whether its notes are paid to registered payees alone.
    pub registered_payees: bool,
    /// Whether outputs are signed with it.
    pub active: bool,
    /// What it has signed for, in minor units.
    pub issued_minor: u64,
    /// What of that came back, in minor units.
    pub redeemed_minor: u64,
    /// How many outputs it has promised: how many hide each other.
    pub outputs: u64,
    /// How many of its notes were spent.
    pub spent: u64,
}

/// The rules for notes. Amounts are minor units; an absent limit is any amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublishedNoteRules {
    /// The most one withdrawal may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_withdrawal_minor: Option<u64>,
    /// The most that may be withdrawn from a wallet in a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day_minor: Option<u64>,
    /// The most that may be withdrawn from a wallet in a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_year_minor: Option<u64>,
    /// The most a registered payee may be paid in one order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_redemption_minor: Option<u64>,
    /// The classes whose wallets are registered payees.
    pub payees: Vec<String>,
    /// How many outputs of a keyset are promised before wallets pay with its notes.
    pub least_promised: u32,
}

/// What a bank asks of its own notes: points in hexadecimal.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotesAsked {
    /// Were notes with these points spent?
    #[serde(default)]
    pub(crate) spent: Vec<String>,
    /// What was promised for these blinded outputs?
    #[serde(default)]
    pub(crate) promised: Vec<String>,
}

/// What the ledger answers, in the order of what was asked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct NotesKnown {
    /// Whether each was spent.
    pub(crate) spent: Vec<bool>,
    /// What was promised for each: empty if nothing.
    pub(crate) promised: Vec<Vec<PromisedOutput>>,
}

/// An output that was promised.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PromisedOutput {
    /// By which keyset.
    pub(crate) keyset: u32,
    /// What it is worth, in minor units.
    pub(crate) amount: u64,
}

/// The signed list's claims.
#[derive(Serialize)]
struct Statement<'a> {
    iss: &'a str,
    iat: u64,
    exp: u64,
    seq: u64,
    keysets: &'a [PublishedKeyset],
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<&'a PublishedNoteRules>,
}

/// All keysets, and what is out of each.
#[utoipa::path(get, path = "/central-bank/v1/keysets", tag = "central bank",
    responses(
        (status = 200, body = Keysets),
        (status = 503, description = "not the ledger's one writer now", body = ProblemBody)))]
pub(super) async fn keysets(
    State(bank): State<Arc<CentralBank>>,
) -> Result<Json<Keysets>, Problem> {
    Ok(Json(bank.keysets().await?))
}

/// What became of a bank's own notes.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the bank's command key, for this address.
#[utoipa::path(post, path = "/central-bank/v1/notes/state", tag = "central bank",
    request_body = NotesAsked, security(("request" = [])),
    responses(
        (status = 200, body = NotesKnown),
        (status = 401, description = "not a registered bank's token", body = ProblemBody),
        (status = 503, description = "not the ledger's one writer now", body = ProblemBody)))]
pub(super) async fn state(
    State(bank): State<Arc<CentralBank>>,
    headers: HeaderMap,
    request: Result<Json<NotesAsked>, JsonRejection>,
) -> Result<Json<NotesKnown>, Problem> {
    let Json(asked) = request?;
    let asker = bank.asking_bank(&headers, ("POST", "/central-bank/v1/notes/state")).await?;
    let (spent, promised) = (points(&asked.spent)?, points(&asked.promised)?);
    let known = bank
        .read(move |machine, _| {
            let promised = machine.promised(&asker, &promised);
            (machine.are_spent(&asker, &spent), promised)
        })
        .await?;
    let output = |promise: yufu_machine::Promise| PromisedOutput {
        keyset: promise.keyset.0,
        amount: promise.amount,
    };
    let promised = known.1.into_iter().map(|one| one.into_iter().map(output).collect()).collect();
    Ok(Json(NotesKnown { spent: known.0, promised }))
}

fn points(texts: &[String]) -> Result<Vec<Point>, Problem> {
    if texts.len() > MOST_NOTES {
        let detail = format!("{} points are too many: ask for at most {MOST_NOTES}", texts.len());
        return Err(Problem::malformed(detail));
    }
    let read = |text: &String| {
        let point = yufu_ecash::Point::from_hex(text).map_err(Problem::malformed)?;
        Ok(Point(point.to_bytes()))
    };
    texts.iter().map(read).collect()
}

impl CentralBank {
    /// All keysets, with the signed list of them.
    ///
    /// # Errors
    /// Why the ledger cannot be read, or the list not be signed.
    pub async fn keysets(&self) -> Result<Keysets, Problem> {
        let (views, rules, now) = self
            .read(|machine, now| (machine.keysets(), machine.note_rules().cloned(), now))
            .await?;
        let keysets: Vec<_> = views.iter().map(PublishedKeyset::from).collect();
        let rules = rules.as_ref().map(PublishedNoteRules::from);
        let statement = self.statement((&keysets, rules.as_ref()), now)?;
        Ok(Keysets { statement, keysets, rules })
    }

    fn statement(
        &self,
        (keysets, rules): (&[PublishedKeyset], Option<&PublishedNoteRules>),
        now: Timestamp,
    ) -> Result<String, Problem> {
        let claims = Statement {
            iss: self.id.as_str(),
            iat: now.seconds(),
            exp: now.plus_seconds(GOOD_FOR).seconds(),
            seq: self.ledger.head().seq.get(),
            keysets,
            rules,
        };
        let json = serde_json::to_vec(&claims).map_err(Problem::internal)?;
        let key = self.commands.get();
        yufu_jose::sign(&Header::typed(TYPE), &json, &*key).map_err(Problem::internal)
    }
}

impl From<&KeysetView> for PublishedKeyset {
    fn from(view: &KeysetView) -> Self {
        Self {
            number: view.number.0,
            bank: view.bank.to_string(),
            keys: view.keys.to_string(),
            denominations: view.terms.denominations,
            input_fee_ppk: view.terms.input_fee_ppk,
            final_expiry: view.terms.final_expiry.seconds(),
            registered_payees: view.terms.payees == Payees::Registered,
            active: view.active,
            issued_minor: view.issued.minor(),
            redeemed_minor: view.redeemed.minor(),
            outputs: view.outputs,
            spent: view.spent,
        }
    }
}

impl From<&NoteRules> for PublishedNoteRules {
    fn from(rules: &NoteRules) -> Self {
        let terms = rules.terms();
        Self {
            per_withdrawal_minor: terms.per_withdrawal,
            per_day_minor: terms.per_day,
            per_year_minor: terms.per_year,
            per_redemption_minor: terms.per_redemption,
            payees: terms.payees.iter().map(ToString::to_string).collect(),
            least_promised: terms.least_promised,
        }
    }
}
