//! What is written on a card: files, keys, and what opens it.

use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::fmt;
use yufu_emrtd::crypto::{AccessKey, Curve, Suite};
use yufu_emrtd::file::File;
use yufu_jose::SoftwareKey;
use zeroize::Zeroizing;

/// Contents that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no card's contents, or those of another version: personalise the card anew")]
pub struct ContentsError;

/// What is written on a card.
pub struct Contents {
    pub(crate) files: BTreeMap<File, Vec<u8>>,
    pub(crate) can: Zeroizing<String>,
    pub(crate) zone: Zeroizing<String>,
    pub(crate) pace: Option<(Suite, Curve)>,
    pub(crate) basic: bool,
    pub(crate) proof: Option<(Suite, Curve)>,
    pub(crate) chip_secret: Zeroizing<[u8; 32]>,
    pub(crate) signing_secret: Zeroizing<[u8; 32]>,
}

/// The same as bytes. Secret.
#[derive(BorshSerialize, BorshDeserialize)]
struct Stored {
    version: u8,
    files: Vec<([u8; 2], Vec<u8>)>,
    can: String,
    zone: String,
    pace: Option<(u8, u8)>,
    basic: bool,
    proof: Option<(u8, u8)>,
    chip_secret: [u8; 32],
    signing_secret: [u8; 32],
}

impl Contents {
    /// A file as it is on the card.
    #[must_use]
    pub fn file(&self, file: File) -> Option<&[u8]> {
        self.files.get(&file).map(Vec::as_slice)
    }

    /// The contents with a file replaced: what somebody who forges a card would write.
    #[must_use]
    pub fn with_file(mut self, file: File, bytes: Vec<u8>) -> Self {
        self.files.insert(file, bytes);
        self
    }

    /// The contents without a file.
    #[must_use]
    pub fn without_file(mut self, file: File) -> Self {
        self.files.remove(&file);
        self
    }

    /// The files, with keys of one's own: a copy of a card, as far as its files can be copied.
    #[must_use]
    pub fn with_secrets(mut self, chip: [u8; 32], signing: [u8; 32]) -> Self {
        (self.chip_secret, self.signing_secret) = (Zeroizing::new(chip), Zeroizing::new(signing));
        self
    }

    /// The number on its face.
    #[must_use]
    pub fn can(&self) -> &str {
        &self.can
    }

    /// What its machine-readable zone says to open it.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// All of it as bytes, to be kept by an emulated card. Secret.
    ///
    /// # Errors
    /// [`ContentsError`]: does not happen.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, ContentsError> {
        let numbers = |(suite, curve): (Suite, Curve)| (suite.number(), curve.parameters());
        let stored = Stored {
            version: 1,
            files: self
                .files
                .iter()
                .map(|(file, bytes)| (file.identifier(), bytes.clone()))
                .collect(),
            can: self.can.to_string(),
            zone: self.zone.to_string(),
            pace: self.pace.map(numbers),
            basic: self.basic,
            proof: self.proof.map(numbers),
            chip_secret: *self.chip_secret,
            signing_secret: *self.signing_secret,
        };
        borsh::to_vec(&stored).map(Zeroizing::new).map_err(|_| ContentsError)
    }

    /// The contents again.
    ///
    /// # Errors
    /// [`ContentsError`] if these are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ContentsError> {
        let stored: Stored = borsh::from_slice(bytes).map_err(|_| ContentsError)?;
        let protocol = |(suite, curve): (u8, u8)| {
            let both = Suite::of_number(suite).zip(Curve::of_parameters(curve));
            both.ok_or(ContentsError)
        };
        let mut files = BTreeMap::new();
        for (identifier, bytes) in stored.files {
            files.insert(File::of_identifier(identifier).ok_or(ContentsError)?, bytes);
        }
        if stored.version != 1 {
            return Err(ContentsError);
        }
        Ok(Self {
            files,
            can: Zeroizing::new(stored.can),
            zone: Zeroizing::new(stored.zone),
            pace: stored.pace.map(protocol).transpose()?,
            basic: stored.basic,
            proof: stored.proof.map(protocol).transpose()?,
            chip_secret: Zeroizing::new(stored.chip_secret),
            signing_secret: Zeroizing::new(stored.signing_secret),
        })
    }

    /// What opens it, by the reference of the password.
    pub(crate) fn access_key(&self, reference: u8) -> Option<AccessKey> {
        match reference {
            1 => Some(AccessKey::zone(&self.zone)),
            2 => AccessKey::can(&self.can).ok(),
            _ => None,
        }
    }

    /// The key of active authentication.
    pub(crate) fn signing_key(&self) -> Option<SoftwareKey> {
        SoftwareKey::from_seed(&self.signing_secret).ok()
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contents({} files)", self.files.len())
    }
}
