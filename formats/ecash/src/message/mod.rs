//! The messages between wallet and mint, as they are on the wire.

mod auth;
mod error;
mod exchange;
mod info;
mod note;
mod quote;
mod signed_quote;
mod subscription;

pub use auth::{
    AUTH_UNIT, AuthProof, AuthTokenError, BLIND_AUTH, BlindAuthMintRequest, BlindAuthSettings,
    CLEAR_AUTH, ClearAuthSettings, ProtectedEndpoint,
};
pub use error::{ErrorBody, ErrorCode};
pub use exchange::{
    CheckStateRequest, CheckStateResponse, CompressedSwap, HashedSwap, NoSwap, NoteState,
    NoteStatus, RestoreRequest, RestoreResponse, SwapRequest,
};
pub use info::{
    BatchSettings, CacheSettings, CachedEndpoint, Contact, Method, MethodOptions, MethodSettings,
    MintInfo, MultipathMethod, MultipathSettings, Nuts, SubscriptionMethod, SubscriptionSettings,
    Supported,
};
pub use note::{BlindSignature, BlindedMessage, OfflineError, Proof};
pub use quote::{
    BatchCheckRequest, BatchMintRequest, MeltOptions, MeltQuote, MeltQuoteRequest, MeltQuoteState,
    MeltRequest, MintQuote, MintQuoteRequest, MintQuoteState, MintRequest, OpenAmount,
    PartialAmount, Signatures,
};
pub use signed_quote::{
    BatchShapeError, QuoteSignatureError, plain_quote_message, quote_message, sign_quote,
    sign_quote_plain,
};
pub use subscription::{
    JSON_RPC, Subscribe, SubscriptionKind, Unsubscribe, WsCall, WsError, WsErrorBody, WsNews,
    WsNotification, WsRequest, WsResponse, WsResult,
};
