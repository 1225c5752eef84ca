//! The reader: it sees a code, asks, and verifies the answer, without a network.

use crate::engaged::{REGISTRATION, elements};
use crate::offline::{Offline, OfflineStatusError};
use crate::receipts::{Ended, conversation};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use yufu_base::{Signer, SignerError, Timestamp};
use yufu_credential::StatusReference;
use yufu_jose::{AgreementKey, Chain, ChainError, ClaimPath, Jwk, KeyError, PathStep};
use yufu_mdoc::cbor::ShapeError;
use yufu_mdoc::{
    DeviceEngagement, DeviceRequest, DeviceResponse, DocumentRequest, EngagementError, Handover,
    ItemsRequest, MdocError, MdocExpected, SessionCipher, SessionData, SessionError,
    SessionEstablishment, SessionStatus, SessionTranscript, Side, own_claims,
};
use yufu_openid4vc::dcql::project;
use yufu_trust::{DisclosedNames, LEEWAY_SECONDS, Role, TrustEntry, TrustError, TrustList};

/// Who reads: the access certificate with its key, and the registration for this use.
#[derive(Clone, Copy)]
pub struct ReaderIdentity<'a> {
    /// The access certificate's chain.
    pub chain: &'a Chain,
    /// Its key.
    pub signer: &'a dyn Signer,
    /// The registration certificate, a JWT.
    pub registration: &'a str,
}

/// What is asked, of whose documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The document's type.
    pub doc_type: String,
    /// The elements by namespace and name.
    pub elements: Vec<ClaimPath>,
    /// Whether they are kept.
    pub keep: bool,
    /// The role in the trust list that the document's issuer must have.
    pub role: Role,
}

/// A reader that has asked, and waits for the device.
pub struct Waiting {
    key: AgreementKey,
    cipher: SessionCipher,
    transcript: SessionTranscript,
    wanted: Wanted,
    /// What is asked, in the order in which the device reads it.
    asked: Vec<ClaimPath>,
}

/// Why nothing is asked. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The code is none of a document.
    #[error(transparent)]
    Engagement(#[from] EngagementError),
    /// The fresh key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A path is not a namespace and an element.
    #[error("{0} is not a namespace and an element")]
    Element(ClaimPath),
    /// The reader's key does not sign.
    #[error(transparent)]
    Sign(#[from] SignerError),
    /// The request cannot be encrypted.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Why an answer is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not a message of a session.
    #[error(transparent)]
    Message(#[from] ShapeError),
    /// The device ended the session without an answer.
    #[error("the device shows nothing ({0:?}): ask again with a new code")]
    Ended(SessionStatus),
    /// Not the next message of this session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The document does not hold: issuer's signature, elements, dates, the device's word.
    #[error(transparent)]
    Document(#[from] MdocError),
    /// Without a chain that can be read.
    #[error("the issuer: {0}")]
    Chain(#[from] ChainError),
    /// The issuer is not trusted for this.
    #[error("the issuer: {0}")]
    Issuer(#[from] TrustError),
    /// Another document than was asked for.
    #[error("the device shows a {found}, asked was a {asked}")]
    DocType {
        /// What was asked for.
        asked: String,
        /// What came.
        found: String,
    },
    /// Elements are missing.
    #[error("the document lacks {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Lacks(Vec<ClaimPath>),
    /// Revoked, or whether it is is not known.
    #[error("the document: {0}")]
    Status(#[from] OfflineStatusError),
}

/// A document that holds but for one question: was it revoked?
#[derive(Debug)]
pub struct Shown {
    seen: Seen,
    status: Option<StatusReference>,
    session: Ended,
}

/// A verified document, with what was asked and nothing else.
#[derive(Clone, PartialEq)]
pub struct Seen {
    /// Its type.
    pub doc_type: String,
    /// Who issued it, as the trust list names it.
    pub issuer: TrustEntry,
    /// The key it is bound to.
    pub holder_key: Jwk,
    /// What was asked, as the claims that the elements were made of.
    pub claims: Map<String, Value>,
    /// What was shown beyond; dropped.
    pub unasked: Vec<ClaimPath>,
}

/// Reads a code and asks: the state that waits, and the first message for the device. `seed` is fresh
/// randomness.
///
/// # Errors
/// [`AskError`], the first rule broken.
pub fn ask(
    qr: &str,
    wanted: Wanted,
    who: ReaderIdentity<'_>,
    seed: &[u8; 32],
) -> Result<(Waiting, Vec<u8>), AskError> {
    let engagement = DeviceEngagement::from_qr(qr)?;
    let key = AgreementKey::from_seed(seed)?;
    let reader_key = SessionEstablishment::key_bytes(&key.public_key());
    let transcript = SessionTranscript::proximity(engagement.bytes(), &reader_key, Handover::Qr);
    let items = wanted.items(who.registration)?;
    let asked = elements(&items);
    let request = DocumentRequest::signed(items, &transcript, who.chain, who.signer)?;
    let request = DeviceRequest { documents: vec![request] }.encode();
    let mut cipher = SessionCipher::new(Side::Reader, &key, &engagement.device_key, &transcript)?;
    let data = cipher.encrypt(&request)?;
    let message = SessionEstablishment { reader_key, data }.encode();
    Ok((Waiting { key, cipher, transcript, wanted, asked }, message))
}

impl Wanted {
    fn items(&self, registration: &str) -> Result<ItemsRequest, AskError> {
        let mut namespaces: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
        for path in &self.elements {
            let [PathStep::Name(namespace), PathStep::Name(name)] = path.steps() else {
                return Err(AskError::Element(path.clone()));
            };
            namespaces.entry(namespace.clone()).or_default().insert(name.clone(), self.keep);
        }
        let info = BTreeMap::from([(REGISTRATION.to_owned(), registration.to_owned())]);
        Ok(ItemsRequest { doc_type: self.doc_type.clone(), namespaces, info })
    }
}

impl Waiting {
    /// Takes the device's answer and verifies it to the end: who issued it, that it was not altered,
    /// that it is good now and not revoked, and that the device in this very session holds its key.
    ///
    /// # Errors
    /// [`ReadError`], the first rule broken.
    pub fn handle(self, message: &[u8], known: &Offline<'_>) -> Result<Seen, ReadError> {
        self.open(message, known.trust, known.now)?.check(known)
    }

    /// As [`Waiting::handle`], but for one question: was it revoked? For whoever has a network, and fetches the list that
    /// [`Shown::status_uri`] names, before [`Shown::check`].
    ///
    /// # Errors
    /// [`ReadError`], the first rule broken.
    pub fn open(
        mut self,
        message: &[u8],
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<Shown, ReadError> {
        let SessionData { data, status } = SessionData::decode(message)?;
        let data = data.ok_or(ReadError::Ended(status.unwrap_or(SessionStatus::Termination)))?;
        let answer = self.cipher.decrypt(&data)?;
        let document = DeviceResponse::decode(&answer)?.into_document()?;
        let party = trust.identify(self.wanted.role, document.chain()?, now)?;
        let expected = MdocExpected {
            transcript: &self.transcript,
            reader_key: Some(&self.key),
            now,
            leeway_seconds: LEEWAY_SECONDS,
        };
        let found = document.verify(&party.leaf.public_key, &expected)?;
        found.validity.check_signer(&party.leaf).map_err(MdocError::Time)?;
        if found.doc_type != self.wanted.doc_type {
            let (asked, found) = (self.wanted.doc_type, found.doc_type);
            return Err(ReadError::DocType { asked, found });
        }
        party.check_issued(&found.doc_type, None)?;
        let (claims, unasked) = project(&found.elements, &self.wanted.elements);
        let lacking = |path: &&ClaimPath| path.select(&claims).is_empty();
        let lacking: Vec<ClaimPath> =
            self.wanted.elements.iter().filter(lacking).cloned().collect();
        if !lacking.is_empty() {
            return Err(ReadError::Lacks(lacking));
        }
        let status = found.status;
        let claims = own_claims(&found.doc_type, claims);
        let holder_key = found.device_key.into();
        let (doc_type, issuer) = (found.doc_type, party.entry);
        let session = Ended {
            cipher: self.cipher,
            conversation: conversation(&self.transcript),
            disclosed: DisclosedNames { vct: doc_type.clone(), claims: self.asked },
        };
        let seen = Seen { doc_type, issuer, holder_key, claims, unasked };
        Ok(Shown { seen, status, session })
    }
}

impl Shown {
    /// The status list that says whether the document was revoked; none if its issuer revokes none.
    #[must_use]
    pub fn status_uri(&self) -> Option<&str> {
        self.status.as_ref().map(|place| place.uri.as_str())
    }

    /// Looks whether it was revoked, in the lists at hand.
    ///
    /// # Errors
    /// [`ReadError::Status`]: fails closed.
    pub fn check(self, known: &Offline<'_>) -> Result<Seen, ReadError> {
        self.checked(known).map(|(seen, _)| seen)
    }

    pub(crate) fn checked(self, known: &Offline<'_>) -> Result<(Seen, Ended), ReadError> {
        if let Some(place) = &self.status {
            known.check(place, &self.seen.issuer)?;
        }
        Ok((self.seen, self.session))
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

/// Says nothing of values, which are about a person.
impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.claims.keys().collect();
        f.debug_struct("Seen").field("claims", &names).finish_non_exhaustive()
    }
}
