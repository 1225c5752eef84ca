//! The two formats of one credential: an SD-JWT VC and an ISO mdoc, of the same claims.

use crate::proven::{IssueError, Template};
use yufu_base::Signer;
use yufu_credential::{Issuance, StatusReference};
use yufu_jose::{Chain, Jwk};
use yufu_mdoc::{MdocIssuance, MdocValidity, SALT, elements_of};
use yufu_openid4vc::issuance::CredentialConfiguration;
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};

/// What is to be signed: a format with its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    SdJwt(String),
    Mdoc(String),
}

/// What one credential of a batch has for itself.
pub(crate) struct One {
    pub(crate) key: Jwk,
    pub(crate) status: Option<StatusReference>,
}

impl Kind {
    /// What a configuration offers, if it can be signed here.
    pub(crate) fn of(configuration: &CredentialConfiguration) -> Option<Self> {
        let kind = configuration.credential_type()?.clone();
        match configuration.format.as_str() {
            FORMAT_SD_JWT_VC => Some(Self::SdJwt(kind)),
            FORMAT_MSO_MDOC => Some(Self::Mdoc(kind)),
            _ => None,
        }
    }

    /// One credential as the wallet gets it.
    pub(crate) fn sign(
        &self,
        issuer: &str,
        template: &Template,
        one: One,
        by: (&dyn Signer, &Chain),
        salts: &mut dyn FnMut() -> [u8; 16],
    ) -> Result<String, IssueError> {
        match self {
            Self::SdJwt(vct) => {
                let issuance = Issuance {
                    vct: vct.clone(),
                    type_integrity: template.type_integrity.clone(),
                    issuer: issuer.to_owned(),
                    issued_at: template.issued_at,
                    not_before: None,
                    expires_at: template.expires_at,
                    status: one.status,
                    holder_key: one.key,
                    open: template.open.clone(),
                    selective: template.selective.clone(),
                    decoys: template.decoys,
                };
                Ok(issuance.sign(by.0, by.1, salts)?)
            }
            Self::Mdoc(doc_type) => {
                // Everything in an mdoc is shown or withheld one by one: nothing stands in the open.
                let mut claims = template.open.clone();
                claims.extend(template.selective.clone());
                let issuance = MdocIssuance {
                    doc_type: doc_type.clone(),
                    elements: elements_of(&claims, &template.days).ok_or(IssueError::Element)?,
                    validity: MdocValidity {
                        signed: template.issued_at,
                        valid_from: template.issued_at,
                        valid_until: template.expires_at,
                    },
                    status: one.status,
                    device_key: one.key.key,
                    decoys: template.decoys,
                };
                let signed = issuance.sign(by.0, by.1, &mut || salt(salts))?;
                Ok(signed.to_base64url())
            }
        }
    }
}

/// A salt of twice as many bits.
fn salt(half: &mut dyn FnMut() -> [u8; 16]) -> [u8; SALT] {
    let (first, second) = (half(), half());
    let mut whole = [0; SALT];
    whole.iter_mut().zip(first.iter().chain(&second)).for_each(|(to, from)| *to = *from);
    whole
}
