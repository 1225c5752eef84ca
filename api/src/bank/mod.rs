//! A commercial bank: verifies customers, keeps their accounts and orders, and acts for them on the
//! ledger with commands signed by its own key. Each bank runs by itself; several may share a process.

mod accesses;
mod accounts;
mod ages;
mod anonymous;
mod attestation;
mod attested;
mod attesting;
mod branch;
mod classes;
mod codes;
mod counter;
mod counter_order;
mod deleting;
mod desk;
mod freezing;
mod hand_over;
mod issuing;
mod keys;
mod ledger;
mod linked;
mod mandates;
mod mint;
mod opening;
mod payment;
mod presentation;
mod presented;
mod presented_desk;
mod recovery;
mod refund;
mod sub_wallet;
mod terminal;
mod waking;
mod ward;

pub use accounts::AccountState;
pub use ages::AgeRules;
pub use anonymous::{AnonymousOpening, AnonymousOpeningRequest, CodeAnswer};
pub use attestation::Onboarding as OnboardingRules;
pub use branch::{CounterToken, Step, StepKind, TokenRequest, WalletRules};
pub use classes::OpenedClass;
pub use codes::{CodeDelivery, CodeMessage, Delivered, RecordedOutbox};
pub use counter::{CardChange, CardStepDone, CardStepRequest, CounterWallet, NewCounterWallet};
pub use counter_order::{CounterOrderDone, CounterOrderKind, CounterOrderRequest, Identification};
pub use desk::{Exchange, ExchangeDirection, NewAccount, OpenedAccount};
pub use hand_over::{HandOverRequest, KeyChanged};
pub(crate) use issuing::PAYMENT;
pub use ledger::InFlight;
pub use linked::{LinkRequest, Statement, StatementRequest};
pub use mandates::Mandates;
pub use mint::{
    AccountInvoice, KeysetTerms, Mint, MintSetting, TopUp, TopUpPaid, TopUpTerms, WithdrawalFunded,
    WithdrawalRequest,
};
pub use opening::{Opening, OpeningRequest, OpeningStatus};
pub use payment::{PaymentDone, PaymentRequest};
pub use presented::{PresentedPayment, PresentedPaymentDone};
pub use presented_desk::PresentedPaymentFile;
pub use recovery::{Recovery, RecoveryRequest, RecoveryStatus};
pub use refund::{Origin, OriginRequest};

pub use sub_wallet::{SubWalletDone, SubWalletRequest};
pub use terminal::{
    CardAndPin, CounterEntry, CounterStatement, FirstPin, PinChange, PinSet, PinText,
    TerminalRequest, TerminalSession,
};
pub use waking::Waking;

use crate::http::{Client, Direct, OperatorToken, Problem};
use crate::issuer::{Issuer, LAPSED_SECONDS, described_haip, well_known_haip};
use crate::relying_party::{HeldAnswers, Party};
use crate::signing::HeldKey;
use crate::trust::TrustSource;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::{Amount, CommandId, Currency, InstitutionId, Timestamp};
use yufu_engine::Clock;
use yufu_keys::{InUse, random};
use yufu_onboarding::{Onboarding, OnboardingError};

/// A bank, and what it works with.
pub struct Bank {
    /// Its name in the ledger.
    pub id: InstitutionId,
    /// Its key for commands and request tokens.
    pub commands: HeldKey,
    /// The token of its desk.
    pub operator: OperatorToken,
    /// Its records.
    pub records: Onboarding,
    /// How it shows itself to wallets: certificates, purposes, addresses.
    pub party: InUse<Party>,
    /// Answers that wait for whoever began.
    pub held: HeldAnswers,
    /// Itself as the issuer of payment credentials.
    pub issuer: Issuer,
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
    /// Wallet providers that onboard people for it.
    pub onboards_through: Vec<InstitutionId>,
    /// What else there is to opening a wallet.
    pub wallet_rules: WalletRules,
    /// What is known of guardians' mandates.
    pub mandates: Mandates,
    /// Its mint of bearer notes, if it has one.
    pub mint: Option<Mint>,
    /// The commands that are on their way to the ledger.
    pub in_flight: InFlight,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The banks that run here, by name.
pub type Banks = BTreeMap<String, Arc<Bank>>;

pub(crate) fn described() -> OpenApiRouter<Arc<Banks>> {
    OpenApiRouter::new()
        .routes(routes!(opening::open))
        .routes(routes!(classes::classes))
        .routes(routes!(opening::status))
        .routes(routes!(ward::open))
        .routes(routes!(ward::guardian))
        .routes(routes!(waking::begin))
        .routes(routes!(waking::answer))
        .routes(routes!(counter::open))
        .routes(routes!(counter::step))
        .routes(routes!(terminal::open))
        .routes(routes!(terminal::first_pin))
        .routes(routes!(terminal::change_pin))
        .routes(routes!(terminal::statement))
        .routes(routes!(counter_order::order))
        .routes(routes!(attestation::onboarding))
        .routes(routes!(anonymous::open))
        .routes(routes!(anonymous::answer))
        .routes(routes!(sub_wallet::act))
        .routes(routes!(sub_wallet::below))
        .routes(routes!(branch::token))
        .routes(routes!(linked::state))
        .routes(routes!(linked::link))
        .routes(routes!(branch::step))
        .routes(routes!(codes::messages))
        .routes(routes!(accounts::account))
        .routes(routes!(accesses::accesses))
        .routes(routes!(hand_over::hand_over))
        .routes(routes!(deleting::delete))
        .routes(routes!(freezing::leave))
        .routes(routes!(freezing::freeze))
        .routes(routes!(freezing::freeze_at_counter))
        .routes(routes!(freezing::lift_at_counter))
        .routes(routes!(recovery::begin))
        .routes(routes!(recovery::status))
        .routes(routes!(payment::pay))
        .routes(routes!(payment::status))
        .routes(routes!(desk::exchange))
        .routes(routes!(desk::credit_deposits))
        .routes(routes!(desk::open_account))
        .routes(routes!(desk::customer))
        .routes(routes!(presentation::request, presentation::request_with_nonce))
        .routes(routes!(presentation::respond))
        .routes(routes!(presentation::come_back, presentation::opened_in_browser))
        .routes(routes!(issuing::offer))
        .routes(routes!(attesting::offer))
        .routes(routes!(issuing::token))
        .routes(routes!(issuing::nonce))
        .routes(routes!(issuing::credential))
        .routes(routes!(issuing::status))
        .routes(routes!(issuing::status_lists))
        .routes(routes!(issuing::revocations))
        .routes(routes!(presented::pay))
        .routes(routes!(presented_desk::file))
        .routes(routes!(refund::origin))
        .routes(routes!(refund::refund))
        .routes(routes!(mint::funding::fund))
        .routes(routes!(mint::invoicing::invoice))
        .routes(routes!(mint::top_up::pay_in))
        .merge(described_haip())
}

/// What is answered before the router.
pub(crate) fn direct(banks: &Banks) -> Vec<Direct> {
    mint::direct(banks)
}

/// Documents at well-known addresses, whose paths the banks' identifiers as issuers determine, and the mints, which
/// speak Cashu.
pub(crate) fn well_known() -> Router<Arc<Banks>> {
    mint::routes()
        .route("/.well-known/openid-credential-issuer/banks/{bank}", get(issuing::metadata))
        .route(
            "/.well-known/oauth-authorization-server/banks/{bank}",
            get(issuing::authorization_server),
        )
        .route("/.well-known/jwt-vc-issuer/banks/{bank}", get(issuing::keys))
        .merge(well_known_haip())
}

/// The bank of that name.
fn named(banks: &Banks, name: &str) -> Result<Arc<Bank>, Problem> {
    banks.get(name).cloned().ok_or_else(|| Problem::not_found("bank here"))
}

impl Bank {
    /// Forgets presentation requests and issuances that lapsed a day ago; how many.
    ///
    /// # Errors
    /// If the records fail.
    pub async fn forget_lapsed(&self) -> Result<u64, Problem> {
        let before = self.now().minus_seconds(LAPSED_SECONDS);
        let requests = self.records.forget_lapsed(before).await?;
        let requests = requests.saturating_add(self.records.forget_quotes(before).await?);
        let requests = requests.saturating_add(self.records.forget_preimages(self.now()).await?);
        let requests = requests.saturating_add(self.held.forget_lapsed(self.now()).await?);
        Ok(requests.saturating_add(self.issuer.forget_lapsed().await?))
    }

    /// Erases customers whose claims it may keep no longer; how many.
    ///
    /// # Errors
    /// If the records fail; those erased before it stay erased.
    pub async fn erase_expired(&self) -> Result<usize, Problem> {
        Ok(self.records.erase_expired(self.now(), self.kept_seconds()).await?)
    }

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
            OnboardingError::KeyChanged => Self::forbidden("account.key_changed", error),
            OnboardingError::OrderIdReused => Self::conflict("order.id_reused", error),
            OnboardingError::ReferenceLinked => Self::conflict("account.reference_linked", error),
            OnboardingError::TooSoon { retry_after } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "code.too_soon", error)
                    .with("retry_after_seconds", retry_after)
            }
            OnboardingError::CodeWrong { left, retry_after } => Self::refused("code.wrong", error)
                .with("attempts_left", left)
                .with("retry_after_seconds", retry_after),
            OnboardingError::CodeExpired => Self::new(StatusCode::GONE, "code.expired", error),
            OnboardingError::CodeExhausted => Self::refused("code.exhausted", error),
            OnboardingError::TokenUnknown => Self::refused("token.unknown", error),
            OnboardingError::TokenUsed => Self::refused("token.used", error),
            OnboardingError::TokenExpired => Self::refused("token.expired", error),
            OnboardingError::Erased => Self::new(StatusCode::GONE, "customer.erased", error),
            OnboardingError::NotFrozen => Self::conflict("account.not_frozen", error),
            OnboardingError::NoNumber => Self::refused("account.wake_at_branch", error),
            OnboardingError::CardFormat | OnboardingError::PinFormat => Self::malformed(error),
            OnboardingError::PinWeak => Self::refused("card.pin_weak", error),
            OnboardingError::NoPinDue => Self::refused("card.no_pin_due", error),
            OnboardingError::CardRefused { left, retry_after } => {
                Self::refused("card.refused", error)
                    .with("attempts_left", left)
                    .with("retry_after_seconds", retry_after)
            }
            OnboardingError::CardWait { retry_after } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "card.too_soon", error)
                    .with("retry_after_seconds", retry_after)
            }
            OnboardingError::CardBlocked => Self::refused("card.blocked", error),
            OnboardingError::NoSession => Self::unauthenticated(error),
            other => Self::internal(other),
        }
    }
}
