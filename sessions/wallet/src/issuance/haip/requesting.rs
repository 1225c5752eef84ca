//! From a token to credentials: keys that are attested in one go, a request and an answer that nobody on the way
//! reads, and each credential verified before it is kept.

use super::super::expected::Expected;
use super::super::sectors::{SectorKeys, pseudonyms};
use super::super::{CredentialsError, NonceError};
use super::{Granted, StepError};
use crate::HeldCredential;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::jwe::{self, ContentEncryption, DecryptionKey};
use yufu_jose::{Jwk, SignError, decode_base64url, encode_base64url};
use yufu_openid4vc::issuance::{
    AnswerKey, CredentialErrorCode, CredentialErrorResponse, DeferredRequest, NonceResponse,
    NotificationEvent, NotificationRequest, ProofsOf, RequestEncryption, Wanted, WantedRequest,
    WantedResponse, sign_attested_proof, sign_sector_proof,
};
use yufu_openid4vc::{Endpoint, HttpRequest, HttpResponse};
use yufu_trust::TrustList;

const JWT: &str = "application/jwt";
/// The name under which the answer's key is sent.
const ANSWER_KEY: &str = "answer";

/// The keys of a request.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    /// One for each wanted credential.
    pub credentials: &'a [&'a dyn Signer],
    /// What the wallet provider says of them, for this nonce.
    pub attestation: &'a str,
    /// The keys of the holder's pseudonyms.
    pub sectors: &'a SectorKeys<'a>,
    /// The key that the token is bound to.
    pub dpop: &'a dyn Signer,
}

/// The randomness of a request that is encrypted, and of the key for its answer.
pub struct Entropy {
    /// For the request.
    pub request: jwe::Entropy,
    /// Becomes the key for the answer.
    pub answer: [u8; 32],
    /// The id of the DPoP proof.
    pub id: String,
}

/// Waits for the credentials.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requesting {
    granted: Granted,
    keys: Vec<Jwk>,
    pseudonyms: BTreeMap<String, String>,
    /// The seed of the key for the answer, in base64url.
    answer: String,
}

/// Waits for an officer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    requesting: Requesting,
    transaction_id: String,
    interval: u64,
}

/// A batch that came.
#[derive(Clone, Debug, PartialEq)]
pub struct Brought {
    /// The credentials, verified.
    pub held: Vec<HeldCredential>,
    /// By what the issuer is told what became of them.
    pub notification_id: Option<String>,
}

/// A batch that does not hold: the issuer is told, so that it counts for nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfit {
    /// Why.
    pub error: CredentialsError,
    /// By what the issuer is told.
    pub notification_id: Option<String>,
}

/// What an answer was.
#[derive(Clone, PartialEq)]
pub enum Outcome {
    /// The credentials.
    Brought(Box<Brought>),
    /// Something that is not kept.
    Unfit(Box<Unfit>),
    /// An officer is to look first.
    Waits(Box<Waiting>),
}

/// Why there are no credentials. Checked in this order.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AskError {
    /// The server wants its newest nonce: make the same request again.
    #[error("the issuer wants a fresh proof: ask again")]
    Again,
    /// The keys, or the nonce.
    #[error(transparent)]
    Keys(#[from] NonceError),
    /// The request cannot be made.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The issuer refused.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The answer is not encrypted to the key that was sent with the request.
    #[error("the answer was not encrypted to this wallet: {0}")]
    Encryption(String),
}

impl fmt::Debug for Requesting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requesting").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("interval", &self.interval).finish_non_exhaustive()
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brought(brought) => write!(f, "Brought({})", brought.held.len()),
            Self::Unfit(unfit) => write!(f, "Unfit({})", unfit.error),
            Self::Waits(waiting) => waiting.fmt(f),
        }
    }
}

impl Granted {
    /// The nonce of an answer of the nonce endpoint: the attestation of the keys is made for it.
    ///
    /// # Errors
    /// [`AskError`] if it did not come.
    pub fn learn(&mut self, response: &HttpResponse) -> Result<String, AskError> {
        self.grant.flow.learn(response);
        let nonce: NonceResponse = response.json().map_err(StepError::Http)?;
        Ok(nonce.c_nonce)
    }

    /// Takes the nonces of an answer that was refused, to ask again.
    pub fn learn_from(&mut self, response: &HttpResponse) {
        self.grant.flow.learn(response);
    }

    /// Asks for a batch: one credential for each key.
    ///
    /// # Errors
    /// [`AskError`], the first rule that is broken.
    pub fn ask(
        &self,
        nonce: &str,
        keys: Keys<'_>,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<(Requesting, HttpRequest), AskError> {
        let flow = &self.grant.flow;
        let (given, most) = (keys.credentials.len(), flow.metadata.batch_size());
        let first = keys.credentials.first().filter(|_| given <= usize::from(most));
        let first = first.ok_or(NonceError::Keys { given, most })?;
        let all = keys.credentials.iter().copied().chain(keys.sectors.values().copied());
        let distinct: BTreeSet<PublicKey> = all.map(|key| key.public_key()).collect();
        if distinct.len() != given.saturating_add(keys.sectors.len()) {
            return Err(NonceError::RepeatedKey.into());
        }
        let taken = flow.sectors();
        if let Some(sector) = keys.sectors.keys().find(|sector| !taken.contains(sector)) {
            return Err(NonceError::Sector(sector.clone()).into());
        }
        let issuer = &flow.metadata.credential_issuer;
        let by = (issuer, flow.client_id.as_str());
        let proof = sign_attested_proof(by, nonce, keys.attestation, now, *first);
        let sector_proofs = keys
            .sectors
            .iter()
            .map(|(sector, key)| sign_sector_proof(issuer, nonce, sector, now, *key))
            .collect::<Result<Vec<String>, SignError>>();
        let request = WantedRequest {
            wanted: Wanted::Configuration(flow.configuration_id.clone()),
            proofs: ProofsOf::Keys(vec![proof.map_err(StepError::Sign)?]),
            answer_key: Some(answer_key(&entropy.answer)?),
            sector_proofs: sector_proofs.map_err(StepError::Sign)?,
        };
        let url = &flow.metadata.credential_endpoint;
        let http = self.sealed(url, &request.to_json(), keys.dpop, entropy, now)?;
        let requesting = Requesting {
            granted: self.clone(),
            keys: keys.credentials.iter().map(|key| Jwk::from(key.public_key())).collect(),
            pseudonyms: pseudonyms(keys.sectors),
            answer: encode_base64url(entropy.answer),
        };
        Ok((requesting, http))
    }

    /// Tells the issuer what became of a batch, and leaves it the key that may have the batch frozen, if one is given.
    ///
    /// # Errors
    /// [`StepError`] if the request cannot be made; `None` if the issuer takes no notifications.
    pub fn notify(
        &self,
        notification_id: &str,
        (event, freeze_key): (NotificationEvent, Option<Jwk>),
        (dpop, id): (&dyn Signer, &str),
        now: Timestamp,
    ) -> Result<Option<HttpRequest>, StepError> {
        let flow = &self.grant.flow;
        let Some(url) = flow.metadata.notification_endpoint.clone() else { return Ok(None) };
        let request = NotificationRequest {
            notification_id: notification_id.to_owned(),
            event,
            yufu_freeze_key: freeze_key,
        };
        let document =
            serde_json::to_value(&request).map_err(|_| StepError::Protocol("a document"))?;
        let proof = flow.proof(&url, Some(&self.access_token), dpop, id, now)?;
        let http = HttpRequest::post_json(url, &document).dpop(&self.access_token, &proof);
        Ok(Some(http))
    }

    /// A request that only the issuer reads.
    fn sealed(
        &self,
        url: &Endpoint,
        document: &serde_json::Value,
        dpop: &dyn Signer,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<HttpRequest, StepError> {
        let flow = &self.grant.flow;
        let (key, enc) = flow
            .metadata
            .credential_request_encryption
            .as_ref()
            .and_then(usable)
            .ok_or(StepError::Protocol("requests cannot be encrypted to it"))?;
        let text =
            jwe::encrypt(&key, &enc.into(), document.to_string().as_bytes(), &entropy.request);
        let text = text.map_err(|_| StepError::Protocol("its key for requests is none"))?;
        let proof = flow.proof(url, Some(&self.access_token), dpop, &entropy.id, now)?;
        let http = HttpRequest::post_text(url.clone(), JWT, JWT, text);
        Ok(http.dpop(&self.access_token, &proof))
    }
}

/// A key and an encryption that this wallet can use too; the stronger first.
fn usable(offered: &RequestEncryption) -> Option<(Jwk, ContentEncryption)> {
    let key = offered.jwks.keys.iter().find(|key| key.alg.as_deref() == Some("ECDH-ES"))?;
    let both = [ContentEncryption::A256Gcm, ContentEncryption::A128Gcm];
    let named = |enc: &ContentEncryption| {
        offered.enc_values_supported.iter().any(|name| name == enc.name())
    };
    Some((key.clone(), both.into_iter().find(named)?))
}

fn answer_key(seed: &[u8; 32]) -> Result<AnswerKey, StepError> {
    let key = DecryptionKey::from_seed(seed).map_err(|_| StepError::Protocol("a key"))?;
    Ok(AnswerKey { jwk: key.public_jwk(ANSWER_KEY), enc: ContentEncryption::A256Gcm })
}

impl Requesting {
    /// The token under which it was asked.
    #[must_use]
    pub const fn granted(&self) -> &Granted {
        &self.granted
    }

    /// Takes the answer.
    ///
    /// # Errors
    /// [`AskError`], the first rule that is broken.
    pub fn handle(
        &self,
        response: &HttpResponse,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<Outcome, AskError> {
        if let Some(refusal) = response.refusal::<CredentialErrorResponse>() {
            if refusal.error == CredentialErrorCode::UseDpopNonce {
                return Err(AskError::Again);
            }
            let description = refusal.error_description.unwrap_or_default();
            return Err(CredentialsError::Refused { code: refusal.error, description }.into());
        }
        let answer = self.opened(response)?;
        if let (Some(transaction_id), Some(interval)) = (answer.transaction_id, answer.interval) {
            let requesting = self.clone();
            return Ok(Outcome::Waits(Box::new(Waiting { requesting, transaction_id, interval })));
        }
        let flow = &self.granted.grant.flow;
        let expected = Expected {
            metadata: &flow.metadata,
            entry: &flow.entry,
            configuration_id: &flow.configuration_id,
            keys: &self.keys,
            pseudonyms: &self.pseudonyms,
        };
        let notification_id = answer.notification_id;
        Ok(match expected.keep(&answer.credentials, trust, now) {
            Ok(held) => Outcome::Brought(Box::new(Brought { held, notification_id })),
            Err(error) => Outcome::Unfit(Box::new(Unfit { error, notification_id })),
        })
    }

    fn opened(&self, response: &HttpResponse) -> Result<WantedResponse, AskError> {
        let text = response.text(JWT).map_err(StepError::Http)?;
        let wrong = |error: String| AskError::Encryption(error);
        let seed = decode_base64url(&self.answer).ok();
        let seed: Option<[u8; 32]> = seed.and_then(|seed| seed.try_into().ok());
        let seed = seed.ok_or_else(|| wrong("the key for the answer is damaged".to_owned()))?;
        let key = DecryptionKey::from_seed(&seed).map_err(|error| wrong(error.to_string()))?;
        let opened = jwe::decrypt(text, &key).map_err(|error| wrong(error.to_string()))?;
        serde_json::from_slice(&opened.plaintext).map_err(|error| wrong(error.to_string()))
    }
}

impl Waiting {
    /// When to ask again at the earliest, in seconds.
    #[must_use]
    pub const fn interval(&self) -> u64 {
        self.interval
    }

    /// The keys that the credentials will be bound to.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.requesting.keys
    }

    /// What was granted: a token that expired meanwhile is refreshed first, and given to [`Waiting::ask`].
    #[must_use]
    pub const fn granted(&self) -> &Granted {
        &self.requesting.granted
    }

    /// Asks again, under `granted`.
    ///
    /// # Errors
    /// [`AskError`] if the request cannot be made.
    pub fn ask(
        mut self,
        granted: Granted,
        dpop: &dyn Signer,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<(Requesting, HttpRequest), AskError> {
        let url = granted.grant.flow.metadata.deferred_credential_endpoint.clone();
        let url = url.ok_or(StepError::Protocol("it defers nothing"))?;
        let request = DeferredRequest {
            transaction_id: self.transaction_id.clone(),
            answer_key: Some(answer_key(&entropy.answer)?),
        };
        let http = granted.sealed(&url, &request.to_json(), dpop, entropy, now)?;
        self.requesting.granted = granted;
        self.requesting.answer = encode_base64url(entropy.answer);
        Ok((self.requesting, http))
    }
}
