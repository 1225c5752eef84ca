//! How a wallet lies on the disk: sealed with AES-256-GCM under a key that Argon2id makes of the
//! person's passphrase. The parameters stand beside the sealed bytes and are sealed with them.

use super::fault::WalletFault;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_jose::{decode_base64url, encode_base64url};
use yufu_keys::random;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// What the file says it is.
const FORMAT: &str = "yufu-wallet";
/// The version of the format that this program writes, and the only one it reads.
const VERSION: u32 = 1;
/// The shortest passphrase that a new wallet takes, in characters.
const SHORTEST: usize = 8;
/// What a file may cost at the most to open: a strange one must not exhaust the machine.
const MOST_MEMORY_KIB: u32 = 1 << 20;
const MOST_ITERATIONS: u32 = 64;
const MOST_LANES: u32 = 16;

/// What opens a wallet. Never printed; wiped when it is dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase {
    text: String,
    #[zeroize(skip)]
    cost: Cost,
}

impl Passphrase {
    /// The passphrase of the demo's wallets, which the demo states to everybody.
    pub const OF_THE_DEMO: &'static str = "yufu-demo";

    /// A person's passphrase.
    ///
    /// # Errors
    /// [`WalletFault::PassphraseTooShort`] below eight characters.
    pub fn new(text: String) -> Result<Self, WalletFault> {
        if text.chars().count() < SHORTEST {
            return Err(WalletFault::PassphraseTooShort { least: SHORTEST });
        }
        Ok(Self { text, cost: Cost::STANDARD })
    }

    /// The demo's: as everybody knows it, making it dear to guess would only slow the demo.
    #[must_use]
    pub fn of_the_demo() -> Self {
        Self { text: Self::OF_THE_DEMO.to_owned(), cost: Cost::LEAST }
    }

    /// Whether it is this text.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    #[cfg(test)]
    pub(super) fn cheap(text: &str) -> Self {
        Self { text: text.to_owned(), cost: Cost::LEAST }
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// What one guess at a passphrase costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

impl Cost {
    /// RFC 9106, section 4, the second recommended option, for machines of every size.
    const STANDARD: Self = Self { memory_kib: 64 * 1024, iterations: 3, lanes: 4 };
    /// The least that Argon2 takes.
    const LEAST: Self = Self { memory_kib: 8, iterations: 1, lanes: 1 };

    fn parameters(self) -> Result<Params, WalletFault> {
        let bounded = self.memory_kib <= MOST_MEMORY_KIB
            && self.iterations <= MOST_ITERATIONS
            && self.lanes <= MOST_LANES;
        let made = Params::new(self.memory_kib, self.iterations, self.lanes, Some(32));
        made.ok().filter(|_| bounded).ok_or(WalletFault::Parameters)
    }
}

/// How the key is made: stored in the clear, and bound to what is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    /// `argon2id`
    derivation: String,
    cost: Cost,
    /// In base64url.
    salt: String,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    header: Header,
    /// In base64url; fresh at every writing.
    nonce: String,
    /// Ciphertext and tag, in base64url.
    sealed: String,
}

/// A header read before anything is known of the rest.
#[derive(Deserialize)]
struct Probe {
    header: ProbeHeader,
}

#[derive(Deserialize)]
struct ProbeHeader {
    format: String,
    version: u32,
}

/// The key of an open wallet.
pub(super) struct Vault {
    header: Header,
    key: LessSafeKey,
}

impl Vault {
    /// A new vault with a salt of its own.
    pub(super) fn new(passphrase: &Passphrase) -> Result<Self, WalletFault> {
        let salt = encode_base64url(random::<16>());
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            derivation: "argon2id".to_owned(),
            cost: passphrase.cost,
            salt,
        };
        let key = derive(&header, passphrase)?;
        Ok(Self { header, key })
    }

    /// Opens a file's bytes. [`WalletFault::PassphraseWrong`] also for a file that was altered:
    /// the two cannot be told apart.
    pub(super) fn open(
        file: &[u8],
        passphrase: &Passphrase,
    ) -> Result<(Self, Zeroizing<Vec<u8>>), WalletFault> {
        let probe: Probe = serde_json::from_slice(file).map_err(|_| WalletFault::Damaged)?;
        if probe.header.format != FORMAT {
            return Err(WalletFault::Damaged);
        }
        if probe.header.version != VERSION {
            let (found, known) = (probe.header.version, VERSION);
            return Err(WalletFault::Version { found, known });
        }
        let envelope: Envelope = serde_json::from_slice(file).map_err(|_| WalletFault::Damaged)?;
        let nonce = decode_base64url(&envelope.nonce).map_err(|_| WalletFault::Damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| WalletFault::Damaged)?;
        let sealed = decode_base64url(&envelope.sealed).map_err(|_| WalletFault::Damaged)?;
        let key = derive(&envelope.header, passphrase)?;
        let mut bytes = Zeroizing::new(sealed);
        let associated = associated(&envelope.header)?;
        let length = key
            .open_in_place(nonce, Aad::from(associated), &mut bytes)
            .map_err(|_| WalletFault::PassphraseWrong)?
            .len();
        bytes.truncate(length);
        Ok((Self { header: envelope.header, key }, bytes))
    }

    /// The file's bytes.
    pub(super) fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, WalletFault> {
        let nonce: [u8; 12] = random();
        // Room for the tag, so that no copy of the plain bytes is left behind by a move.
        let mut bytes = Zeroizing::new(Vec::with_capacity(plain.len().saturating_add(64)));
        bytes.extend_from_slice(plain);
        let aad = Aad::from(associated(&self.header)?);
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut *bytes)
            .map_err(|_| WalletFault::Cipher)?;
        let envelope = Envelope {
            header: self.header.clone(),
            nonce: encode_base64url(nonce),
            sealed: encode_base64url(&*bytes),
        };
        serde_json::to_vec(&envelope).map_err(|_| WalletFault::Cipher)
    }
}

fn associated(header: &Header) -> Result<Vec<u8>, WalletFault> {
    serde_json::to_vec(header).map_err(|_| WalletFault::Cipher)
}

fn derive(header: &Header, passphrase: &Passphrase) -> Result<LessSafeKey, WalletFault> {
    if header.derivation != "argon2id" {
        return Err(WalletFault::Parameters);
    }
    let salt = decode_base64url(&header.salt).map_err(|_| WalletFault::Damaged)?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, header.cost.parameters()?);
    let mut key = Zeroizing::new([0_u8; 32]);
    argon
        .hash_password_into(passphrase.text.as_bytes(), &salt, &mut *key)
        .map_err(|_| WalletFault::Parameters)?;
    UnboundKey::new(&AES_256_GCM, &*key).map(LessSafeKey::new).map_err(|_| WalletFault::Cipher)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn altered(file: &[u8], path: &str, value: serde_json::Value) -> Vec<u8> {
        let mut json: serde_json::Value = serde_json::from_slice(file).unwrap();
        *json.pointer_mut(path).unwrap() = value;
        serde_json::to_vec(&json).unwrap()
    }

    #[test]
    fn only_the_passphrase_opens_what_it_sealed_and_the_file_does_not_tell() {
        let phrase = Passphrase::cheap("correct horse");
        let file = Vault::new(&phrase).unwrap().seal(b"precious key").unwrap();
        assert!(!file.windows(8).any(|part| part == b"precious"));
        assert_eq!(&**Vault::open(&file, &phrase).unwrap().1, b"precious key");
        for wrong in ["Correct horse", "correct horse ", ""] {
            let refused = Vault::open(&file, &Passphrase::cheap(wrong)).err().unwrap();
            assert!(matches!(refused, WalletFault::PassphraseWrong), "{wrong:?}");
        }
    }

    #[test]
    fn the_same_contents_never_give_the_same_file() {
        let vault = Vault::new(&Passphrase::cheap("correct horse")).unwrap();
        assert_ne!(vault.seal(b"x").unwrap(), vault.seal(b"x").unwrap());
    }

    #[test]
    fn altered_parameters_and_bytes_open_nothing() {
        let phrase = Passphrase::cheap("correct horse");
        let file = Vault::new(&phrase).unwrap().seal(b"x").unwrap();
        let cases = [
            ("/header/version", 2.into(), "wallet.version_unknown"),
            ("/header/format", "other".into(), "wallet.damaged"),
            ("/header/derivation", "md5".into(), "wallet.parameters"),
            ("/header/cost/memory_kib", (MOST_MEMORY_KIB + 1).into(), "wallet.parameters"),
            ("/header/cost/iterations", (MOST_ITERATIONS + 1).into(), "wallet.parameters"),
            ("/header/cost/iterations", 2.into(), "wallet.passphrase_wrong"),
            ("/header/salt", encode_base64url([7; 16]).into(), "wallet.passphrase_wrong"),
            ("/nonce", encode_base64url([7; 12]).into(), "wallet.passphrase_wrong"),
            ("/nonce", "".into(), "wallet.damaged"),
            ("/sealed", "".into(), "wallet.passphrase_wrong"),
        ];
        for (path, value, code) in cases {
            let refused = Vault::open(&altered(&file, path, value), &phrase).err().unwrap();
            assert_eq!(refused.code(), code, "{path}");
        }
        assert_eq!(Vault::open(b"{torn", &phrase).err().unwrap().code(), "wallet.damaged");
    }

    #[test]
    fn a_passphrase_has_eight_characters_at_the_least_and_is_never_printed() {
        assert!(Passphrase::new("七个字的口令呀".to_owned()).is_err());
        let enough = Passphrase::new("八个字的口令才行".to_owned()).unwrap();
        assert_eq!(format!("{enough:?}"), "Passphrase(…)");
    }

    #[test]
    fn a_persons_wallet_costs_a_guesser_what_the_rfc_recommends() {
        let phrase = Passphrase::new("correct horse".to_owned()).unwrap();
        let file = Vault::new(&phrase).unwrap().seal(b"x").unwrap();
        let json: serde_json::Value = serde_json::from_slice(&file).unwrap();
        assert_eq!(json["header"]["cost"]["memory_kib"], 65536);
        assert!(Vault::open(&file, &phrase).is_ok());
    }
}
