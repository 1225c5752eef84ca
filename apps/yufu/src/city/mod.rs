//! A whole city in one process: every institution with its own keys and records, wired to the others
//! by address alone.

mod authority;
mod bank;
mod front;
mod issuer;
mod money;
mod registrar;
mod relying_party;
mod trust;

use crate::data::{DataFolder, Lock};
use crate::profile::Country;
use anyhow::{Context, Result};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use yufu_api::authority::Authority;
use yufu_api::bank::{Bank, Banks};
use yufu_api::central_bank::CentralBank;
use yufu_api::http::{Client, Limits, OperatorToken, serve};
use yufu_api::public::Public;
use yufu_api::relying_party::RelyingParty;
use yufu_api::{Institutions, router};
use yufu_base::{InstitutionId, PublicKey, Signer};
use yufu_engine::{Clock, Engine};
use yufu_machine::Machine;
use yufu_openid4vc::Endpoint;
use yufu_profile::{Institution, Profile, Role};

/// How often relying parties look for identities whose time has come.
const ERASE_EVERY: Duration = Duration::from_secs(3600);
/// How often a bank submits again what the ledger has not answered.
const PENDING_EVERY: Duration = Duration::from_secs(2);

/// Everything that a city is started from.
pub(crate) struct Plan<'a> {
    pub(crate) country: &'a Country,
    pub(crate) data: &'a DataFolder,
    /// The address under which everybody reaches it, without a slash at the end.
    pub(crate) url: String,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A city that is ready to serve.
pub(crate) struct City {
    pub(crate) url: String,
    /// The key that wallets are given to check the trust list with.
    pub(crate) trust_key: PublicKey,
    institutions: Institutions,
    public: Arc<Public>,
    banks: Vec<Arc<Bank>>,
    relying_parties: Vec<Arc<RelyingParty>>,
    central_bank: Arc<CentralBank>,
    engine: Engine<Machine>,
    _lock: Lock,
}

impl City {
    /// Opens (or makes) the state of every institution. `progress` is told of long work.
    pub(crate) async fn open(plan: &Plan<'_>, progress: impl FnMut(&str)) -> Result<Self> {
        plan.data.claim(plan.country.digest)?;
        let lock = plan.data.lock()?;
        let trust = trust::establish(plan)?;
        let (engine, central_bank) = money::open(plan).await?;
        let registrar = registrar::open(plan, &trust).await?;
        let authority = authority::open(plan, &trust, progress).await?;
        let client = Client::new()?;
        let mut banks: Banks = BTreeMap::new();
        for institution in plan.profile().institutions_of(Role::CommercialBank) {
            let bank = bank::open(plan, &trust, institution, client.clone()).await?;
            banks.insert(institution.id.to_string(), Arc::new(bank));
        }
        let relying_parties = relying_party::open_all(plan, &trust, &client).await?;
        let trust_key = trust.operator.signer.public_key();
        let ready = Arc::clone(&central_bank);
        let public = Public {
            metrics: metrics_recorder()?,
            readiness: vec![("central bank".to_owned(), Box::new(move || ready.ready()))],
            front: front::page(plan.profile()),
            currency: plan.profile().currency.clone(),
        };
        Ok(Self {
            url: plan.url.clone(),
            trust_key,
            banks: banks.values().cloned().collect(),
            relying_parties: relying_parties.values().cloned().collect(),
            institutions: Institutions {
                authority: Some(Arc::new(authority)),
                central_bank: Some(Arc::clone(&central_bank)),
                banks,
                relying_parties,
                registrar: Some(Arc::new(registrar)),
                trust_operator: Some(Arc::new(trust.operator)),
            },
            public: Arc::new(public),
            central_bank,
            engine,
            _lock: lock,
        })
    }

    /// The central bank, for the report of how much money there is.
    pub(crate) fn central_bank(&self) -> Arc<CentralBank> {
        Arc::clone(&self.central_bank)
    }

    /// Serves until `shutdown` resolves; then everything taken is finished and the state closed.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        limits: Limits,
        shutdown: impl Future<Output = ()>,
    ) -> Result<()> {
        let pending = tokio::spawn(submit_pending(self.banks.clone()));
        let lapsed = tokio::spawn(forget_lapsed(self.banks, self.institutions.authority.clone()));
        let erasure = tokio::spawn(erase_expired(self.relying_parties));
        let router = router(self.institutions, self.public, limits);
        let served = serve(listener, router, limits, shutdown).await;
        pending.abort();
        erasure.abort();
        lapsed.abort();
        let engine = self.engine;
        tokio::task::spawn_blocking(move || engine.shutdown()).await.context("closing the log")?;
        Ok(served?)
    }
}

impl Plan<'_> {
    pub(crate) fn profile(&self) -> &Profile {
        &self.country.profile
    }

    /// The one institution of a role that has exactly one.
    pub(crate) fn the(&self, role: Role) -> Result<&Institution> {
        let found = self.profile().institutions_of(role).next();
        found.with_context(|| format!("the profile names no {}", role.word()))
    }

    /// Under which address an institution is reached, without a slash at the end.
    pub(crate) fn address(&self, _institution: &InstitutionId) -> &str {
        &self.url
    }

    /// An address below an institution's.
    pub(crate) fn endpoint(&self, institution: &InstitutionId, path: &str) -> Result<Endpoint> {
        Ok(Endpoint::parse(&format!("{}{path}", self.address(institution)))?)
    }

    /// The token of an institution's desk.
    pub(crate) fn operator(&self, id: &InstitutionId) -> Result<OperatorToken> {
        Ok(OperatorToken::new(self.data.keys(id)?.secret("desk")?))
    }

    /// An institution's key for commands.
    pub(crate) fn command_key(&self, id: &InstitutionId) -> Result<Arc<dyn Signer>> {
        Ok(self.data.keys(id)?.signer("commands")?)
    }
}

/// Commands that a crash, or a ledger out of reach, left without an answer.
async fn submit_pending(banks: Vec<Arc<Bank>>) {
    loop {
        for bank in &banks {
            match bank.submit_pending().await {
                Ok(0) => {}
                Ok(count) => {
                    tracing::info!(bank = %bank.id, count, "commands without an answer were submitted again")
                }
                Err(problem) => {
                    tracing::warn!(bank = %bank.id, code = problem.code(), "the ledger does not answer")
                }
            }
        }
        tokio::time::sleep(PENDING_EVERY).await;
    }
}

/// Identities that a relying party may keep no longer.
async fn erase_expired(parties: Vec<Arc<RelyingParty>>) {
    loop {
        for party in &parties {
            match party.erase_expired().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(party = %party.id, count, "identities were erased"),
                Err(problem) => {
                    tracing::warn!(party = %party.id, code = problem.code(), "nothing was erased")
                }
            }
        }
        tokio::time::sleep(ERASE_EVERY).await;
    }
}

/// Requests and offers that nobody answered: anybody can begin one, so they must not pile up.
async fn forget_lapsed(banks: Vec<Arc<Bank>>, authority: Option<Arc<Authority>>) {
    loop {
        for bank in &banks {
            told(bank.id.as_str(), bank.forget_lapsed().await);
        }
        if let Some(authority) = &authority {
            told(authority.id.as_str(), authority.issuer.forget_lapsed().await);
        }
        tokio::time::sleep(ERASE_EVERY).await;
    }
}

fn told(institution: &str, outcome: Result<u64, yufu_api::http::Problem>) {
    match outcome {
        Ok(0) => {}
        Ok(count) => tracing::info!(institution, count, "lapsed requests were forgotten"),
        Err(problem) => tracing::warn!(institution, code = problem.code(), "nothing was forgotten"),
    }
}

/// The process's metrics; one recorder, however many cities a test starts.
fn metrics_recorder() -> Result<PrometheusHandle> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().install_recorder().context("metrics")?;
    Ok(RECORDER.get_or_init(|| handle).clone())
}
