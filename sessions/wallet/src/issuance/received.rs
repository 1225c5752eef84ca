//! A credential as it came, of either format, and its way to one that is verified.

use super::CredentialProblem;
use crate::Credential;
use yufu_base::{PublicKey, Timestamp};
use yufu_credential::SdJwt;
use yufu_jose::{Chain, ChainError};
use yufu_mdoc::{IssuedMdoc, IssuedMdocError, IssuerSigned};
use yufu_openid4vc::FORMAT_MSO_MDOC;
use yufu_trust::LEEWAY_SECONDS;

/// A credential as it came.
pub(crate) enum Received {
    SdJwt(Box<SdJwt>),
    Mdoc(Box<IssuerSigned>),
}

impl Received {
    /// Reads what came for a configuration of this format.
    pub(crate) fn parse(format: &str, text: &str) -> Result<Self, CredentialProblem> {
        if format == FORMAT_MSO_MDOC {
            let signed = IssuerSigned::from_base64url(text);
            return Ok(Self::Mdoc(Box::new(signed.map_err(mdoc)?)));
        }
        let parsed = SdJwt::parse(text).map_err(|e| CredentialProblem::SdJwt(Box::new(e)))?;
        Ok(Self::SdJwt(Box::new(parsed)))
    }

    /// The issuer's chain, which anyone may have written.
    pub(crate) fn chain(&self) -> Result<Chain, ChainError> {
        match self {
            Self::SdJwt(sd_jwt) => sd_jwt.header().chain(),
            Self::Mdoc(signed) => signed.chain().cloned(),
        }
    }

    pub(super) fn verify(self, issuer_key: &PublicKey) -> Result<Credential, CredentialProblem> {
        match self {
            Self::SdJwt(sd_jwt) => {
                let verified = sd_jwt.verify(issuer_key);
                let verified = verified.map_err(|e| CredentialProblem::SdJwt(Box::new(e)))?;
                Ok(Credential::SdJwt(Box::new(verified)))
            }
            Self::Mdoc(signed) => {
                let verified = IssuedMdoc::verify(*signed, issuer_key);
                let verified = verified.map_err(|error| mdoc(IssuedMdocError::Signed(error)))?;
                Ok(Credential::Mdoc(Box::new(verified)))
            }
        }
    }
}

/// Whether it says when it ends, and that it is good now.
pub(super) fn check_dates(
    credential: &Credential,
    now: Timestamp,
) -> Result<(), CredentialProblem> {
    match credential {
        Credential::SdJwt(sd_jwt) => {
            let registered = sd_jwt.credential();
            if registered.validity.expires_at.is_none() && registered.status.is_none() {
                return Err(CredentialProblem::Endless);
            }
            Ok(registered.validity.check(now, LEEWAY_SECONDS)?)
        }
        Credential::Mdoc(mdoc) => Ok(mdoc.mso().validity.check(now, LEEWAY_SECONDS)?),
    }
}

fn mdoc(error: IssuedMdocError) -> CredentialProblem {
    CredentialProblem::Mdoc(Box::new(error))
}
