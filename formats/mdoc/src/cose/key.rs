//! P-256 public keys as COSE has them (RFC 9053, 7.1).

use crate::cbor::{Fields, ShapeError, Value, expected};
use yufu_base::PublicKey;
use yufu_jose::on_curve;

const OF: &str = "COSE key";
const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
/// A key of two coordinates.
const EC2: i64 = 2;
const P256: i64 = 1;
/// What a key may be for, if it says so: ES256, under either of its numbers, and ECDH with HKDF-256 (RFC 9053, RFC 9864).
const ALGORITHMS: [i64; 3] = [-7, -9, -25];

/// The key as a map.
#[must_use]
pub fn key_to_value(key: &PublicKey) -> Value {
    let [_, point @ ..] = key.as_bytes();
    let (x, y) = point.split_at(32);
    let members = [
        (KTY, Value::integer(EC2)),
        (CRV, Value::integer(P256)),
        (X, Value::Bytes(x.to_vec())),
        (Y, Value::Bytes(y.to_vec())),
    ];
    Value::Map(members.map(|(label, value)| (Value::integer(label), value)).into())
}

/// The key that a map is: a point of P-256, uncompressed, and for nothing else than what such keys are for here.
///
/// # Errors
/// [`ShapeError`] for any other.
pub fn key_from_value(value: Value) -> Result<PublicKey, ShapeError> {
    const P256_KEY: ShapeError = expected(OF, "a key of P-256 with both coordinates");
    let mut fields = Fields::new(OF, value)?;
    let mut number = |label| fields.labelled(label).and_then(|value| value.as_integer());
    if (number(KTY), number(CRV)) != (Some(EC2), Some(P256)) {
        return Err(P256_KEY);
    }
    if fields.labelled(ALG).is_some_and(|alg| !alg.as_integer().is_some_and(is_ours)) {
        return Err(expected(OF, "a key for ES256 or ECDH, or one that does not say"));
    }
    let mut coordinate = |label| {
        let bytes = fields.labelled(label).and_then(Value::into_bytes);
        bytes.filter(|bytes| bytes.len() == 32).ok_or(P256_KEY)
    };
    let point = [vec![4], coordinate(X)?, coordinate(Y)?].concat();
    let key = PublicKey::from_uncompressed(&point).filter(on_curve);
    key.ok_or(expected(OF, "a point of P-256"))
}

fn is_ours(alg: i64) -> bool {
    ALGORITHMS.contains(&alg)
}
