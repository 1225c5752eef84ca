//! What an issuer's metadata call its credentials and their claims (OpenID4VCI 1.0, section 12.2.4 and appendix B.2): for
//! credentials whose type says nothing of itself, such as mdocs, and for what the history says of those that are gone.

use crate::HeldCredential;
use serde::{Deserialize, Serialize};
use yufu_credential::is_shown;
use yufu_jose::ClaimPath;
use yufu_openid4vc::issuance::{CredentialConfiguration, Display, IssuerMetadata};
use yufu_trust::Localized;

/// The longest name that is shown, in characters: the bound of type metadata.
const MAX_NAME: usize = 200;
/// The most claims whose names are kept.
const MAX_CLAIMS: usize = 256;

/// The names of a kind of credential and of its claims, as its issuer has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Localized>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    claims: Vec<(ClaimPath, Localized)>,
}

impl Described {
    /// What these metadata say of a batch that came; nothing if they name neither it nor any of its claims. Names that
    /// cannot stand on a screen as they are (controls, marks that turn the text, overlong ones) are passed over.
    pub(super) fn of(metadata: &IssuerMetadata, held: &[HeldCredential]) -> Option<Self> {
        let kind = held.first()?.credential.kind();
        let mut all = metadata.credential_configurations_supported.values();
        let found = all.find(|one| one.credential_type().is_some_and(|own| own == kind));
        Self::by(found?)
    }

    /// What a configuration says of what it brings.
    pub(super) fn by(configuration: &CredentialConfiguration) -> Option<Self> {
        let described = configuration.credential_metadata.as_ref()?;
        let claims = described.claims.iter().take(MAX_CLAIMS);
        let claims = claims.filter_map(|one| Some((one.path.clone(), localized(&one.display)?)));
        let known = Self { name: localized(&described.display), claims: claims.collect() };
        (known != Self::default()).then_some(known)
    }

    /// What its credentials are called by somebody who reads `language`, if the issuer says so.
    #[must_use]
    pub fn called(&self, language: &str) -> Option<&str> {
        Some(self.name.as_ref()?.get(language))
    }

    /// What a claim is called by somebody who reads `language`, if the issuer says so.
    #[must_use]
    pub fn claim(&self, path: &ClaimPath, language: &str) -> Option<&str> {
        let (_, name) = self.claims.iter().find(|(own, _)| own == path)?;
        Some(name.get(language))
    }
}

/// The names that can be shown, by language.
fn localized(display: &[Display]) -> Option<Localized> {
    let shown = display.iter().filter(|one| is_shown(&one.name, MAX_NAME));
    let mut names = shown.map(|one| (one.locale.as_deref().unwrap_or_default(), &one.name));
    let (locale, name) = names.next()?;
    let first = Localized::new(locale, name);
    Some(names.fold(first, |all, (locale, name)| all.with(locale, name)))
}
