//! An opening under way: whom it enrols with, in this process or elsewhere, and how it waits for those
//! who are not there yet.

use super::{Plan, Progress};
use crate::words::{known, text};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use yufu_api::enrolment::EnrolmentRequest;
use yufu_api::http::{Client, ClientError, Problem, ProblemBody, Starting};
use yufu_base::{InstitutionId, Signer, Timestamp};
use yufu_profile::{Institution, Profile, Role};
use yufu_trust::{Anchor, EnrolledKey, Enrolment};

/// The key by which an institution enrols, and is known to those who admit it.
pub(crate) const INSTITUTION_KEY: &str = "institution";

/// How long to wait before asking again: longer each time, up to two seconds.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How often a wait says that it still waits.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// An opening under way.
pub(super) struct Opening<'a> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) client: Client,
    pub(super) starting: Arc<Starting>,
    pub(super) progress: &'a mut (dyn FnMut(&Progress<'_>) + 'a),
}

impl Opening<'_> {
    pub(super) fn now(&self) -> Timestamp {
        self.plan.clock.read().wall
    }

    /// Asks `whom` until there is an answer, as long as the settings allow; what is waited for is told.
    pub(super) async fn until<T, F>(
        &mut self,
        whom: &InstitutionId,
        what: &str,
        mut ask: impl FnMut() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let (mut waited, mut said, mut pause) = (Duration::ZERO, None, FIRST_WAIT);
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !passing(&error) {
                bail!(text!(
                    "{whom} does not {what}: {error}",
                    whom = whom,
                    what = known(what),
                    error = error
                ));
            }
            let address = self.plan.address(whom);
            if waited >= self.plan.apart.patience {
                bail!(text!(
                    "gave up after {seconds} seconds: {whom} at {address} does not {what}: {error}; start it, or correct its address under [addresses]",
                    seconds = waited.as_secs(),
                    whom = whom,
                    address = address,
                    what = known(what),
                    error = error
                ));
            }
            if said.is_none_or(|at| waited.saturating_sub(at) >= SAY_EVERY) {
                let line = format!("waiting for {whom} at {address} to {what}: {error}");
                self.starting.wait_for(&line);
                (self.progress)(&Progress::Said(&line));
                said = Some(waited);
            }
            tokio::time::sleep(pause).await;
            waited = waited.saturating_add(pause);
            pause = pause.saturating_mul(2).min(LONGEST_WAIT);
        }
    }

    /// Posts to an institution that runs elsewhere until it answers. What is posted is made anew each time, as
    /// enrolments are good for some minutes.
    pub(super) async fn post<B: Serialize + Sync, T: DeserializeOwned>(
        &mut self,
        whom: &InstitutionId,
        what: (&str, &str),
        make: impl Fn() -> Result<B>,
    ) -> Result<T> {
        let answer = self.post_unless(whom, what, "", make).await?;
        answer.map_err(|body| refused_with(whom, &body.code, &body.detail))
    }

    /// As [`Opening::post`]; a refusal with this code is an answer too.
    pub(super) async fn post_unless<B: Serialize + Sync, T: DeserializeOwned>(
        &mut self,
        whom: &InstitutionId,
        (path, what): (&str, &str),
        code: &str,
        make: impl Fn() -> Result<B>,
    ) -> Result<Result<T, Box<ProblemBody>>> {
        let url = format!("{}{path}", self.plan.address(whom));
        let client = self.client.clone();
        let first = make()?;
        let mut next = Some(first);
        self.until(whom, what, || {
            let body = next.take().map_or_else(&make, Ok);
            let (client, url) = (client.clone(), url.clone());
            async move {
                let unmade = |e: anyhow::Error| ClientError::Unexpected {
                    url: url.clone(),
                    status: 0,
                    cause: format!("{e:#}"),
                    retry_after: None,
                    page: false,
                };
                match client.post(&url, None, &body.map_err(unmade)?).await {
                    Ok(answer) => Ok(Ok(answer)),
                    Err(ClientError::Refused(body)) if body.code == code => Ok(Err(body)),
                    Err(error) => Err(error),
                }
            }
        })
        .await
    }
}

/// What an institution wants to have listed of its keys.
#[derive(Default)]
pub(super) struct Listing {
    /// What certifies its signers.
    pub(super) anchors: Vec<Anchor>,
    /// The thumbprints of what certified them before, and still counts.
    pub(super) former: Vec<String>,
    /// The thumbprints of what counts no more.
    pub(super) withdrawn: Vec<String>,
}

/// Signs an institution's wish to be known at `at`.
pub(super) fn enrolment(
    plan: &Plan<'_>,
    institution: &Institution,
    at: &InstitutionId,
    key: Option<&dyn Signer>,
    listing: Listing,
) -> Result<EnrolmentRequest> {
    let id = &institution.id;
    let iat = Timestamp::from_seconds(plan.clock.read().wall.seconds());
    let key = key.map(|key| EnrolledKey::prove(key, (id.as_str(), at.as_str()), iat));
    let enrolment = Enrolment {
        iss: id.to_string(),
        aud: at.to_string(),
        url: plan.address(id).to_owned(),
        iat,
        key: key.transpose()?,
        anchors: listing.anchors,
        former: listing.former,
        withdrawn: listing.withdrawn,
    };
    let signer = plan.data.keys(id)?.signer(INSTITUTION_KEY)?;
    Ok(EnrolmentRequest { enrolment: enrolment.sign(&*signer)? })
}

/// A refusal by an institution in this process.
pub(super) fn refused(by: &InstitutionId, problem: &Problem) -> anyhow::Error {
    refused_with(by, problem.code(), problem.detail())
}

/// A refusal by an institution, wherever it is.
pub(super) fn refused_with(by: &InstitutionId, code: &str, detail: &str) -> anyhow::Error {
    anyhow::anyhow!(text!(
        "{institution} refused: {code}: {detail}",
        institution = by,
        code = code,
        detail = detail
    ))
}

/// Whether a repetition may be answered: the other side is not there yet, or has not admitted us yet.
fn passing(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Refused(body) => {
            matches!(body.status, 404 | 408 | 429 | 502..=504)
                || body.code == "enrolment.not_admitted"
        }
        ClientError::Unexpected { status, .. } => matches!(status, 404 | 502..=504),
        ClientError::Inside { .. } => false,
    }
}

/// The fingerprint of an institution's key, which those who admit it compare.
pub(crate) fn fingerprint(plan: &Plan<'_>, id: &InstitutionId) -> Result<String> {
    let signer = plan.data.keys(id)?.signer(INSTITUTION_KEY);
    let key =
        signer.with_context(|| text!("the key of {institution}", institution = id))?.public_key();
    Ok(yufu_jose::Jwk::from(key).thumbprint_base64url())
}

/// Whom an institution needs to be there when it opens, or to do its work.
pub(crate) fn needed(profile: &Profile, institution: &Institution) -> Vec<InstitutionId> {
    let of = |role: Role| profile.institutions_of(role).map(|one| one.id.clone());
    let mut ids: Vec<InstitutionId> = match institution.role {
        Role::Merchant if institution.requests.is_empty() => return Vec::new(),
        Role::Merchant => return of(Role::TrustListOperator).chain(of(Role::Registrar)).collect(),
        Role::TrustListOperator => Vec::new(),
        Role::CentralBank | Role::Registrar | Role::WalletProvider => {
            of(Role::TrustListOperator).collect()
        }
        Role::CommercialBank => {
            let both = of(Role::TrustListOperator).chain(of(Role::Registrar));
            let notes = profile.bearer_notes.iter().flat_map(|_| of(Role::CommercialBank));
            let tokens = profile.allowance.iter().map(|allowance| allowance.provider.clone());
            let all = both.chain(of(Role::CentralBank)).chain(notes).chain(tokens);
            all.filter(|id| *id != institution.id).collect()
        }
        Role::OpenidProvider => {
            let both = of(Role::TrustListOperator).chain(of(Role::Registrar));
            both.chain(of(Role::CommercialBank)).collect()
        }
        _ => of(Role::TrustListOperator).chain(of(Role::Registrar)).collect(),
    };
    ids.extend(institution.merchant.as_ref().map(|trade| trade.bank.clone()));
    ids
}
