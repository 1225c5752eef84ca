//! The last state: keys are proven, and credentials bound to them can be signed.

use crate::kind::{Kind, One};
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use yufu_base::{SECTOR_PSEUDONYM, SectorId, Signer, Timestamp};
use yufu_credential::{Integrity, StatusReference};
use yufu_jose::{Chain, Jwk};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{CredentialResponse, IssuedCredential};

/// Dates of credentials are whole days, so that a batch, or two batches of one day, cannot
/// be told apart by them.
const DAY: u64 = 24 * 3600;

/// Keys whose possession was shown. Issue only after [`Proven::nonces`] were spent durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub(crate) subject: String,
    pub(crate) configuration_id: String,
    pub(crate) kind: Kind,
    pub(crate) issuer: Endpoint,
    pub(crate) keys: Vec<Jwk>,
    pub(crate) nonces: BTreeSet<String>,
    pub(crate) pseudonyms: BTreeMap<SectorId, String>,
}

/// What the credentials of a batch have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Now; rounded down to the day.
    pub issued_at: Timestamp,
    /// Until when they are valid; rounded down to the day.
    pub expires_at: Timestamp,
    /// Claims that every presentation shows.
    pub open: Map<String, Value>,
    /// Claims that the holder chooses to show.
    pub selective: Map<String, Value>,
    /// Digests without a claim behind them, that hide how many claims there are.
    pub decoys: u8,
    /// By what the metadata of their type are known; an mdoc has none.
    pub type_integrity: Option<Integrity>,
    /// Which claims are days, by the names that lead to them with dots between: an mdoc says so.
    pub days: Vec<String>,
}

/// Why credentials cannot be signed. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// They would have expired after rounding.
    #[error("the credentials would be valid for less than a day")]
    Dates,
    /// Not one status entry per credential.
    #[error("{keys} credentials need {keys} status entries, not {entries}")]
    StatusCount {
        /// How many credentials there are.
        keys: usize,
        /// How many entries were given.
        entries: usize,
    },
    /// Two credentials would share an entry: revoking one would revoke the other, and the
    /// entry would link them.
    #[error("a status entry is given twice")]
    StatusRepeated,
    /// The claims cannot be issued, or the key does not sign.
    #[error(transparent)]
    Credential(#[from] yufu_credential::IssueError),
    /// A claim cannot be an element of an mdoc.
    #[error(
        "a claim cannot be an element: fractions, days that are none, empty objects and names with dots are not"
    )]
    Element,
    /// The mdoc cannot be issued, or the key does not sign.
    #[error(transparent)]
    Mdoc(#[from] yufu_mdoc::MdocIssueError),
}

impl Proven {
    /// What the issuer's records call the person.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Which configuration is to be issued.
    #[must_use]
    pub fn configuration_id(&self) -> &str {
        &self.configuration_id
    }

    /// The proven keys, one per credential, all different.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The nonces the proofs used: each must be live, and is to be spent before issuing.
    #[must_use]
    pub const fn nonces(&self) -> &BTreeSet<String> {
        &self.nonces
    }

    /// The holder's pseudonyms whose keys were proven, by sector; each credential will carry them
    /// below [`SECTOR_PSEUDONYM`]. Whether they are this person's is for the issuer's records.
    #[must_use]
    pub const fn pseudonyms(&self) -> &BTreeMap<SectorId, String> {
        &self.pseudonyms
    }

    /// Signs one credential per key. `statuses` are in the order of the keys (none at all
    /// for credentials without status); draw their indices at random.
    ///
    /// # Errors
    /// [`IssueError`], the first rule that is broken; then nothing is issued.
    pub fn issue(
        self,
        template: &Template,
        statuses: &[StatusReference],
        signer: &dyn Signer,
        chain: &Chain,
        salts: &mut dyn FnMut() -> [u8; 16],
    ) -> Result<CredentialResponse, IssueError> {
        let (issued_at, expires_at) =
            (whole_day(template.issued_at), whole_day(template.expires_at));
        if expires_at <= template.issued_at {
            return Err(IssueError::Dates);
        }
        let (keys, entries) = (self.keys.len(), statuses.len());
        if entries != 0 && entries != keys {
            return Err(IssueError::StatusCount { keys, entries });
        }
        if statuses.iter().collect::<BTreeSet<_>>().len() != entries {
            return Err(IssueError::StatusRepeated);
        }
        let statuses: BTreeMap<usize, &StatusReference> = statuses.iter().enumerate().collect();
        let mut selective = template.selective.clone();
        if !self.pseudonyms.is_empty() {
            let named = |(sector, pseudonym): (&SectorId, &String)| {
                (sector.to_string(), Value::from(pseudonym.as_str()))
            };
            let all: Map<String, Value> = self.pseudonyms.iter().map(named).collect();
            selective.insert(SECTOR_PSEUDONYM.to_owned(), Value::Object(all));
        }
        let issuer = self.issuer.as_str();
        let Template { open, decoys, type_integrity, days, .. } = template;
        let template = &Template {
            issued_at,
            expires_at,
            open: open.clone(),
            selective,
            decoys: *decoys,
            type_integrity: type_integrity.clone(),
            days: days.clone(),
        };
        let mut credentials = Vec::new();
        for (index, key) in self.keys.into_iter().enumerate() {
            let one = One { key, status: statuses.get(&index).map(|status| (*status).clone()) };
            let credential = self.kind.sign(issuer, template, one, (signer, chain), salts)?;
            credentials.push(IssuedCredential { credential });
        }
        Ok(CredentialResponse { credentials })
    }
}

fn whole_day(at: Timestamp) -> Timestamp {
    let into_day = at.seconds().checked_rem(DAY).unwrap_or(0);
    Timestamp::from_seconds(at.seconds().saturating_sub(into_day))
}
