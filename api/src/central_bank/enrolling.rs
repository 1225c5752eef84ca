//! How a bank that runs by itself comes onto the ledger: its key for commands is registered, and
//! the money it begins with is entered, in one record of the log.

use super::CentralBank;
use crate::http::{Problem, ProblemBody};
use crate::ledger::{CommandRequest, encode, not_submitted, refused, sign};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{Amount, CommandId, InstitutionId, PublicKey, Signer, Timestamp};
use yufu_keys::random;
use yufu_machine::{Action, Direction, Submission};

/// How far the clocks of bank and ledger may be apart, in seconds: less than the ledger allows, as
/// what opens a bank's books must be taken whole.
const CLOCKS_APART: u64 = 240;

/// What a bank begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BankOpening {
    /// All its reserves, before digital cash and notes are drawn from them.
    pub reserves: Amount,
    /// Of these, into its digital vault.
    pub digital: Amount,
    /// Of these, notes: those in its vault, and those that it once paid out.
    pub paper: Amount,
    /// What it owes its depositors, before notes were paid out.
    pub deposits: Amount,
    /// Notes that it paid out to the public.
    pub notes: Amount,
}

/// A bank's wish to be registered, with the commands of its own that open its books.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BankEnrolment {
    /// A JWS of type `yufu-enrolment+jwt` by the institution's key; it carries the key for commands.
    pub enrolment: String,
    /// Its opening commands, signed by that key, in base64url: as `/central-bank/v1/commands` takes them.
    pub opening: Vec<String>,
}

/// A bank is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisteredBank {
    /// The ledger's name.
    pub ledger: String,
}

/// Enrol a bank: its key is registered and its books are opened, once. Repeating it changes nothing.
#[utoipa::path(post, path = "/central-bank/v1/enrolments", tag = "central bank", request_body = BankEnrolment,
    responses(
        (status = 200, body = RegisteredBank),
        (status = 401, description = "no enrolment for here and now", body = ProblemBody),
        (status = 403, description = "not admitted", body = ProblemBody),
        (status = 409, description = "the ledger knows another key", body = ProblemBody),
        (status = 422, description = "refused by a rule", body = ProblemBody)))]
pub(super) async fn enrol(
    State(bank): State<Arc<CentralBank>>,
    request: Result<Json<BankEnrolment>, JsonRejection>,
) -> Result<Json<RegisteredBank>, Problem> {
    Ok(Json(bank.enrol(&request?.0).await?))
}

impl BankOpening {
    /// What the central bank commands to register `bank` and open its books.
    #[must_use]
    pub fn of_central_bank(&self, bank: &InstitutionId, key: PublicKey) -> Vec<Action> {
        let Self { reserves, digital, paper, .. } = *self;
        let bank = bank.clone();
        let entries = [
            (reserves, Action::CreateReserves { bank: bank.clone(), amount: reserves }),
            (digital, Action::Issue { bank: bank.clone(), amount: digital }),
            (paper, Action::SupplyPaper { bank: bank.clone(), amount: paper }),
        ];
        let register = Action::RegisterBank { bank, key };
        std::iter::once(register).chain(without_zero(entries)).collect()
    }

    /// What the bank itself commands after that.
    #[must_use]
    pub fn of_bank(&self) -> Vec<Action> {
        let Self { deposits, notes, .. } = *self;
        let paid_out = Action::Exchange { direction: Direction::DepositToPaper, amount: notes };
        let entries = [(deposits, Action::CreditDeposits { amount: deposits }), (notes, paid_out)];
        without_zero(entries).collect()
    }
}

fn without_zero<const N: usize>(entries: [(Amount, Action); N]) -> impl Iterator<Item = Action> {
    entries.into_iter().filter(|(amount, _)| !amount.is_zero()).map(|(_, action)| action)
}

/// Signs commands that follow one another, each under a fresh id.
///
/// # Errors
/// If the key does not sign.
pub fn sign_all(
    institution: &InstitutionId,
    signer: &dyn Signer,
    now: Timestamp,
    actions: Vec<Action>,
) -> Result<Vec<Submission>, Problem> {
    let signed = actions.into_iter().map(|action| {
        let id = CommandId::at(now, u128::from_be_bytes(random()));
        sign(institution, signer, id, action).map_err(Problem::internal)
    });
    signed.collect()
}

impl BankEnrolment {
    /// An enrolment, with the opening commands that go with it.
    ///
    /// # Errors
    /// If a command cannot be encoded.
    pub fn new(enrolment: String, opening: &[Submission]) -> Result<Self, Problem> {
        let encoded = opening.iter().map(|submission| {
            let bytes = encode(submission)?;
            Ok::<_, Problem>(CommandRequest::new(&bytes).submission)
        });
        Ok(Self { enrolment, opening: encoded.collect::<Result<_, _>>()? })
    }
}

impl CentralBank {
    /// Registers the bank that signed the enrolment, unless it is registered with this key.
    ///
    /// # Errors
    /// The refusal.
    pub async fn enrol(&self, request: &BankEnrolment) -> Result<RegisteredBank, Problem> {
        let now = self.read(|_, now| now).await?;
        let (id, enrolment) = self.admission.verify(&request.enrolment, &self.id, now)?;
        let opening = self.openings.get(&id);
        let opening = opening.ok_or_else(|| Problem::not_found("commercial bank here"))?;
        let key = enrolment.key.ok_or_else(|| Problem::malformed("key: none is named"))?.jwk.key;
        // One at a time: what opens a bank's books is several commands, and must be there once.
        let _one = self.enrolling.lock().await;
        let registered = self.read(|machine, _| machine.institution(&id).map(|i| i.key)).await?;
        match registered {
            Some(known) if known == key => {}
            Some(_) => {
                let detail = format!(
                    "the ledger knows another key of {id}: restore keys/commands.p8 from the backup"
                );
                return Err(Problem::conflict("enrolment.key_differs", detail));
            }
            None => self.open_bank(&id, key, opening, &request.opening, now).await?,
        }
        Ok(RegisteredBank { ledger: self.id.to_string() })
    }

    async fn open_bank(
        &self,
        bank: &InstitutionId,
        key: PublicKey,
        opening: &BankOpening,
        own: &[String],
        now: Timestamp,
    ) -> Result<(), Problem> {
        let actions = opening.of_central_bank(bank, key);
        let own_key = self.commands.held().await;
        let mut commands = sign_all(&self.id, &*own_key, now, actions)?;
        let mut of_bank = Vec::new();
        for text in own {
            let submission = CommandRequest { submission: text.clone() }.verified()?;
            if submission.institution != *bank || submission.key != key {
                return Err(Problem::malformed("opening: a command of somebody else"));
            }
            let made = submission.order.id.created().seconds();
            if made.abs_diff(now.seconds()) > CLOCKS_APART {
                return Err(Problem::malformed("opening: check the clock, sign the commands anew"));
            }
            of_bank.push(submission.order.action.clone());
            commands.push(submission);
        }
        if of_bank != opening.of_bank() {
            let detail = "opening: not what the central bank's profile says: use the same profile";
            return Err(Problem::malformed(detail));
        }
        let applied = self.ledger.submit_all(commands).await;
        let applied = applied.map_err(|error| not_submitted(&error))?;
        match applied.into_iter().find_map(|applied| applied.outcome.err()) {
            Some(refusal) => Err(refused(&refusal)),
            None => Ok(()),
        }
    }
}
