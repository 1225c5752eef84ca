//! Cashu: blind signatures, keysets, notes, tokens, conditions of spending, and the messages
//! between wallet and mint. Pure: time and randomness are arguments.
#![doc = ""]
#![doc = include_str!("../README.md")]

pub mod amount;
mod cbor;
mod curve;
mod derive;
mod encoding;
mod invoice;
mod keyset;
mod keyset_id;
pub mod message;
mod mint_keys;
mod payment_request;
pub mod spend;
mod token;

pub use cbor::CborError;
pub use curve::{
    BatchError, BlindError, Claim, Dleq, DleqError, MintKey, NoNonce, Point, PointError, Promise,
    ProofDleq, ScalarError, SecretScalar, Unhashable, blind, hash_all, hash_to_curve, sign_message,
    unblind, verify_batch, verify_message, verify_together,
};
pub use derive::{DeriveError, DerivedNote, Seed, WordsError, words_from_entropy};
pub use encoding::to_hex;
pub use invoice::{Invoice, InvoiceError, InvoiceKey, NewInvoice};
pub use keyset::{KeysResponse, Keyset, KeysetError, KeysetInfo, KeysetsResponse};
pub use keyset_id::{KeysetId, KeysetIdError};
pub use mint_keys::{KeysetPlan, KeysetSigner, MintKeys, Note, PlanError, SigningError};
pub use payment_request::{
    Payment, PaymentError, PaymentRequest, RequestError, RequestedLock, Transport,
};
pub use token::{MAX_TOKEN, Token, TokenError, TokenKeyset, TokenNote};
