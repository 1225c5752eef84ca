//! The two curves that cards agree keys on: NIST P-256 and brainpoolP256r1. Points come in and go out uncompressed,
//! and are checked to lie on the curve.

use crate::crypto::sha256;
use elliptic_curve::array::typenum::U32;
use elliptic_curve::ff::{Field as _, PrimeField as _};
use elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use elliptic_curve::{CurveArithmetic, FieldBytes, FieldBytesSize, Group as _};
use std::fmt;
use zeroize::Zeroizing;

/// Why a key could not be agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CurveError {
    /// The bytes are no point of the curve, or the point at infinity.
    #[error("a public key is no point of the agreed curve")]
    NoPoint,
    /// The bytes are no secret of the curve.
    #[error("a secret is not between 1 and the order of the curve")]
    NoSecret,
}

/// A curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Curve {
    /// NIST P-256.
    NistP256,
    /// brainpoolP256r1 (RFC 5639).
    BrainpoolP256r1,
}

/// A point: `04 || x || y`. That it lies on its curve is checked where it is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Point([u8; 65]);

/// A secret number of a curve.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl Curve {
    /// The number of its parameters in ICAO 9303-11, 9.5.1.
    #[must_use]
    pub const fn parameters(self) -> u8 {
        match self {
            Self::NistP256 => 12,
            Self::BrainpoolP256r1 => 13,
        }
    }

    /// The curve whose parameters have this number.
    #[must_use]
    pub const fn of_parameters(number: u8) -> Option<Self> {
        match number {
            12 => Some(Self::NistP256),
            13 => Some(Self::BrainpoolP256r1),
            _ => None,
        }
    }

    /// A secret from 32 bytes that must be unpredictable: the first of their digests under a counter that is in range,
    /// so that every secret is as likely as any other.
    ///
    /// # Errors
    /// [`CurveError::NoSecret`]: does not happen.
    pub fn secret(self, seed: &[u8; 32]) -> Result<Secret, CurveError> {
        let candidates =
            (0..=u8::MAX).map(|counter| sha256(&[b"yufu.card.secret.v1", &[counter], seed]));
        let mut fit = candidates.map(|bytes| Secret(Zeroizing::new(bytes)));
        fit.find(|secret| self.holds(secret)).ok_or(CurveError::NoSecret)
    }

    /// The secret that these bytes are.
    ///
    /// # Errors
    /// [`CurveError::NoSecret`] if they are out of range.
    pub fn secret_from_bytes(self, bytes: &[u8; 32]) -> Result<Secret, CurveError> {
        let secret = Secret(Zeroizing::new(*bytes));
        if self.holds(&secret) { Ok(secret) } else { Err(CurveError::NoSecret) }
    }

    /// The public point of a secret.
    ///
    /// # Errors
    /// [`CurveError`]: does not happen.
    pub fn public(self, secret: &Secret) -> Result<Point, CurveError> {
        match self {
            Self::NistP256 => by_generator::<p256::NistP256>(secret),
            Self::BrainpoolP256r1 => by_generator::<bp256::BrainpoolP256r1>(secret),
        }
    }

    /// A point multiplied by a secret.
    ///
    /// # Errors
    /// [`CurveError::NoPoint`] if it does not lie on the curve.
    pub fn multiply(self, secret: &Secret, point: &Point) -> Result<Point, CurveError> {
        match self {
            Self::NistP256 => multiplied::<p256::NistP256>(secret, point),
            Self::BrainpoolP256r1 => multiplied::<bp256::BrainpoolP256r1>(secret, point),
        }
    }

    /// The generator that the generic mapping makes of a nonce and a shared point: `s * G + H`
    /// (ICAO 9303-11, 4.4.3.3.1).
    ///
    /// # Errors
    /// [`CurveError::NoPoint`] if the point does not lie on the curve, or the sum is at infinity.
    pub fn map(self, nonce: &[u8; 16], shared: &Point) -> Result<Point, CurveError> {
        match self {
            Self::NistP256 => mapped::<p256::NistP256>(nonce, shared),
            Self::BrainpoolP256r1 => mapped::<bp256::BrainpoolP256r1>(nonce, shared),
        }
    }

    fn holds(self, secret: &Secret) -> bool {
        match self {
            Self::NistP256 => scalar::<p256::NistP256>(secret).is_ok(),
            Self::BrainpoolP256r1 => scalar::<bp256::BrainpoolP256r1>(secret).is_ok(),
        }
    }
}

impl Point {
    /// From an uncompressed point.
    ///
    /// # Errors
    /// [`CurveError::NoPoint`] unless it is 65 bytes that begin with 4.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CurveError> {
        let point: [u8; 65] = bytes.try_into().map_err(|_| CurveError::NoPoint)?;
        if point.first() == Some(&4) { Ok(Self(point)) } else { Err(CurveError::NoPoint) }
    }

    /// `04 || x || y`.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }

    /// The first coordinate, which is the shared secret of an agreement.
    #[must_use]
    pub fn x(&self) -> &[u8] {
        self.0.get(1..33).unwrap_or_default()
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Point({})", yufu_base::Digest::of(&self.0))
    }
}

/// A curve of 256 bits whose points can be read and written.
trait Arithmetic:
    CurveArithmetic<FieldBytesSize = U32, AffinePoint: FromSec1Point<Self> + ToSec1Point<Self>>
{
}

impl Arithmetic for p256::NistP256 {}
impl Arithmetic for bp256::BrainpoolP256r1 {}

fn scalar<C: Arithmetic>(secret: &Secret) -> Result<C::Scalar, CurveError>
where
    FieldBytesSize<C>: ModulusSize,
{
    let number = C::Scalar::from_repr(FieldBytes::<C>::from(*secret.0));
    let number = Option::<C::Scalar>::from(number).ok_or(CurveError::NoSecret)?;
    if bool::from(number.is_zero()) { Err(CurveError::NoSecret) } else { Ok(number) }
}

fn by_generator<C: Arithmetic>(secret: &Secret) -> Result<Point, CurveError>
where
    FieldBytesSize<C>: ModulusSize,
{
    written::<C>(C::ProjectivePoint::mul_by_generator(&scalar::<C>(secret)?))
}

fn multiplied<C: Arithmetic>(secret: &Secret, point: &Point) -> Result<Point, CurveError>
where
    FieldBytesSize<C>: ModulusSize,
{
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "INVARIANT: points of a curve do not overflow"
    )]
    let product = read::<C>(point)? * scalar::<C>(secret)?;
    written::<C>(product)
}

fn mapped<C: Arithmetic>(nonce: &[u8; 16], shared: &Point) -> Result<Point, CurveError>
where
    FieldBytesSize<C>: ModulusSize,
{
    let mut bytes = [0; 32];
    bytes.iter_mut().skip(16).zip(nonce).for_each(|(to, from)| *to = *from);
    let number = C::Scalar::from_repr(FieldBytes::<C>::from(bytes));
    let number = Option::<C::Scalar>::from(number).ok_or(CurveError::NoSecret)?;
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "INVARIANT: points of a curve do not overflow"
    )]
    let sum = C::ProjectivePoint::mul_by_generator(&number) + read::<C>(shared)?;
    written::<C>(sum)
}

fn read<C: Arithmetic>(point: &Point) -> Result<C::ProjectivePoint, CurveError>
where
    FieldBytesSize<C>: ModulusSize,
{
    let affine = C::AffinePoint::from_sec1_bytes(&point.0).map_err(|_| CurveError::NoPoint)?;
    Ok(affine.into())
}

fn written<C: Arithmetic>(point: C::ProjectivePoint) -> Result<Point, CurveError>
where
    FieldBytesSize<C>: ModulusSize,
{
    let affine: C::AffinePoint = point.into();
    Point::from_bytes(affine.to_sec1_point(false).as_bytes())
}
