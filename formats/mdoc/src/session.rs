//! The encrypted session of two devices side by side (ISO 18013-5, 9.1.1): keys agreed on, one for
//! each direction, and messages counted so that none is lost, repeated or put out of order unseen.

use crate::cbor::{Fields, ShapeError, Value, expected, read};
use crate::cose::{key_from_value, key_to_value};
use crate::transcript::SessionTranscript;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use std::fmt;
use yufu_base::PublicKey;
use yufu_jose::{AgreementKey, NoAgreement, sha256};
use zeroize::Zeroizing;

const OF_ESTABLISHMENT: &str = "session establishment";
const OF_DATA: &str = "session data";

/// Which of the two devices one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The reader, whose messages are under `SKReader`.
    Reader,
    /// The holder's device, whose messages are under `SKDevice`.
    Device,
}

/// The first message of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEstablishment {
    /// The encoding of the reader's ephemeral key, as it goes into the transcript.
    pub reader_key: Vec<u8>,
    /// The encrypted request.
    pub data: Vec<u8>,
}

/// Any later message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionData {
    /// Encrypted, if there is something to say.
    pub data: Option<Vec<u8>>,
    /// How the session stands, if it ends.
    pub status: Option<SessionStatus>,
}

/// Why a session ends (9.1.1.4, table 20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    /// A message could not be decrypted.
    EncryptionError,
    /// A message could not be read.
    DecodingError,
    /// All is said.
    Termination,
    /// Another number.
    Other(u64),
}

/// Why a message is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Not the CBOR of it.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The other's key is no point of the curve.
    #[error(transparent)]
    Agreement(#[from] NoAgreement),
    /// Not encrypted in this session, not the next message, or altered.
    #[error("the message is not the next one of this session: begin a new session")]
    Decrypt,
    /// More messages than a key may encrypt.
    #[error("the session has carried as many messages as it may: begin a new one")]
    Exhausted,
}

/// The keys of a session and how many messages went either way.
pub struct SessionCipher {
    own: Direction,
    other: Direction,
}

struct Direction {
    key: LessSafeKey,
    side: Side,
    count: u32,
}

impl SessionCipher {
    /// The session of the holder of `own`, which is `side`, with the holder of `peer`.
    ///
    /// # Errors
    /// [`SessionError::Agreement`].
    pub fn new(
        side: Side,
        own: &AgreementKey,
        peer: &PublicKey,
        transcript: &SessionTranscript,
    ) -> Result<Self, SessionError> {
        let direction = |of: Side| {
            let key = derive_key(own, peer, transcript, of.info())?;
            let key = UnboundKey::new(&AES_256_GCM, key.as_slice());
            let key = LessSafeKey::new(key.map_err(|_| SessionError::Decrypt)?);
            Ok::<_, SessionError>(Direction { key, side: of, count: 0 })
        };
        Ok(Self { own: direction(side)?, other: direction(side.opposite())? })
    }

    /// Encrypts the next message.
    ///
    /// # Errors
    /// [`SessionError::Exhausted`] after 2^32 - 1 of them.
    pub fn encrypt(&mut self, message: &[u8]) -> Result<Vec<u8>, SessionError> {
        let nonce = self.own.next()?;
        let mut data = message.to_vec();
        let sealed = self.own.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut data);
        sealed.map_err(|_| SessionError::Exhausted)?;
        Ok(data)
    }

    /// Decrypts the other's next message.
    ///
    /// # Errors
    /// [`SessionError::Decrypt`] for any other; the session is over then.
    pub fn decrypt(&mut self, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, SessionError> {
        let nonce = self.other.next()?;
        let mut data = Zeroizing::new(data.to_vec());
        let opened = self.other.key.open_in_place(nonce, Aad::empty(), &mut data);
        let length = opened.map_err(|_| SessionError::Decrypt)?.len();
        data.truncate(length);
        Ok(data)
    }
}

impl Direction {
    /// Eight bytes of the direction, and the number of the message from 1 (9.1.1.5).
    fn next(&mut self) -> Result<Nonce, SessionError> {
        self.count = self.count.checked_add(1).ok_or(SessionError::Exhausted)?;
        let last = match self.side {
            Side::Reader => 0,
            Side::Device => 1,
        };
        let [a, b, c, d] = self.count.to_be_bytes();
        Ok(Nonce::assume_unique_for_key([0, 0, 0, 0, 0, 0, 0, last, a, b, c, d]))
    }
}

impl Side {
    const fn info(self) -> &'static [u8] {
        match self {
            Self::Reader => b"SKReader",
            Self::Device => b"SKDevice",
        }
    }

    const fn opposite(self) -> Self {
        match self {
            Self::Reader => Self::Device,
            Self::Device => Self::Reader,
        }
    }
}

impl SessionEstablishment {
    /// The encoding of a reader's ephemeral key.
    #[must_use]
    pub fn key_bytes(key: &PublicKey) -> Vec<u8> {
        key_to_value(key).encode()
    }

    /// The reader's ephemeral key.
    ///
    /// # Errors
    /// [`ShapeError`] if it is none of P-256.
    pub fn key(&self) -> Result<PublicKey, ShapeError> {
        key_from_value(read(OF_ESTABLISHMENT, &self.reader_key)?)
    }

    /// The bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Value::members([
            ("eReaderKey", Value::embedded(self.reader_key.clone())),
            ("data", Value::Bytes(self.data.clone())),
        ])
        .encode()
    }

    /// Reads the message.
    ///
    /// # Errors
    /// [`ShapeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ShapeError> {
        const SHAPE: ShapeError = expected(OF_ESTABLISHMENT, "a key as embedded CBOR, and data");
        let mut fields = Fields::new(OF_ESTABLISHMENT, read(OF_ESTABLISHMENT, bytes)?)?;
        let reader_key = fields.required("eReaderKey")?.into_embedded().ok_or(SHAPE)?;
        let data = fields.required("data")?.into_bytes().ok_or(SHAPE)?;
        Ok(Self { reader_key, data })
    }
}

impl SessionData {
    /// The bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let data = self.data.clone().map(|data| (Value::text("data"), Value::Bytes(data)));
        let number = self.status.map(SessionStatus::number);
        let status = number.map(|number| (Value::text("status"), Value::Unsigned(number)));
        Value::Map(data.into_iter().chain(status).collect()).encode()
    }

    /// Reads the message.
    ///
    /// # Errors
    /// [`ShapeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ShapeError> {
        const SHAPE: ShapeError = expected(OF_DATA, "data in bytes, or a status by its number");
        let mut fields = Fields::new(OF_DATA, read(OF_DATA, bytes)?)?;
        let data =
            fields.optional("data").map(|data| data.into_bytes().ok_or(SHAPE)).transpose()?;
        let status = match fields.optional("status") {
            None => None,
            Some(Value::Unsigned(number)) => Some(SessionStatus::from(number)),
            Some(_) => return Err(SHAPE),
        };
        if data.is_none() && status.is_none() { Err(SHAPE) } else { Ok(Self { data, status }) }
    }
}

impl SessionStatus {
    const fn number(self) -> u64 {
        match self {
            Self::EncryptionError => 10,
            Self::DecodingError => 11,
            Self::Termination => 20,
            Self::Other(number) => number,
        }
    }
}

impl From<u64> for SessionStatus {
    fn from(number: u64) -> Self {
        match number {
            10 => Self::EncryptionError,
            11 => Self::DecodingError,
            20 => Self::Termination,
            other => Self::Other(other),
        }
    }
}

/// A key of 32 bytes from what two parties agree on in one conversation (RFC 5869).
pub(crate) fn derive_key(
    own: &AgreementKey,
    peer: &PublicKey,
    transcript: &SessionTranscript,
    info: &[u8],
) -> Result<Zeroizing<[u8; 32]>, NoAgreement> {
    let secret = own.agree(peer)?;
    let salt = Salt::new(HKDF_SHA256, &sha256(&transcript.to_bytes()));
    let mut key = Zeroizing::new([0; 32]);
    let expanded =
        salt.extract(&secret).expand(&[info], Bytes32).and_then(|okm| okm.fill(&mut *key));
    expanded.map_err(|_| NoAgreement)?;
    Ok(key)
}

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

impl fmt::Debug for SessionCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionCipher({} out, {} in)", self.own.count, self.other.count)
    }
}
