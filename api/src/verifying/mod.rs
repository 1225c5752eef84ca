//! Verifying: a party asks a wallet for one registered purpose and gets a typed result. One call starts, one
//! tells how it stands. A yes or no is all that is made of what was shown where the purpose wants no more; claims
//! and the signed answer are kept only where it says so, sealed, each read recorded (ADR 0032).

#[cfg(feature = "zero-knowledge")]
mod anonymous;
mod answering;
mod deleting;
mod desk;
mod looking;
mod outcome;
mod page;
mod reader;
mod receipts;
mod waiting;

#[cfg(feature = "zero-knowledge")]
pub use anonymous::Anonymous;
pub use answering::PageAnswer;
pub use desk::{Begun, PageRequest, VerificationRequest, VerificationState};
pub use outcome::says_no_no;
pub use reader::ReaderPapers;
pub use receipts::HolderReceipt;

use crate::http::{OperatorToken, Problem};
use crate::relying_party::{HeldAnswers, Party};
use crate::trust::TrustSource;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use waiting::{Laid, Waiting};
use yufu_base::{InstitutionId, Timestamp};
use yufu_engine::Clock;
use yufu_keys::InUse;
use yufu_profile::Query;
use yufu_verifications::{Verifications, VerificationsError};
use zeroize::Zeroizing;

/// A party that only asks, and what it works with.
pub struct VerifyingParty {
    /// Its id.
    pub id: InstitutionId,
    /// The token of its desk.
    pub operator: OperatorToken,
    /// How it shows itself to wallets.
    pub party: InUse<Party>,
    /// What it is registered for, by purpose.
    pub purposes: BTreeMap<String, Purpose>,
    /// Whom it trusts to issue what it is shown.
    pub trust: TrustSource,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What is under way.
    pub at_work: AtWork,
    /// Persons known by pseudonyms.
    #[cfg(feature = "zero-knowledge")]
    pub anonymous: Anonymous,
}

/// A purpose for which a party may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// The credentials that are asked for together, by their ids in the profile.
    pub credentials: Vec<String>,
    /// How they are asked for, if not simply for all that is registered.
    pub query: Option<Query>,
    /// Whether a yes or no is all that is made of them.
    pub result_only: bool,
    /// Whether the signed answer is kept.
    pub keeps_evidence: bool,
    /// Whether a person gets one account by it, known by a pseudonym.
    pub one_account: bool,
}

/// What a party has under way: requests that wait, in memory; answers that wait for the browser that began, and answers on
/// their way into its records.
pub struct AtWork {
    waiting: Waiting,
    held: HeldAnswers,
    records: Verifications,
}

impl AtWork {
    /// Nothing yet, with these records.
    #[must_use]
    pub fn new(records: Verifications, held: HeldAnswers) -> Self {
        Self { waiting: Waiting::default(), held, records }
    }
}

/// The verifying parties that run here, by name.
pub type VerifyingParties = BTreeMap<String, Arc<VerifyingParty>>;

pub(crate) fn described() -> OpenApiRouter<Arc<VerifyingParties>> {
    let router = OpenApiRouter::new();
    #[cfg(feature = "zero-knowledge")]
    let router = router.merge(anonymous::described());
    router
        .routes(routes!(desk::begin))
        .routes(routes!(desk::state))
        .routes(routes!(desk::claims))
        .routes(routes!(desk::evidence))
        .routes(routes!(answering::request, answering::request_with_nonce))
        .routes(routes!(answering::respond))
        .routes(routes!(deleting::delete))
        .routes(routes!(looking::looks))
        .routes(routes!(answering::respond_for_page))
        .routes(routes!(reader::papers))
        .routes(routes!(receipts::receipt))
        .routes(routes!(page::page))
        .routes(routes!(page::script))
}

/// The party of that name.
fn named(parties: &VerifyingParties, name: &str) -> Result<Arc<VerifyingParty>, Problem> {
    parties.get(name).cloned().ok_or_else(|| Problem::not_found("verifier here"))
}

impl VerifyingParty {
    fn now(&self) -> Timestamp {
        self.clock.read().wall
    }

    /// Lays down what waits for an answer, when the server stops; how many requests those were.
    ///
    /// # Errors
    /// If the records do not answer: then whoever asked asks again.
    pub async fn lay_down(&self) -> Result<usize, Problem> {
        let (laid, until) = self.at_work.waiting.lay_down(self.now());
        if laid.is_empty() {
            return Ok(0);
        }
        let text = Zeroizing::new(serde_json::to_string(&laid).map_err(Problem::internal)?);
        self.at_work.records.lay_down(&text, until).await?;
        Ok(laid.len())
    }

    /// Takes up what was laid down, when the server starts; how many requests that were still standing.
    ///
    /// # Errors
    /// If the records do not answer, or what was laid down cannot be read.
    pub async fn take_up(&self) -> Result<usize, Problem> {
        let now = self.now();
        let mut count = 0_usize;
        for text in self.at_work.records.take_up(now).await? {
            let text = Zeroizing::new(text);
            let laid: Vec<Laid> = serde_json::from_str(&text).map_err(Problem::internal)?;
            for one in laid {
                self.at_work.waiting.take_up(one, now)?;
                count = count.saturating_add(1);
            }
        }
        Ok(count)
    }

    /// Erases everything whose time has come; how many verifications those were, and answers that nobody came back for.
    ///
    /// # Errors
    /// If the records do not answer: to be repeated.
    pub async fn erase_expired(&self) -> Result<u64, Problem> {
        let now = self.now();
        let lapsed = self.at_work.held.forget_lapsed(now).await?;
        Ok(lapsed.saturating_add(self.at_work.records.erase_expired(now).await?))
    }
}

impl From<VerificationsError> for Problem {
    fn from(error: VerificationsError) -> Self {
        match error {
            VerificationsError::Unknown(what) => Self::not_found(what),
            VerificationsError::NotKept { .. } => Self::conflict("verification.not_kept", error),
            other => Self::internal(other),
        }
    }
}
