//! Getting credentials as an attested wallet (OpenID4VCI 1.0 under HAIP 1.0), and what is asked under what was granted
//! before. The wallet provider vouches for a key that this issuer alone sees, and
//! says where the keys of the credentials lie; it is not told for whom.

use super::contents::{StoredCredential, StoredGrant, StoredKey, StoredWaiting};
use super::getting::{MOST, Received, Wanted, names};
use super::history::Event;
use super::holder::Holder;
use super::obtaining::redirected;
use crate::words::text;
use anyhow::{Context, Result, bail};
use yufu_base::Signer;
use yufu_jose::{Jwk, SoftwareKey};
use yufu_keys::{random, random_text};
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC, HttpRequest, HttpResponse};
use yufu_trust::{Role, TrustList};
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::SectorKeys;
use yufu_wallet::issuance::haip::{
    AskError, Authorising, Begun, Brought, Entropy, FetchingIssuer, Grant, Granted, Keys, Outcome,
    Refreshing, Requesting, Secrets, Step, StepError, Unfit, Wallet, begin,
};

/// Where the person's browser comes back to. This wallet reads the address itself: it asks for the digits in the
/// terminal, and sends the form of the page as a browser would.
const REDIRECT_URI: &str = "http://127.0.0.1/yufu-wallet";
/// How often a request is made again with a fresh nonce.
const TRIES: u8 = 2;

/// What came of asking.
#[derive(Debug)]
pub enum Got {
    /// Credentials.
    Received(Received),
    /// An officer is to look first; ask again after so many seconds.
    Waits(u64),
    /// The issuer ended what it had granted: no fresh copies come by themselves any more.
    Ended {
        /// Who.
        issuer: String,
        /// Of which type they were.
        kind: String,
    },
}

/// The keys of one issuance: the provider vouches for one, tokens are bound to the other.
pub(super) struct Party {
    attestation: String,
    pub(super) instance: SoftwareKey,
    pub(super) dpop: SoftwareKey,
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

    /// Takes up an offer of which there are two links: as an attested wallet, if a provider stands behind this one and
    /// the issuer issues to those.
    ///
    /// # Errors
    /// As [`Holder::get_attested`] and [`Holder::get`]; if an officer is to look first.
    pub(super) async fn take_issued(
        &mut self,
        (offer, haip_offer): (&str, Option<&str>),
        wanted: Wanted,
    ) -> Result<Received> {
        let Some(attested) = haip_offer.filter(|_| self.provider().is_some()) else {
            return self.get_as(offer, None, wanted).await;
        };
        match self.get_attested(attested, None, wanted).await? {
            Got::Received(received) => Ok(received),
            Got::Waits(_) | Got::Ended { .. } => bail!(text!(
                "an officer looks at this first: fetch it later with `yufu wallet renew`"
            )),
        }
    }

    async fn take_up(&mut self, offer: &str, digits: Option<&str>, wanted: Wanted) -> Result<Got> {
        let trust = self.trust().await?;
        let begun = match begin(offer, &trust)? {
            Begun::Value(fetching, request) => (*fetching, request),
            Begun::Reference(fetching, request) => {
                fetching.handle(&self.send(request).await?, &trust)?
            }
        };
        let (authorising, party) = self.push(begun, wanted, &trust).await?;
        let address = self.agreed(authorising.form(digits)?).await?;
        self.take_granted((authorising, party), &address, wanted.pseudonyms).await
    }

    /// Looks at the issuer, and pushes what is wanted of it, under keys that it alone sees.
    pub(super) async fn push(
        &mut self,
        (fetching, request): (FetchingIssuer, HttpRequest),
        wanted: Wanted,
        trust: &TrustList,
    ) -> Result<(Authorising, Party)> {
        let client_id = self.provider_address()?;
        let format = if wanted.mdoc { FORMAT_MSO_MDOC } else { FORMAT_SD_JWT_VC };
        let response = self.send(request).await?;
        let (fetching, request) = fetching.handle(&response, trust, format, self.now())?;
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
        Ok((self.take(&mut pushing, &party).await?, party))
    }

    /// Takes the address to which the browser was sent: a code is exchanged, and a batch asked for.
    pub(super) async fn take_granted(
        &mut self,
        (authorising, party): (Authorising, Party),
        address: &str,
        pseudonyms: bool,
    ) -> Result<Got> {
        let mut exchanging = match authorising.answered(address)? {
            Ok(exchanging) => exchanging,
            Err(refusal) => bail!(text!("the issuer refused: {refusal}", refusal = refusal)),
        };
        let granted = self.take(&mut exchanging, &party).await?;
        self.keep_grant(&granted, &party)?;
        self.ask_batch(granted, &party, pseudonyms).await
    }

    /// A step at an endpoint where the wallet authenticates; once more if the server wants its newest nonce.
    pub(super) async fn take<S: Step>(&self, step: &mut S, party: &Party) -> Result<S::Next> {
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
    pub(super) async fn agreed(&self, form: HttpRequest) -> Result<String> {
        let response = self.send(form).await?;
        redirected(&response)
            .with_context(|| text!("the issuer did not agree: {why}", why = why(&response)))
    }

    /// Asks for a batch, and keeps what comes.
    pub(super) async fn ask_batch(
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
    pub(super) async fn fetch_waiting(&mut self, stored: StoredWaiting) -> Result<Got> {
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
    pub(super) async fn refreshed(&mut self, stored: &StoredGrant) -> Result<(Granted, Party)> {
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
    pub(super) async fn keep_outcome(
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
            Outcome::Unfit(unfit) => {
                let Unfit { error, notification_id } = *unfit;
                let granted = requesting.granted();
                self.tell_failure(granted, notification_id.as_deref(), party).await;
                Err(AskError::Credentials(error).into())
            }
            Outcome::Brought(brought) => {
                let Brought { held, notification_id } = *brought;
                let granted = requesting.granted();
                let issuer = granted.grant().issuer_name().get(&self.language).to_owned();
                let learned = self.learn_type(granted.type_of(&held), &held).await;
                let kept = learned.and_then(|()| {
                    self.learn_names(granted.described(&held), &held);
                    self.keep_batch(issuer, held, &keys)
                });
                match kept {
                    Ok(received) => {
                        if let Some(batch) = &notification_id {
                            self.tell_kept(granted, batch, party).await?;
                        }
                        Ok(Got::Received(received))
                    }
                    Err(error) => {
                        self.tell_failure(granted, notification_id.as_deref(), party).await;
                        Err(error)
                    }
                }
            }
        }
    }

    fn keep_grant(&mut self, granted: &Granted, party: &Party) -> Result<()> {
        let kind = granted.grant().credential_type().to_owned();
        // Of tickets there are many, each for one journey: fresh copies are had by showing one.
        if granted.grant().issuer_role() == Role::TicketIssuer {
            return Ok(());
        }
        let stored = StoredGrant {
            id: Self::grant_id(&party.instance),
            grant: granted.grant().clone(),
            instance: StoredKey::of(&party.instance)?,
            dpop: StoredKey::of(&party.dpop)?,
            batches: Vec::new(),
        };
        if let Some(described) = stored.grant.described() {
            self.file.contents.described.insert(kind.clone(), described);
        }
        // The newest is the one that stands: an identity that moved ended the one before.
        let waiting = &self.file.contents.waiting;
        let needed = |id: &String| waiting.iter().any(|waiting| waiting.grant == *id);
        let issuer = stored.grant.issuer().clone();
        let another = |grant: &Grant| grant.credential_type() != kind || *grant.issuer() != issuer;
        self.file.contents.grants.retain(|one| another(&one.grant) || needed(&one.id));
        self.file.contents.grants.push(stored);
        Ok(self.file.save()?)
    }

    /// By what a grant is known in this wallet.
    pub(super) fn grant_id(instance: &SoftwareKey) -> String {
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
        self.file.contents.forget_types();
        let Received { vct, count, .. } = &received;
        self.note(Event::Received { issuer, vct: vct.clone(), count: *count })?;
        Ok(received)
    }
}

pub(super) fn entropy() -> Entropy {
    let request = yufu_jose::jwe::Entropy { ephemeral: random(), iv: random() };
    Entropy { request, answer: random(), id: random_text() }
}

/// What a refusal says.
fn why(response: &HttpResponse) -> String {
    let body: Option<serde_json::Value> = response.refusal();
    let said = body.as_ref().and_then(|body| body.get("detail")).and_then(|text| text.as_str());
    said.map_or_else(|| response.status.to_string(), str::to_owned)
}
