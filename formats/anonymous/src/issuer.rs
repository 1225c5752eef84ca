//! The issuer's key, and what it signs: claims that it knows, over a secret that it does not.

use crate::Suite;
use crate::claim::Claims;
use crate::commitment::{Commitment, SECRETS};
use crate::credential::Issued;
use crate::encoding::{EncodingError, SCALAR, check_points, fixed};
use crate::terms::Terms;
use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_jose::encode_base64url;
use zkryptium::bbsplus::ciphersuites::Bls12381Sha256;
use zkryptium::bbsplus::keys::{BBSplusPublicKey, BBSplusSecretKey};
use zkryptium::bbsplus::pseudonym::PseudonymSecret;
use zkryptium::keys::pair::KeyPair;
use zkryptium::schemes::generics::BlindSignature;
use zkryptium::utils::util::bbsplus_utils::hash_to_scalar;

/// The length of a public key: a point of G2, compressed.
const PUBLIC: usize = 96;
const KEY_INFO: &[u8] = b"yufu.anonymous.issuer.v1";
const ENTROPY_DOMAIN: &[u8] = b"yufu.anonymous.entropy.v1";

/// The key that signs credentials. Never printed.
pub struct IssuerKey {
    secret: BBSplusSecretKey,
    public: BBSplusPublicKey,
}

impl fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuerKey(…)")
    }
}

/// Why nothing is signed. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// Under these terms another key signs.
    #[error("the terms name another key than this")]
    Key,
    /// Not the claims of the terms.
    #[error("the claims are not exactly those that the terms name")]
    Claims,
    /// Whoever sent the commitment does not show that they know its secret.
    #[error("the commitment comes without a proof that its secret is known: make it anew")]
    Commitment,
}

impl IssuerKey {
    /// The key that 32 secret bytes stand for.
    ///
    /// # Errors
    /// [`EncodingError::Invalid`] if the library derives none.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, EncodingError> {
        let pair = KeyPair::<Suite>::generate(seed, Some(KEY_INFO), None);
        let pair = pair.map_err(|_| EncodingError::Invalid("the seed"))?;
        let (secret, public) = pair.into_parts();
        Ok(Self { secret, public })
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> IssuerPublicKey {
        IssuerPublicKey(self.public.to_bytes())
    }

    /// Signs `claims` and the secret behind `commitment`, for the epoch. `entropy` goes into the secret, so that the
    /// holder cannot choose it: the same for the same commitment, or her pseudonyms change.
    ///
    /// # Errors
    /// [`IssueError`], the first rule that is broken.
    pub fn issue(
        &self,
        terms: &Terms,
        epoch: u64,
        claims: Claims,
        commitment: &Commitment,
        entropy: &Entropy,
    ) -> Result<Issued, IssueError> {
        if *terms.key() != self.public() {
            return Err(IssueError::Key);
        }
        let messages = terms.messages(&claims).ok_or(IssueError::Claims)?;
        let signed = BlindSignature::<Suite>::blind_sign_with_nym(
            &self.secret,
            &self.public,
            Some(commitment.as_bytes()),
            SECRETS,
            Some(&terms.header(epoch)),
            &entropy.number().map_err(|_| IssueError::Commitment)?,
            Some(&messages),
        );
        let signature = signed.map_err(|_| IssueError::Commitment)?.to_bytes();
        Ok(Issued { epoch, claims, entropy: entropy.clone(), signature: signature.into() })
    }
}

/// A key that credentials are verified with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IssuerPublicKey([u8; PUBLIC]);

impl IssuerPublicKey {
    pub(crate) fn key(&self) -> Result<BBSplusPublicKey, EncodingError> {
        BBSplusPublicKey::from_bytes(&self.0)
            .map_err(|_| EncodingError::Invalid("the issuer's key"))
    }
}

impl TryFrom<String> for IssuerPublicKey {
    type Error = EncodingError;

    fn try_from(text: String) -> Result<Self, EncodingError> {
        const WHAT: &str = "the issuer's key";
        let key = Self(fixed(WHAT, &text)?);
        check_points(WHAT, &key.0, 1, PUBLIC)?;
        if key.key()?.to_bytes() != key.0 {
            return Err(EncodingError::Invalid(WHAT));
        }
        Ok(key)
    }
}

impl From<IssuerPublicKey> for String {
    fn from(key: IssuerPublicKey) -> Self {
        encode_base64url(key.0)
    }
}

/// What the issuer adds to a holder's secret: it need not be secret, but nobody chooses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Entropy([u8; SCALAR]);

impl Entropy {
    /// The number that 32 bytes stand for, which nobody can foretell.
    ///
    /// # Errors
    /// [`EncodingError::Invalid`] if the library derives no number.
    pub fn derive(bytes: &[u8; 32]) -> Result<Self, EncodingError> {
        let scalar = hash_to_scalar::<Bls12381Sha256>(bytes, ENTROPY_DOMAIN);
        Ok(Self(scalar.map_err(|_| EncodingError::Invalid("the entropy"))?.to_be_bytes()))
    }

    pub(crate) fn number(&self) -> Result<PseudonymSecret, EncodingError> {
        PseudonymSecret::from_bytes(&self.0).map_err(|_| EncodingError::Invalid("the entropy"))
    }
}

impl TryFrom<String> for Entropy {
    type Error = EncodingError;

    fn try_from(text: String) -> Result<Self, EncodingError> {
        let entropy = Self(fixed("the entropy", &text)?);
        entropy.number().map(|_| entropy)
    }
}

impl From<Entropy> for String {
    fn from(entropy: Entropy) -> Self {
        encode_base64url(entropy.0)
    }
}
