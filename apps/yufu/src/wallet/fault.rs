//! Why a wallet's file does not open, or is not written: one variant for each rule.

use crate::words;
use std::path::PathBuf;

/// Why a wallet's file does not open, or is not written.
#[derive(Debug, thiserror::Error)]
pub enum WalletFault {
    /// Not a name that stays in its folder.
    #[error("{0:?} is not a wallet's name: expected a-z, 0-9 and hyphen")]
    Name(String),
    /// Another process holds the wallet.
    #[error("the wallet {0:?} is in use by another process: end that one first, then repeat")]
    InUse(String),
    /// Too soon after wrong passphrases.
    #[error(
        "the passphrase was wrong {failed} times in a row: try again in {seconds} seconds; nothing was tried now"
    )]
    Wait {
        /// How many were wrong.
        failed: u32,
        /// How long to wait.
        seconds: u64,
    },
    /// The passphrase does not open the file.
    #[error(
        "the passphrase does not open the wallet (or its file was altered): try again, or restore a backup with `yufu wallet restore`"
    )]
    PassphraseWrong,
    /// A new wallet's passphrase is too short.
    #[error("the passphrase is too short: a wallet takes one of {least} characters or more")]
    PassphraseTooShort {
        /// The least number of characters.
        least: usize,
    },
    /// The file was written by a version without encryption.
    #[error(
        "{} is a wallet in plain text, as earlier versions wrote it: encrypt it with `yufu wallet --as {name} protect`",
        path.display()
    )]
    Plain {
        /// Whose wallet.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to protect.
    #[error("there is no plain wallet {0:?} to protect: nothing was changed")]
    NotPlain(String),
    /// There is one already.
    #[error(
        "there is a wallet {0:?} already, and it was not touched: restore under another name with --as"
    )]
    Exists(String),
    /// A file is not overwritten.
    #[error("{} exists and is not overwritten: name another file", .0.display())]
    FileExists(PathBuf),
    /// The file is of a later version.
    #[error(
        "the wallet's file has format version {found}, this program knows {known}: use a newer program"
    )]
    Version {
        /// In the file.
        found: u32,
        /// Known here.
        known: u32,
    },
    /// The wallet is of another wallet provider, or of none.
    #[error(
        "this wallet is of {of}: make one under another name with --as and --provider, and hand the account over to it with `yufu wallet hand-over`"
    )]
    OtherProvider {
        /// Whose it is.
        of: String,
    },
    /// The file asks for a derivation that is not accepted.
    #[error(
        "the wallet's file states key parameters that are not accepted: restore it from a backup"
    )]
    Parameters,
    /// The file cannot be read as a wallet.
    #[error("the wallet's file is damaged, and was not replaced: restore it from a backup")]
    Damaged,
    /// Encryption itself failed.
    #[error("the wallet could not be encrypted: nothing was written; try again")]
    Cipher,
    /// The own country does not recognise the other one.
    #[error(
        "your country's trust list does not name that of {0:?}: nobody there can be verified, so nothing is shown"
    )]
    CountryNotRecognised(String),
    /// The disk failed.
    #[error("{}: {cause}", path.display())]
    Disk {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

impl WalletFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "wallet.name",
            Self::InUse(_) => "wallet.in_use",
            Self::Wait { .. } => "wallet.wait",
            Self::PassphraseWrong => "wallet.passphrase_wrong",
            Self::PassphraseTooShort { .. } => "wallet.passphrase_too_short",
            Self::Plain { .. } => "wallet.plain",
            Self::NotPlain(_) => "wallet.not_plain",
            Self::Exists(_) => "wallet.exists",
            Self::FileExists(_) => "wallet.file_exists",
            Self::Version { .. } => "wallet.version_unknown",
            Self::OtherProvider { .. } => "wallet.other_provider",
            Self::Parameters => "wallet.parameters",
            Self::Damaged => "wallet.damaged",
            Self::Cipher => "wallet.cipher",
            Self::CountryNotRecognised(_) => "wallet.country_not_recognised",
            Self::Disk { .. } => "wallet.disk",
        }
    }

    /// What the person is told: in English the fault's own words, else those for its code.
    pub(crate) fn said(&self) -> String {
        words::fault(self.code(), &self.members()).unwrap_or_else(|| self.to_string())
    }

    /// What the words for the code are filled with.
    fn members(&self) -> Vec<(&'static str, String)> {
        let path = |path: &PathBuf| path.display().to_string();
        match self {
            Self::Name(name) | Self::InUse(name) | Self::NotPlain(name) | Self::Exists(name) => {
                vec![("name", name.clone())]
            }
            Self::Wait { failed, seconds } => {
                vec![("failed", failed.to_string()), ("seconds", seconds.to_string())]
            }
            Self::OtherProvider { of } => vec![("of", of.clone())],
            Self::CountryNotRecognised(country) => vec![("country", country.clone())],
            Self::PassphraseTooShort { least } => vec![("least", least.to_string())],
            Self::Plain { name, path: file } => vec![("name", name.clone()), ("path", path(file))],
            Self::FileExists(file) => vec![("path", path(file))],
            Self::Version { found, known } => {
                vec![("found", found.to_string()), ("known", known.to_string())]
            }
            Self::Disk { path: file, cause } => {
                vec![("path", path(file)), ("cause", cause.to_string())]
            }
            Self::PassphraseWrong | Self::Parameters | Self::Damaged | Self::Cipher => Vec::new(),
        }
    }
}
