//! The endpoints under an access token: credentials, those that wait for an officer, and what became of them.

use super::client::{NoProof, Proof};
use super::tokens::{derived_from, person};
use super::{Fresh, Haip, HaipRefusal, Kind, digest};
use crate::freezing::FreezeHandle;
use crate::http::Problem;
use crate::issuer::protocol::{Resting, RestsOn, not_placed};
use crate::issuer::{Issuer, UnderWay};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::HeaderValue};
use serde::{Deserialize, Serialize};
use yufu_base::Timestamp;
use yufu_credentials::{Check, Marker, Once};
use yufu_issuer::haip::{Access, Deferred, KeyRules};
use yufu_issuer::{Proven, credential_of};
use yufu_jose::jwe::{self, Entropy};
use yufu_keys::{random, random_text};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{
    AnswerKey, CredentialErrorCode, CredentialRequestError, CredentialResponse, DeferredRequest,
    DpopTarget, NotificationErrorCode, NotificationEvent, NotificationRequest, WantedRequest,
    WantedResponse,
};

/// When a wallet is to ask again about what an officer has not looked at yet, in seconds.
const INTERVAL_SECONDS: u64 = 60;
const JWT: &str = "application/jwt";

/// A token that was shown by the key that it is bound to.
struct Authorised {
    access: Access,
    marker: Marker,
}

/// What a wallet asked for.
pub(crate) enum Asked {
    /// A batch, which can be issued.
    Now(Box<UnderWay>, Answering),
    /// A batch, which waits for an officer.
    Later(Answer),
}

/// How an answer goes out.
pub(crate) struct Answering {
    key: Option<AnswerKey>,
    grant: String,
    batch: String,
}

/// An answer of the credential or the deferred endpoint.
pub(crate) struct Answer {
    status: StatusCode,
    body: WantedResponse,
    key: Option<AnswerKey>,
    fresh: Fresh,
}

/// What a notification is about.
#[derive(Serialize, Deserialize)]
struct Notified {
    grant: String,
    batch: String,
}

impl Issuer {
    /// What a credential request asks for, its keys proven.
    pub(crate) async fn asked(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Asked, HaipRefusal> {
        let (haip, now) = (self.under_haip()?, self.clock.read().wall);
        let metadata = &haip.documents.issuer;
        let Authorised { access, marker } =
            haip.authorised(headers, &metadata.credential_endpoint, now)?;
        let content = haip.content(headers, body)?;
        let request = WantedRequest::from_json(&content.bytes).map_err(unreadable)?;
        content.permits(request.answer_key.is_some())?;
        let trust = haip.trust.list(now).await.map_err(Problem::from)?;
        let rules = KeyRules { trust: &trust, storage: &haip.profile.key_storage };
        let named = &self.metadata.credential_issuer;
        let proven = access.prove(&request, (metadata, named), rules, now);
        let proven = proven.map_err(|e| HaipRefusal::credential(e.code(), e))?;
        let mut markers = vec![marker];
        markers.extend(haip.nonces(&proven, now)?);
        let batch = digest(&[access.id()]);
        markers.push(Marker {
            what: Once::Token,
            id: batch.clone(),
            expires_at: access.expires_at(),
        });
        let granted = access.granted();
        let person = person(granted)?;
        let grant = granted.grant.clone();
        let credential = credential_of(proven.configuration_id()).to_owned();
        if haip.profile.checked.contains(&credential) {
            let check =
                Check { id: random_text(), grant: grant.clone(), person, credential, at: now };
            let deferred = Deferred::new(check.id.clone(), grant, proven);
            let transaction_id = haip.seal(Kind::Deferred, &deferred)?;
            self.records.defer(check, markers, now).await.map_err(not_placed)?;
            return Ok(Asked::Later(haip.later(transaction_id, request.answer_key, now)?));
        }
        let resting = Resting {
            batch: batch.clone(),
            grant: grant.clone(),
            check: None,
            derived_from: derived_from(granted)?,
            markers,
        };
        let under_way = self.about((person, RestsOn::Grant(resting)), proven)?;
        let answering = Answering { key: request.answer_key, grant, batch };
        Ok(Asked::Now(Box::new(under_way), answering))
    }

    /// What was deferred, if an officer approved it; or that nobody looked yet.
    pub(crate) async fn asked_again(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Asked, HaipRefusal> {
        let (haip, now) = (self.under_haip()?, self.clock.read().wall);
        let metadata = &haip.documents.issuer;
        let url = metadata.deferred_credential_endpoint.as_ref();
        let url = url.ok_or_else(|| Problem::not_found("deferred issuance here"))?;
        let Authorised { access, marker } = haip.authorised(headers, url, now)?;
        let content = haip.content(headers, body)?;
        let request = DeferredRequest::from_json(&content.bytes).map_err(unreadable)?;
        content.permits(request.answer_key.is_some())?;
        let unknown = || {
            let why = "the transaction_id is unknown here, or was fetched";
            HaipRefusal::credential(CredentialErrorCode::InvalidTransactionId, why)
        };
        let deferred: Deferred =
            haip.open(Kind::Deferred, &request.transaction_id).ok_or_else(unknown)?;
        let granted = access.granted();
        if deferred.grant() != granted.grant {
            return Err(unknown());
        }
        let (check, person) = (deferred.id().to_owned(), person(granted)?);
        if self.records.check_waits(&check).await.map_err(not_placed)? {
            let grant = Some(granted.grant.clone());
            self.records.use_once(vec![marker], grant, now).await.map_err(not_placed)?;
            let later = haip.later(request.transaction_id, request.answer_key, now)?;
            return Ok(Asked::Later(later));
        }
        let proven = deferred.proven(metadata, &self.metadata.credential_issuer);
        let (grant, batch) = (granted.grant.clone(), digest(&["check", &check]));
        let resting = Resting {
            batch: batch.clone(),
            grant: grant.clone(),
            check: Some(check),
            derived_from: derived_from(granted)?,
            markers: vec![marker],
        };
        let proven = proven.ok_or_else(unknown)?;
        let under_way = self.about((person, RestsOn::Grant(resting)), proven)?;
        Ok(Asked::Now(Box::new(under_way), Answering { key: request.answer_key, grant, batch }))
    }

    /// The answer that brings a batch.
    pub(crate) fn brought(
        &self,
        issued: CredentialResponse,
        answering: Answering,
    ) -> Result<Answer, HaipRefusal> {
        let (haip, now) = (self.under_haip()?, self.clock.read().wall);
        let Answering { key, grant, batch } = answering;
        let notification_id = haip.seal(Kind::Notification, &Notified { grant, batch })?;
        let body = WantedResponse {
            credentials: issued.credentials,
            notification_id: Some(notification_id),
            ..WantedResponse::default()
        };
        Ok(Answer { status: StatusCode::OK, body, key, fresh: haip.fresh(now)? })
    }

    /// What became of a batch: one that is not in the wallet is void.
    pub(crate) async fn notified(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), HaipRefusal> {
        let (haip, now) = (self.under_haip()?, self.clock.read().wall);
        let url = haip.documents.issuer.notification_endpoint.as_ref();
        let url = url.ok_or_else(|| Problem::not_found("notification endpoint here"))?;
        let Authorised { access, marker } = haip.authorised(headers, url, now)?;
        let request: NotificationRequest = serde_json::from_slice(body).map_err(|_| {
            HaipRefusal::Notification(NotificationErrorCode::InvalidNotificationRequest)
        })?;
        let about: Option<Notified> = haip.open(Kind::Notification, &request.notification_id);
        let about = about.filter(|about| about.grant == access.granted().grant);
        let unknown = HaipRefusal::Notification(NotificationErrorCode::InvalidNotificationId);
        let about = about.ok_or(unknown)?;
        self.records.use_once(vec![marker], None, now).await.map_err(not_placed)?;
        if let Some(event) = not_kept(request.event) {
            self.records.revoke_batch(&about.batch).await.map_err(Problem::from)?;
            // Which batch, and whose, is in the records alone.
            let issuer = self.metadata.credential_issuer.to_string();
            metrics::counter!("yufu_batches_not_kept_total", "issuer" => issuer.clone(), "event" => event)
                .increment(1);
            tracing::warn!(
                issuer,
                event,
                "a wallet has not what was issued to it: the batch is void"
            );
        } else if let Some(freeze_key) = request.yufu_freeze_key {
            let (thumbprint, key) = FreezeHandle { freeze_key }.kept()?;
            let Notified { grant, batch } = about;
            let person = person(access.granted())?;
            let grant = Some(grant);
            let handle = yufu_credentials::FreezeHandle { thumbprint, key, batch, grant, person };
            self.records.keep_freeze_handle(handle, now).await.map_err(Problem::from)?;
        }
        Ok(())
    }
}

impl Haip {
    /// The token of a request, shown by the key that it is bound to (RFC 9449, section 7.1).
    fn authorised(
        &self,
        headers: &HeaderMap,
        url: &Endpoint,
        now: Timestamp,
    ) -> Result<Authorised, HaipRefusal> {
        let refused = |code, why: String| match self.fresh(now) {
            Ok(fresh) => HaipRefusal::credential(code, why).with(fresh),
            Err(problem) => HaipRefusal::Problem(problem),
        };
        let invalid = |why: &str| refused(CredentialErrorCode::InvalidToken, why.to_owned());
        let shown = super::client::one(headers, header::AUTHORIZATION.as_str());
        let token = shown.and_then(|shown| shown.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("DPoP"));
        let (_, token) =
            token.ok_or_else(|| invalid("send the access token as \"Authorization: DPoP ...\""))?;
        let access: Option<Access> = self.open(Kind::Access, token);
        let access = access.ok_or_else(|| invalid("the access token is unknown here"))?;
        let target = DpopTarget { method: "POST", url, access_token: Some(token) };
        let Proof { proof, marker } = match self.proof(headers, target, now) {
            Ok(Some(proof)) => proof,
            Ok(None) => {
                let why = "send a DPoP proof with the token".to_owned();
                return Err(refused(CredentialErrorCode::InvalidDpopProof, why));
            }
            Err(NoProof::Nonce) => {
                return Err(refused(CredentialErrorCode::UseDpopNonce, NoProof::Nonce.why()));
            }
            Err(error) => return Err(refused(CredentialErrorCode::InvalidDpopProof, error.why())),
        };
        access.check(&proof, now).map_err(|error| invalid(&error.to_string()))?;
        Ok(Authorised { access, marker })
    }

    /// The body of a request, decrypted if it is encrypted.
    fn content(&self, headers: &HeaderMap, body: &[u8]) -> Result<Content, HaipRefusal> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case(JWT) {
            return Ok(Content { bytes: body.to_vec(), encrypted: false });
        }
        let text = std::str::from_utf8(body).unwrap_or_default();
        let mut tried = self.decryption.iter().map(|key| jwe::decrypt(text.trim(), key));
        let first = tried.next().ok_or_else(|| Problem::internal("no key opens requests"))?;
        // Who read the metadata before a rotation encrypts to the key that was published then.
        let opened = match first {
            Ok(opened) => Ok(opened),
            Err(error) => tried.find_map(Result::ok).ok_or(error),
        };
        let opened = opened.map_err(|error| {
            let why = format!("the encrypted request: {error}");
            HaipRefusal::credential(CredentialErrorCode::InvalidEncryptionParameters, why)
        })?;
        Ok(Content { bytes: opened.plaintext.to_vec(), encrypted: true })
    }

    /// That the nonces of a request are live; what uses them up.
    fn nonces(&self, proven: &Proven, now: Timestamp) -> Result<Vec<Marker>, HaipRefusal> {
        let marker = |nonce: &String| {
            let expires_at = self.live(Kind::ProofNonce, nonce, now)?;
            Some(Marker { what: Once::Nonce, id: digest(&[nonce]), expires_at })
        };
        let markers: Option<Vec<Marker>> = proven.nonces().iter().map(marker).collect();
        markers.ok_or_else(|| {
            let why = "a nonce is not of this issuer, or has expired: fetch a fresh one";
            HaipRefusal::credential(CredentialErrorCode::InvalidNonce, why)
        })
    }

    fn later(
        &self,
        transaction_id: String,
        key: Option<AnswerKey>,
        now: Timestamp,
    ) -> Result<Answer, Problem> {
        let body = WantedResponse {
            transaction_id: Some(transaction_id),
            interval: Some(INTERVAL_SECONDS),
            ..WantedResponse::default()
        };
        Ok(Answer { status: StatusCode::ACCEPTED, body, key, fresh: self.fresh(now)? })
    }
}

/// The word for what became of a batch that is not in its wallet.
const fn not_kept(event: NotificationEvent) -> Option<&'static str> {
    match event {
        NotificationEvent::CredentialAccepted => None,
        NotificationEvent::CredentialFailure => Some("failure"),
        NotificationEvent::CredentialDeleted => Some("deleted"),
    }
}

/// A request as it was read.
struct Content {
    bytes: Vec<u8>,
    encrypted: bool,
}

impl Content {
    /// A key for the answer counts only if nobody on the way could have put it there.
    fn permits(&self, key: bool) -> Result<(), HaipRefusal> {
        if key && !self.encrypted {
            return Err(unreadable(CredentialRequestError::EncryptionKey));
        }
        Ok(())
    }
}

fn unreadable(error: CredentialRequestError) -> HaipRefusal {
    HaipRefusal::credential(error.code(), error)
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self { status, body, key, fresh } = self;
        let Some(AnswerKey { jwk, enc }) = key else {
            return (status, fresh, Json(body)).into_response();
        };
        let entropy = Entropy { ephemeral: random(), iv: random() };
        let sealed =
            serde_json::to_vec(&body).map_err(|error| error.to_string()).and_then(|plain| {
                jwe::encrypt(&jwk, &enc.into(), &plain, &entropy).map_err(|e| e.to_string())
            });
        match sealed {
            Ok(text) => {
                let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(JWT))];
                (status, fresh, kind, text).into_response()
            }
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}
