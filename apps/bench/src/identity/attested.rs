//! An attested wallet that takes up an offer (OpenID4VCI 1.0 under HAIP 1.0): the request pushed, the page agreed to with
//! the digits, token, nonce, credential, notification. What the issuer publishes is there already.

use super::city::{City, Offered, now};
use super::provider::Provider;
use super::walk::Walk;
use anyhow::{Context, Result, bail};
use std::rc::Rc;
use yufu_base::Signer;
use yufu_jose::{SoftwareKey, jwe};
use yufu_keys::{random, random_text};
use yufu_openid4vc::issuance::NotificationEvent;
use yufu_openid4vc::{HttpRequest, HttpResponse};
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::SectorKeys;
use yufu_wallet::issuance::haip::{
    Authorising, Begun, Entropy, Exchanging, Granted, Keys, Outcome, Pushing, Ready, Requesting,
    Secrets, Step, Wallet, begin,
};

/// Where the browser would come back to.
const REDIRECT_URI: &str = "http://127.0.0.1/wallet-of-the-bench";

/// An attested wallet with one key, which is to get one credential.
pub(super) struct Attested {
    provider: Rc<Provider>,
    attestation: String,
    instance: SoftwareKey,
    dpop: SoftwareKey,
    key: SoftwareKey,
    digits: String,
    at: At,
}

enum At {
    Ready(Box<Ready>),
    Pushed(Box<Pushing>),
    Agreed(Box<Authorising>),
    Exchanged(Box<Exchanging>),
    Nonce(Box<Granted>),
    Asked(Box<Granted>, Box<Requesting>),
    Told(Box<HeldCredential>),
    /// Something was refused on the way.
    Lost,
}

impl Attested {
    /// A wallet that has read its offer, and whose provider vouches for it.
    pub(super) fn new(
        city: &mut City,
        provider: &Rc<Provider>,
        offered: &Offered,
        format: &str,
    ) -> Result<Self> {
        let Begun::Value(fetching, request) = begin(&offered.attested, &city.trust)? else {
            bail!("the offer is only referred to");
        };
        let answer = city.published(&request)?;
        let (fetching, request) = fetching.handle(&answer, &city.trust, format, now()?)?;
        let ready = fetching.handle(&city.published(&request)?, &provider.client_id)?;
        let instance = SoftwareKey::from_seed(&random())?;
        Ok(Self {
            provider: Rc::clone(provider),
            attestation: provider.vouch(city, &instance)?,
            instance,
            dpop: SoftwareKey::from_seed(&random())?,
            key: SoftwareKey::from_seed(&random())?,
            digits: offered.code.clone(),
            at: At::Ready(Box::new(ready)),
        })
    }

    /// Its key and what it received.
    pub(super) fn received(self) -> Result<(SoftwareKey, HeldCredential)> {
        match self.at {
            At::Told(held) => Ok((self.key, *held)),
            _ => bail!("a wallet has not got its credential"),
        }
    }

    fn request<S: Step>(&self, step: &S) -> Result<HttpRequest> {
        let ids = [random_text(), random_text()];
        let [pop, dpop] = &ids;
        let wallet = Wallet {
            attestation: &self.attestation,
            instance: &self.instance,
            dpop: &self.dpop,
            ids: [pop, dpop],
        };
        Ok(step.request(wallet, now()?)?)
    }

    /// Asks for the credential, with the provider's word for its key.
    fn ask(
        &self,
        city: &mut City,
        mut granted: Box<Granted>,
        nonce: &HttpResponse,
    ) -> Result<(At, HttpRequest)> {
        let nonce = granted.learn(nonce)?;
        let attestation = self.provider.vouch_for_key(city, &self.key, &nonce)?;
        let credentials: [&dyn Signer; 1] = [&self.key];
        let keys = Keys {
            credentials: &credentials,
            attestation: &attestation,
            sectors: &SectorKeys::new(),
            dpop: &self.dpop,
        };
        let sealed = jwe::Entropy { ephemeral: random(), iv: random() };
        let entropy = Entropy { request: sealed, answer: random(), id: random_text() };
        let (requesting, request) = granted.ask(&nonce, keys, &entropy, now()?)?;
        Ok((At::Asked(granted, Box::new(requesting)), request))
    }
}

impl Walk for Attested {
    fn next(
        &mut self,
        city: &mut City,
        answer: Option<HttpResponse>,
    ) -> Result<Option<(&'static str, HttpRequest)>> {
        let answer = || answer.context("a step was not answered");
        let (at, asked) = match std::mem::replace(&mut self.at, At::Lost) {
            At::Ready(ready) => {
                // Both hold for minutes, and for everybody.
                let (challenge, nonce) = ready.fetches()?;
                let challenge = challenge.map(|request| city.published(&request)).transpose()?;
                let ready = ready.learn(challenge.as_ref(), &city.published(&nonce)?)?;
                let pushing = ready.accept(REDIRECT_URI, Secrets::new(random(), random()));
                let request = self.request(&pushing)?;
                (At::Pushed(Box::new(pushing)), Some(("push", request)))
            }
            At::Pushed(mut pushing) => {
                let authorising = pushing.handle(&answer()?)?;
                let request = authorising.form(Some(&self.digits))?;
                (At::Agreed(Box::new(authorising)), Some(("authorize", request)))
            }
            At::Agreed(authorising) => {
                let answer = answer()?;
                let address = answer.header("location").context("the issuer did not agree")?;
                let Ok(exchanging) = authorising.answered(address)? else {
                    bail!("the issuer refused: {address}");
                };
                let request = self.request(&exchanging)?;
                (At::Exchanged(Box::new(exchanging)), Some(("token", request)))
            }
            At::Exchanged(mut exchanging) => {
                let granted = exchanging.handle(&answer()?)?;
                let request = granted.nonce()?;
                (At::Nonce(Box::new(granted)), Some(("nonce", request)))
            }
            At::Nonce(granted) => {
                let (at, request) = self.ask(city, granted, &answer()?)?;
                (at, Some(("credential", request)))
            }
            At::Asked(granted, requesting) => {
                let Outcome::Brought(brought) =
                    requesting.handle(&answer()?, &city.trust, now()?)?
                else {
                    bail!("an officer is to look first");
                };
                let held = brought.held.into_iter().next().context("no credential came")?;
                let id = brought.notification_id.context("no notification is wanted")?;
                let event = NotificationEvent::CredentialAccepted;
                let request =
                    granted.notify(&id, (event, None), (&self.dpop, &random_text()), now()?)?;
                let request = request.context("no notification is wanted")?;
                (At::Told(Box::new(held)), Some(("notification", request)))
            }
            At::Told(held) => {
                answer()?;
                (At::Told(held), None)
            }
            At::Lost => bail!("a wallet is at its end"),
        };
        self.at = at;
        Ok(asked)
    }
}
