//! A credential on its way to its holder, and in the holder's hands.

use crate::Suite;
use crate::claim::{ClaimValue, Claims};
use crate::commitment::{Blinding, HolderSecret};
use crate::encoding::{EncodingError, POINT, SCALAR, check, fixed};
use crate::issuer::Entropy;
use crate::presentation::{Bound, Context, Presentation, ShowError};
use crate::terms::Terms;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yufu_base::Timestamp;
use yufu_jose::encode_base64url;
use zkryptium::bbsplus::pseudonym::PseudonymSecret;
use zkryptium::schemes::generics::{BlindSignature, PoKSignature};

/// The length of a signature: a point and a scalar.
const LENGTH: usize = POINT + SCALAR;

/// What an issuer answers: of no use to whoever does not know the secret behind the commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    /// For which epoch.
    pub epoch: u64,
    /// What is signed.
    pub claims: Claims,
    /// What the issuer added to the secret.
    pub entropy: Entropy,
    /// The signature.
    pub signature: Signature,
}

/// A signature over claims and a hidden secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signature([u8; LENGTH]);

/// Why an issued credential is not kept. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// Not of this epoch: it could not be shown, or tells its holder from others.
    #[error("the issuer sent a credential of the epoch {found}, and it is {current}")]
    Epoch {
        /// Of which epoch it is.
        found: u64,
        /// Which epoch it is.
        current: u64,
    },
    /// Not the claims of the terms.
    #[error("the claims are not exactly those that the issuer's terms name")]
    Claims,
    /// Not signed by the issuer, over these claims and this secret.
    #[error("the signature does not hold")]
    Signature,
}

/// A credential, which is shown as often as its holder likes. To be kept as secret as what opens its commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldCredential {
    terms: Terms,
    issued: Issued,
    blinding: Blinding,
}

impl Issued {
    /// Takes the credential into its holder's hands, after verifying it.
    ///
    /// # Errors
    /// [`HoldError`], the first rule that is broken.
    pub fn hold(
        self,
        terms: Terms,
        secret: &HolderSecret,
        blinding: Blinding,
        now: Timestamp,
    ) -> Result<HeldCredential, HoldError> {
        let (found, current) = (self.epoch, terms.epoch(now));
        if found != current {
            return Err(HoldError::Epoch { found, current });
        }
        let held = HeldCredential { terms, issued: self, blinding };
        held.verify(secret).map(|()| held)
    }
}

impl HeldCredential {
    /// Under which terms it was issued.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What it says.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.issued.claims
    }

    /// The value of a claim.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&ClaimValue> {
        self.issued.claims.get(name)
    }

    /// Whether it can be shown now.
    #[must_use]
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.terms.epoch(now) == self.issued.epoch
    }

    /// Until when it can be shown.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.terms.end(self.issued.epoch)
    }

    /// Shows the claims called `names` and nothing else, under the pseudonym that goes with `context`.
    ///
    /// # Errors
    /// [`ShowError`], the first rule that is broken.
    pub fn show(
        &self,
        secret: &HolderSecret,
        names: &BTreeSet<String>,
        context: &Context,
        bound: &Bound<'_>,
    ) -> Result<Presentation, ShowError> {
        let mut disclosed = Claims::new();
        for name in names {
            let value = self.claim(name).ok_or_else(|| ShowError::Claim(name.clone()))?;
            disclosed.insert(name.clone(), value.clone());
        }
        let places = self.terms.shown(&disclosed).map(|(_, places)| places).unwrap_or_default();
        let messages = self.terms.messages(&self.issued.claims).unwrap_or_default();
        let numbers = self.numbers(secret)?;
        let made = PoKSignature::<Suite>::proof_gen_with_nym(
            &self.terms.key().key()?,
            &self.issued.signature.0,
            Some(&self.terms.header(self.issued.epoch)),
            Some(&bound.bytes()),
            &numbers,
            context.as_bytes(),
            Some(&messages),
            None,
            Some(&places),
            None,
            Some(&self.blinding.factor()?),
        );
        let (proof, pseudonym) = made.map_err(|_| ShowError::Proof)?;
        Presentation::made(self.issued.epoch, disclosed, &pseudonym.to_bytes(), proof.to_bytes())
    }

    /// The secret numbers as signed: the issuer's share is in the last.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "INVARIANT: a sum modulo the order of the group, which does not overflow"
    )]
    fn numbers(&self, secret: &HolderSecret) -> Result<Vec<PseudonymSecret>, EncodingError> {
        let mut numbers = secret.numbers()?;
        if let Some(last) = numbers.last_mut() {
            *last = &*last + &self.issued.entropy.number()?;
        }
        Ok(numbers)
    }

    fn verify(&self, secret: &HolderSecret) -> Result<(), HoldError> {
        let messages = self.terms.messages(&self.issued.claims).ok_or(HoldError::Claims)?;
        let no = |_: EncodingError| HoldError::Signature;
        let signature = BlindSignature::<Suite>::from_bytes(&self.issued.signature.0);
        let signature = signature.map_err(|_| HoldError::Signature)?;
        let verified = signature.verify_finalize_with_nym(
            &self.terms.key().key().map_err(no)?,
            Some(&self.terms.header(self.issued.epoch)),
            Some(&messages),
            None,
            secret.numbers().map_err(no)?,
            Some(&self.issued.entropy.number().map_err(no)?),
            Some(&self.blinding.factor().map_err(no)?),
        );
        verified.map(|_| ()).map_err(|_| HoldError::Signature)
    }
}

impl From<[u8; LENGTH]> for Signature {
    fn from(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<String> for Signature {
    type Error = EncodingError;

    fn try_from(text: String) -> Result<Self, EncodingError> {
        const WHAT: &str = "the signature";
        let bytes = fixed(WHAT, &text)?;
        check(WHAT, &bytes, (LENGTH, 1))?;
        let read = BlindSignature::<Suite>::from_bytes(&bytes);
        let read = read.map_err(|_| EncodingError::Invalid(WHAT))?;
        if read.to_bytes() != bytes { Err(EncodingError::Invalid(WHAT)) } else { Ok(Self(bytes)) }
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> Self {
        encode_base64url(signature.0)
    }
}
