//! Hostile bytes for what reads notes of Cashu: tokens, payment requests, messages.

use serde::Serialize;
use serde::de::DeserializeOwned;
use yufu_ecash::message::{
    AuthProof, BatchMintRequest, CheckStateRequest, MeltRequest, MintInfo, MintRequest,
    RestoreRequest, SwapRequest, WsRequest,
};
use yufu_ecash::spend::{Lock, Transaction, check_spend};
use yufu_ecash::{KeysResponse, PaymentRequest, Token};

/// Takes `bytes` for a token: its text in either version, or the CBOR of version 4.
///
/// # Panics
/// If a token that is read and written again is read as another.
pub fn token(bytes: &[u8]) {
    let raw = Token::from_bytes(&[b"crawB", bytes].concat());
    let text = std::str::from_utf8(bytes).ok().and_then(|text| Token::parse(text).ok());
    for token in raw.ok().into_iter().chain(text) {
        let Ok(written) = token.to_text() else { continue };
        let again = Token::parse(&written).and_then(|again| again.to_text());
        assert_eq!(again.as_ref(), Ok(&written), "a token is read as another");
    }
}

/// Takes `bytes` for the CBOR of a payment request.
///
/// # Panics
/// If a request that is read and written again is read as another.
pub fn payment_request(bytes: &[u8]) {
    let text = format!("creqA{}", yufu_jose::encode_base64url(bytes));
    let Ok(request) = PaymentRequest::parse(&text) else { return };
    let again = request.to_text().and_then(|text| PaymentRequest::parse(&text));
    assert_eq!(again.as_ref(), Ok(&request), "a request is read as another");
}

/// Takes `bytes` for the JSON of each message, for a secret and for a header.
///
/// # Panics
/// If a message that is read and written again is read as another.
pub fn messages(bytes: &[u8]) {
    if let Some(swap) = same::<SwapRequest>(bytes) {
        let to = Transaction { outputs: &swap.outputs, quote: None };
        drop(check_spend(&swap.inputs, to, 1_800_000_000));
    }
    same::<MeltRequest>(bytes);
    same::<MintRequest>(bytes);
    same::<BatchMintRequest>(bytes);
    same::<CheckStateRequest>(bytes);
    same::<RestoreRequest>(bytes);
    same::<MintInfo>(bytes);
    same::<WsRequest>(bytes);
    if let Some(keys) = same::<KeysResponse>(bytes) {
        keys.keysets.iter().for_each(|keyset| drop(keyset.check()));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(Lock::parse(text));
        drop(AuthProof::from_header(text));
    }
}

pub(crate) fn same<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(
    bytes: &[u8],
) -> Option<T> {
    let read: T = serde_json::from_slice(bytes).ok()?;
    let written = serde_json::to_vec(&read).ok();
    let again = written.and_then(|written| serde_json::from_slice::<T>(&written).ok());
    assert_eq!(again.as_ref(), Some(&read), "a message is read as another");
    Some(read)
}
