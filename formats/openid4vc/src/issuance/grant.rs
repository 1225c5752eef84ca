//! The token endpoint for authorization codes and refresh tokens (RFC 6749, sections 4.1.3 and 6;
//! OpenID4VCI 1.0, section 6), with tokens that are bound to a key.

use super::form::Form;
use super::{AuthorizationDetail, TokenRequestError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The grant type of authorization codes.
pub const GRANT_CODE: &str = "authorization_code";
/// The grant type of refresh tokens.
pub const GRANT_REFRESH: &str = "refresh_token";

/// What a wallet brings for a token.
#[derive(Clone, PartialEq, Eq)]
pub enum Grant {
    /// A code that the person's browser brought.
    Code {
        /// The code.
        code: String,
        /// The address to which the browser was sent.
        redirect_uri: String,
        /// The verifier of the challenge.
        code_verifier: String,
    },
    /// A refresh token.
    Refresh {
        /// The token.
        refresh_token: String,
    },
}

/// A token request.
#[derive(Clone, PartialEq, Eq)]
pub struct GrantRequest {
    /// Which wallet, if it says so here too.
    pub client_id: Option<String>,
    /// What it brings.
    pub grant: Grant,
}

/// The token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantResponse {
    /// The token for the endpoints of the issuer.
    pub access_token: String,
    /// Always `DPoP`.
    pub token_type: String,
    /// Its lifetime in seconds.
    pub expires_in: u64,
    /// What gets another access token later, without the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The scopes that were given, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What was given, if it was asked for by authorization details.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<AuthorizationDetail>,
}

impl GrantRequest {
    /// Reads the form; unknown parameters are ignored.
    ///
    /// # Errors
    /// [`TokenRequestError`], the first rule that is broken.
    pub fn from_form(body: &[u8]) -> Result<Self, TokenRequestError> {
        let form = Form::read(body)?;
        let grant = match form.needed("grant_type")?.as_str() {
            GRANT_CODE => Grant::Code {
                code: form.needed("code")?,
                redirect_uri: form.needed("redirect_uri")?,
                code_verifier: form.needed("code_verifier")?,
            },
            GRANT_REFRESH => Grant::Refresh { refresh_token: form.needed("refresh_token")? },
            _ => return Err(TokenRequestError::GrantTypeOf(GRANT_CODE)),
        };
        Ok(Self { client_id: form.field("client_id")?, grant })
    }

    /// The fields of the form.
    #[must_use]
    pub fn fields(&self) -> Vec<(&str, &str)> {
        let mut fields = match &self.grant {
            Grant::Code { code, redirect_uri, code_verifier } => vec![
                ("grant_type", GRANT_CODE),
                ("code", code.as_str()),
                ("redirect_uri", redirect_uri),
                ("code_verifier", code_verifier),
            ],
            Grant::Refresh { refresh_token } => {
                vec![("grant_type", GRANT_REFRESH), ("refresh_token", refresh_token.as_str())]
            }
        };
        fields.extend(self.client_id.as_deref().map(|id| ("client_id", id)));
        fields
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grant(secret)")
    }
}

impl fmt::Debug for GrantRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GrantRequest(secret)")
    }
}

impl fmt::Debug for GrantResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantResponse")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::TokenErrorCode;
    use super::*;
    use crate::{Endpoint, HttpRequest};
    use proptest::prelude::*;

    #[test]
    fn each_rule_of_the_form_is_refused_by_its_own_name_rfc_6749() {
        for (form, error) in [
            ("code=c", TokenRequestError::Missing("grant_type")),
            ("grant_type=authorization_code", TokenRequestError::Missing("code")),
            ("grant_type=authorization_code&code=c", TokenRequestError::Missing("redirect_uri")),
            (
                "grant_type=authorization_code&code=c&redirect_uri=r",
                TokenRequestError::Missing("code_verifier"),
            ),
            ("grant_type=refresh_token", TokenRequestError::Missing("refresh_token")),
            ("grant_type=password", TokenRequestError::GrantTypeOf(GRANT_CODE)),
            (
                "grant_type=refresh_token&refresh_token=a&refresh_token=b",
                TokenRequestError::Repeated("refresh_token"),
            ),
        ] {
            assert_eq!(GrantRequest::from_form(form.as_bytes()), Err(error), "{form}");
        }
        let code = TokenRequestError::GrantTypeOf(GRANT_CODE).code();
        assert_eq!(code, TokenErrorCode::UnsupportedGrantType);
    }

    proptest! {
        #[test]
        fn what_a_wallet_sends_is_what_the_server_reads(code in ".{1,40}", verifier in "[a-z]{1,9}") {
            let grant = Grant::Code { code, redirect_uri: "https://w/cb".into(), code_verifier: verifier };
            let sent = GrantRequest { client_id: Some("w".into()), grant };
            let url = Endpoint::parse("https://i.example/token").unwrap();
            let http = HttpRequest::post_form(url, "application/json", &sent.fields());
            prop_assert_eq!(GrantRequest::from_form(&http.body).unwrap(), sent);
        }
    }
}
