//! The holder's device shows a code, and takes the first message of whoever saw it: it finds out who
//! asks, and whether they may, before the person is asked.

use crate::asked::Asked;
use crate::offline::{Offline, OfflineStatusError};
use yufu_jose::{AgreementKey, ClaimPath, KeyError, encode_base64url, sha256};
use yufu_mdoc::cbor::ShapeError;
use yufu_mdoc::{
    DeviceEngagement, DeviceRequest, Handover, ItemsRequest, ReaderError, RetrievalMethod,
    SessionCipher, SessionData, SessionError, SessionEstablishment, SessionStatus,
    SessionTranscript, Side,
};
use yufu_openid4vc::FORMAT_MSO_MDOC;
use yufu_trust::{OverAsking, RegistrationCertificate, RegistrationError, Role, TrustError};

/// Under which name a reader says what it is registered for (`requestInfo`): its registration
/// certificate, a JWT.
pub const REGISTRATION: &str = "registration_cert";

/// A device that shows its code, and waits for a reader.
#[derive(Debug)]
pub struct Engaged {
    key: AgreementKey,
    engagement: DeviceEngagement,
}

/// Why a reader is not answered. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefuseReader {
    /// Not the message that begins a session.
    #[error(transparent)]
    Message(#[from] ShapeError),
    /// Not encrypted to the code that was shown.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Not a request, or the reader's signature is missing or of another conversation.
    #[error(transparent)]
    Request(#[from] ReaderError),
    /// More than one document at once.
    #[error("the reader asks for {0} documents at once: one at a time is shown")]
    Documents(usize),
    /// Not signed by anyone an access authority certifies.
    #[error("the reader: {0}")]
    Untrusted(#[from] TrustError),
    /// No registration certificate.
    #[error("the reader shows no registration certificate")]
    NoRegistration,
    /// The registration does not hold.
    #[error(transparent)]
    Registration(Box<RegistrationError>),
    /// The registration is of somebody else.
    #[error("the registration is of {registered}, not of the reader {reader}")]
    OtherParty {
        /// Whom it names.
        registered: String,
        /// Who asks.
        reader: String,
    },
    /// The request goes beyond the registration.
    #[error("the reader asks for more than it may: {0}")]
    OverAsking(#[from] OverAsking),
    /// It would show the pseudonyms of two sectors side by side, whatever is registered.
    #[error("the reader asks for pseudonyms of more than one sector, which would join them")]
    JoinsSectors,
    /// The registration names no list to look it up in.
    #[error("the registration does not say where it would be withdrawn")]
    NoStatus,
    /// The registration was withdrawn, or whether it stands is not known.
    #[error("the reader's registration: {0}")]
    Status(#[from] OfflineStatusError),
}

impl RefuseReader {
    /// What the reader is told: that the session is over, and no more than it knows.
    #[must_use]
    pub fn reply(&self) -> Vec<u8> {
        let status = match self {
            Self::Session(_) => SessionStatus::EncryptionError,
            Self::Message(_) | Self::Request(ReaderError::Shape(_)) => SessionStatus::DecodingError,
            _ => SessionStatus::Termination,
        };
        SessionData { data: None, status: Some(status) }.encode()
    }
}

impl Engaged {
    /// A device with a fresh key, from `seed`, that can be reached by `methods`.
    ///
    /// # Errors
    /// [`KeyError`] never in practice.
    pub fn new(seed: &[u8; 32], methods: Vec<RetrievalMethod>) -> Result<Self, KeyError> {
        let key = AgreementKey::from_seed(seed)?;
        let engagement = DeviceEngagement::new(key.public_key(), methods);
        Ok(Self { key, engagement })
    }

    /// The text of the code to show.
    #[must_use]
    pub fn qr(&self) -> String {
        self.engagement.to_qr()
    }

    /// Takes a reader's first message.
    ///
    /// # Errors
    /// [`RefuseReader`], the first rule broken; then nothing is shown to this code any more.
    pub fn handle(self, message: &[u8], known: &Offline<'_>) -> Result<Asked, RefuseReader> {
        let establishment = SessionEstablishment::decode(message)?;
        let reader_key = establishment.key()?;
        let engagement = self.engagement.bytes();
        let transcript =
            SessionTranscript::proximity(engagement, &establishment.reader_key, Handover::Qr);
        let mut cipher = SessionCipher::new(Side::Device, &self.key, &reader_key, &transcript)?;
        let request = DeviceRequest::decode(&cipher.decrypt(&establishment.data)?)?;
        let count = request.documents.len();
        let only = request.documents.into_iter().next().filter(|_| count == 1);
        let request = only.ok_or(RefuseReader::Documents(count))?;
        let party = known.trust.identify(Role::AccessCa, request.chain()?, known.now)?;
        request.verify(&party.leaf.public_key, &transcript)?;
        let reader = format!("x509_hash:{}", encode_base64url(sha256(&party.leaf.der)));
        let elements = elements(&request.items);
        let certificate = registration(&request.items, &reader, &elements, known)?;
        let (reader_key, items) = (party.leaf.public_key, request.items);
        Ok(Asked { cipher, transcript, reader, reader_key, certificate, items, elements })
    }
}

/// What is asked, by namespace and element.
pub(crate) fn elements(items: &ItemsRequest) -> Vec<ClaimPath> {
    let all = items.namespaces.iter().flat_map(|(namespace, elements)| {
        elements.keys().map(|name| ClaimPath::members([namespace.as_str(), name.as_str()]))
    });
    all.filter_map(Result::ok).collect()
}

/// The registration that allows the reader to ask this, and stands.
fn registration(
    items: &ItemsRequest,
    reader: &str,
    elements: &[ClaimPath],
    known: &Offline<'_>,
) -> Result<RegistrationCertificate, RefuseReader> {
    let jwt = items.info.get(REGISTRATION).ok_or(RefuseReader::NoRegistration)?;
    let (certificate, registrar) = RegistrationCertificate::verify(jwt, known.trust, known.now)
        .map_err(|error| RefuseReader::Registration(Box::new(error)))?;
    if certificate.client_id != reader {
        let (registered, reader) = (certificate.client_id, reader.to_owned());
        return Err(RefuseReader::OtherParty { registered, reader });
    }
    certificate.permits(FORMAT_MSO_MDOC, &items.doc_type, elements)?;
    if joins_sectors(items) {
        return Err(RefuseReader::JoinsSectors);
    }
    let place = certificate.status.as_ref().ok_or(RefuseReader::NoStatus)?;
    known.check(place, &registrar.entry)?;
    Ok(certificate)
}

fn joins_sectors(items: &ItemsRequest) -> bool {
    let below = format!("{}.", yufu_base::SECTOR_PSEUDONYM);
    let names = items.namespaces.values().flat_map(|elements| elements.keys());
    names.filter(|name| name.starts_with(&below)).nth(1).is_some()
}
