//! The members every credential has, whatever it attests.

use crate::Integrity;
use serde::{Deserialize, Serialize};
use yufu_jose::{Jwk, Validity};

/// Where a credential's status stands: an index into a token status list
/// (draft-ietf-oauth-status-list section 6.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "WireStatus", into = "WireStatus")]
pub struct StatusReference {
    /// The list's address, which its token names as `sub`.
    pub uri: String,
    /// The entry, from 0.
    pub index: u64,
}

/// The registered claims of an SD-JWT VC, none of which can be hidden.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Credential {
    /// `vct`: the credential's type.
    pub vct: String,
    /// `vct#integrity`: by what the type's metadata are known.
    #[serde(rename = "vct#integrity")]
    pub type_integrity: Option<Integrity>,
    /// `iss`: who issued it; absent if only the certificate says so.
    #[serde(rename = "iss")]
    pub issuer: Option<String>,
    /// `cnf`: the holder's key (RFC 7800).
    #[serde(rename = "cnf")]
    pub confirmation: Confirmation,
    /// `status`: where to ask whether it was revoked.
    pub status: Option<StatusReference>,
    /// `iat`, `nbf`, `exp`.
    #[serde(flatten)]
    pub validity: Validity,
}

/// The confirmation method (RFC 7800): a key, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The holder's public key.
    pub jwk: Jwk,
}

#[derive(Clone, Serialize, Deserialize)]
struct WireStatus {
    status_list: WireStatusList,
}

#[derive(Clone, Serialize, Deserialize)]
struct WireStatusList {
    idx: u64,
    uri: String,
}

impl From<WireStatus> for StatusReference {
    fn from(wire: WireStatus) -> Self {
        Self { uri: wire.status_list.uri, index: wire.status_list.idx }
    }
}

impl From<StatusReference> for WireStatus {
    fn from(status: StatusReference) -> Self {
        Self { status_list: WireStatusList { idx: status.index, uri: status.uri } }
    }
}
