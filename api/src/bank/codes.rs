//! How a one-time code reaches a telephone. No network of telephones is connected: the one
//! delivery there is lays the message into the bank's records, where its desk reads it.

use super::{Banks, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_onboarding::{Access, Onboarding};

/// What a delivery comes to.
pub type Delivered<'a> = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>>;

/// Brings a message to a telephone number that the records know as `phone`.
pub trait CodeDelivery: Send + Sync {
    /// Hands the message over; a failure means that it will not arrive.
    fn deliver<'a>(&'a self, phone: Uuid, text: &'a str, at: Timestamp) -> Delivered<'a>;
}

/// Lays messages, sealed, into the bank's records for ten minutes. Nothing is sent.
pub struct RecordedOutbox(pub Onboarding);

impl CodeDelivery for RecordedOutbox {
    fn deliver<'a>(&'a self, phone: Uuid, text: &'a str, at: Timestamp) -> Delivered<'a> {
        Box::pin(async move { Ok(self.0.put_message(phone, text, at).await?) })
    }
}

/// A message that waits for a telephone.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CodeMessage {
    /// The number.
    pub phone: String,
    /// What it says.
    pub text: String,
    /// When it was written, in milliseconds since the epoch.
    pub at: u64,
}

/// Why messages are read.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Reading {
    /// What for, in a few words; it is recorded.
    purpose: String,
}

/// The messages with codes of the last ten minutes. Every one that is read leaves a record.
#[utoipa::path(get, path = "/banks/{bank}/v1/desk/messages", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank"), Reading),
    security(("operator" = [])),
    responses((status = 200, body = [CodeMessage]), (status = 401, body = ProblemBody)))]
pub(super) async fn messages(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    Query(reading): Query<Reading>,
) -> Result<Json<Vec<CodeMessage>>, Problem> {
    let bank = named(&banks, &bank)?;
    let actor = bank.operator.authenticate(&headers)?.name;
    let access = Access { actor, purpose: reading.purpose, fields: Vec::new(), at: bank.now() };
    let messages = bank.records.read_messages(&access).await?.into_iter().map(|message| {
        CodeMessage { phone: message.number, text: message.text, at: message.at.millis() }
    });
    Ok(Json(messages.collect()))
}
