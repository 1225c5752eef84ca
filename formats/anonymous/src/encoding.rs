//! What bytes must be before the library sees them: it takes the neutral point for a point, ignores what follows and
//! stops at what is too short. A proof of neutral points verifies under every key (`tests/forgery.rs`).

/// The length of a point of G1, compressed.
pub(crate) const POINT: usize = 48;
/// The length of a scalar.
pub(crate) const SCALAR: usize = 32;
/// Set in the first byte of a compressed point if it is the neutral one.
const NEUTRAL: u8 = 0b0100_0000;

/// Why bytes are not what they are taken for. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// Not in base64url.
    #[error("{0} is not in base64url")]
    Base64(&'static str),
    /// Too short, or too long.
    #[error("{what} has {found} bytes, and must have {wanted}")]
    Length {
        /// What it was taken for.
        what: &'static str,
        /// How long it is.
        found: usize,
        /// How long it must be.
        wanted: usize,
    },
    /// The neutral point, which stands for no secret.
    #[error("{0} has the neutral point in it")]
    Neutral(&'static str),
    /// Not a point of the group, or a number that is not reduced.
    #[error("{0} is not the encoding of anything")]
    Invalid(&'static str),
}

/// Checks the length of `bytes`, and that none of the `points` points at their beginning is neutral.
pub(crate) fn check(
    what: &'static str,
    bytes: &[u8],
    (wanted, points): (usize, usize),
) -> Result<(), EncodingError> {
    let found = bytes.len();
    if found != wanted {
        return Err(EncodingError::Length { what, found, wanted });
    }
    check_points(what, bytes, points, POINT)
}

/// Checks that none of the first `points` points is neutral, each `size` bytes long.
pub(crate) fn check_points(
    what: &'static str,
    bytes: &[u8],
    points: usize,
    size: usize,
) -> Result<(), EncodingError> {
    let first = bytes.chunks(size).take(points).filter_map(<[u8]>::first);
    if first.into_iter().any(|first| first & NEUTRAL != 0) {
        return Err(EncodingError::Neutral(what));
    }
    Ok(())
}

/// Reads base64url of exactly so many bytes.
pub(crate) fn fixed<const N: usize>(
    what: &'static str,
    text: &str,
) -> Result<[u8; N], EncodingError> {
    let bytes = yufu_jose::decode_base64url(text).map_err(|_| EncodingError::Base64(what))?;
    let found = bytes.len();
    bytes.try_into().map_err(|_| EncodingError::Length { what, found, wanted: N })
}

/// A sequence of parts of which no two different ones run together into the same bytes.
#[derive(Default)]
pub(crate) struct Parts(Vec<u8>);

impl Parts {
    /// Begins with what the sequence is for.
    pub(crate) fn of(domain: &str) -> Self {
        Self::default().and(domain.as_bytes())
    }

    /// Adds a part, after its length.
    pub(crate) fn and(mut self, part: &[u8]) -> Self {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(part);
        self
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }
}
