//! The table of the curve's generator, which is the same for everybody: made once, in some milliseconds, at the first use.

use super::comb::{ENTRIES, SharedColumn};
use super::limbs;
use crate::curve::field::{BETA, Fe};
use crate::curve::lanes::digits::{COLUMNS, TEETH};
use secp256k1::{PublicKey, SECP256K1, SecretKey};
use std::sync::LazyLock;

/// `None` if libsecp256k1 adds no points any more.
pub(super) static GENERATOR: LazyLock<Option<Box<[SharedColumn; COLUMNS]>>> = LazyLock::new(table);

fn table() -> Option<Box<[SharedColumn; COLUMNS]>> {
    let mut one = [0; 32];
    *one.last_mut()? = 1;
    let mut tooth = SecretKey::from_byte_array(one).ok()?.public_key(SECP256K1);
    let mut teeth = [tooth; TEETH];
    for next in teeth.iter_mut().skip(1) {
        for _ in 0..COLUMNS {
            tooth = twice(&tooth)?;
        }
        *next = tooth;
    }
    let mut table = Box::new([SharedColumn::EMPTY; COLUMNS]);
    for column in table.iter_mut() {
        for place in 0..ENTRIES {
            enter(column, place, &sum(&teeth, place)?)?;
        }
        for tooth in &mut teeth {
            *tooth = twice(tooth)?;
        }
    }
    Some(table)
}

fn twice(point: &PublicKey) -> Option<PublicKey> {
    point.combine(point).ok()
}

/// The last tooth, and each other added if its bit is set, else subtracted.
fn sum(teeth: &[PublicKey; TEETH], place: usize) -> Option<PublicKey> {
    let [teeth @ .., last] = teeth;
    let mut terms = vec![*last];
    for (bit, tooth) in teeth.iter().enumerate() {
        let added = place & (1 << bit) != 0;
        terms.push(if added { *tooth } else { tooth.negate(SECP256K1) });
    }
    PublicKey::combine_keys(&terms.iter().collect::<Vec<_>>()).ok()
}

fn enter(column: &mut SharedColumn, place: usize, point: &PublicKey) -> Option<()> {
    let bytes = point.serialize_uncompressed();
    let (coordinates, _) = bytes.get(1..)?.as_chunks::<32>();
    let [x, y] = coordinates else { return None };
    let beta_x = Fe::from_bytes(x).mul(Fe::from_bytes(&BETA)).to_bytes();
    for (limbs_of, bytes) in [(&mut column.x, x), (&mut column.beta_x, &beta_x), (&mut column.y, y)]
    {
        for (limb_of, limb) in limbs_of.iter_mut().zip(limbs(bytes)) {
            *limb_of.get_mut(place)? = limb;
        }
    }
    Some(())
}
