//! A person asks for what she showed to be deleted. The receipt that the party signed for her wallet says which
//! presentation that was, and nobody else has it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yufu_base::Timestamp;

/// A wish for deletion.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletionRequest {
    /// The request's id: it stands in the address to which the wallet answered.
    pub request: String,
    /// The receipt that this party signed, word for word: a JWS of type `yufu-receipt+jwt`.
    pub receipt: String,
}

/// What becomes of what was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeletionAnswer {
    /// `erased`, or `kept` because a law or a claim that may still arise has it so.
    pub state: String,
    /// When it is erased by itself, in seconds since the epoch; for what is kept.
    pub kept_until: Option<u64>,
}

impl DeletionAnswer {
    pub(crate) fn erased() -> Self {
        Self { state: "erased".to_owned(), kept_until: None }
    }

    pub(crate) fn kept(until: Timestamp) -> Self {
        Self { state: "kept".to_owned(), kept_until: Some(until.seconds()) }
    }
}
