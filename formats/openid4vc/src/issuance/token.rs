//! The token endpoint for pre-authorized codes (OpenID4VCI 1.0, section 6; RFC 6749, section 5).

use super::form::{Form, MAX_FORM};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The grant type of pre-authorized codes.
pub const GRANT_PRE_AUTHORIZED: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

/// What a wallet sends to exchange its code: a form.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// The code from the offer.
    pub pre_authorized_code: String,
    /// What the person typed, if the offer asked for it.
    pub tx_code: Option<String>,
}

/// The token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The bearer token for the credential endpoint.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Its lifetime in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// The codes of RFC 6749, sections 4.1.2.1 and 5.2, as OpenID4VCI 1.0, section 6.3 uses them, and those that
/// RFC 9396, RFC 9449 and attestation-based client authentication add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenErrorCode {
    /// A parameter is missing, repeated or out of place.
    InvalidRequest,
    /// The code is wrong, spent or expired, or the transaction code is wrong.
    InvalidGrant,
    /// The client is not known or must identify itself.
    InvalidClient,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// Another grant type.
    UnsupportedGrantType,
    /// The scope cannot be given.
    InvalidScope,
    /// Another response type than `code`.
    UnsupportedResponseType,
    /// The authorization details cannot be given (RFC 9396).
    InvalidAuthorizationDetails,
    /// The person, or the server for her, declined.
    AccessDenied,
    /// The wallet attestation, or the proof that goes with it, does not hold.
    InvalidClientAttestation,
    /// The proof that goes with the attestation lacks a live challenge: one is in the answer's header.
    UseAttestationChallenge,
    /// The wallet attestation is too old.
    UseFreshAttestation,
    /// The DPoP proof does not hold (RFC 9449).
    InvalidDpopProof,
    /// The DPoP proof lacks a live nonce: one is in the answer's header.
    UseDpopNonce,
}

/// As it stands on the wire.
impl fmt::Display for TokenErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A refusal of the token endpoint, sent with status 400.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenErrorResponse {
    /// The code.
    pub error: TokenErrorCode,
    /// For developers; ASCII.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

/// Why a form is not a token request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRequestError {
    /// Larger than 8 KiB.
    #[error("the form is larger than {MAX_FORM} bytes")]
    TooLarge,
    /// A parameter came twice (RFC 6749, section 3.2).
    #[error("the parameter {0} is repeated")]
    Repeated(&'static str),
    /// A parameter is missing.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// Another grant.
    #[error("the grant type must be {GRANT_PRE_AUTHORIZED}")]
    GrantType,
    /// Another grant than this, or a refresh token.
    #[error("the grant type must be {0} or refresh_token")]
    GrantTypeOf(&'static str),
}

impl TokenRequestError {
    /// The code to answer with.
    #[must_use]
    pub const fn code(&self) -> TokenErrorCode {
        match self {
            Self::GrantType | Self::GrantTypeOf(_) => TokenErrorCode::UnsupportedGrantType,
            Self::TooLarge | Self::Repeated(_) | Self::Missing(_) => TokenErrorCode::InvalidRequest,
        }
    }
}

impl TokenRequest {
    /// Reads the form; unknown parameters are ignored, as the specification asks.
    ///
    /// # Errors
    /// [`TokenRequestError`], the first rule that is broken.
    pub fn from_form(body: &[u8]) -> Result<Self, TokenRequestError> {
        let form = Form::read(body)?;
        if form.needed("grant_type")? != GRANT_PRE_AUTHORIZED {
            return Err(TokenRequestError::GrantType);
        }
        let pre_authorized_code = form.needed("pre-authorized_code")?;
        Ok(Self { pre_authorized_code, tx_code: form.field("tx_code")? })
    }

    /// The fields of the form.
    #[must_use]
    pub fn fields(&self) -> Vec<(&str, &str)> {
        let mut fields = vec![
            ("grant_type", GRANT_PRE_AUTHORIZED),
            ("pre-authorized_code", self.pre_authorized_code.as_str()),
        ];
        fields.extend(self.tx_code.as_deref().map(|code| ("tx_code", code)));
        fields
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenRequest(secret)")
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, HttpRequest};
    use proptest::prelude::*;

    #[test]
    fn each_rule_of_the_form_is_refused_with_the_code_of_rfc_6749() {
        let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code";
        for (form, error, code) in [
            (
                "pre-authorized_code=c".to_owned(),
                TokenRequestError::Missing("grant_type"),
                TokenErrorCode::InvalidRequest,
            ),
            (
                "grant_type=authorization_code&code=c".to_owned(),
                TokenRequestError::GrantType,
                TokenErrorCode::UnsupportedGrantType,
            ),
            (
                grant.to_owned(),
                TokenRequestError::Missing("pre-authorized_code"),
                TokenErrorCode::InvalidRequest,
            ),
            (
                format!("{grant}&pre-authorized_code=c&tx_code=1&tx_code=2"),
                TokenRequestError::Repeated("tx_code"),
                TokenErrorCode::InvalidRequest,
            ),
            ("a".repeat(MAX_FORM + 1), TokenRequestError::TooLarge, TokenErrorCode::InvalidRequest),
        ] {
            let got = TokenRequest::from_form(form.as_bytes()).unwrap_err();
            assert_eq!((got.code(), got), (code, error));
        }
    }

    proptest! {
        #[test]
        fn what_a_wallet_sends_is_what_the_server_reads(code in ".{1,40}", tx in proptest::option::of("[0-9]{4,8}")) {
            let sent = TokenRequest { pre_authorized_code: code, tx_code: tx };
            let url = Endpoint::parse("https://i.example/token").unwrap();
            let http = HttpRequest::post_form(url, "application/json", &sent.fields());
            prop_assert_eq!(TokenRequest::from_form(&http.body).unwrap(), sent);
        }
    }
}
