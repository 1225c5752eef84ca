//! The institutions of one process, by default a whole city: each with its own keys and records, wired to the
//! others by address alone.

mod agency;
#[cfg(feature = "zero-knowledge")]
mod anonymous;
mod attested;
mod authority;
mod bank;
mod erasing;
mod forgetting;
mod front;
mod front_words;
mod issuer;
mod list_keys;
mod lists;
mod money;
mod openid_provider;
mod opening;
mod plan;
mod registrar;
mod relying_party;
mod trust;
mod turning;
mod verifying;
mod wallet_provider;

pub(crate) use issuer::issued_by;
pub(crate) use opening::{INSTITUTION_KEY, fingerprint, needed};
pub(crate) use plan::{Plan, Progress};

use crate::data::Lock;
use crate::words::text;
use anyhow::{Context, Result, anyhow};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opening::Opening;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use trust::Trust;
use yufu_api::bank::Bank;
use yufu_api::central_bank::{CentralBank, Courier};
use yufu_api::http::{Client, Limits, Routes, Switch, serve};
use yufu_api::public::{Public, Readiness};
use yufu_api::relying_party::RelyingParty;
use yufu_api::trust::TrustOperator;
use yufu_api::verifying::VerifyingParty;
use yufu_api::{Institutions, router};
use yufu_base::PublicKey;
use yufu_engine::{Engine, Handle, StopReason};
use yufu_machine::Machine;
use yufu_profile::{Institution, Role};

/// How often relying parties look for identities whose time has come.
const ERASE_EVERY: Duration = Duration::from_secs(3600);
/// How often other countries' trust lists are fetched.
const RECOGNISE_EVERY: Duration = Duration::from_secs(60);
/// How long answers have to leave before a process ends whose ledger cannot go on.
const ANSWERS_LEAVE: Duration = Duration::from_millis(500);
/// How often a bank submits again what the ledger has not answered.
const PENDING_EVERY: Duration = Duration::from_secs(2);

/// The institutions of this process, ready to serve.
pub(crate) struct City {
    pub(crate) url: String,
    /// The key that wallets are given to check the trust list with.
    pub(crate) trust_key: PublicKey,
    institutions: Institutions,
    public: Arc<Public>,
    ledger: Arc<OnceLock<Arc<CentralBank>>>,
    engine: Option<Engine<Machine>>,
    trust: Trust,
    _lock: Lock,
}

impl City {
    /// Opens (or makes) the state of every institution of this process. `progress` is told of long work.
    pub(crate) async fn open(
        plan: &Plan<'_>,
        mut progress: impl FnMut(&Progress<'_>),
    ) -> Result<Self> {
        Self::open_under(plan, None, &mut progress).await
    }

    /// The same under a server that runs already: others may need what is open while the rest waits for them.
    pub(crate) async fn open_under(
        plan: &Plan<'_>,
        server: Option<(&Switch, Limits)>,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<Self> {
        plan.data.claim(plan.country.digest)?;
        let lock = plan.data.lock()?;
        let ledger: Arc<OnceLock<Arc<CentralBank>>> = Arc::default();
        let public = Public {
            metrics: metrics_recorder()?,
            starting: Arc::default(),
            readiness: readiness(plan, &ledger),
            front: front::pages(plan),
            currency: plan.profile().currency.clone(),
        };
        public.starting.wait_for("the institutions are being opened: try again in a moment");
        let client = Client::new()?;
        turning::take_up_due(plan)?;
        let mut trust = trust::establish(plan)?;
        let starting = Arc::clone(&public.starting);
        let mut city = Self {
            url: plan.url.clone(),
            trust_key: trust.key,
            institutions: Institutions::default(),
            public: Arc::new(public),
            ledger,
            engine: None,
            trust: trust.clone(),
            _lock: lock,
        };
        let mut opening = Opening { plan, client, starting, progress };
        city.institutions.trust_operator = trust.operator.clone();
        if let Some((switch, limits)) = server {
            switch.to(city.router(limits));
        }
        city.open_all(&mut opening, &mut trust, server).await?;
        city.trust = trust;
        city.public.starting.done();
        Ok(city)
    }

    /// In an order in which each needs only those before it, so that processes may be started in any.
    async fn open_all(
        &mut self,
        opening: &mut Opening<'_>,
        trust: &mut Trust,
        server: Option<(&Switch, Limits)>,
    ) -> Result<()> {
        let plan = opening.plan;
        let in_order = [
            Role::TrustListOperator,
            Role::CentralBank,
            Role::Registrar,
            Role::IdentityAuthority,
            Role::CommercialBank,
            Role::Hotel,
            Role::Railway,
            Role::Merchant,
            Role::Agency,
            Role::WalletProvider,
            Role::OpenidProvider,
        ];
        for role in in_order {
            let here = plan.profile().institutions_of(role).filter(|one| plan.serves(&one.id));
            for institution in here {
                self.open_one(opening, trust, institution).await?;
                if let Some((switch, limits)) = server {
                    switch.to(self.router(limits));
                }
            }
        }
        Ok(())
    }

    async fn open_one(
        &mut self,
        opening: &mut Opening<'_>,
        trust: &mut Trust,
        institution: &Institution,
    ) -> Result<()> {
        let here = &mut self.institutions;
        let name = institution.id.to_string();
        match institution.role {
            Role::TrustListOperator => trust.enlist(opening, institution).await?,
            Role::CentralBank => {
                let (engine, central_bank) = money::open(opening, trust, institution).await?;
                self.engine = Some(engine);
                let _ = self.ledger.set(Arc::clone(&central_bank));
                here.central_bank = Some(central_bank);
            }
            Role::Registrar => {
                let registrar = Arc::new(registrar::open(opening, trust, institution).await?);
                trust.registrar = Some(Arc::clone(&registrar));
                here.registrar = Some(registrar);
            }
            Role::IdentityAuthority => {
                let authority = Box::pin(authority::open(opening, trust, institution)).await?;
                here.authority = Some(Arc::new(authority));
            }
            Role::CommercialBank => {
                let central_bank = here.central_bank.as_ref();
                let bank = bank::open(opening, trust, central_bank, institution).await?;
                here.banks.insert(name, Arc::new(bank));
            }
            Role::Hotel | Role::Railway => {
                let party = relying_party::open(opening, trust, institution).await?;
                here.relying_parties.insert(name, Arc::new(party));
            }
            Role::Agency => {
                let agency = agency::open(opening, trust, institution).await?;
                here.agencies.insert(name, Arc::new(agency));
            }
            Role::WalletProvider => {
                let provider = wallet_provider::open(opening, trust, institution).await?;
                here.wallet_providers.insert(name, Arc::new(provider));
            }
            Role::OpenidProvider => {
                let provider = openid_provider::open(opening, trust, institution).await?;
                here.openid_providers.insert(name, Arc::new(provider));
            }
            Role::Merchant if institution.requests.is_empty() => {}
            Role::Merchant => {
                let party = verifying::open(opening, trust, institution).await?;
                here.verifying_parties.insert(name, Arc::new(party));
            }
        }
        Ok(())
    }

    /// The routes of what is open.
    pub(crate) fn router(&self, limits: Limits) -> Routes {
        router(self.institutions.clone(), Arc::clone(&self.public), limits)
    }

    /// Serves until `shutdown` resolves; then everything taken is finished and the state closed.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        limits: Limits,
        shutdown: impl Future<Output = ()>,
    ) -> Result<()> {
        let served = serve(listener, self.router(limits), limits, shutdown);
        self.accompany(async move { Ok(served.await?) }).await
    }

    /// Does what comes round again while a server runs on the institutions, and closes the state after it.
    pub(crate) async fn accompany(self, served: impl Future<Output = Result<()>>) -> Result<()> {
        let banks: Vec<Arc<Bank>> = self.institutions.banks.values().cloned().collect();
        let parties: Vec<Arc<RelyingParty>> =
            self.institutions.relying_parties.values().cloned().collect();
        let lists = lists::keep_fresh(&self.institutions);
        let pending = tokio::spawn(submit_pending(banks.clone()));
        let (authority, agencies) =
            (self.institutions.authority.clone(), self.institutions.agencies.clone());
        let keysets = tokio::spawn(renew_keysets(banks.clone()));
        let providers = self.institutions.openid_providers.clone();
        let others = (parties.clone(), agencies, providers);
        let lapsed = tokio::spawn(forgetting::forget_lapsed(banks.clone(), authority, others));
        let verifying: Vec<Arc<VerifyingParty>> =
            self.institutions.verifying_parties.values().cloned().collect();
        let erasure = tokio::spawn(erasing::erase_expired(banks, parties, verifying.clone()));
        let courier = tokio::spawn(carry(self.institutions.central_bank.clone()));
        let recognition = tokio::spawn(recognise(self.institutions.trust_operator.clone()));
        let ledger = self.engine.as_ref().map(Engine::handle);
        let served = tokio::select! {
            served = served => served,
            reason = ledger_failed(ledger) => Err(anyhow!(text!(
                "the ledger stopped, and with it this process: {reason}",
                reason = reason
            ))),
        };
        drop(lists);
        pending.abort();
        erasure.abort();
        recognition.abort();
        lapsed.abort();
        keysets.abort();
        courier.abort();
        lay_down(&verifying).await;
        if let Some(central_bank) = self.institutions.central_bank.clone() {
            let closed = tokio::task::spawn_blocking(move || central_bank.views.shutdown());
            closed.await.with_context(|| text!("closing the history"))?;
        }
        if let Some(engine) = self.engine {
            tokio::task::spawn_blocking(move || engine.shutdown())
                .await
                .with_context(|| text!("closing the log"))?;
        }
        served
    }
}

/// Resolves, a moment after those who waited were answered, when the ledger cannot go on: what a failed disk holds
/// only a new start can tell. A ledger that another writer took over stays stopped instead: started anew, it would
/// take over in its turn.
async fn ledger_failed(ledger: Option<Handle<Machine>>) -> StopReason {
    let reason = match ledger {
        Some(ledger) => ledger.failed().await,
        None => std::future::pending().await,
    };
    if reason == StopReason::Fenced {
        return std::future::pending().await;
    }
    tokio::time::sleep(ANSWERS_LEAVE).await;
    reason
}

/// What has to hold for this process to serve: its ledger takes commands, its token signs.
fn readiness(
    plan: &Plan<'_>,
    ledger: &Arc<OnceLock<Arc<CentralBank>>>,
) -> Vec<(String, Readiness)> {
    let mut all = vec![("central bank".to_owned(), ready(Arc::clone(ledger)))];
    if let Some(token) = plan.data.token().cloned() {
        let signs: Readiness = Box::new(move || {
            token.ready().map_err(|error| format!("{}: {error}", error.fault.code()))
        });
        all.push(("keys".to_owned(), signs));
    }
    all
}

/// Whether the ledger takes commands, once it is open here.
fn ready(ledger: Arc<OnceLock<Arc<CentralBank>>>) -> Readiness {
    Box::new(move || ledger.get().map_or(Ok(()), |central_bank| central_bank.ready()))
}

/// Commands that a crash, or a ledger out of reach, left without an answer.
async fn submit_pending(banks: Vec<Arc<Bank>>) {
    loop {
        for bank in &banks {
            if let Err(problem) = bank.finish_key_changes().await {
                tracing::warn!(bank = %bank.id, code = problem.code(), "credentials of a former key wait to be revoked");
            }
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

/// The keysets of the banks' mints: the next one registered in time, and those that are over ended.
async fn renew_keysets(banks: Vec<Arc<Bank>>) {
    loop {
        let mut all = true;
        for bank in &banks {
            if let Err(problem) = bank.renew_keysets().await {
                tracing::warn!(bank = %bank.id, code = problem.code(), "the mint's keysets were not looked up");
                all = false;
            }
        }
        tokio::time::sleep(if all { ERASE_EVERY } else { PENDING_EVERY }).await;
    }
}

/// What went to other ledgers: said there, and entered here what became of it.
async fn carry(central_bank: Option<Arc<CentralBank>>) {
    let Some(central_bank) = central_bank else { return };
    match Client::new() {
        Ok(client) => Courier::new(central_bank, client).run().await,
        Err(error) => tracing::error!(%error, "nothing is carried to other ledgers"),
    }
}

/// Other countries' lists: fetched anew, so that what is withdrawn there ends here.
async fn recognise(operator: Option<Arc<TrustOperator>>) {
    let Some(operator) = operator else { return };
    loop {
        let now = operator.clock.read().wall;
        for error in operator.recognition.refresh(now).await {
            tracing::warn!(%error, "another country's trust list was not taken over");
        }
        let complete = operator.recognition.is_complete(now);
        tokio::time::sleep(if complete { RECOGNISE_EVERY } else { PENDING_EVERY }).await;
    }
}

/// What waits at verifiers for an answer, for the next start.
async fn lay_down(verifying: &[Arc<VerifyingParty>]) {
    for party in verifying {
        if let Err(problem) = party.lay_down().await {
            tracing::warn!(verifier = %party.id, code = problem.code(), "what waits for an answer is not kept: it is asked again");
        }
    }
}

/// The process's metrics; one recorder, however many cities a test starts.
fn metrics_recorder() -> Result<PrometheusHandle> {
    static RECORDER: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut recorder = RECORDER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*recorder {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().install_recorder().context("metrics")?;
    Ok(recorder.insert(handle).clone())
}
