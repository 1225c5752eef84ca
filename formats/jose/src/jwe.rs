//! JSON Web Encryption in compact form (RFC 7516): ECDH-ES direct key agreement on P-256
//! (RFC 7518 section 4.6) with A128GCM or A256GCM (section 5.3).

use crate::encoding::{decode_base64url, encode_base64url, parse_json_object, sha256};
use crate::{AgreementKey, Jwk, JwkError, KeyError};
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Map, Value};
use std::fmt;
use yufu_base::PublicKey;
use zeroize::Zeroizing;

/// How many bytes [`decrypt`] reads.
pub const MAX_JWE: usize = 1024 * 1024;

const TAG: usize = 16;
const ECDH_ES: &str = "ECDH-ES";

/// How the content is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContentEncryption {
    /// AES-128 in GCM.
    A128Gcm,
    /// AES-256 in GCM.
    A256Gcm,
}

impl ContentEncryption {
    /// The `enc` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// The encryption that `enc` names, if it is one of ours.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::A128Gcm, Self::A256Gcm].into_iter().find(|enc| enc.name() == name)
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm => 32,
        }
    }

    fn key(self, bytes: &[u8]) -> Option<LessSafeKey> {
        let algorithm = match self {
            Self::A128Gcm => &AES_128_GCM,
            Self::A256Gcm => &AES_256_GCM,
        };
        UnboundKey::new(algorithm, bytes).ok().map(LessSafeKey::new)
    }
}

/// The randomness one encryption needs. Use it once.
pub struct Entropy {
    /// The seed of the ephemeral key.
    pub ephemeral: [u8; 32],
    /// The initialisation vector.
    pub iv: [u8; 12],
}

/// What goes into the header besides the recipient's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// How the content is encrypted.
    pub enc: ContentEncryption,
    /// `kid`: the recipient's name for the key; if absent, the `kid` of its JWK.
    pub kid: Option<String>,
    /// `apu`: information about the sender, bound into the key.
    pub apu: Option<Vec<u8>>,
    /// `apv`: information about the recipient, bound into the key.
    pub apv: Option<Vec<u8>>,
    /// `cty`: what the content is, if it is a message of its own.
    pub content_type: Option<String>,
}

impl From<ContentEncryption> for Parameters {
    fn from(enc: ContentEncryption) -> Self {
        Self { enc, kid: None, apu: None, apv: None, content_type: None }
    }
}

/// Why something could not be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// The recipient's key is no point of the curve.
    #[error("the recipient's key is not a point of P-256")]
    Recipient,
    /// The recipient's key is for something else.
    #[error("the recipient's key is not for encryption: its use or alg says otherwise")]
    Purpose,
    /// The ephemeral key could not be made.
    #[error(transparent)]
    Ephemeral(#[from] KeyError),
    /// The library refused, or the header cannot be written.
    #[error("the content could not be encrypted")]
    Cipher,
}

/// Why a JWE could not be decrypted. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// Longer than the reader allows.
    #[error("the message has {0} bytes: at most 1048576 are read")]
    TooLong(usize),
    /// Not five parts.
    #[error("not a compact JWE: expected five parts between dots, found {0}")]
    Parts(usize),
    /// A part is not base64url.
    #[error("the {0} is not base64url")]
    Base64(&'static str),
    /// The header is not a JSON object with unique, well-typed members.
    #[error("the header is not acceptable: {0}")]
    Header(String),
    /// Another key management algorithm.
    #[error("alg is {0:?}: only ECDH-ES is accepted")]
    Algorithm(String),
    /// Another content encryption.
    #[error("enc is {0:?}: only A128GCM and A256GCM are accepted")]
    ContentEncryption(String),
    /// An extension, compression included, that is not supported.
    #[error("the header has {0}, which is not supported")]
    Extension(&'static str),
    /// The ephemeral key is not a P-256 key.
    #[error("the ephemeral key (epk): {0}")]
    EphemeralKey(String),
    /// Direct agreement has no encrypted key, but there is one.
    #[error("there is an encrypted key: direct key agreement has none")]
    EncryptedKey,
    /// The initialisation vector has another length.
    #[error("the initialisation vector has {0} bytes: GCM has 12")]
    Iv(usize),
    /// The authentication tag has another length.
    #[error("the authentication tag has {0} bytes: GCM has 16")]
    Tag(usize),
    /// The content does not authenticate: other key, or altered.
    #[error("the message was not encrypted to this key, or was altered")]
    Authentication,
}

/// What a JWE held.
#[derive(Clone, PartialEq, Eq)]
pub struct Decrypted {
    /// The content.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// How it was encrypted.
    pub enc: ContentEncryption,
    /// `kid`, authenticated.
    pub kid: Option<String>,
    /// `apu`, authenticated.
    pub apu: Option<Vec<u8>>,
    /// `apv`, authenticated.
    pub apv: Option<Vec<u8>>,
}

impl fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decrypted({}, {} bytes)", self.enc.name(), self.plaintext.len())
    }
}

/// A private key that messages are encrypted to.
pub struct DecryptionKey(AgreementKey);

impl DecryptionKey {
    /// The key that `seed` determines; every seed gives one.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] never in practice.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        AgreementKey::from_seed(seed).map(Self)
    }

    /// The key whose private scalar is `scalar`, big-endian.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] if it is zero or not below the group order.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        AgreementKey::from_scalar(scalar).map(Self)
    }

    /// The public half, to be sent in metadata: `use` enc, `alg` ECDH-ES.
    #[must_use]
    pub fn public_jwk(&self, kid: impl Into<String>) -> Jwk {
        Jwk {
            alg: Some(ECDH_ES.into()),
            usage: Some("enc".into()),
            ..Jwk::with_kid(self.0.public_key(), kid)
        }
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecryptionKey({:?})", self.0.public_key())
    }
}

/// Encrypts `plaintext` to `recipient` as a compact JWE.
///
/// # Errors
/// [`EncryptError::Purpose`] for a key whose `use` or `alg` says otherwise,
/// [`EncryptError::Recipient`] for a key off the curve.
pub fn encrypt(
    recipient: &Jwk,
    parameters: &Parameters,
    plaintext: &[u8],
    entropy: &Entropy,
) -> Result<String, EncryptError> {
    if recipient.usage.as_deref().is_some_and(|usage| usage != "enc")
        || recipient.alg.as_deref().is_some_and(|alg| alg != ECDH_ES)
    {
        return Err(EncryptError::Purpose);
    }
    let ephemeral = AgreementKey::from_seed(&entropy.ephemeral)?;
    let mut header = Map::new();
    header.insert("alg".into(), ECDH_ES.into());
    header.insert("enc".into(), parameters.enc.name().into());
    let epk = serde_json::to_value(Jwk::from(ephemeral.public_key()))
        .map_err(|_| EncryptError::Cipher)?;
    header.insert("epk".into(), epk);
    if let Some(kid) = parameters.kid.as_ref().or(recipient.kid.as_ref()) {
        header.insert("kid".into(), kid.clone().into());
    }
    if let Some(content_type) = &parameters.content_type {
        header.insert("cty".into(), content_type.clone().into());
    }
    for (name, value) in [("apu", &parameters.apu), ("apv", &parameters.apv)] {
        if let Some(bytes) = value {
            header.insert(name.into(), encode_base64url(bytes).into());
        }
    }
    let header = encode_base64url(serde_json::to_vec(&header).map_err(|_| EncryptError::Cipher)?);
    let info = PartyInfo { apu: parameters.apu.as_deref(), apv: parameters.apv.as_deref() };
    let key =
        agree(&ephemeral, &recipient.key, parameters.enc, info).ok_or(EncryptError::Recipient)?;
    let key = parameters.enc.key(&key).ok_or(EncryptError::Cipher)?;
    let mut content = plaintext.to_vec();
    let nonce = Nonce::assume_unique_for_key(entropy.iv);
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut content)
        .map_err(|_| EncryptError::Cipher)?;
    let [iv, content, tag] =
        [encode_base64url(entropy.iv), encode_base64url(content), encode_base64url(tag.as_ref())];
    Ok(format!("{header}..{iv}.{content}.{tag}"))
}

/// Decrypts a compact JWE of at most [`MAX_JWE`] bytes.
///
/// # Errors
/// [`DecryptError`], the first rule broken.
pub fn decrypt(text: &str, key: &DecryptionKey) -> Result<Decrypted, DecryptError> {
    if text.len() > MAX_JWE {
        return Err(DecryptError::TooLong(text.len()));
    }
    let parts: Vec<&str> = text.split('.').take(6).collect();
    let &[protected, encrypted_key, iv, content, tag] = parts.as_slice() else {
        return Err(DecryptError::Parts(text.split('.').count()));
    };
    let decode = |name, part: &str| decode_base64url(part).map_err(|_| DecryptError::Base64(name));
    let header = AgreementHeader::parse(&decode("header", protected)?)?;
    if !encrypted_key.is_empty() {
        return Err(DecryptError::EncryptedKey);
    }
    let iv = decode("initialisation vector", iv)?;
    let nonce = Nonce::try_assume_unique_for_key(&iv).map_err(|_| DecryptError::Iv(iv.len()))?;
    let mut content = Zeroizing::new(decode("ciphertext", content)?);
    let tag = decode("authentication tag", tag)?;
    if tag.len() != TAG {
        return Err(DecryptError::Tag(tag.len()));
    }
    content.extend_from_slice(&tag);
    let info = PartyInfo { apu: header.apu.as_deref(), apv: header.apv.as_deref() };
    let secret = agree(&key.0, &header.epk.key, header.enc, info)
        .ok_or_else(|| DecryptError::EphemeralKey(JwkError::OffCurve.to_string()))?;
    let secret = header.enc.key(&secret).ok_or(DecryptError::Authentication)?;
    let length = secret
        .open_in_place(nonce, Aad::from(protected.as_bytes()), &mut content)
        .map_err(|_| DecryptError::Authentication)?
        .len();
    content.truncate(length);
    let AgreementHeader { enc, kid, apu, apv, .. } = header;
    Ok(Decrypted { plaintext: content, enc, kid, apu, apv })
}

struct AgreementHeader {
    enc: ContentEncryption,
    epk: Jwk,
    kid: Option<String>,
    apu: Option<Vec<u8>>,
    apv: Option<Vec<u8>>,
}

impl AgreementHeader {
    fn parse(bytes: &[u8]) -> Result<Self, DecryptError> {
        let mut header =
            parse_json_object(bytes).map_err(|error| DecryptError::Header(error.to_string()))?;
        let alg = text(&mut header, "alg")?.unwrap_or_default();
        if alg != ECDH_ES {
            return Err(DecryptError::Algorithm(alg));
        }
        let enc = text(&mut header, "enc")?.unwrap_or_default();
        let enc = ContentEncryption::from_name(&enc).ok_or(DecryptError::ContentEncryption(enc))?;
        for extension in ["crit", "zip"] {
            if header.contains_key(extension) {
                return Err(DecryptError::Extension(extension));
            }
        }
        let epk = header.remove("epk").unwrap_or_default();
        let epk = serde_json::from_value(epk)
            .map_err(|error| DecryptError::EphemeralKey(error.to_string()))?;
        let kid = text(&mut header, "kid")?;
        let mut party = |name| match text(&mut header, name)? {
            Some(value) => {
                decode_base64url(value).map(Some).map_err(|_| DecryptError::Base64(name))
            }
            None => Ok(None),
        };
        Ok(Self { enc, epk, kid, apu: party("apu")?, apv: party("apv")? })
    }
}

fn text(header: &mut Map<String, Value>, name: &str) -> Result<Option<String>, DecryptError> {
    match header.remove(name) {
        None => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(_) => Err(DecryptError::Header(format!("{name} is not a string"))),
    }
}

#[derive(Clone, Copy)]
struct PartyInfo<'a> {
    apu: Option<&'a [u8]>,
    apv: Option<&'a [u8]>,
}

/// ECDH, then the Concat KDF of RFC 7518 section 4.6.2 (one round of SHA-256 suffices for
/// keys up to 256 bits). `None` if the peer's key is no point of the curve.
fn agree(
    own: &AgreementKey,
    peer: &PublicKey,
    enc: ContentEncryption,
    info: PartyInfo<'_>,
) -> Option<Zeroizing<Vec<u8>>> {
    derive(&own.agree(peer).ok()?, enc, info)
}

fn derive(
    shared: &[u8],
    enc: ContentEncryption,
    info: PartyInfo<'_>,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut input = Zeroizing::new(Vec::new());
    input.extend(1_u32.to_be_bytes());
    input.extend(shared);
    let parties = [info.apu.unwrap_or_default(), info.apv.unwrap_or_default()];
    for field in [enc.name().as_bytes()].into_iter().chain(parties) {
        input.extend(u32::try_from(field.len()).ok()?.to_be_bytes());
        input.extend(field);
    }
    let bits = u32::try_from(enc.key_bytes()).ok()?.checked_mul(8)?;
    input.extend(bits.to_be_bytes());
    let digest = Zeroizing::new(sha256(&input));
    digest.get(..enc.key_bytes()).map(|key| Zeroizing::new(key.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn key() -> DecryptionKey {
        DecryptionKey::from_seed(&[1; 32]).unwrap()
    }

    fn message(enc: ContentEncryption) -> String {
        let parameters =
            Parameters { apu: Some(b"Alice".into()), apv: Some(b"Bob".into()), ..enc.into() };
        let entropy = Entropy { ephemeral: [2; 32], iv: [3; 12] };
        encrypt(&key().public_jwk("enc-1"), &parameters, b"noodles", &entropy).unwrap()
    }

    fn with_part(index: usize, part: &str) -> String {
        let message = message(ContentEncryption::A128Gcm);
        let mut parts: Vec<&str> = message.split('.').collect();
        parts[index] = part;
        parts.join(".")
    }

    fn with_header(change: impl FnOnce(&mut Value)) -> String {
        let message = message(ContentEncryption::A128Gcm);
        let header = decode_base64url(message.split('.').next().unwrap()).unwrap();
        let mut header: Value = serde_json::from_slice(&header).unwrap();
        change(&mut header);
        with_part(0, &encode_base64url(header.to_string()))
    }

    #[test]
    fn the_key_agreement_example_of_rfc_7518_appendix_c_is_reproduced() {
        let scalar = |text: &str| <[u8; 32]>::try_from(decode_base64url(text).unwrap()).unwrap();
        let key = |text| AgreementKey::from_scalar(&scalar(text)).unwrap();
        let alice = key("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
        let bob = key("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
        let info = PartyInfo { apu: Some(b"Alice"), apv: Some(b"Bob") };
        for (own, peer) in [(&alice, bob.public_key()), (&bob, alice.public_key())] {
            let derived = agree(own, &peer, ContentEncryption::A128Gcm, info).unwrap();
            assert_eq!(encode_base64url(&*derived), "VqqN6vgjbSBcIijNcacQGg");
        }
    }

    #[test]
    fn what_is_encrypted_decrypts_with_its_parameters() {
        for enc in [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm] {
            let decrypted = decrypt(&message(enc), &key()).unwrap();
            assert_eq!(decrypted.plaintext.as_slice(), b"noodles");
            assert_eq!((decrypted.enc, decrypted.kid.as_deref()), (enc, Some("enc-1")));
            assert_eq!(decrypted.apu.as_deref(), Some(b"Alice".as_slice()));
            assert_eq!(decrypted.apv.as_deref(), Some(b"Bob".as_slice()));
        }
    }

    #[test]
    fn each_rule_refuses_what_breaks_it() {
        let rows = [
            (with_part(0, "="), "the header is not base64url"),
            (with_part(0, "AAAA"), "the header is not acceptable"),
            (with_header(|h| h["kid"] = json!(1)), "kid is not a string"),
            (with_header(|h| h["alg"] = json!("ECDH-ES+A128KW")), "only ECDH-ES"),
            (with_header(|h| h["alg"] = Value::Null), "alg is not a string"),
            (with_header(|h| h["enc"] = json!("A128CBC-HS256")), "only A128GCM"),
            (with_header(|h| h["zip"] = json!("DEF")), "zip"),
            (with_header(|h| h["crit"] = json!([])), "crit"),
            (with_header(|h| h["epk"]["x"] = h["epk"]["y"].clone()), "not a point of P-256"),
            (with_header(|h| h["epk"] = Value::Null), "the ephemeral key"),
            (with_header(|h| h["apu"] = json!("=")), "the apu is not base64url"),
            (with_part(1, "AA"), "direct key agreement has none"),
            (with_part(2, "AA"), "1 bytes: GCM has 12"),
            (with_part(3, "="), "the ciphertext is not base64url"),
            (with_part(4, "AAAA"), "3 bytes: GCM has 16"),
            (with_part(4, "AAAAAAAAAAAAAAAAAAAAAA"), "not encrypted to this key, or was altered"),
            (with_header(|h| h["apv"] = json!("AA")), "not encrypted to this key, or was altered"),
            ("a.b".into(), "found 2"),
            ("......".into(), "found 7"),
            ("a".repeat(MAX_JWE + 1), "1048577 bytes"),
        ];
        for (bad, expected) in rows {
            let error = decrypt(&bad, &key()).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
        let other = DecryptionKey::from_seed(&[9; 32]).unwrap();
        let refused = decrypt(&message(ContentEncryption::A256Gcm), &other);
        assert_eq!(refused, Err(DecryptError::Authentication));
    }

    #[test]
    fn nothing_is_encrypted_to_a_key_off_the_curve() {
        let mut point = [7; 65];
        point[0] = 4;
        let recipient = Jwk::from(PublicKey::from_uncompressed(&point).unwrap());
        let entropy = Entropy { ephemeral: [2; 32], iv: [3; 12] };
        let refused = encrypt(&recipient, &ContentEncryption::A128Gcm.into(), b"m", &entropy);
        assert_eq!(refused, Err(EncryptError::Recipient));
    }

    #[test]
    fn nothing_is_encrypted_to_a_key_for_another_purpose() {
        let entropy = Entropy { ephemeral: [2; 32], iv: [3; 12] };
        let good = key().public_jwk("enc-1");
        for recipient in [
            Jwk { usage: Some("sig".into()), ..good.clone() },
            Jwk { alg: Some("ES256".into()), ..good.clone() },
        ] {
            let refused = encrypt(&recipient, &ContentEncryption::A128Gcm.into(), b"m", &entropy);
            assert_eq!(refused, Err(EncryptError::Purpose));
        }
        let plain = Jwk::from(good.key);
        assert!(encrypt(&plain, &ContentEncryption::A128Gcm.into(), b"m", &entropy).is_ok());
    }

    #[test]
    fn secrets_do_not_show_themselves() {
        let decrypted = decrypt(&message(ContentEncryption::A128Gcm), &key()).unwrap();
        assert_eq!(format!("{decrypted:?}"), "Decrypted(A128GCM, 7 bytes)");
        assert!(format!("{:?}", key()).starts_with("DecryptionKey(PublicKey("));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC*") {
            let _ = decrypt(&text, &key());
        }

        #[test]
        fn a_changed_character_never_decrypts(at: prop::sample::Index, with in "[A-Za-z0-9_-]") {
            let mut bytes = message(ContentEncryption::A128Gcm).into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != with.as_bytes()[0]);
            bytes[at] = with.as_bytes()[0];
            prop_assert!(decrypt(&String::from_utf8(bytes).unwrap(), &key()).is_err());
        }
    }
}
