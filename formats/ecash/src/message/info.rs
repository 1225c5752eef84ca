//! What a mint says of itself (NUT-06), with the settings of each NUT.

use super::auth::{BlindAuthSettings, ClearAuthSettings};
use crate::curve::Point;
use serde::{Deserialize, Serialize};

/// The answer of `GET /v1/info`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MintInfo {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A key of the mint itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pubkey: Option<Point>,
    /// `name/version` of the software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// A line about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description_long: Option<String>,
    /// How to reach the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Vec<Contact>>,
    /// What wallets must show today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motd: Option<String>,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
    /// Where it can be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urls: Option<Vec<String>>,
    /// The mint's time, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
    /// Its terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_url: Option<String>,
    /// The most items it takes in any list of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_array_length: Option<u64>,
    /// What it supports.
    pub nuts: Nuts,
}

/// A way to reach the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The way.
    pub method: String,
    /// The address.
    pub info: String,
}

/// The settings of each NUT, by its number. What is missing is not supported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Nuts {
    /// Withdrawing.
    #[serde(rename = "4")]
    pub mint: MethodSettings,
    /// Redeeming.
    #[serde(rename = "5")]
    pub melt: MethodSettings,
    /// States.
    #[serde(rename = "7")]
    pub state: Supported,
    /// Change of redeeming.
    #[serde(rename = "8")]
    pub change: Supported,
    /// Restore.
    #[serde(rename = "9")]
    pub restore: Supported,
    /// Conditions of spending.
    #[serde(rename = "10")]
    pub conditions: Supported,
    /// Locks to keys.
    #[serde(rename = "11")]
    pub p2pk: Supported,
    /// Proofs of signatures.
    #[serde(rename = "12")]
    pub dleq: Supported,
    /// Locks to a hash.
    #[serde(rename = "14")]
    pub htlc: Supported,
    /// Payments in parts.
    #[serde(rename = "15", skip_serializing_if = "Option::is_none")]
    pub multipath: Option<MultipathSettings>,
    /// Subscriptions.
    #[serde(rename = "17", skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<SubscriptionSettings>,
    /// Answers kept for repeats.
    #[serde(rename = "19", skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheSettings>,
    /// Quotes locked to keys.
    #[serde(rename = "20")]
    pub signed_quotes: Supported,
    /// Clear authentication.
    #[serde(rename = "21", skip_serializing_if = "Option::is_none")]
    pub clear_auth: Option<ClearAuthSettings>,
    /// Blind authentication.
    #[serde(rename = "22", skip_serializing_if = "Option::is_none")]
    pub blind_auth: Option<BlindAuthSettings>,
    /// Several quotes at once.
    #[serde(rename = "29", skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchSettings>,
}

/// Whether a NUT without further settings is supported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supported {
    /// Whether it is.
    pub supported: bool,
}

/// The methods to withdraw or redeem by (NUT-04, NUT-05).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MethodSettings {
    /// Each pair of method and unit.
    pub methods: Vec<Method>,
    /// Whether it is switched off.
    pub disabled: bool,
}

/// A method for a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// The method, as in the address.
    pub method: String,
    /// The unit.
    pub unit: String,
    /// The method's name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_name: Option<String>,
    /// The least amount. Left out where there is none: `cdk` reads no null here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_amount: Option<u64>,
    /// The greatest amount, the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_amount: Option<u64>,
    /// What the method adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<MethodOptions>,
}

/// What a method adds to its settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MethodOptions {
    /// Whether a quote may carry words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<bool>,
    /// Whether a request may leave its amount open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amountless: Option<bool>,
}

/// For which methods a request can be paid in parts (NUT-15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultipathSettings {
    /// The methods.
    pub methods: Vec<MultipathMethod>,
}

/// A method that can pay in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultipathMethod {
    /// The method.
    pub method: String,
    /// The unit.
    pub unit: String,
}

/// What can be subscribed to (NUT-17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionSettings {
    /// Each pair of method and unit.
    pub supported: Vec<SubscriptionMethod>,
}

/// What can be subscribed to for a method and unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionMethod {
    /// The method.
    pub method: String,
    /// The unit.
    pub unit: String,
    /// The kinds, such as `proof_state`.
    pub commands: Vec<String>,
}

/// Which answers are kept for repeats (NUT-19).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheSettings {
    /// For how many seconds; for ever if null.
    pub ttl: Option<u64>,
    /// Where.
    pub cached_endpoints: Vec<CachedEndpoint>,
}

/// An endpoint whose answers are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedEndpoint {
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
}

/// How several quotes can be taken at once (NUT-29).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSettings {
    /// The most quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_batch_size: Option<u64>,
    /// The methods; all if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
}
