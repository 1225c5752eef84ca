//! All is known that the person needs to decide.

use super::ExchangingCode;
use serde::{Deserialize, Serialize};
use yufu_openid4vc::issuance::{
    CredentialConfiguration, InputMode, IssuerMetadata, PreAuthorizedGrant, TokenRequest,
    TxCodeDescription,
};
use yufu_openid4vc::{Endpoint, HttpRequest};
use yufu_trust::{Localized, TrustEntry};

/// Waits for the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    pub(super) metadata: IssuerMetadata,
    pub(super) token_endpoint: Endpoint,
    pub(super) entry: TrustEntry,
    pub(super) configuration_id: String,
    pub(super) grant: PreAuthorizedGrant,
}

/// Why a transaction code is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TxCodeError {
    /// None was typed.
    #[error("the issuer asks for a transaction code")]
    Missing,
    /// The issuer asks for none.
    #[error("the issuer asks for no transaction code")]
    Unexpected,
    /// It has another length, or other characters.
    #[error("the transaction code does not have the form the issuer describes")]
    Form,
}

impl Ready {
    /// The issuer's name, as the trust list has it (not as the issuer has it).
    #[must_use]
    pub const fn issuer_name(&self) -> &Localized {
        &self.entry.name
    }

    /// What is offered, with its names and claims.
    #[must_use]
    pub fn configuration(&self) -> Option<&CredentialConfiguration> {
        self.metadata.credential_configurations_supported.get(&self.configuration_id)
    }

    /// What the person is to type, if anything.
    #[must_use]
    pub const fn tx_code(&self) -> Option<&TxCodeDescription> {
        self.grant.tx_code.as_ref()
    }

    /// The most credentials, and so fresh keys, one request may have.
    #[must_use]
    pub fn batch_size(&self) -> u16 {
        self.metadata.batch_size()
    }

    /// The person agrees, and has typed the transaction code. The session is not used up by
    /// a wrong form.
    ///
    /// # Errors
    /// [`TxCodeError`].
    pub fn accept(
        &self,
        tx_code: Option<&str>,
    ) -> Result<(ExchangingCode, HttpRequest), TxCodeError> {
        match (&self.grant.tx_code, tx_code) {
            (None, None) => {}
            (None, Some(_)) => return Err(TxCodeError::Unexpected),
            (Some(_), None) => return Err(TxCodeError::Missing),
            (Some(description), Some(typed)) => check_form(description, typed)?,
        }
        let request = TokenRequest {
            pre_authorized_code: self.grant.pre_authorized_code.clone(),
            tx_code: tx_code.map(str::to_owned),
        };
        let url = self.token_endpoint.clone();
        let http = HttpRequest::post_form(url, "application/json", &request.fields());
        Ok((ExchangingCode { ready: self.clone() }, http))
    }
}

fn check_form(description: &TxCodeDescription, typed: &str) -> Result<(), TxCodeError> {
    let length = description.length.map(usize::from);
    let digits = typed.bytes().all(|b| b.is_ascii_digit());
    let fits = !typed.is_empty()
        && length.is_none_or(|length| typed.chars().count() == length)
        && (digits || description.input_mode == InputMode::Text);
    if fits { Ok(()) } else { Err(TxCodeError::Form) }
}
