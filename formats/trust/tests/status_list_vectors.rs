//! The test vectors of Token Status List (its last appendix) with 2, 4 and 8 bits: lists of 2^20 entries, as JSON and
//! as CBOR. The one with one bit is beside the code.
#![allow(clippy::unwrap_used, reason = "test code: a wrong fixture is to fail loudly")]

use serde::Deserialize;
use yufu_mdoc::cbor::{Value, decode_within};
use yufu_trust::{Status, StatusBits, StatusList};

#[derive(Deserialize)]
struct Vector {
    bits: u8,
    lst: String,
    /// In hexadecimal digits.
    cbor: String,
    /// Places and their statuses; all others are 0.
    statuses: Vec<(u64, u8)>,
}

/// The list in CBOR: its bits, and the same bytes that `lst` has in base64url.
fn lst_in_cbor(digits: &str) -> (Value, String) {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    let bytes: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    let Value::Map(members) = decode_within(&bytes, 8192).unwrap() else { unreachable!() };
    let member =
        |name: &str| members.iter().find(|(key, _)| *key == Value::text(name)).unwrap().1.clone();
    (member("bits"), yufu_jose::encode_base64url(member("lst").into_bytes().unwrap()))
}

fn reads_as_printed(text: &str) {
    let vector: Vector = serde_json::from_str(text).unwrap();
    let bits = StatusBits::try_from(vector.bits).unwrap();
    let list = StatusList::from_lst(bits, &vector.lst).unwrap();
    let mut made = StatusList::new(bits, 1 << 20).unwrap();
    for (index, value) in &vector.statuses {
        assert_eq!(list.get(*index), Some(Status::from(*value)), "{bits:?} {index}");
        made.set(*index, Status::from(*value)).unwrap();
    }
    assert_eq!(made, list, "every other entry is valid");
    assert_eq!(list.get(1 << 20), None);
    let (in_cbor, lst) = lst_in_cbor(&vector.cbor);
    assert_eq!((in_cbor, lst), (Value::Unsigned(vector.bits.into()), vector.lst));
}

#[test]
fn the_two_bit_test_vector_of_the_appendix_reads_as_printed() {
    reads_as_printed(include_str!("vectors/status-list-2.json"));
}

#[test]
fn the_four_bit_test_vector_of_the_appendix_reads_as_printed() {
    reads_as_printed(include_str!("vectors/status-list-4.json"));
}

#[test]
fn the_eight_bit_test_vector_of_the_appendix_reads_as_printed() {
    reads_as_printed(include_str!("vectors/status-list-8.json"));
}
