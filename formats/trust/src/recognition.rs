//! Recognition: what one country's trust list says of another's. The operator of a list takes over,
//! from a list whose key it was given out of band, who issues identities there; and tells its own
//! people's wallets where that list is and by which key it is signed, so that nothing is trusted on
//! first sight.

use crate::{Role, TrustEntry, TrustList};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yufu_base::Timestamp;
use yufu_jose::{Jwk, numeric_date};

/// Another country's trust list, by which a wallet verifies the parties there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecognisedList {
    /// The country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Where its list is.
    pub url: String,
    /// The key that signs it.
    pub key: Jwk,
}

/// Where an entry that was taken over comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The country, ISO 3166-1 alpha-2, as the recognising operator names it.
    pub country: String,
    /// The operator of the list that names the party.
    pub operator: String,
    /// When that list lapses, and with it this entry.
    #[serde(rename = "exp", with = "numeric_date")]
    pub expires_at: Timestamp,
}

impl TrustList {
    /// What a recognising operator takes over of this list, as that of `country`: the parties in
    /// `roles`. An identity issuer becomes one in the role [`Role::ForeignPidIssuer`]. What this list
    /// itself took over from others is left out: recognition goes one step.
    #[must_use]
    pub fn taken_over(&self, country: &str, roles: &BTreeSet<Role>) -> Vec<TrustEntry> {
        let own = self.entries.iter().filter(|entry| {
            entry.origin.is_none() && roles.contains(&entry.role) && entry.role != Role::Other
        });
        own.map(|entry| TrustEntry {
            role: match entry.role {
                Role::PidIssuer => Role::ForeignPidIssuer,
                other => other,
            },
            origin: Some(Origin {
                country: country.to_owned(),
                operator: self.operator.clone(),
                expires_at: self.expires_at,
            }),
            ..entry.clone()
        })
        .collect()
    }

    /// The list of another country that this one recognises.
    #[must_use]
    pub fn recognised(&self, country: &str) -> Option<&RecognisedList> {
        self.recognised.iter().find(|list| list.country == country)
    }
}
