//! Why an issuer gives nothing, told to the person.

use crate::words;
use std::error::Error;
use yufu_openid4vc::issuance::{CredentialErrorCode, TokenErrorCode};
use yufu_wallet::issuance::haip::{AskError, StepError};
use yufu_wallet::issuance::{CredentialsError, ExchangeError};

/// The refusal in the person's language, if it is one. English is the session's own, with the issuer's words; those are for
/// developers, and stand beside what is said here.
pub(crate) fn said(error: &(dyn Error + 'static)) -> Option<String> {
    let (code, issuers) = refusal(error)?;
    Some(words::fault(code, &[("detail", issuers)]).unwrap_or_else(|| error.to_string()))
}

/// What kind of refusal it is, and the issuer's words.
fn refusal(error: &(dyn Error + 'static)) -> Option<(&'static str, String)> {
    if let Some(ExchangeError::Refused { code, description }) = error.downcast_ref() {
        return Some((of_token(*code), told(code, description)));
    }
    if let Some(StepError::Refused { code, description }) = error.downcast_ref() {
        return Some((of_token(*code), told(code, description)));
    }
    let asked = match error.downcast_ref::<AskError>() {
        Some(AskError::Credentials(refused)) => Some(refused),
        _ => error.downcast_ref::<CredentialsError>(),
    };
    match asked {
        Some(CredentialsError::Refused { code, description }) => {
            Some((of_credential(*code), told(code, description)))
        }
        _ => None,
    }
}

const fn of_token(code: TokenErrorCode) -> &'static str {
    match code {
        TokenErrorCode::InvalidGrant => "not_issued.code",
        TokenErrorCode::AccessDenied => "not_issued.declined",
        _ => "not_issued.refused",
    }
}

const fn of_credential(code: CredentialErrorCode) -> &'static str {
    match code {
        CredentialErrorCode::CredentialRequestDenied => "not_issued.declined",
        _ => "not_issued.refused",
    }
}

fn told(code: &impl ToString, description: &str) -> String {
    if description.is_empty() { code.to_string() } else { description.to_owned() }
}
