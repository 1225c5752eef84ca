//! A wallet that takes up an offer (OpenID4VCI 1.0, pre-authorized code): token, nonce, credential. What the issuer
//! publishes is there already, as in a wallet that has been to it before.

use super::city::{City, Offered, now};
use super::walk::Walk;
use anyhow::{Context, Result, bail};
use yufu_base::Signer;
use yufu_jose::SoftwareKey;
use yufu_keys::random;
use yufu_openid4vc::{HttpRequest, HttpResponse};
use yufu_wallet::issuance::{ExchangingCode, FetchingNonce, RequestingCredentials, Scanned, scan};

/// A wallet with one key, which is to get one credential.
pub(super) struct Getting {
    key: SoftwareKey,
    at: At,
}

enum At {
    /// Has agreed, and asks for a token.
    Agreed(Box<ExchangingCode>, HttpRequest),
    /// Waits for the token.
    Token(Box<ExchangingCode>),
    /// Waits for a nonce.
    Nonce(Box<FetchingNonce>),
    /// Waits for the credential.
    Credential(Box<RequestingCredentials>),
    Received,
    /// Something was refused on the way.
    Lost,
}

impl Getting {
    /// A wallet that has read its offer, and agreed to it.
    pub(super) fn new(city: &mut City, offered: &Offered, format: &str) -> Result<Self> {
        let Scanned::Value(fetching, request) = scan(&offered.link, &city.trust)? else {
            bail!("the offer is by reference");
        };
        let answer = city.published(&request)?;
        let (fetching, request) = fetching.handle_preferring(&answer, format)?;
        let ready = fetching.handle(&city.published(&request)?)?;
        let (exchanging, request) = ready.accept(Some(&offered.code))?;
        let key = SoftwareKey::from_seed(&random())?;
        Ok(Self { key, at: At::Agreed(Box::new(exchanging), request) })
    }
}

impl Walk for Getting {
    fn next(
        &mut self,
        city: &mut City,
        answer: Option<HttpResponse>,
    ) -> Result<Option<(&'static str, HttpRequest)>> {
        let answer = || answer.context("a step was not answered");
        let (at, asked) = match std::mem::replace(&mut self.at, At::Lost) {
            At::Agreed(exchanging, request) => (At::Token(exchanging), Some(("token", request))),
            At::Token(exchanging) => {
                let (fetching, request) = exchanging.handle(&answer()?)?;
                (At::Nonce(Box::new(fetching)), Some(("nonce", request)))
            }
            At::Nonce(fetching) => {
                let keys: [&dyn Signer; 1] = [&self.key];
                let (requesting, request) = fetching.handle(&answer()?, &keys, now()?)?;
                (At::Credential(Box::new(requesting)), Some(("credential", request)))
            }
            At::Credential(requesting) => {
                let held = requesting.handle(&answer()?, &city.trust, now()?)?;
                held.first().context("the issuer sent no credential")?;
                (At::Received, None)
            }
            At::Received | At::Lost => bail!("a wallet is at its end"),
        };
        self.at = at;
        Ok(asked)
    }
}
