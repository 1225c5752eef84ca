//! A public key as certificates and cards write it (SubjectPublicKeyInfo, RFC 5280): on a curve by name, by number of
//! a table, or, as old cards do, by all its parameters.

use crate::crypto::{Curve, CurveError, Point};
use crate::oid;
use crate::tlv::{self, Reader, TlvError};

/// The primes of the curves, by which parameters that are written out are recognised.
const P256_PRIME: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
];
const BRAINPOOL_PRIME: [u8; 32] = [
    0xA9, 0xFB, 0x57, 0xDB, 0xA1, 0xEE, 0xA9, 0xBC, 0x3E, 0x66, 0x0A, 0x90, 0x9D, 0x83, 0x8D, 0x72,
    0x6E, 0x3B, 0xF6, 0x23, 0xD5, 0x26, 0x20, 0x28, 0x20, 0x13, 0x48, 0x1D, 0x1F, 0x6E, 0x53, 0x77,
];

/// Why a public key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyInfoError {
    /// It is malformed.
    #[error("a public key is malformed: {0}")]
    Objects(#[from] TlvError),
    /// It is on no curve that is known here.
    #[error("a public key is neither on NIST P-256 nor on brainpoolP256r1")]
    Unsupported,
    /// It is no point.
    #[error(transparent)]
    Point(#[from] CurveError),
}

/// Writes a key, its curve by name.
#[must_use]
pub fn write_key(curve: Curve, point: &Point) -> Vec<u8> {
    let name = match curve {
        Curve::NistP256 => oid::P256,
        Curve::BrainpoolP256r1 => oid::BRAINPOOL_P256R1,
    };
    let algorithm = tlv::constructed(0x30, &[&oid::object(oid::EC_PUBLIC_KEY), &oid::object(name)]);
    let bits = tlv::constructed(0x03, &[&[0], point.as_bytes()]);
    tlv::constructed(0x30, &[&algorithm, &bits])
}

/// Reads a key.
///
/// # Errors
/// [`KeyInfoError`].
pub fn read_key(bytes: &[u8]) -> Result<(Curve, Point), KeyInfoError> {
    let mut key = Reader::new(tlv::only(bytes, 0x30)?);
    let mut algorithm = Reader::new(key.take(0x30)?);
    let bits = key.take(0x03)?;
    key.end()?;
    let curve = match algorithm.take(0x06)? {
        name if name == oid::EC_PUBLIC_KEY => match algorithm.peek()? {
            0x06 => named(algorithm.take(0x06)?),
            _ => written_out(algorithm.take(0x30)?)?,
        },
        name if name == oid::STANDARDIZED_DOMAIN => match algorithm.take(0x02)? {
            [number] => Curve::of_parameters(*number),
            _ => None,
        },
        _ => None,
    };
    let curve = curve.ok_or(KeyInfoError::Unsupported)?;
    match bits {
        [0, point @ ..] => Ok((curve, Point::from_bytes(point)?)),
        _ => Err(TlvError::Value(0x03).into()),
    }
}

fn named(name: &[u8]) -> Option<Curve> {
    match name {
        name if name == oid::P256 => Some(Curve::NistP256),
        name if name == oid::BRAINPOOL_P256R1 => Some(Curve::BrainpoolP256r1),
        _ => None,
    }
}

/// The curve whose parameters are written out: by its prime. The rest is taken from the curve of that prime, so that
/// other parameters lead to keys that do not fit, never to a weaker curve.
fn written_out(parameters: &[u8]) -> Result<Option<Curve>, TlvError> {
    let mut parameters = Reader::new(parameters);
    parameters.take(0x02)?;
    let mut field = Reader::new(parameters.take(0x30)?);
    field.take(0x06)?;
    let prime = match field.take(0x02)? {
        [0, prime @ ..] => prime,
        prime => prime,
    };
    Ok(match prime {
        prime if prime == P256_PRIME => Some(Curve::NistP256),
        prime if prime == BRAINPOOL_PRIME => Some(Curve::BrainpoolP256r1),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `id-prime-field` (ANSI X9.62).
    const PRIME_FIELD: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x01, 0x01];

    /// A key whose curve is written out: with the prime, and whatever else there is to say.
    fn with_parameters(prime: &[u8], point: &Point) -> Vec<u8> {
        let field = tlv::constructed(0x30, &[&oid::object(PRIME_FIELD), &tlv::integer(prime)]);
        let rest = tlv::constructed(0x30, &[&tlv::constructed(0x04, &[&[7; 32]])]);
        let parameters = tlv::constructed(0x30, &[&[0x02, 0x01, 0x01], &field, &rest]);
        let algorithm = tlv::constructed(0x30, &[&oid::object(oid::EC_PUBLIC_KEY), &parameters]);
        let bits = tlv::constructed(0x03, &[&[0], point.as_bytes()]);
        tlv::constructed(0x30, &[&algorithm, &bits])
    }

    #[test]
    fn parameters_that_are_written_out_are_known_by_their_prime_and_others_are_no_curve_9303_12_4_4()
     {
        for (curve, prime) in
            [(Curve::NistP256, P256_PRIME), (Curve::BrainpoolP256r1, BRAINPOOL_PRIME)]
        {
            let point = Point::from_bytes(&[4; 65]).unwrap();
            let read = read_key(&with_parameters(&prime, &point)).unwrap();
            assert_eq!(read, (curve, point));
            assert_eq!(read_key(&write_key(curve, &point)).unwrap(), read, "as by its name");
            let mut other = prime;
            other[31] ^= 2;
            let refused = read_key(&with_parameters(&other, &point));
            assert_eq!(refused, Err(KeyInfoError::Unsupported));
        }
    }
}
