//! What the authority publishes about itself as an issuer.

use super::Authority;
use axum::Json;
use axum::extract::State;
use serde_json::Value;
use std::sync::Arc;
use yufu_issuer::{CredentialProfile, IssuerProfile};
use yufu_jose::ClaimPath;
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{
    AuthorizationServerMetadata, ClaimDescription, Display, IssuerMetadata,
};
use yufu_profile::{CredentialType, Text};

/// The issuer that an institution is, from what its country's profile says.
#[must_use]
pub fn issuer_profile(
    identifier: Endpoint,
    name: &Text,
    types: &[CredentialType],
) -> IssuerProfile {
    let batch = types.iter().map(|t| t.batch).max().unwrap_or(1);
    IssuerProfile {
        identifier,
        display: display(name),
        batch_size: u16::try_from(batch).unwrap_or(u16::MAX),
        credentials: types.iter().map(credential).collect(),
    }
}

fn credential(kind: &CredentialType) -> CredentialProfile {
    let claims = kind.claims.iter().filter_map(|claim| {
        let path = ClaimPath::members(claim.path.segments().iter().map(String::as_str)).ok()?;
        Some(ClaimDescription { path, display: display(&claim.label) })
    });
    CredentialProfile {
        id: kind.id.clone(),
        vct: kind.vct.clone(),
        doctype: kind.doctype.clone(),
        display: display(&kind.name),
        claims: claims.collect(),
        sectors: kind.sectors().cloned().collect(),
    }
}

fn display(text: &Text) -> Vec<Display> {
    let entry = |(locale, name): (&str, &str)| Display {
        name: name.to_owned(),
        locale: Some(locale.to_owned()),
    };
    text.iter().map(entry).collect()
}

pub(super) async fn issuer(State(authority): State<Arc<Authority>>) -> Json<IssuerMetadata> {
    Json(authority.issuer.metadata.clone())
}

pub(super) async fn authorization_server(
    State(authority): State<Arc<Authority>>,
) -> Json<AuthorizationServerMetadata> {
    Json(authority.issuer.authorization_server.clone())
}

pub(super) async fn keys(State(authority): State<Arc<Authority>>) -> Json<Value> {
    Json(authority.issuer.keys())
}
