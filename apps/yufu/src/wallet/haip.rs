//! Getting credentials as an attested wallet (OpenID4VCI 1.0 under HAIP 1.0), fetching what waited for an officer, and
//! fresh copies before the old ones run out. The wallet provider vouches for a key that this issuer alone sees, and
//! says where the keys of the credentials lie; it is not told for whom.

use super::contents::{StoredCredential, StoredGrant, StoredKey, StoredWaiting};
use super::getting::{MOST, Received, Wanted, names};
use super::history::Event;
use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use yufu_base::Signer;
use yufu_jose::{Jwk, SoftwareKey};
use yufu_keys::{random, random_text};
use yufu_openid4vc::HttpResponse;
use yufu_openid4vc::issuance::{CredentialErrorCode, NotificationEvent};
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::haip::{
    AskError, Brought, Entropy, Granted, Keys, Outcome, Refreshing, Requesting, Secrets, Step,
    StepError, Wallet, begin,
};
use yufu_wallet::issuance::{CredentialsError, SectorKeys};

/// Where the person's browser comes back to. This wallet reads the address itself: it asks for the digits in the
/// terminal, and sends the form of the page as a browser would.
const REDIRECT_URI: &str = "http://127.0.0.1/yufu-wallet";
/// How often a request is made again with a fresh nonce.
const TRIES: u8 = 2;
/// Copies that end within so many seconds are replaced.
const SOON_SECONDS: u64 = 7 * 86_400;
/// With fewer copies than this, fresh ones are fetched.
const LEAST: usize = 2;

/// What came of asking.
#[derive(Debug)]
pub enum Got {
    /// Credentials.
    Received(Received),
    /// An officer is to look first; ask again after so many seconds.
    Waits(u64),
}

/// The keys of one issuance: the provider vouches for one, tokens are bound to the other.
struct Party {
    attestation: String,
    instance: SoftwareKey,
    dpop: SoftwareKey,
}

impl Party {
    fn wallet<'a>(&'a self, ids: &'a [String; 2]) -> Wallet<'a> {
        let [pop, dpop] = ids;
        Wallet {
            attestation: &self.attestation,
            instance: &self.instance,
            dpop: &self.dpop,
            ids: [pop, dpop],
        }
    }
}

impl Holder {
    /// Takes up an offer for attested wallets, with the digits that the officer gave.
    ///
    /// # Errors
    /// Whatever the issuer refused, or the wallet refused of the issuer.
    pub async fn get_attested(
        &mut self,
        offer: &str,
        digits: Option<&str>,
        wanted: Wanted,
    ) -> Result<Got> {
        // Many steps, each with its answer: not on the stack of whoever asks.
        Box::pin(self.take_up(offer, digits, wanted)).await
    }

    async fn take_up(&mut self, offer: &str, digits: Option<&str>, wanted: Wanted) -> Result<Got> {
        let trust = self.trust().await?;
        let client_id = self.provider_address()?;
        let format = if wanted.mdoc { FORMAT_MSO_MDOC } else { FORMAT_SD_JWT_VC };
        let (fetching, request) = begin(offer, &trust)?;
        let response = self.send(request).await?;
        let (fetching, request) = fetching.handle(&response, &trust, format, self.now())?;
        let ready = fetching.handle(&self.send(request).await?, &client_id)?;
        let (challenge, nonce) = ready.fetches()?;
        let challenge = match challenge {
            Some(request) => Some(self.send(request).await?),
            None => None,
        };
        let ready = ready.learn(challenge.as_ref(), &self.send(nonce).await?)?;
        let (instance, dpop) = (Self::fresh_key()?.0, Self::fresh_key()?.0);
        let attestation = self.attestation_of(&instance).await?;
        let party = Party { attestation, instance, dpop };
        let mut pushing = ready.accept(REDIRECT_URI, Secrets::new(random(), random()));
        let authorising = self.take(&mut pushing, &party).await?;
        let address = self.agreed(authorising.form(digits)?).await?;
        let exchanging = authorising.answered(&address)?;
        let mut exchanging = match exchanging {
            Ok(exchanging) => exchanging,
            Err(refusal) => bail!(text!("the issuer refused: {refusal}", refusal = refusal)),
        };
        let granted = self.take(&mut exchanging, &party).await?;
        self.keep_grant(&granted, &party)?;
        self.ask_batch(granted, &party, wanted.pseudonyms).await
    }

    /// Fetches what waited for an officer, and fresh copies of what ends within a week, is nearly used up or was voided
    /// by its issuer; what came.
    ///
    /// # Errors
    /// If an issuer does not answer, or refuses what it had granted.
    pub async fn renew(&mut self) -> Result<Vec<Got>> {
        Box::pin(self.renew_all()).await
    }

    async fn renew_all(&mut self) -> Result<Vec<Got>> {
        let trust = self.trust().await?;
        let mut all = Vec::new();
        // Whether there were pseudonyms is known from the copies: asked before those that are void leave.
        let grants = self.file.contents.grants.iter();
        let carried: BTreeMap<String, bool> = grants
            .map(|one| one.grant.credential_type().to_owned())
            .map(|kind| (kind.clone(), self.has_pseudonyms(&kind)))
            .collect();
        self.forget_void(&trust)?;
        for stored in self.file.contents.waiting.clone() {
            self.file.contents.waiting.retain(|other| other.waiting != stored.waiting);
            match Box::pin(self.fetch_waiting(stored.clone())).await {
                Ok(got) => all.push(got),
                Err(error) => {
                    if is_over(&error) {
                        self.file.contents.grants.retain(|grant| grant.id != stored.grant);
                    } else {
                        self.file.contents.waiting.push(stored);
                    }
                    self.file.save()?;
                    return Err(error);
                }
            }
        }
        for stored in self.file.contents.grants.clone() {
            let kind = stored.grant.credential_type().to_owned();
            let pseudonyms = carried.get(&kind).copied().unwrap_or(true);
            if !stored.grant.lasts() || !self.runs_out(&kind) || self.waits_for(&kind) {
                continue;
            }
            let (granted, party) = self.refreshed(&stored).await?;
            let before = self.file.contents.credentials.len();
            let got = self.ask_batch(granted, &party, pseudonyms).await?;
            if matches!(got, Got::Received(_)) {
                self.forget_ending(before, &kind)?;
            }
            all.push(got);
        }
        Ok(all)
    }

    /// Whether copies of this type end soon, or are nearly used up.
    fn runs_out(&self, kind: &str) -> bool {
        let soon = self.now().plus_seconds(SOON_SECONDS);
        let lasting = |held: &HeldCredential| held.expires_at().is_none_or(|end| soon < end);
        let usable = self.file.contents.usable().map(|(_, stored)| &stored.held);
        usable.filter(|held| held.credential.kind() == kind && lasting(held)).count() < LEAST
    }

    fn waits_for(&self, kind: &str) -> bool {
        let mut waiting = self.file.contents.waiting.iter();
        waiting.any(|waiting| waiting.waiting.granted().grant().credential_type() == kind)
    }

    /// Whether copies of this type carried pseudonyms so far.
    fn has_pseudonyms(&self, kind: &str) -> bool {
        let mut all = self.file.contents.credentials.iter().map(|stored| &stored.held.credential);
        let known = all.find(|credential| credential.kind() == kind);
        known.is_none_or(|one| one.claims().contains_key(yufu_base::SECTOR_PSEUDONYM))
    }

    /// Forgets, of the first `before` credentials, those of this type that end soon.
    fn forget_ending(&mut self, before: usize, kind: &str) -> Result<()> {
        let soon = self.now().plus_seconds(SOON_SECONDS);
        let mut place = 0_usize;
        self.file.contents.credentials.retain(|stored| {
            let held = &stored.held;
            let ending = held.expires_at().is_some_and(|end| end <= soon);
            let old = place < before && held.credential.kind() == kind && ending;
            place = place.saturating_add(1);
            !old
        });
        Ok(self.file.save()?)
    }

    /// A step at an endpoint where the wallet authenticates; once more if the server wants its newest nonce.
    async fn take<S: Step>(&self, step: &mut S, party: &Party) -> Result<S::Next> {
        let mut left = TRIES;
        loop {
            let ids = [random_text(), random_text()];
            let request = step.request(party.wallet(&ids), self.now())?;
            let response = self.send(request).await?;
            left = left.saturating_sub(1);
            match step.handle(&response) {
                Err(StepError::Again) if left > 0 => {}
                other => return Ok(other?),
            }
        }
    }

    /// The person agreed in this terminal: where the browser would be sent.
    async fn agreed(&self, form: yufu_openid4vc::HttpRequest) -> Result<String> {
        let response = self.send(form).await?;
        match response.header("location") {
            Some(address) if response.status == 303 => Ok(address.to_owned()),
            _ => bail!(text!("the issuer did not agree: {why}", why = why(&response))),
        }
    }

    /// Asks for a batch, and keeps what comes.
    async fn ask_batch(
        &mut self,
        mut granted: Granted,
        party: &Party,
        pseudonyms: bool,
    ) -> Result<Got> {
        let trust = self.trust().await?;
        let mut keys = Vec::new();
        for _ in 0..granted.batch_size().min(MOST) {
            keys.push(SoftwareKey::from_seed(&random())?);
        }
        let taken = if pseudonyms { granted.sectors() } else { Vec::new() };
        let own = self.sector_keys(taken)?;
        let sectors: SectorKeys<'_> =
            own.iter().map(|(sector, key)| (sector.clone(), key as &dyn Signer)).collect();
        let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
        let mut left = TRIES;
        let (requesting, outcome) = loop {
            let nonce = granted.learn(&self.send(granted.nonce()?).await?)?;
            let attestation = self.attestation_of_keys(&keys, &nonce).await?;
            let keys = Keys {
                credentials: &signers,
                attestation: &attestation,
                sectors: &sectors,
                dpop: &party.dpop,
            };
            let (requesting, request) = granted.ask(&nonce, keys, &entropy(), self.now())?;
            let response = self.send(request).await?;
            left = left.saturating_sub(1);
            match requesting.handle(&response, &trust, self.now()) {
                Err(AskError::Again) if left > 0 => granted.learn_from(&response),
                other => break (requesting, other?),
            }
        };
        self.keep_outcome(&requesting, outcome, keys, party).await
    }

    /// Fetches what waited for an officer.
    async fn fetch_waiting(&mut self, stored: StoredWaiting) -> Result<Got> {
        let trust = self.trust().await?;
        let mut grants = self.file.contents.grants.iter();
        let grant = grants.find(|one| one.id == stored.grant).cloned();
        let grant = grant.with_context(|| text!("what was granted is gone: get a new offer"))?;
        let (mut granted, party) = self.refreshed(&grant).await?;
        let nonce = self.send(granted.nonce()?).await?;
        granted.learn_from(&nonce);
        let (requesting, request) =
            stored.waiting.ask(granted, &party.dpop, &entropy(), self.now())?;
        let response = self.send(request).await?;
        let outcome = requesting.handle(&response, &trust, self.now())?;
        let keys = stored.keys.iter().map(StoredKey::key).collect::<Result<Vec<_>>>()?;
        self.keep_outcome(&requesting, outcome, keys, &party).await
    }

    /// Another access token of a grant.
    async fn refreshed(&mut self, stored: &StoredGrant) -> Result<(Granted, Party)> {
        let (instance, dpop) = (stored.instance.key()?, stored.dpop.key()?);
        let attestation = self.attestation_of(&instance).await?;
        let party = Party { attestation, instance, dpop };
        let refreshing = stored.grant.clone().refresh();
        let refreshing: Refreshing =
            refreshing.with_context(|| text!("the issuer grants nothing more: get a new offer"))?;
        let (challenge, nonce) = refreshing.fetches()?;
        let challenge = match challenge {
            Some(request) => Some(self.send(request).await?),
            None => None,
        };
        let nonce = self.send(nonce).await?;
        let mut refreshing = refreshing.learn(challenge.as_ref(), &nonce)?;
        Ok((self.take(&mut refreshing, &party).await?, party))
    }

    /// Keeps what came, and tells the issuer; or keeps what waits.
    async fn keep_outcome(
        &mut self,
        requesting: &Requesting,
        outcome: Outcome,
        keys: Vec<SoftwareKey>,
        party: &Party,
    ) -> Result<Got> {
        match outcome {
            Outcome::Waits(waiting) => {
                let seconds = waiting.interval();
                let keys = keys.iter().map(StoredKey::of).collect::<Result<Vec<_>>>()?;
                let grant = Self::grant_id(&party.instance);
                self.file.contents.waiting.push(StoredWaiting { waiting: *waiting, keys, grant });
                self.file.save()?;
                Ok(Got::Waits(seconds))
            }
            Outcome::Brought(brought) => {
                let Brought { held, notification_id } = *brought;
                let issuer = requesting.granted().grant().issuer_name().get(&self.language);
                let received = self.keep_batch(issuer.to_owned(), held, &keys)?;
                if let Some(id) = notification_id {
                    let proof = (&party.dpop as &dyn Signer, random_text());
                    let event = NotificationEvent::CredentialAccepted;
                    let by = (proof.0, proof.1.as_str());
                    let identifier = requesting.granted().grant().issuer().as_str().to_owned();
                    let (key, place) = self.freeze_key_for(&identifier)?.unzip();
                    // The credentials are here: whether the issuer hears of it changes nothing for them.
                    let request = requesting.granted().notify(&id, (event, key), by, self.now())?;
                    if let Some(request) = request
                        && self.send(request).await.is_ok_and(|answer| answer.status == 204)
                        && let Some(place) = place
                    {
                        self.left(&place)?;
                    }
                }
                Ok(Got::Received(received))
            }
        }
    }

    fn keep_grant(&mut self, granted: &Granted, party: &Party) -> Result<()> {
        let kind = granted.grant().credential_type().to_owned();
        let stored = StoredGrant {
            id: Self::grant_id(&party.instance),
            grant: granted.grant().clone(),
            instance: StoredKey::of(&party.instance)?,
            dpop: StoredKey::of(&party.dpop)?,
        };
        // The newest is the one that stands: an identity that moved ended the one before.
        let waiting = &self.file.contents.waiting;
        let needed = |id: &String| waiting.iter().any(|waiting| waiting.grant == *id);
        self.file
            .contents
            .grants
            .retain(|one| one.grant.credential_type() != kind || needed(&one.id));
        self.file.contents.grants.push(stored);
        Ok(self.file.save()?)
    }

    /// By what a grant is known in this wallet.
    fn grant_id(instance: &SoftwareKey) -> String {
        Jwk::from(instance.public_key()).thumbprint_base64url()
    }

    /// Keeps a batch with its keys.
    pub(super) fn keep_batch(
        &mut self,
        issuer: String,
        held: Vec<HeldCredential>,
        keys: &[SoftwareKey],
    ) -> Result<Received> {
        let first = held.first().with_context(|| text!("the issuer sent no credential"))?;
        let received = Received {
            issuer: issuer.clone(),
            vct: first.credential.kind().to_owned(),
            count: held.len(),
            claims: names(first.credential.claims()),
        };
        self.note_sectors(first.credential.claims());
        for credential in held {
            let key = keys.iter().find(|key| key.public_key() == *credential.holder_key());
            let key =
                key.with_context(|| text!("a credential is bound to a key that is not ours"))?;
            self.file.contents.credentials.push(StoredCredential {
                key: StoredKey::of(key)?,
                held: credential,
                restored: false,
            });
        }
        let Received { vct, count, .. } = &received;
        self.note(Event::Received { issuer, vct: vct.clone(), count: *count })?;
        Ok(received)
    }
}

/// Whether what waited will never come: an officer declined, or it was fetched.
fn is_over(error: &anyhow::Error) -> bool {
    use CredentialErrorCode::{CredentialRequestDenied, InvalidTransactionId};
    let refused = error.downcast_ref::<AskError>();
    matches!(
        refused,
        Some(AskError::Credentials(CredentialsError::Refused {
            code: CredentialRequestDenied | InvalidTransactionId,
            ..
        }))
    )
}

fn entropy() -> Entropy {
    let request = yufu_jose::jwe::Entropy { ephemeral: random(), iv: random() };
    Entropy { request, answer: random(), id: random_text() }
}

/// What a refusal says.
fn why(response: &HttpResponse) -> String {
    let body: Option<serde_json::Value> = response.refusal();
    let said = body.as_ref().and_then(|body| body.get("detail")).and_then(|text| text.as_str());
    said.map_or_else(|| response.status.to_string(), str::to_owned)
}
