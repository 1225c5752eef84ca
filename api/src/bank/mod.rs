//! A commercial bank: verifies customers, keeps their accounts and orders, and acts for them on the
//! ledger with commands signed by its own key. Each bank runs by itself; several may share a process.

mod accounts;
mod desk;
mod ledger;
mod opening;
mod payment;
mod presentation;

pub use accounts::AccountState;
pub use desk::{Exchange, ExchangeDirection, NewAccount, OpenedAccount};
pub use opening::{Opening, OpeningRequest, OpeningStatus};
pub use payment::{PaymentDone, PaymentRequest};

use crate::http::{Client, OperatorToken, Problem};
use crate::relying_party::Party;
use crate::trust::TrustSource;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::{Amount, CommandId, Currency, InstitutionId, Signer, Timestamp};
use yufu_engine::Clock;
use yufu_keys::random;
use yufu_onboarding::{Onboarding, OnboardingError};

/// A bank, and what it works with.
pub struct Bank {
    /// Its name in the ledger.
    pub id: InstitutionId,
    /// Its key for commands and request tokens.
    pub signer: Arc<dyn Signer>,
    /// The token of its desk.
    pub operator: OperatorToken,
    /// Its records.
    pub records: Onboarding,
    /// How it shows itself to wallets: certificates, purposes, addresses.
    pub party: Party,
    /// Whom it trusts to issue identities.
    pub trust: TrustSource,
    /// Calls the central bank.
    pub client: Client,
    /// The central bank: its name, which is the ledger's, and its address.
    pub central_bank: (InstitutionId, String),
    /// The ledger's currency.
    pub currency: Currency,
    /// Classes of wallet that an identity presented remotely opens, and how many one person may have.
    pub remote_classes: BTreeMap<String, u32>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The banks that run here, by name.
pub type Banks = BTreeMap<String, Arc<Bank>>;

pub(crate) fn described() -> OpenApiRouter<Arc<Banks>> {
    OpenApiRouter::new()
        .routes(routes!(opening::open))
        .routes(routes!(opening::status))
        .routes(routes!(accounts::account))
        .routes(routes!(payment::pay))
        .routes(routes!(payment::status))
        .routes(routes!(desk::exchange))
        .routes(routes!(desk::credit_deposits))
        .routes(routes!(desk::open_account))
        .routes(routes!(desk::customer))
        .routes(routes!(presentation::request, presentation::request_with_nonce))
        .routes(routes!(presentation::respond))
}

/// The bank of that name.
fn named(banks: &Banks, name: &str) -> Result<Arc<Bank>, Problem> {
    banks.get(name).cloned().ok_or_else(|| Problem::not_found("bank here"))
}

impl Bank {
    fn now(&self) -> Timestamp {
        self.clock.read().wall
    }

    fn fresh_command_id(&self) -> CommandId {
        CommandId::at(self.now(), u128::from_be_bytes(random()))
    }

    fn amount(&self, minor: u64) -> Amount {
        Amount::new(self.currency, minor)
    }
}

impl From<OnboardingError> for Problem {
    fn from(error: OnboardingError) -> Self {
        match error {
            OnboardingError::Unknown(what) => Self::not_found(what),
            OnboardingError::AlreadyAnswered => {
                Self::conflict("presentation.already_answered", error)
            }
            OnboardingError::TooManyAccounts { .. } => Self::refused("account.too_many", error),
            OnboardingError::OrderIdReused => Self::conflict("order.id_reused", error),
            other => Self::internal(other),
        }
    }
}
