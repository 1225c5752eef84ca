//! An answer that holds but for one question: was a credential revoked?

use crate::lists::StatusLists;
use crate::presented::Found;
use crate::requested::Requested;
use crate::verified::{AuthorisedTransaction, Evidence, Verified, VerifiedCredential};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use yufu_base::Timestamp;
use yufu_credential::{REGISTERED, StatusReference};
use yufu_jose::{Chain, ChainError, ClaimPath, Jwk, PathStep};
use yufu_mdoc::own_claims;
use yufu_openid4vc::FORMAT_MSO_MDOC;
use yufu_openid4vc::dcql::project;
use yufu_trust::{
    DisclosedNames, Receipt, ReceiptKind, Revocations, Status, StatusListError, TrustEntry,
    TrustList, request_digest,
};

/// A day, in seconds.
const DAY: u64 = 24 * 3600;

/// An answer whose signatures hold. Fetch the status lists, then [`Authenticated::verify`].
pub struct Authenticated {
    pub(crate) request: Requested,
    pub(crate) request_object: String,
    pub(crate) presentations: BTreeMap<String, Vec<String>>,
    pub(crate) credentials: BTreeMap<String, Vec<Credential>>,
    pub(crate) transactions: Vec<AuthorisedTransaction>,
    pub(crate) mdoc_signers: Vec<MdocSigner>,
}

impl fmt::Debug for Authenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticated").field("request", &self.request.id).finish_non_exhaustive()
    }
}

/// Who signed a presented mdoc, verified but for whether the certificate was revoked.
pub struct MdocSigner {
    chain: Chain,
    issuer: TrustEntry,
}

impl MdocSigner {
    pub(crate) const fn new(chain: Chain, issuer: TrustEntry) -> Self {
        Self { chain, issuer }
    }

    /// Where its certificate says that the lists of revoked ones are. They are named by trusted issuers.
    #[must_use]
    pub fn lists_at(&self) -> Vec<String> {
        self.chain.distribution_points()
    }

    /// That it is not on this list, which is its authority's.
    ///
    /// # Errors
    /// [`ChainError::Revoked`], [`ChainError::RevocationUnknown`], or another rule that is broken.
    pub fn check(&self, list: &Revocations, now: Timestamp) -> Result<(), ChainError> {
        list.check(&self.issuer, &self.chain, now)
    }
}

/// One presented credential.
pub(crate) struct Credential {
    format: &'static str,
    vct: String,
    issuer: TrustEntry,
    holder_key: Jwk,
    claims: Map<String, Value>,
    asked: Vec<ClaimPath>,
    unasked: Vec<ClaimPath>,
    status: Option<StatusReference>,
    expires_at: Option<Timestamp>,
}

impl Credential {
    pub(crate) fn new(found: Found, issuer: TrustEntry, asked: &[ClaimPath]) -> Self {
        let (claims, mut unasked) = project(&found.claims, asked);
        unasked.retain(|path| match path.steps().first() {
            Some(PathStep::Name(name)) => !REGISTERED.contains(&name.as_str()),
            _ => true,
        });
        let claims = match found.format {
            FORMAT_MSO_MDOC => own_claims(&found.kind, claims),
            _ => claims,
        };
        Self {
            format: found.format,
            vct: found.kind,
            issuer,
            holder_key: found.holder_key,
            claims,
            asked: asked.to_vec(),
            unasked,
            status: found.status,
            expires_at: found.expires_at,
        }
    }

    /// The list its status stands in, and whose signers may sign that list.
    fn list(&self) -> Option<(&str, &TrustEntry)> {
        self.status.as_ref().map(|status| (status.uri.as_str(), &self.issuer))
    }
}

/// Why a credential's status does not let it pass. Whatever is not known to be valid is
/// refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// A list that is needed was not given.
    #[error("the status list {0} is needed: fetch it and try again")]
    Missing(String),
    /// A list does not hold.
    #[error("the status list {uri}: {error}")]
    List {
        /// Which list.
        uri: String,
        /// Why.
        error: Box<StatusListError>,
    },
    /// A list has no such entry.
    #[error("the status list {uri} has no entry {index}")]
    NoEntry {
        /// Which list.
        uri: String,
        /// Which entry.
        index: u64,
    },
    /// The credential was revoked or suspended.
    #[error("the credential for {id:?} is no longer valid: {status:?}")]
    NotValid {
        /// Which query.
        id: String,
        /// What the list says.
        status: Status,
    },
}

impl Authenticated {
    /// The status lists to fetch. They are named by trusted issuers.
    #[must_use]
    pub fn status_uris(&self) -> BTreeSet<&str> {
        let all = self.credentials.values().flatten();
        all.filter_map(|credential| credential.status.as_ref()).map(|s| s.uri.as_str()).collect()
    }

    /// Who signed the mdocs that were presented: whether their certificates were revoked, their authorities say.
    #[must_use]
    pub fn mdoc_signers(&self) -> &[MdocSigner] {
        &self.mdoc_signers
    }

    /// Checks every credential's status in `lists`, status list tokens by their address,
    /// each signed by the credential's own issuer.
    ///
    /// # Errors
    /// [`StatusError`], the first rule that is broken.
    pub fn verify(
        self,
        trust: &TrustList,
        lists: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Verified, StatusError> {
        let mut read = StatusLists::default();
        for (uri, issuer) in self.lists() {
            if read.get(uri, issuer, now).is_none() {
                let jwt = lists.get(uri).ok_or_else(|| StatusError::Missing(uri.to_owned()))?;
                read.take((uri, issuer), jwt, trust, now)?;
            }
        }
        self.verify_against(&read, now)
    }

    /// As [`Authenticated::verify`], in lists that were verified before.
    ///
    /// # Errors
    /// [`StatusError`], the first rule that is broken; [`StatusError::Missing`] too for a list that has expired.
    pub fn verify_against(
        self,
        lists: &StatusLists,
        now: Timestamp,
    ) -> Result<Verified, StatusError> {
        let all =
            self.credentials.iter().flat_map(|(id, found)| found.iter().map(move |c| (id, c)));
        for (id, credential) in all {
            let (Some(status), Some((uri, issuer))) = (&credential.status, credential.list())
            else {
                continue;
            };
            lists.must_be_valid((id, status.index), (uri, issuer), now)?;
        }
        Ok(self.accept(now))
    }

    /// The lists that credentials' statuses stand in, and whose signers may sign each.
    pub fn lists(&self) -> impl Iterator<Item = (&str, &TrustEntry)> {
        self.credentials.values().flatten().filter_map(Credential::list)
    }

    fn accept(self, now: Timestamp) -> Verified {
        let all = self.credentials.values().flatten();
        let disclosed = all
            .map(|credential| DisclosedNames {
                vct: credential.vct.clone(),
                claims: credential.asked.clone(),
            })
            .collect();
        let retention = u64::from(self.request.retention_days).saturating_mul(DAY);
        let receipt = Receipt {
            kind: ReceiptKind::Accepted,
            party: self.request.client_id,
            purpose: self.request.purpose,
            request_digest: request_digest(&self.request_object),
            disclosed,
            at: now,
            retained_until: Some(now.plus_seconds(retention)),
        };
        let credentials = self
            .credentials
            .into_iter()
            .map(|(id, found)| (id, found.into_iter().map(VerifiedCredential::from).collect()))
            .collect();
        let Self { request_object, presentations, transactions, .. } = self;
        let evidence = Evidence { request_object, presentations };
        let Requested { x5c, asked_with, .. } = self.request;
        Verified { credentials, transactions, receipt, evidence, x5c, asked_with }
    }
}

impl From<Credential> for VerifiedCredential {
    fn from(found: Credential) -> Self {
        Self {
            format: found.format,
            vct: found.vct,
            issuer: found.issuer,
            holder_key: found.holder_key,
            claims: found.claims,
            unasked: found.unasked,
            expires_at: found.expires_at,
            status: found.status,
        }
    }
}
