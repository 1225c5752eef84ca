//! The credential offer (OpenID4VCI 1.0, section 4.1), by value or by reference.

use crate::{Endpoint, EndpointError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Url;

/// The longest link, and the longest offer, that is read, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// The scheme of links that every wallet listens to.
pub const OFFER_SCHEME: &str = "openid-credential-offer";
/// The scheme of links to wallets that follow HAIP 1.0 (section 4.2).
pub const HAIP_SCHEME: &str = "haip-vci";
const SCHEMES: [&str; 2] = [OFFER_SCHEME, HAIP_SCHEME];
/// The most configurations one offer may name.
const MAX_CONFIGURATIONS: usize = 16;

/// An offer: which issuer, which credentials, and the code that stands for the permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialOffer {
    /// The issuer's identifier, from which its metadata are found.
    pub credential_issuer: Endpoint,
    /// Keys of `credential_configurations_supported`.
    pub credential_configuration_ids: Vec<String>,
    /// How the permission is turned into a token.
    #[serde(default)]
    pub grants: Grants,
}

/// The grants of an offer. An unknown grant is ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// The pre-authorized code grant.
    #[serde(
        rename = "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        skip_serializing_if = "Option::is_none"
    )]
    pub pre_authorized: Option<PreAuthorizedGrant>,
    /// The authorization code grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_code: Option<Box<AuthorizationCodeGrant>>,
}

/// What the wallet passes on when it asks for authorization.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCodeGrant {
    /// What the issuer knows the occasion by. It may have been made by anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_state: Option<String>,
    /// Which of several authorization servers to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<Endpoint>,
}

impl std::fmt::Debug for AuthorizationCodeGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationCodeGrant")
            .field("authorization_server", &self.authorization_server)
            .finish_non_exhaustive()
    }
}

/// A permission the issuer has given beforehand.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreAuthorizedGrant {
    /// The code: short-lived, for one use.
    #[serde(rename = "pre-authorized_code")]
    pub pre_authorized_code: String,
    /// Present if the person must enter a transaction code, even when it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_code: Option<TxCodeDescription>,
    /// Which of several authorization servers to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<Endpoint>,
}

impl std::fmt::Debug for PreAuthorizedGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreAuthorizedGrant")
            .field("pre_authorized_code", &"(secret)")
            .field("tx_code", &self.tx_code)
            .field("authorization_server", &self.authorization_server)
            .finish()
    }
}

/// What the transaction code looks like and how the person gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxCodeDescription {
    /// Digits only, unless it says otherwise.
    #[serde(default, skip_serializing_if = "InputMode::is_numeric")]
    pub input_mode: InputMode,
    /// How many characters it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u8>,
    /// Guidance for the person, at most 300 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The characters of a transaction code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputMode {
    /// Only digits.
    #[default]
    Numeric,
    /// Any characters.
    Text,
}

impl InputMode {
    fn is_numeric(&self) -> bool {
        *self == Self::Numeric
    }
}

/// What a scanned link holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferLink {
    /// The offer itself.
    Value(CredentialOffer),
    /// Where to fetch the offer (media type `application/json`).
    Reference(Endpoint),
}

/// Why a link or a document is not an offer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Longer than 16 KiB.
    #[error("the offer is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// Neither `openid-credential-offer:` nor an allowed web link.
    #[error("the link does not begin with openid-credential-offer:// or https://")]
    Scheme,
    /// Not exactly one of `credential_offer` and `credential_offer_uri`.
    #[error("the link must hold one of credential_offer and credential_offer_uri, once")]
    Parameters,
    /// The reference is not a permitted URL.
    #[error("credential_offer_uri: {0}")]
    Reference(EndpointError),
    /// Not a JSON object of the right shape.
    #[error("the offer cannot be read: {0}")]
    Json(String),
    /// The issuer's identifier is not permitted.
    #[error("credential_issuer: {0}")]
    Issuer(EndpointError),
    /// No configuration, too many, or one twice.
    #[error("credential_configuration_ids must hold 1 to {MAX_CONFIGURATIONS} different names")]
    Configurations,
    /// The code is empty.
    #[error("the pre-authorized code is empty")]
    Code,
    /// The description has more than 300 characters (section 4.1.1).
    #[error("the transaction code's description is longer than 300 characters")]
    Description,
}

impl OfferLink {
    /// Reads a scanned link.
    ///
    /// # Errors
    /// [`OfferError`], the first rule that is broken.
    pub fn parse(link: &str) -> Result<Self, OfferError> {
        if link.len() > MAX_LENGTH {
            return Err(OfferError::TooLong);
        }
        let url = Url::parse(link.trim()).map_err(|_| OfferError::Scheme)?;
        if !SCHEMES.contains(&url.scheme()) {
            let base = link.split(['?', '#']).next().unwrap_or_default();
            Endpoint::parse(base).map_err(|_| OfferError::Scheme)?;
        }
        let mut found = url
            .query_pairs()
            .filter(|(name, _)| name == "credential_offer" || name == "credential_offer_uri");
        let (Some((name, value)), None) = (found.next(), found.next()) else {
            return Err(OfferError::Parameters);
        };
        if name == "credential_offer" {
            CredentialOffer::from_json(value.as_bytes()).map(Self::Value)
        } else {
            Endpoint::parse(&value).map(Self::Reference).map_err(OfferError::Reference)
        }
    }

    /// The link to show as a QR code or to open on the same device.
    ///
    /// # Errors
    /// [`OfferError::Json`] if the offer cannot be written, which its type rules out.
    pub fn to_link(&self) -> Result<String, OfferError> {
        self.to_link_of(OFFER_SCHEME)
    }

    /// As [`OfferLink::to_link`], of a scheme that wallets listen to.
    ///
    /// # Errors
    /// As [`OfferLink::to_link`].
    pub fn to_link_of(&self, scheme: &str) -> Result<String, OfferError> {
        let (name, value) = match self {
            Self::Value(offer) => (
                "credential_offer",
                serde_json::to_string(offer).map_err(|e| OfferError::Json(e.to_string()))?,
            ),
            Self::Reference(url) => ("credential_offer_uri", url.as_str().to_owned()),
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair(name, &value);
        Ok(format!("{scheme}://?{}", query.finish().replace('+', "%20")))
    }
}

impl CredentialOffer {
    /// Reads the offer document.
    ///
    /// # Errors
    /// [`OfferError`], the first rule that is broken.
    pub fn from_json(bytes: &[u8]) -> Result<Self, OfferError> {
        if bytes.len() > MAX_LENGTH {
            return Err(OfferError::TooLong);
        }
        let offer: Self =
            serde_json::from_slice(bytes).map_err(|e| OfferError::Json(e.to_string()))?;
        offer.check()?;
        Ok(offer)
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// [`OfferError`], the first rule that is broken.
    pub fn check(&self) -> Result<(), OfferError> {
        Endpoint::identifier(self.credential_issuer.as_str()).map_err(OfferError::Issuer)?;
        let names = &self.credential_configuration_ids;
        let distinct: BTreeSet<_> = names.iter().filter(|n| !n.is_empty()).collect();
        if names.is_empty() || names.len() > MAX_CONFIGURATIONS || distinct.len() != names.len() {
            return Err(OfferError::Configurations);
        }
        if let Some(grant) = &self.grants.pre_authorized {
            if grant.pre_authorized_code.is_empty() {
                return Err(OfferError::Code);
            }
            let description = grant.tx_code.as_ref().and_then(|t| t.description.as_deref());
            if description.is_some_and(|text| text.chars().count() > 300) {
                return Err(OfferError::Description);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn offer() -> CredentialOffer {
        CredentialOffer {
            credential_issuer: Endpoint::parse("https://id.example/issuer").unwrap(),
            credential_configuration_ids: vec!["pid".into()],
            grants: Grants {
                pre_authorized: Some(PreAuthorizedGrant {
                    pre_authorized_code: "a+b c".into(),
                    tx_code: Some(TxCodeDescription {
                        length: Some(6),
                        description: Some("六位数字 from the counter".into()),
                        ..TxCodeDescription::default()
                    }),
                    authorization_server: None,
                }),
                authorization_code: None,
            },
        }
    }

    #[test]
    fn an_offer_survives_the_link_by_value_and_by_reference_4_1() {
        let by_reference =
            OfferLink::Reference(Endpoint::parse("https://id.example/offers/7?x=1").unwrap());
        for link in [OfferLink::Value(offer()), by_reference] {
            assert_eq!(OfferLink::parse(&link.to_link().unwrap()), Ok(link.clone()));
            assert_eq!(OfferLink::parse(&link.to_link_of(HAIP_SCHEME).unwrap()), Ok(link));
        }
    }

    #[test]
    fn an_offer_for_the_authorization_code_carries_the_issuers_state_4_1_1() {
        let offer = json!({
            "credential_issuer": "https://id.example/haip", "credential_configuration_ids": ["pid"],
            "grants": {"authorization_code": {"issuer_state": "secret"}},
        });
        let offer = CredentialOffer::from_json(offer.to_string().as_bytes()).unwrap();
        let grant = offer.grants.authorization_code.unwrap();
        assert_eq!(grant.issuer_state.as_deref(), Some("secret"));
        assert!(!format!("{grant:?}").contains("secret"));
    }

    #[test]
    fn the_example_of_the_specification_is_read_4_1_2() {
        let link = "openid-credential-offer://?credential_offer=%7B%22credential_issuer%22:%22https://credential-issuer.example.com%22,%22credential_configuration_ids%22:%5B%22org.iso.18013.5.1.mDL%22%5D,%22grants%22:%7B%22urn:ietf:params:oauth:grant-type:pre-authorized_code%22:%7B%22pre-authorized_code%22:%22oaKazRN8I0IbtZ0C7JuMn5%22,%22tx_code%22:%7B%22input_mode%22:%22text%22,%22description%22:%22Please%20enter%22%7D%7D%7D%7D";
        let Ok(OfferLink::Value(offer)) = OfferLink::parse(link) else { panic!("by value") };
        let grant = offer.grants.pre_authorized.unwrap();
        assert_eq!(grant.pre_authorized_code, "oaKazRN8I0IbtZ0C7JuMn5");
        assert_eq!(grant.tx_code.unwrap().input_mode, InputMode::Text);
    }

    #[test]
    fn each_rule_of_an_offer_is_refused_by_its_own_name() {
        let with = |change: &dyn Fn(&mut CredentialOffer)| {
            let mut offer = offer();
            change(&mut offer);
            offer.check().unwrap_err()
        };
        assert!(matches!(
            with(&|o| o.credential_issuer = Endpoint::parse("https://a.example/?q").unwrap()),
            OfferError::Issuer(_)
        ));
        assert_eq!(with(&|o| o.credential_configuration_ids.clear()), OfferError::Configurations);
        assert_eq!(
            with(&|o| o.credential_configuration_ids.push("pid".into())),
            OfferError::Configurations
        );
        assert_eq!(
            with(&|o| o.grants.pre_authorized.as_mut().unwrap().pre_authorized_code.clear()),
            OfferError::Code
        );
        assert_eq!(
            with(&|o| {
                let grant = o.grants.pre_authorized.as_mut().unwrap();
                grant.tx_code.as_mut().unwrap().description = Some("是".repeat(301));
            }),
            OfferError::Description
        );
        let link = |text: &str| OfferLink::parse(text).unwrap_err();
        assert_eq!(link("http://evil.example/?credential_offer={}"), OfferError::Scheme);
        assert_eq!(link("openid4vp://?credential_offer={}"), OfferError::Scheme);
        assert_eq!(link("openid-credential-offer://?x=1"), OfferError::Parameters);
        let twice = "openid-credential-offer://?credential_offer={}&credential_offer_uri=https://a";
        assert_eq!(link(twice), OfferError::Parameters);
        let plain = "openid-credential-offer://?credential_offer_uri=http://evil.example/o";
        assert!(matches!(link(plain), OfferError::Reference(_)));
        assert!(matches!(
            link("openid-credential-offer://?credential_offer=[]"),
            OfferError::Json(_)
        ));
        assert_eq!(link(&"a".repeat(MAX_LENGTH + 1)), OfferError::TooLong);
    }

    #[test]
    fn a_numeric_code_needs_no_words_and_an_empty_description_still_counts() {
        let grant: PreAuthorizedGrant =
            serde_json::from_value(json!({"pre-authorized_code": "c", "tx_code": {}})).unwrap();
        assert_eq!(grant.tx_code, Some(TxCodeDescription::default()));
        assert!(!format!("{grant:?}").contains("\"c\""));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = OfferLink::parse(&text);
            let _ = OfferLink::parse(&format!("openid-credential-offer://?credential_offer={text}"));
        }
    }
}
