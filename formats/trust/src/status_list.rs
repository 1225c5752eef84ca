//! Token status lists (draft-ietf-oauth-status-list): the status of many credentials in one
//! compressed array, so that whoever fetches it does not say which one it asks about.

use crate::{LEEWAY_SECONDS, TrustEntry, TrustError, TrustList};
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use serde::{Deserialize, Serialize};
use std::io::Read as _;
use std::sync::OnceLock;
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{
    ChainError, Header, JwsError, SignError, TimeError, Unverified, Validity, decode_base64url,
    encode_base64url, numeric_date, optional_numeric_date, sign,
};
use yufu_mdoc::cbor::ShapeError;
use yufu_mdoc::cose::CoseError;

/// The `typ` of a status list token.
pub const STATUS_LIST: &str = "statuslist+jwt";
/// The media type of a status list token.
pub const STATUS_LIST_MEDIA_TYPE: &str = "application/statuslist+jwt";
/// Bytes a status list token may have.
pub const MAX_STATUS_TOKEN: usize = 8 * 1024 * 1024;
/// Bytes a list may have once decompressed: 128 million credentials of one bit.
const MAX_LIST: usize = 16 * 1024 * 1024;

/// The status of one credential (section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// 0: it stands.
    Valid,
    /// 1: it was revoked, for good.
    Invalid,
    /// 2: it is suspended for now.
    Suspended,
    /// Another value, whose meaning the application gives.
    Other(u8),
}

impl Status {
    /// The value in the list.
    #[must_use]
    pub const fn value(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Suspended => 2,
            Self::Other(value) => value,
        }
    }
}

impl From<u8> for Status {
    fn from(value: u8) -> Self {
        match value {
            0 => Self::Valid,
            1 => Self::Invalid,
            2 => Self::Suspended,
            other => Self::Other(other),
        }
    }
}

/// How many bits each status takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum StatusBits {
    /// Valid or invalid.
    One,
    /// Suspended as well.
    Two,
    /// 16 values.
    Four,
    /// 256 values.
    Eight,
}

impl From<StatusBits> for u8 {
    fn from(bits: StatusBits) -> Self {
        match bits {
            StatusBits::One => 1,
            StatusBits::Two => 2,
            StatusBits::Four => 4,
            StatusBits::Eight => 8,
        }
    }
}

impl TryFrom<u8> for StatusBits {
    type Error = String;

    fn try_from(bits: u8) -> Result<Self, String> {
        match bits {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            4 => Ok(Self::Four),
            8 => Ok(Self::Eight),
            other => Err(format!("{other} bits per status: expected 1, 2, 4 or 8")),
        }
    }
}

impl StatusBits {
    /// How many statuses a byte holds.
    const fn per_byte(self) -> u64 {
        match self {
            Self::One => 8,
            Self::Two => 4,
            Self::Four => 2,
            Self::Eight => 1,
        }
    }

    const fn mask(self) -> u8 {
        match self {
            Self::One => 0b1,
            Self::Two => 0b11,
            Self::Four => 0b1111,
            Self::Eight => 0xff,
        }
    }

    /// The byte that holds entry `index`, and how far to shift it (section 4.1: from the
    /// least significant bit up).
    fn place(self, index: u64) -> Option<(usize, u32)> {
        let byte = usize::try_from(index.checked_div(self.per_byte())?).ok()?;
        let within = u32::try_from(index.checked_rem(self.per_byte())?).ok()?;
        Some((byte, within.checked_mul(u32::from(u8::from(self)))?))
    }
}

/// The statuses of many credentials.
#[derive(Clone, Debug)]
pub struct StatusList {
    bits: StatusBits,
    bytes: Vec<u8>,
    /// Compressed, since somebody asked for that and until a status changes.
    packed: OnceLock<Vec<u8>>,
}

impl PartialEq for StatusList {
    fn eq(&self, other: &Self) -> bool {
        (self.bits, &self.bytes) == (other.bits, &other.bytes)
    }
}

impl Eq for StatusList {}

/// Why a status cannot be set, or a list made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusRangeError {
    /// More entries than a list can have.
    #[error("a list of {0} entries is too large: at most 16 MiB")]
    Size(u64),
    /// The list has no such entry.
    #[error("the list has no entry {0}")]
    Index(u64),
    /// The status does not fit.
    #[error("the status {0} does not fit into the list's bits")]
    Value(u8),
}

/// Why a status list token is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusListError {
    /// Not a status list, or its signature does not verify.
    #[error("the status list: {0}")]
    Token(#[from] JwsError),
    /// It names no chain we can read.
    #[error("the status list: {0}")]
    Chain(#[from] ChainError),
    /// Not signed by a trusted party.
    #[error("the status list: {0}")]
    Signer(#[from] TrustError),
    /// It is another list.
    #[error("this is the status list {0:?}, not the one the credential names")]
    OtherList(String),
    /// It says not until when it may be used.
    #[error("the status list has no exp: without it a withheld revocation would go unseen")]
    NoExpiry,
    /// Expired, or from the future.
    #[error("the status list: {0}")]
    Time(#[from] TimeError),
    /// As CWT: not the CBOR of one.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// As CWT: its signature does not verify, or is of another kind.
    #[error("the status list: {0}")]
    Cwt(#[from] CoseError),
    /// The list is not base64url of zlib data.
    #[error("the status list is not base64url of zlib data")]
    Encoding,
    /// The list is too large once decompressed.
    #[error("the status list decompresses to more than 16 MiB")]
    TooLarge,
}

/// A list as it is published: signed, dated, named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusListToken {
    /// Its address; what credentials name.
    pub uri: String,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// From when it must no longer be used.
    pub expires_at: Timestamp,
    /// After how many seconds a fresh one should be fetched.
    pub ttl_seconds: Option<u64>,
    /// The statuses.
    pub list: StatusList,
}

impl StatusList {
    /// A list of `size` valid entries (rounded up to a whole byte).
    ///
    /// # Errors
    /// [`StatusRangeError::Size`] beyond 16 MiB.
    pub fn new(bits: StatusBits, size: u64) -> Result<Self, StatusRangeError> {
        let bytes = usize::try_from(size.div_ceil(bits.per_byte()))
            .ok()
            .filter(|bytes| *bytes <= MAX_LIST)
            .ok_or(StatusRangeError::Size(size))?;
        Ok(Self::of(bits, vec![0; bytes]))
    }

    const fn of(bits: StatusBits, bytes: Vec<u8>) -> Self {
        Self { bits, bytes, packed: OnceLock::new() }
    }

    /// How many bits each status takes.
    #[must_use]
    pub const fn bits(&self) -> StatusBits {
        self.bits
    }

    /// The status of entry `index`. `None` means there is none: refuse the credential.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<Status> {
        let (byte, shift) = self.bits.place(index)?;
        let value = self.bytes.get(byte)?.checked_shr(shift)? & self.bits.mask();
        Some(Status::from(value))
    }

    /// Sets the status of entry `index`.
    ///
    /// # Errors
    /// [`StatusRangeError`] for a value or an entry the list does not have.
    pub fn set(&mut self, index: u64, status: Status) -> Result<(), StatusRangeError> {
        let (value, mask) = (status.value(), self.bits.mask());
        if value > mask {
            return Err(StatusRangeError::Value(value));
        }
        let missing = StatusRangeError::Index(index);
        let (byte, shift) = self.bits.place(index).ok_or(missing)?;
        let byte = self.bytes.get_mut(byte).ok_or(missing)?;
        let clear = !(mask.checked_shl(shift).ok_or(missing)?);
        *byte = (*byte & clear) | value.checked_shl(shift).ok_or(missing)?;
        self.packed = OnceLock::new();
        Ok(())
    }

    /// The list compressed, in base64url: `lst`.
    ///
    /// # Errors
    /// [`SignError::Json`] never in practice: compression reads from memory.
    pub fn to_lst(&self) -> Result<String, SignError> {
        self.compressed().map(encode_base64url)
    }

    /// The list compressed: once, however often it is signed.
    pub(crate) fn compressed(&self) -> Result<Vec<u8>, SignError> {
        if let Some(packed) = self.packed.get() {
            return Ok(packed.clone());
        }
        let mut out = Vec::new();
        ZlibEncoder::new(self.bytes.as_slice(), Compression::best())
            .read_to_end(&mut out)
            .map_err(|error| SignError::Json(error.to_string()))?;
        Ok(self.packed.get_or_init(|| out).clone())
    }

    /// Reads `lst`, decompressing at most 16 MiB.
    ///
    /// # Errors
    /// [`StatusListError::Encoding`] or [`StatusListError::TooLarge`].
    pub fn from_lst(bits: StatusBits, lst: &str) -> Result<Self, StatusListError> {
        let packed = decode_base64url(lst).map_err(|_| StatusListError::Encoding)?;
        Self::from_compressed(bits, &packed)
    }

    /// Reads a compressed list, decompressing at most 16 MiB.
    pub(crate) fn from_compressed(
        bits: StatusBits,
        packed: &[u8],
    ) -> Result<Self, StatusListError> {
        let limit = u64::try_from(MAX_LIST).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        ZlibDecoder::new(packed)
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|_| StatusListError::Encoding)?;
        if bytes.len() > MAX_LIST {
            return Err(StatusListError::TooLarge);
        }
        Ok(Self::of(bits, bytes))
    }
}

impl StatusListToken {
    /// Signs the token; `header` says by whom (its chain or key name), its type is set here.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, header: Header, signer: &dyn Signer) -> Result<String, SignError> {
        let claims = Claims {
            sub: self.uri.clone(),
            iat: self.issued_at,
            exp: Some(self.expires_at),
            ttl: self.ttl_seconds,
            status_list: Wire { bits: self.list.bits, lst: self.list.to_lst()? },
        };
        let payload =
            serde_json::to_vec(&claims).map_err(|error| SignError::Json(error.to_string()))?;
        sign(&Header { typ: Some(STATUS_LIST.into()), ..header }, &payload, signer)
    }

    /// Verifies a token by a known key. `uri` is what the credential names.
    ///
    /// # Errors
    /// [`StatusListError`], the first rule broken.
    pub fn verify(
        jwt: &str,
        key: &PublicKey,
        uri: &str,
        now: Timestamp,
    ) -> Result<Self, StatusListError> {
        Self::read(parse(jwt)?, key, uri, now)
    }

    /// Verifies a token by the trust list: signed under a certificate of `party`, as the list names it
    /// now, and of nobody else in its role. Whose credential or registration it is says whose list it has to be.
    ///
    /// # Errors
    /// [`StatusListError`], the first rule broken.
    pub fn verify_of(
        jwt: &str,
        trust: &TrustList,
        party: &TrustEntry,
        uri: &str,
        now: Timestamp,
    ) -> Result<Self, StatusListError> {
        let token = parse(jwt)?;
        let signer = trust.identify_as(party, &token.header().chain()?, now)?;
        Self::read(token, &signer.leaf.public_key, uri, now)
    }

    fn read(
        token: Unverified,
        key: &PublicKey,
        uri: &str,
        now: Timestamp,
    ) -> Result<Self, StatusListError> {
        let claims: Claims = token.verify(key)?.claims()?;
        let expires_at = claims.exp.ok_or(StatusListError::NoExpiry)?;
        let list = StatusList::from_lst(claims.status_list.bits, &claims.status_list.lst)?;
        let token = Self {
            uri: claims.sub,
            issued_at: claims.iat,
            expires_at,
            ttl_seconds: claims.ttl,
            list,
        };
        token.check(uri, now)?;
        Ok(token)
    }

    /// Whether it is the list at `uri`, and may be used now.
    pub(crate) fn check(&self, uri: &str, now: Timestamp) -> Result<(), StatusListError> {
        if self.uri != uri {
            return Err(StatusListError::OtherList(self.uri.clone()));
        }
        let validity = Validity {
            issued_at: Some(self.issued_at),
            not_before: None,
            expires_at: Some(self.expires_at),
        };
        Ok(validity.check(now, LEEWAY_SECONDS)?)
    }
}

fn parse(jwt: &str) -> Result<Unverified, JwsError> {
    Unverified::parse_bounded(jwt, MAX_STATUS_TOKEN)?.expect_type(STATUS_LIST)
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    #[serde(with = "numeric_date")]
    iat: Timestamp,
    #[serde(default, with = "optional_numeric_date", skip_serializing_if = "Option::is_none")]
    exp: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<u64>,
    status_list: Wire,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    bits: StatusBits,
    lst: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits() -> impl Strategy<Value = StatusBits> {
        prop::sample::select(vec![
            StatusBits::One,
            StatusBits::Two,
            StatusBits::Four,
            StatusBits::Eight,
        ])
    }

    #[test]
    fn the_examples_of_section_4_read_as_printed() {
        let rows: [(StatusBits, &str, &[u8]); 2] = [
            (StatusBits::One, "eNrbuRgAAhcBXQ", &[1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]),
            (StatusBits::Two, "eNo76fITAAPfAgc", &[1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]),
        ];
        for (bits, lst, values) in rows {
            let list = StatusList::from_lst(bits, lst).unwrap();
            let mut made = StatusList::new(bits, u64::try_from(values.len()).unwrap()).unwrap();
            for (index, value) in (0_u64..).zip(values) {
                assert_eq!(list.get(index), Some(Status::from(*value)), "{bits:?} {index}");
                made.set(index, Status::from(*value)).unwrap();
            }
            assert_eq!(made, list);
            assert_eq!(list.get(u64::try_from(values.len()).unwrap()), None);
        }
    }

    #[test]
    fn the_one_bit_test_vector_of_the_appendix_reads_as_printed() {
        let lst = concat!(
            "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogE",
            "AAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAA",
            "A7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAA",
            "ACAZC8L2AEb",
        );
        let list = StatusList::from_lst(StatusBits::One, lst).unwrap();
        let mut expected = StatusList::new(StatusBits::One, 1 << 20).unwrap();
        for index in [
            0, 1_993, 25_460, 159_495, 495_669, 554_353, 645_645, 723_232, 854_545, 934_534,
            1_000_345,
        ] {
            expected.set(index, Status::Invalid).unwrap();
        }
        assert_eq!(list, expected);
    }

    #[test]
    fn a_bomb_is_refused_after_16_mib() {
        let mut packed = Vec::new();
        let zeros = std::io::repeat(0).take(64 * 1024 * 1024);
        ZlibEncoder::new(zeros, Compression::best()).read_to_end(&mut packed).unwrap();
        assert!(packed.len() < 100_000);
        let found = StatusList::from_lst(StatusBits::One, &encode_base64url(packed));
        assert_eq!(found, Err(StatusListError::TooLarge));
    }

    #[test]
    fn entries_and_values_out_of_range_are_refused() {
        let mut list = StatusList::new(StatusBits::One, 8).unwrap();
        assert_eq!(list.set(8, Status::Invalid), Err(StatusRangeError::Index(8)));
        assert_eq!(list.set(0, Status::Suspended), Err(StatusRangeError::Value(2)));
        assert_eq!(list.get(u64::MAX), None);
        let size = 1 << 40;
        assert_eq!(StatusList::new(StatusBits::One, size), Err(StatusRangeError::Size(size)));
    }

    proptest! {
        #[test]
        fn setting_one_entry_changes_that_entry_alone(
            bits in bits(),
            entries in prop::collection::vec((0_u64..500, any::<u8>()), 1..50),
        ) {
            let mut list = StatusList::new(bits, 500).unwrap();
            let mut model = std::collections::BTreeMap::new();
            for (index, value) in entries {
                let status = Status::from(value & bits.mask());
                list.set(index, status).unwrap();
                model.insert(index, status);
            }
            let read = StatusList::from_lst(bits, &list.to_lst().unwrap()).unwrap();
            for index in 0..500 {
                let expected = model.get(&index).copied().unwrap_or(Status::Valid);
                prop_assert_eq!(read.get(index), Some(expected));
            }
        }
    }
}
