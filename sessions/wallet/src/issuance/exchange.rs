//! The code on its way to becoming a token.

use super::{FetchingNonce, Ready};
use serde::{Deserialize, Serialize};
use yufu_openid4vc::issuance::{TokenErrorCode, TokenErrorResponse, TokenResponse};
use yufu_openid4vc::{HttpError, HttpRequest, HttpResponse};

/// Waits for the token. [`ExchangingCode::retry`] goes back if the transaction code was
/// wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangingCode {
    pub(super) ready: Ready,
}

/// Why there is no token. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The server refused: with `invalid_grant`, the transaction code may have been wrong.
    #[error("the issuer refused the code ({code}): {description}")]
    Refused {
        /// Its code.
        code: TokenErrorCode,
        /// Its words.
        description: String,
    },
    /// The answer cannot be read.
    #[error("the token: {0}")]
    Http(#[from] HttpError),
    /// Another kind of token than `Bearer`.
    #[error("the token is of type {0:?}, expected Bearer")]
    TokenType(String),
    /// The issuer has no nonce endpoint after all.
    #[error("the issuer has no nonce endpoint")]
    Nonce,
}

impl ExchangingCode {
    /// Back to the person, to type again.
    #[must_use]
    pub fn retry(self) -> Ready {
        self.ready
    }

    /// Takes the token.
    ///
    /// # Errors
    /// [`ExchangeError`], the first rule that is broken.
    pub fn handle(
        self,
        response: &HttpResponse,
    ) -> Result<(FetchingNonce, HttpRequest), ExchangeError> {
        if let Some(refusal) = response.refusal::<TokenErrorResponse>() {
            let description = refusal.error_description.unwrap_or_default();
            return Err(ExchangeError::Refused { code: refusal.error, description });
        }
        let token: TokenResponse = response.json()?;
        if !token.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(ExchangeError::TokenType(token.token_type));
        }
        let nonce = self.ready.metadata.nonce_endpoint.clone().ok_or(ExchangeError::Nonce)?;
        let next = FetchingNonce { ready: self.ready, access_token: token.access_token };
        Ok((next, HttpRequest::post_empty(nonce)))
    }
}
