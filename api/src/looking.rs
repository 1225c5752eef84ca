//! A person asks who looked at what she showed. At a bank her account's key says who asks; elsewhere the receipt that the
//! party signed for her wallet says which presentation it was, and nobody else has it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yufu_database::Access;

/// The question who looked at what was shown.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LooksRequest {
    /// The request's id: it stands in the address to which the wallet answered.
    pub request: String,
    /// The receipt that this party signed, word for word: a JWS of type `yufu-receipt+jwt`.
    pub receipt: String,
}

/// One look into a customer's, a guest's or a visitor's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileAccess {
    /// When, in seconds since the epoch.
    pub at: u64,
    /// Who at the institution.
    pub actor: String,
    /// What for.
    pub purpose: String,
    /// Which claims; never their values.
    pub fields: Vec<String>,
}

impl From<Access> for FileAccess {
    fn from(access: Access) -> Self {
        let Access { actor, purpose, fields, at } = access;
        Self { at: at.seconds(), actor, purpose, fields }
    }
}
