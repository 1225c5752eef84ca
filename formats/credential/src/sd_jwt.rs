//! An SD-JWT VC in the holder's hands: parse, verify, keep, disclose.

use crate::disclosure::Disclosure;
use crate::process::{Processed, process};
use crate::subject::Credential;
use crate::{BindError, KeyBinding, SD_JWT_VC};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use yufu_base::{PublicKey, Signer};
use yufu_jose::{ClaimPath, Header, Jwk, JwsError, PathStep, Unverified, parse_json_object};

/// Bytes an SD-JWT may have; a portrait fits.
pub(crate) const MAX_SD_JWT: usize = 1024 * 1024;
/// Disclosures an SD-JWT may have.
const MAX_DISCLOSURES: usize = 1024;

/// Why a text is not a valid SD-JWT VC. Checked in this order, save that the rules on
/// digests are checked in the order in which the digests stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdJwtError {
    /// Longer than the reader allows.
    #[error("the credential has {0} bytes: at most 1048576 are read")]
    TooLong(usize),
    /// Without the final tilde.
    #[error("not an SD-JWT: expected a JWT and its disclosures, each followed by a tilde")]
    Tildes,
    /// With a key binding, where only the issuer's part belongs.
    #[error("there is a key binding: expected a credential as issued, ending in a tilde")]
    KeyBinding,
    /// Too many disclosures.
    #[error("{0} disclosures: at most 1024 are read")]
    TooManyDisclosures(usize),
    /// The issuer-signed JWT is not acceptable; type, algorithm and signature included.
    #[error("the issuer-signed token: {0}")]
    Token(#[from] JwsError),
    /// A disclosure is not a salted claim.
    #[error("disclosure {0} is not base64url of an array [salt, name, value] or [salt, value]")]
    Disclosure(usize),
    /// Another hash algorithm.
    #[error("_sd_alg is {0}: only sha-256 is accepted")]
    HashAlgorithm(String),
    /// A digest stands, or a disclosure was given, twice.
    #[error("the digest {0} appears twice")]
    Repeated(String),
    /// Digests are not where and what they must be.
    #[error("_sd is not an array of strings, or a placeholder is not {{\"...\": digest}} alone")]
    Digests,
    /// An array element's disclosure stands for a member, or the reverse.
    #[error("disclosure {0} is of the other kind: members have three parts, elements two")]
    Kind(usize),
    /// A claim bears a reserved name.
    #[error("a claim is named {0:?}, which SD-JWT uses itself")]
    Reserved(String),
    /// A registered claim was hidden.
    #[error("the claim {0:?} must stand in the open")]
    MustBeOpen(String),
    /// A disclosed claim already exists in the open.
    #[error("the disclosed claim {0:?} exists already")]
    Overwrites(String),
    /// Claims nest too deeply.
    #[error("the claims nest more than 32 levels deep")]
    TooDeep,
    /// A disclosure belongs nowhere.
    #[error("a disclosure stands for no digest of this credential")]
    Unreferenced,
    /// A registered claim is missing or malformed.
    #[error("the credential lacks what every credential has: {0}")]
    Claims(String),
}

/// A credential as the issuer sent it, not verified yet.
#[derive(Clone)]
pub struct SdJwt {
    pub(crate) token: Unverified,
    pub(crate) token_text: String,
    pub(crate) disclosures: Vec<Disclosure>,
}

impl SdJwt {
    /// Parses a credential as issued: `<JWT>~<disclosure>~...~`.
    ///
    /// # Errors
    /// [`SdJwtError`], the first rule broken.
    pub fn parse(text: &str) -> Result<Self, SdJwtError> {
        match split(text)? {
            (issued, "") => Self::parse_issued(issued),
            _ => Err(SdJwtError::KeyBinding),
        }
    }

    /// Parses what stands before the key binding, final tilde included.
    pub(crate) fn parse_issued(issued: &str) -> Result<Self, SdJwtError> {
        let mut parts = issued.trim_end_matches('~').split('~');
        let token_text = parts.next().unwrap_or_default().to_owned();
        let count = parts.clone().count();
        if count > MAX_DISCLOSURES {
            return Err(SdJwtError::TooManyDisclosures(count));
        }
        // Trimming hid a run of tildes, which is an empty disclosure.
        if issued.ends_with("~~") {
            return Err(SdJwtError::Disclosure(count));
        }
        let token = Unverified::parse(&token_text)?.expect_type(SD_JWT_VC)?;
        let disclosures: Result<Vec<_>, _> = parts
            .enumerate()
            .map(|(index, part)| Disclosure::parse(part).ok_or(SdJwtError::Disclosure(index)))
            .collect();
        Ok(Self { token, token_text, disclosures: disclosures? })
    }

    /// The issuer's header, which anyone may have written; its chain leads to the key to
    /// verify with.
    #[must_use]
    pub const fn header(&self) -> &Header {
        self.token.header()
    }

    /// Verifies the issuer's signature, and that every disclosure belongs. Dates are not
    /// checked: see [`Credential::validity`].
    ///
    /// # Errors
    /// [`SdJwtError`], the first rule broken.
    pub fn verify(self, issuer_key: &PublicKey) -> Result<IssuedCredential, SdJwtError> {
        let verified = self.token.verify(issuer_key)?;
        let payload = parse_json_object(&verified.payload).map_err(JwsError::Payload)?;
        let processed = process(payload, &self.disclosures)?;
        let credential = serde_json::from_value(Value::Object(processed.claims.clone()))
            .map_err(|error| SdJwtError::Claims(error.to_string()))?;
        Ok(IssuedCredential {
            token_text: self.token_text,
            disclosures: self.disclosures,
            issuer_key: *issuer_key,
            processed,
            credential,
        })
    }
}

/// A verified credential with the claims it discloses: for the holder, all of them.
/// Stored as its text and the issuer's key; reading it back verifies it again.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct IssuedCredential {
    token_text: String,
    disclosures: Vec<Disclosure>,
    issuer_key: PublicKey,
    processed: Processed,
    credential: Credential,
}

/// Why claims cannot be disclosed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscloseError {
    /// The credential has no such claim.
    #[error("the credential has no claim {0}")]
    NoSuchClaim(ClaimPath),
}

impl IssuedCredential {
    /// All claims, registered ones included, as they would stand without SD-JWT.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.processed.claims
    }

    /// The registered claims.
    #[must_use]
    pub const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The key that verified it.
    #[must_use]
    pub const fn issuer_key(&self) -> &PublicKey {
        &self.issuer_key
    }

    /// The credential as issued.
    #[must_use]
    pub fn to_compact(&self) -> String {
        self.assemble(|_| true)
    }

    /// Discloses what `paths` select, with what lies within and whatever parents it needs;
    /// all else stays hidden. Open claims show always. An index counts the elements of
    /// [`IssuedCredential::claims`].
    ///
    /// # Errors
    /// [`DiscloseError::NoSuchClaim`] for a path that selects nothing.
    pub fn disclose(&self, paths: &[ClaimPath]) -> Result<Disclosed, DiscloseError> {
        if let Some(path) = paths.iter().find(|path| path.select(self.claims()).is_empty()) {
            return Err(DiscloseError::NoSuchClaim(path.clone()));
        }
        let text = self.assemble(|place| paths.iter().any(|path| on_the_way(path, place)));
        Ok(Disclosed { text, holder_key: self.credential.confirmation.jwk.key })
    }

    /// Whether the claim that stands there is a disclosure of its own: the holder can withhold it.
    pub(crate) fn is_disclosed_at(&self, place: &[PathStep]) -> bool {
        self.processed.places.iter().any(|one| one == place)
    }

    fn assemble(&self, shown: impl Fn(&[PathStep]) -> bool) -> String {
        let mut text = format!("{}~", self.token_text);
        for (disclosure, place) in self.disclosures.iter().zip(&self.processed.places) {
            if shown(place) {
                text.push_str(&disclosure.encoded);
                text.push('~');
            }
        }
        text
    }

    pub(crate) fn into_parts(self) -> (Map<String, Value>, Credential) {
        (self.processed.claims, self.credential)
    }
}

/// What the holder chose to show, not bound to a verifier yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosed {
    text: String,
    holder_key: PublicKey,
}

impl Disclosed {
    /// The issuer's token and the chosen disclosures.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Binds the disclosed credential to a verifier and a request, by the holder's key.
    ///
    /// # Errors
    /// [`BindError::OtherKey`] if `signer` is not the key the credential names.
    pub fn bind(self, binding: &KeyBinding, signer: &dyn Signer) -> Result<String, BindError> {
        if signer.public_key() != self.holder_key {
            return Err(BindError::OtherKey);
        }
        let token = binding.sign(&self.text, signer)?;
        Ok(format!("{}{token}", self.text))
    }
}

/// Splits into the SD-JWT (with its final tilde) and the key binding, which may be empty.
pub(crate) fn split(text: &str) -> Result<(&str, &str), SdJwtError> {
    if text.len() > MAX_SD_JWT {
        return Err(SdJwtError::TooLong(text.len()));
    }
    let end = text.rfind('~').ok_or(SdJwtError::Tildes)?;
    text.split_at_checked(end.saturating_add(1)).ok_or(SdJwtError::Tildes)
}

/// Whether the claim at `place` is selected by `path`, contains what is, or lies within.
fn on_the_way(path: &ClaimPath, place: &[PathStep]) -> bool {
    path.steps().iter().zip(place).all(|(asked, found)| asked.matches(found))
}

#[derive(Serialize, Deserialize)]
struct Stored {
    sd_jwt: String,
    issuer_key: Jwk,
}

impl From<IssuedCredential> for Stored {
    fn from(credential: IssuedCredential) -> Self {
        Self { sd_jwt: credential.to_compact(), issuer_key: credential.issuer_key.into() }
    }
}

impl TryFrom<Stored> for IssuedCredential {
    type Error = SdJwtError;

    fn try_from(stored: Stored) -> Result<Self, SdJwtError> {
        SdJwt::parse(&stored.sd_jwt)?.verify(&stored.issuer_key.key)
    }
}

/// Says nothing of the claims' values: logs are no place for them.
impl fmt::Debug for SdJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SdJwt({} disclosures)", self.disclosures.len())
    }
}

/// Says nothing of the claims' values: logs are no place for them.
impl fmt::Debug for IssuedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedCredential({}, {} claims)", self.credential.vct, self.claims().len())
    }
}

/// Says nothing of the claims' values: logs are no place for them.
impl fmt::Debug for Disclosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disclosed({} bytes)", self.text.len())
    }
}
