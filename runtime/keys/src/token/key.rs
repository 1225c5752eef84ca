//! A key in a token: P-256, generated there, sensitive and not extractable.

use super::{Token, TokenError, TokenFault};
use crate::random;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use yufu_base::{Algorithm, PublicKey, Signature, Signer, SignerError};
use yufu_jose::{Jwk, decode_base64url, encode_base64url, sha256, verify};

/// The curve P-256 as `CKA_EC_PARAMS` has it: the DER of its object identifier.
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// How long a signature shows that the key is there, unless the token failed since.
const GOOD_FOR: Duration = Duration::from_millis(250);
/// What a key signs to show that it can; no message of ours begins so.
const TRIAL: &[u8] = b"yufu.key.trial.v1";

/// By what a key is found in its token, and its public half: what is kept of it outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenKeyName {
    /// `CKA_ID`, in base64url.
    id: String,
    /// `CKA_LABEL`: for people.
    label: String,
    public: Jwk,
}

/// A key in a token.
pub struct TokenKey {
    token: Arc<Token>,
    name: TokenKeyName,
    id: Vec<u8>,
    /// Its handle, and in which turn of the module that was valid.
    handle: Mutex<Option<(u64, ObjectHandle)>>,
    /// When it last signed, and how often the token had failed by then.
    signed: Mutex<Option<(Instant, u64)>>,
}

impl TokenKeyName {
    pub(super) fn id(&self) -> Vec<u8> {
        decode_base64url(&self.id).unwrap_or_default()
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public.key
    }
}

impl Token {
    /// Generates a key in the token; what is to be kept of it.
    ///
    /// # Errors
    /// [`TokenError`]; also if the token would let the key out.
    pub fn generate(&self, label: &str) -> Result<TokenKeyName, TokenError> {
        let id = random::<16>().to_vec();
        let named = || [Attribute::Id(id.clone()), Attribute::Label(label.as_bytes().to_vec())];
        let mut public = vec![
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::EcParams(P256.to_vec()),
        ];
        public.extend(named());
        let mut private = vec![
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ];
        private.extend(named());
        let (kept, point) = self.with(|session, _| {
            let (shown, secret) =
                session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)?;
            let kept = stays_inside(session, secret)?;
            if !kept {
                session.destroy_object(secret)?;
                session.destroy_object(shown)?;
            }
            let point = session.get_attributes(shown, &[AttributeType::EcPoint])?;
            Ok((kept, point))
        })?;
        let unfit =
            |why: &str| TokenError::new(TokenFault::Unfit, self.told(TokenFault::Unfit, &why));
        if !kept {
            return Err(unfit("it does not keep private keys to itself"));
        }
        let point = point.into_iter().find_map(|attribute| match attribute {
            Attribute::EcPoint(bytes) => Some(bytes),
            _ => None,
        });
        let public = point.as_deref().and_then(public_key);
        let public =
            public.ok_or_else(|| unfit("it gives a public key that is not one of P-256"))?;
        let id = encode_base64url(&id);
        Ok(TokenKeyName { id, label: label.to_owned(), public: public.into() })
    }

    /// Destroys a key for good. One that is not there is as good as destroyed.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn destroy(&self, name: &TokenKeyName) -> Result<(), TokenError> {
        let id = name.id();
        self.with(|session, _| {
            for object in session.find_objects(&[Attribute::Id(id.clone())])? {
                session.destroy_object(object)?;
            }
            Ok(())
        })
    }

    /// Whether a key can leave the token, as the token itself says now.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn keeps_inside(&self, name: &TokenKeyName) -> Result<bool, TokenError> {
        let id = name.id();
        self.with(|session, _| stays_inside(session, find(session, &id)?))
    }
}

impl TokenKey {
    pub(super) fn new(token: Arc<Token>, name: TokenKeyName) -> Self {
        let id = name.id();
        Self { token, name, id, handle: Mutex::default(), signed: Mutex::default() }
    }

    /// Signs something of no meaning, unless it signed a moment ago.
    pub(super) fn try_out(&self) -> Result<(), TokenError> {
        let signed = *self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = self.token.failures();
        if signed.is_some_and(|(at, then)| then == failures && at.elapsed() < GOOD_FOR) {
            return Ok(());
        }
        self.signature(TRIAL).map(|_| ())
    }

    fn signature(&self, message: &[u8]) -> Result<Signature, TokenError> {
        let (digest, failures) = (sha256(message), self.token.failures());
        let signed = self.token.with(|session, turn| {
            let (handle, new) = self.handle(session, turn)?;
            let made = session.sign(&Mechanism::Ecdsa, handle, &digest).inspect_err(|_| {
                *self.handle.lock().unwrap_or_else(PoisonError::into_inner) = None;
            })?;
            Ok((made, new))
        });
        let unfit = |why: &str| {
            TokenError::new(TokenFault::Unfit, self.token.told(TokenFault::Unfit, &why))
        };
        let (made, new) = signed?;
        let made: [u8; 64] =
            made.try_into().map_err(|_| unfit("its signature does not have 64 bytes"))?;
        let signature = Signature(made);
        // Another key may have taken the place of ours.
        if new && verify(&self.public_key(), message, &signature).is_err() {
            let why = format!("its key {:?} is another one than was noted", self.name.label);
            let fault = TokenFault::KeyAbsent;
            return Err(TokenError::new(fault, self.token.told(fault, &why)));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "only measures for how long the key need not be tried out again"
        )]
        let now = Instant::now();
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, failures));
        Ok(signature)
    }

    /// The handle, and whether it was looked up just now.
    fn handle(&self, session: &Session, turn: u64) -> Result<(ObjectHandle, bool), Error> {
        let mut known = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, handle)) = known.filter(|(of, _)| *of == turn) {
            return Ok((handle, false));
        }
        let found = find(session, &self.id)?;
        *known = Some((turn, found));
        Ok((found, true))
    }
}

impl Signer for TokenKey {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    fn public_key(&self) -> PublicKey {
        self.name.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        Ok(self.signature(message)?)
    }

    fn ready(&self) -> Result<(), SignerError> {
        Ok(self.try_out()?)
    }
}

fn find(session: &Session, id: &[u8]) -> Result<ObjectHandle, Error> {
    let wanted = [
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::KeyType(KeyType::EC),
        Attribute::Id(id.to_vec()),
    ];
    let found = session.find_objects(&wanted)?;
    let gone = Error::Pkcs11(RvError::KeyHandleInvalid, cryptoki::context::Function::FindObjects);
    found.first().copied().ok_or(gone)
}

fn stays_inside(session: &Session, key: ObjectHandle) -> Result<bool, Error> {
    let asked = [
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::AlwaysSensitive,
        AttributeType::NeverExtractable,
    ];
    let told = session.get_attributes(key, &asked)?;
    let must = [
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::AlwaysSensitive(true),
        Attribute::NeverExtractable(true),
    ];
    Ok(must.iter().all(|one| told.contains(one)))
}

/// `CKA_EC_POINT` is the point as a DER octet string; some tokens give it bare.
fn public_key(point: &[u8]) -> Option<PublicKey> {
    let bare = point.strip_prefix(&[0x04, 0x41]).filter(|bare| bare.len() == 65);
    PublicKey::from_uncompressed(bare.unwrap_or(point))
}
