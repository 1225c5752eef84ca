//! What a party is shown: some claims, a pseudonym, and a proof that both are of one credential.

use crate::Suite;
use crate::claim::Claims;
use crate::commitment::SECRETS;
use crate::encoding::{EncodingError, POINT, Parts, SCALAR, check, fixed};
use crate::terms::Terms;
use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_base::Timestamp;
use yufu_jose::{decode_base64url, encode_base64url};
use zkryptium::bbsplus::pseudonym::BBSplusPseudonym;
use zkryptium::schemes::generics::PoKSignature;

const PROOF: &str = "the proof";
const PSEUDONYM: &str = "the pseudonym";
/// Points at the beginning of a proof.
const POINTS: usize = 3;
/// Scalars of every proof besides one for each hidden message: three responses and the challenge.
const SCALARS: usize = 4;

/// For whom a pseudonym is: a party, by the id under which it is registered. Two parties have two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context(Vec<u8>);

impl Context {
    /// That of the party registered under `id`.
    #[must_use]
    pub fn of_party(id: &str) -> Self {
        Self(Parts::of("yufu.anonymous.context.v1").and(id.as_bytes()).bytes())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What a proof is made for: it holds for this and for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound<'a> {
    /// Who is to verify it: the client id of the request.
    pub audience: &'a str,
    /// The request's nonce.
    pub nonce: &'a str,
    /// The digest of the signed request.
    pub request: &'a [u8; 32],
}

impl Bound<'_> {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let parts = Parts::of("yufu.anonymous.presentation.v1").and(self.audience.as_bytes());
        parts.and(self.nonce.as_bytes()).and(self.request).bytes()
    }
}

/// The name under which one party knows a holder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pseudonym([u8; POINT]);

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presentation {
    /// Of which epoch the credential is.
    epoch: u64,
    /// The claims that are shown.
    disclosed: Claims,
    /// The pseudonym.
    pseudonym: Pseudonym,
    /// That a credential says both.
    proof: Proof,
}

/// The bytes of a proof.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Proof(Vec<u8>);

/// Why a credential is not shown. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShowError {
    /// It does not say that.
    #[error("the credential has no claim {0}")]
    Claim(String),
    /// A key or secret that does not read.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The library makes no proof.
    #[error("no proof could be made of the credential")]
    Proof,
}

/// Why a presentation does not count. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Of a credential of another epoch: withdrawn since, or not renewed.
    #[error("the credential is of the epoch {found}, and it is {current}: renew it, then show it")]
    Epoch {
        /// Of which epoch it is.
        found: u64,
        /// Which epoch it is.
        current: u64,
    },
    /// A claim that is not of the terms.
    #[error("a claim is shown that the issuer does not sign")]
    Claims,
    /// The proof has not the length that goes with what is hidden, or is no proof.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Not made from a credential of this issuer with these claims and this pseudonym, for this request.
    #[error("the proof does not hold for these claims, this pseudonym and this request")]
    Invalid,
}

impl Presentation {
    pub(crate) fn made(
        epoch: u64,
        disclosed: Claims,
        pseudonym: &[u8],
        proof: Vec<u8>,
    ) -> Result<Self, ShowError> {
        let (pseudonym, proof) = (Pseudonym::from_bytes(pseudonym)?, Proof(proof));
        Ok(Self { epoch, disclosed, pseudonym, proof })
    }

    /// The claims that are shown. They count once the presentation is verified.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.disclosed
    }

    /// The pseudonym. It counts once the presentation is verified.
    #[must_use]
    pub const fn pseudonym(&self) -> Pseudonym {
        self.pseudonym
    }

    /// How many bytes the proof has.
    #[must_use]
    pub const fn proof_length(&self) -> usize {
        self.proof.0.len()
    }

    /// Verifies that somebody with a credential under `terms` shows these claims of it, now, under the pseudonym that
    /// goes with `context`, in answer to the request that `bound` says.
    ///
    /// # Errors
    /// [`ProofError`], the first rule that is broken.
    pub fn verify(
        &self,
        terms: &Terms,
        context: &Context,
        bound: &Bound<'_>,
        now: Timestamp,
    ) -> Result<(), ProofError> {
        let (found, current) = (self.epoch, terms.epoch(now));
        if found != current {
            return Err(ProofError::Epoch { found, current });
        }
        let (messages, places) = terms.shown(&self.disclosed).ok_or(ProofError::Claims)?;
        let total = terms.claims().len();
        // Each hidden claim, the blinding, the holder's secret numbers.
        let hidden = total.saturating_sub(places.len()).saturating_add(1 + SECRETS);
        let proof = self.proof.read(hidden)?;
        let pseudonym = self.pseudonym.read()?;
        let verified = proof.proof_verify_with_nym(
            &terms.key().key()?,
            Some(&terms.header(self.epoch)),
            Some(&bound.bytes()),
            &pseudonym,
            context.as_bytes(),
            SECRETS,
            Some(total),
            Some(&messages),
            None,
            Some(&places),
            None,
        );
        verified.map_err(|_| ProofError::Invalid)
    }
}

impl Proof {
    /// Reads a proof in which so many messages are hidden.
    fn read(&self, hidden: usize) -> Result<PoKSignature<Suite>, EncodingError> {
        let scalars = hidden.saturating_add(SCALARS).saturating_mul(SCALAR);
        let wanted = scalars.saturating_add(POINTS.saturating_mul(POINT));
        check(PROOF, &self.0, (wanted, POINTS))?;
        let read = PoKSignature::<Suite>::from_bytes(&self.0);
        let read = read.map_err(|_| EncodingError::Invalid(PROOF))?;
        if read.to_bytes() != self.0 { Err(EncodingError::Invalid(PROOF)) } else { Ok(read) }
    }
}

impl TryFrom<String> for Proof {
    type Error = EncodingError;

    fn try_from(text: String) -> Result<Self, EncodingError> {
        decode_base64url(&text).map(Self).map_err(|_| EncodingError::Base64(PROOF))
    }
}

impl From<Proof> for String {
    fn from(proof: Proof) -> Self {
        encode_base64url(proof.0)
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proof({} bytes)", self.0.len())
    }
}

impl Pseudonym {
    fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        check(PSEUDONYM, bytes, (POINT, 1))?;
        let pseudonym = bytes.try_into().map(Self);
        let pseudonym = pseudonym.map_err(|_| EncodingError::Invalid(PSEUDONYM))?;
        if pseudonym.read()?.to_bytes() != bytes {
            return Err(EncodingError::Invalid(PSEUDONYM));
        }
        Ok(pseudonym)
    }

    fn read(&self) -> Result<BBSplusPseudonym, EncodingError> {
        BBSplusPseudonym::from_bytes(&self.0).map_err(|_| EncodingError::Invalid(PSEUDONYM))
    }
}

impl TryFrom<String> for Pseudonym {
    type Error = EncodingError;

    fn try_from(text: String) -> Result<Self, EncodingError> {
        Self::from_bytes(&fixed::<POINT>(PSEUDONYM, &text)?)
    }
}

impl From<Pseudonym> for String {
    fn from(pseudonym: Pseudonym) -> Self {
        encode_base64url(pseudonym.0)
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_base64url(self.0))
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonym({self})")
    }
}
