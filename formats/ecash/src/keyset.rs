//! A mint's public keys by amount, as it publishes them (NUT-01, NUT-02).

use crate::curve::Point;
use crate::keyset_id::KeysetId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A keyset with its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyset {
    /// Its id, which [`Keyset::check`] recomputes.
    pub id: KeysetId,
    /// What the amounts count: the minor unit of a currency, by its code in small letters.
    pub unit: String,
    /// Whether the mint signs new outputs with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// The fee of spending a note of it, in parts per thousand of a unit; none if 0.
    #[serde(default)]
    pub input_fee_ppk: Option<u64>,
    /// From when, in Unix seconds, the mint need not redeem its notes.
    #[serde(default)]
    pub final_expiry: Option<u64>,
    /// The public key of each amount.
    pub keys: BTreeMap<u64, Point>,
}

/// What a list of keysets says of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysetInfo {
    /// Its id.
    pub id: KeysetId,
    /// What the amounts count.
    pub unit: String,
    /// Whether the mint signs new outputs with it.
    pub active: bool,
    /// The fee of spending a note of it, in parts per thousand of a unit; none if 0.
    #[serde(default)]
    pub input_fee_ppk: Option<u64>,
    /// From when, in Unix seconds, the mint need not redeem its notes.
    #[serde(default)]
    pub final_expiry: Option<u64>,
}

/// The answer of `GET /v1/keys` and `/v1/keys/{id}` (NUT-01).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysResponse {
    /// The keysets.
    pub keysets: Vec<Keyset>,
}

/// The answer of `GET /v1/keysets` (NUT-02).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysetsResponse {
    /// The keysets, active and not.
    pub keysets: Vec<KeysetInfo>,
}

/// Why a keyset is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysetError {
    /// The id is not that of the keys: the mint shows different keys to different people, or errs.
    #[error("the keyset calls itself {claimed}, its keys make it {computed}: do not use it")]
    Id {
        /// What it calls itself.
        claimed: KeysetId,
        /// What its keys make it.
        computed: KeysetId,
    },
    /// It has no keys.
    #[error("the keyset has no keys")]
    Empty,
}

impl Keyset {
    /// Recomputes the id from keys and properties: what a wallet does before it uses them.
    ///
    /// # Errors
    /// [`KeysetError`].
    pub fn check(&self) -> Result<(), KeysetError> {
        if self.keys.is_empty() {
            return Err(KeysetError::Empty);
        }
        let computed = match self.id {
            KeysetId::V1(_) => KeysetId::derive_v1(&self.keys),
            KeysetId::V2(_) => KeysetId::derive(
                &self.keys,
                &self.unit,
                self.input_fee_ppk.unwrap_or(0),
                self.final_expiry,
            ),
        };
        if computed == self.id {
            Ok(())
        } else {
            Err(KeysetError::Id { claimed: self.id, computed })
        }
    }

    /// The key of an amount.
    #[must_use]
    pub fn key(&self, amount: u64) -> Option<&Point> {
        self.keys.get(&amount)
    }

    /// Whether its time is over.
    #[must_use]
    pub fn expired(&self, now: u64) -> bool {
        self.final_expiry.is_some_and(|expiry| now >= expiry)
    }

    /// What a list says of it.
    #[must_use]
    pub fn info(&self) -> KeysetInfo {
        KeysetInfo {
            id: self.id,
            unit: self.unit.clone(),
            active: self.active.unwrap_or(true),
            input_fee_ppk: self.input_fee_ppk,
            final_expiry: self.final_expiry,
        }
    }
}
