//! What is answered when a key does not sign: a token may be away for a while, and whoever asks is told so; why, the
//! operator reads in the log and at `/readyz`.

use crate::http::Problem;
use std::fmt;
use yufu_base::{Signer, SignerError, TokenFault};

/// Refuses what could not be signed now, before anything is used up for it.
pub(crate) fn can_sign(signer: &dyn Signer) -> Result<(), Problem> {
    signer.ready().map_err(unavailable)
}

/// The answer to whoever asked for something that was not signed, because of `cause`.
pub(crate) fn unsigned(signer: &dyn Signer, cause: impl fmt::Display) -> Problem {
    match signer.ready() {
        Err(error) => unavailable(error),
        Ok(()) => Problem::internal(cause),
    }
}

fn unavailable(error: SignerError) -> Problem {
    let SignerError::Token { fault, why } = error else { return Problem::internal(error) };
    tracing::error!(code = fault.code(), %why, "a token does not sign");
    let detail = match fault {
        TokenFault::ModuleMissing => "the module that speaks to the token of keys here is missing",
        TokenFault::TokenAbsent => "the token that holds the keys here is not there",
        TokenFault::TokenLocked => "the token that holds the keys here is locked",
        TokenFault::PinWrong => "the token that holds the keys here refuses its PIN",
        TokenFault::KeyAbsent => "the token here does not hold the key",
        TokenFault::SessionLost => "the token that holds the keys here does not answer",
        TokenFault::Unfit => "the token that holds the keys here cannot do what is needed",
    };
    let next =
        "nothing was done; send the same request again later, the operator sees why at /readyz";
    Problem::unavailable(fault.code(), format!("{detail}: {next}"))
}
