//! The device authorization grant (RFC 8628): a wallet asks for an access token, its holder shows a credential, and
//! the wallet fetches the token.

use crate::form;
use serde::{Deserialize, Serialize};

/// The grant type.
pub const GRANT_DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The largest form that is read, in bytes.
const MAX_FORM: usize = 8 * 1024;

/// What a wallet gets to go on with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAuthorization {
    /// The code by which the token is fetched: secret.
    pub device_code: String,
    /// The request's id.
    pub user_code: String,
    /// Where a person is told what to do.
    pub verification_uri: String,
    /// The same for this request: a page that leads to the presentation request.
    pub verification_uri_complete: String,
    /// The presentation request itself, for a wallet that has the credential: `openid4vp://...`. An extension of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yufu_authorization_request: Option<String>,
    /// How long it can be answered, in seconds.
    pub expires_in: u64,
    /// How long to wait between two tries to fetch the token, in seconds.
    pub interval: u64,
}

/// The codes of RFC 6749, section 5.2, and RFC 8628, section 3.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceErrorCode {
    /// A parameter is missing or repeated.
    InvalidRequest,
    /// The client, a bank, is not known here.
    InvalidClient,
    /// The device code is wrong or forgotten.
    InvalidGrant,
    /// Another grant type.
    UnsupportedGrantType,
    /// Another response than a code.
    UnsupportedResponseType,
    /// Nothing was shown yet: ask again.
    AuthorizationPending,
    /// Nothing was shown in time.
    ExpiredToken,
}

/// A refusal, sent with status 400.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceError {
    /// The code.
    pub error: DeviceErrorCode,
    /// For developers; ASCII.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

impl DeviceError {
    /// A refusal with words for developers.
    #[must_use]
    pub fn new(error: DeviceErrorCode, description: &str) -> Self {
        Self { error, error_description: Some(description.to_owned()) }
    }
}

/// A parameter of a form.
///
/// # Errors
/// [`DeviceErrorCode::InvalidRequest`] if the form is too large, or the parameter missing or repeated.
pub fn parameter(body: &[u8], name: &str) -> Result<String, DeviceError> {
    let wrong = |what: &str| {
        DeviceError::new(DeviceErrorCode::InvalidRequest, &format!("the parameter {name} {what}"))
    };
    if body.len() > MAX_FORM {
        return Err(wrong("is in a form that is too large"));
    }
    let value = form::value(body, name).map_err(|_| wrong("is repeated"))?;
    let value = value.filter(|value| !value.is_empty());
    Ok(value.ok_or_else(|| wrong("is missing"))?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_once_in_a_form_or_the_form_is_refused() {
        assert_eq!(parameter(b"a=1&b=2", "b").unwrap(), "2");
        for form in [&b"a=1"[..], b"b=", b"b=1&b=2", &[b'x'; 9_000]] {
            let refused = parameter(form, "b").unwrap_err();
            assert_eq!(refused.error, DeviceErrorCode::InvalidRequest);
        }
    }
}
