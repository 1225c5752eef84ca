//! What the verifier may act on, and what it keeps.

use crate::authenticated::StatusError;
use crate::lists::StatusLists;
use crate::remembered::Remembered;
use crate::requested::certified_key;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_credential::StatusReference;
use yufu_jose::{ClaimPath, Header, Jwk, SignError, optional_numeric_date};
use yufu_openid4vc::presentation::{DirectPostResponse, EncodedTransaction, TransactionData};
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};
use yufu_trust::{Receipt, TrustEntry};

/// A verified answer. Written as JSON it holds personal data: only where it is sealed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    /// The credentials, by query id.
    pub credentials: BTreeMap<String, Vec<VerifiedCredential>>,
    /// What else the holder signed: all that was asked.
    pub transactions: Vec<AuthorisedTransaction>,
    /// What the holder gets, signed: see [`Verified::respond`].
    pub receipt: Receipt,
    /// What proves it to others later. Holds personal data.
    pub evidence: Evidence,
    pub(crate) x5c: Vec<String>,
    /// The key that the request's certificate is for.
    #[serde(skip)]
    pub(crate) asked_with: Remembered<Option<PublicKey>>,
}

/// One verified credential, with what was asked and nothing else.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct VerifiedCredential {
    /// Its format: `dc+sd-jwt` or `mso_mdoc`.
    #[serde(deserialize_with = "known_format")]
    pub format: FormatName,
    /// Its type: the `vct`, or the type of an mdoc.
    pub vct: String,
    /// Who issued it, as the trust list names it.
    pub issuer: TrustEntry,
    /// The key it is bound to, possession of which was shown.
    pub holder_key: Jwk,
    /// The claims that were asked for. Of an mdoc whose elements are in the namespace of its type,
    /// those that they were made of: the same as an SD-JWT VC would have.
    pub claims: Map<String, Value>,
    /// What it disclosed beyond; dropped.
    pub unasked: Vec<ClaimPath>,
    /// Until when it is valid.
    #[serde(default, with = "optional_numeric_date", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Its place in its issuer's status list, to look again whether it was revoked.
    pub status: Option<StatusReference>,
}

impl VerifiedCredential {
    /// The list its status stands in, and whose signers may sign that list.
    fn list(&self) -> Option<(&str, &TrustEntry)> {
        self.status.as_ref().map(|status| (status.uri.as_str(), &self.issuer))
    }
}

/// One of the constants that name formats. Under this name serde does not take it for borrowed from what is read.
type FormatName = &'static str;

/// One of the formats that there are.
fn known_format<'de, D: Deserializer<'de>>(input: D) -> Result<&'static str, D::Error> {
    let found = String::deserialize(input)?;
    let known = [FORMAT_SD_JWT_VC, FORMAT_MSO_MDOC].into_iter().find(|known| *known == found);
    known.ok_or_else(|| D::Error::custom("no format of credentials"))
}

impl fmt::Debug for VerifiedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.claims.keys().collect();
        f.debug_struct("VerifiedCredential")
            .field("vct", &self.vct)
            .field("claims", &names)
            .finish_non_exhaustive()
    }
}

/// Transaction data that the holder signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorisedTransaction {
    /// The query whose credential's key signed it.
    pub query_id: String,
    /// What was signed.
    pub encoded: EncodedTransaction,
}

impl AuthorisedTransaction {
    /// What it says.
    #[must_use]
    pub const fn data(&self) -> &TransactionData {
        self.encoded.data()
    }
}

/// The request and the signed presentations, as they went over the wire.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The signed request.
    pub request_object: String,
    /// The presentations, by query id.
    pub presentations: BTreeMap<String, Vec<String>>,
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence").finish_non_exhaustive()
    }
}

impl Verified {
    /// The key that the request's certificate is for: what answers it is signed by the same.
    #[must_use]
    pub fn asked_with(&self) -> Option<PublicKey> {
        *self.asked_with.or_else(|| certified_key(&self.x5c))
    }

    /// The lists that the credentials' statuses stand in, and whose signers may sign each.
    pub fn lists(&self) -> impl Iterator<Item = (&str, &TrustEntry)> {
        self.credentials.values().flatten().filter_map(VerifiedCredential::list)
    }

    /// Looks again whether a credential was revoked or suspended, in lists as they are now: for an answer that was verified
    /// a while before it counts.
    ///
    /// # Errors
    /// [`StatusError`], the first rule that is broken.
    pub fn must_stand(&self, lists: &StatusLists, now: Timestamp) -> Result<(), StatusError> {
        for (id, found) in &self.credentials {
            for one in found {
                if let (Some(list), Some(status)) = (one.list(), &one.status) {
                    lists.must_be_valid((id, status.index), list, now)?;
                }
            }
        }
        Ok(())
    }

    /// What the response endpoint answers: the signed receipt, and where the person goes
    /// next.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn respond(
        &self,
        signer: &dyn Signer,
        redirect_uri: Option<String>,
    ) -> Result<DirectPostResponse, SignError> {
        let header = Header { x5c: Some(self.x5c.clone()), ..Header::default() };
        let receipt = Some(self.receipt.sign(header, signer)?);
        Ok(DirectPostResponse { redirect_uri, receipt })
    }
}
