//! A person's identity frozen after a loss or theft: what one wallet got, by the key that it left; or all of it, by an
//! officer before whom the person stands. An officer lifts it.

use super::Authority;
use crate::freezing::{FreezeHandle, FreezeHandleKept, Frozen, Remains};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_population::{Access, PersonId};

/// An officer's statement that a person stands before them whose identity is to be frozen, or freed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityFreeze {
    /// The person's resident number.
    pub resident_number: String,
    /// What the officer relied on, in words: it is recorded.
    #[schema(example = "telephone stolen; card and portrait compared at counter 3")]
    pub evidence: String,
}

/// How many credentials changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentityFrozen {
    /// How many.
    pub credentials: u64,
}

/// Leave the key that may freeze what is issued with this access token. It is to be another one at each institution.
#[utoipa::path(post, path = "/authority/v1/freeze-handles", tag = "authority",
    request_body = FreezeHandle, security(("request" = [])),
    responses((status = 200, body = FreezeHandleKept), (status = 400, body = ProblemBody), (status = 401, description = "no access token of an issuance under way", body = ProblemBody)))]
pub(super) async fn leave(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<FreezeHandle>, JsonRejection>,
) -> Result<Json<FreezeHandleKept>, Problem> {
    Ok(Json(authority.issuer.keep_freeze_handle(&headers, request?.0).await?))
}

/// Freeze what was issued to the wallet that left the key which asks: its credentials are suspended, and it gets no more.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the freeze key, for this address. Again is harmless.
#[utoipa::path(post, path = "/authority/v1/freezes", tag = "authority", security(("request" = [])),
    responses((status = 200, body = Frozen), (status = 401, body = ProblemBody), (status = 403, description = "no such key was left", body = ProblemBody)))]
pub(super) async fn freeze(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
) -> Result<Json<Frozen>, Problem> {
    Ok(Json(authority.freeze(&headers).await?))
}

/// Freeze all of a person's credentials, before whom the officer stands: they are suspended, and no wallet gets more
/// from what was begun or granted before.
#[utoipa::path(post, path = "/authority/v1/officer/freezes", tag = "authority",
    request_body = IdentityFreeze, security(("operator" = [])),
    responses((status = 200, body = IdentityFrozen), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn freeze_at_counter(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<IdentityFreeze>, JsonRejection>,
) -> Result<Json<IdentityFrozen>, Problem> {
    let person = authority.at_counter(&headers, request, "freezing the identity").await?;
    let credentials = authority.issuer.records.suspend_all(person.uuid()).await?;
    Ok(Json(IdentityFrozen { credentials }))
}

/// Lift the freezes of a person, before whom the officer stands: what is suspended is valid again.
#[utoipa::path(post, path = "/authority/v1/officer/freezes/lift", tag = "authority",
    request_body = IdentityFreeze, security(("operator" = [])),
    responses((status = 200, body = IdentityFrozen), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn lift_at_counter(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<IdentityFreeze>, JsonRejection>,
) -> Result<Json<IdentityFrozen>, Problem> {
    let what = "lifting the freezes of the identity";
    let person = authority.at_counter(&headers, request, what).await?;
    authority.must_live(person).await?;
    let credentials = authority.issuer.records.lift_all(person.uuid()).await?;
    Ok(Json(IdentityFrozen { credentials }))
}

impl Authority {
    /// The person before whom an officer stands, found for `what`, which is recorded.
    async fn at_counter(
        &self,
        headers: &HeaderMap,
        request: Result<Json<IdentityFreeze>, JsonRejection>,
        what: &str,
    ) -> Result<PersonId, Problem> {
        let officer = self.operator.authenticate(headers)?.name;
        let Json(request) = request?;
        let number = self.number(&request.resident_number)?;
        self.find(&number, &officer, format!("{what}: {}", request.evidence)).await
    }

    /// What it issued that nobody can suspend: nobody knows which is whose.
    #[cfg(feature = "zero-knowledge")]
    fn anonymous_ones(&self) -> Option<Remains> {
        self.anonymous.is_some().then_some(Remains::AnonymousCredentials)
    }

    #[cfg(not(feature = "zero-knowledge"))]
    const fn anonymous_ones(&self) -> Option<Remains> {
        let _ = self;
        None
    }

    async fn freeze(&self, headers: &HeaderMap) -> Result<Frozen, Problem> {
        let here = (self.id.as_str(), "/authority/v1/freezes");
        let (frozen, about) = self.issuer.freeze(headers, here).await?;
        let access = Access {
            actor: "the person".to_owned(),
            role: "subject".to_owned(),
            purpose: "the person froze what a wallet had got, with the key that the wallet left"
                .to_owned(),
            fields: BTreeSet::new(),
            at: self.now(),
        };
        for person in about {
            self.population.note_freeze(PersonId::new(person), &access).await?;
        }
        Ok(frozen.but(self.anonymous_ones()))
    }
}
