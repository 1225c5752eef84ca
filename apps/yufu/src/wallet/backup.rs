//! A backup: everything a wallet holds, sealed as the wallet itself, under its passphrase.
//!
//! One-time credentials are in it, but rest after a restore: the wallet they were copied from may
//! have shown them, or may yet, and one shown twice lets two parties find out that they met the same
//! person. They are used only if the person states that the other wallet is gone; even then
//! those shown after the backup was made would be shown again, so a fresh batch is the better way.

use super::contents::Contents;
use super::fault::WalletFault;
use super::file::{Place, WalletFile, parse, write_new};
use super::history::{Entry, Event};
use super::holder::Holder;
use super::vault::{Passphrase, Vault};
use std::fs;
use std::path::Path;
use yufu_base::Timestamp;
use zeroize::Zeroizing;

/// What a restore brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Accounts, ready to pay from.
    pub accounts: usize,
    /// Entries of the history.
    pub entries: usize,
    /// Credentials that can be shown.
    pub usable: usize,
    /// Credentials that rest.
    pub resting: usize,
}

impl Holder {
    /// Writes a backup to a file that does not exist yet, and notes it in the history.
    ///
    /// # Errors
    /// [`WalletFault::FileExists`], [`WalletFault::Disk`].
    pub fn back_up(&mut self, to: &Path) -> Result<(), WalletFault> {
        write_new(to, &self.file.sealed()?)?;
        self.note(Event::BackedUp)
    }
}

/// Makes the wallet called `name` in `folder` from a backup. The passphrase is the one the backup
/// was made under, and becomes the wallet's.
///
/// # Errors
/// [`WalletFault::Exists`] if there is such a wallet, and whatever is wrong with the backup.
pub fn restore(
    folder: &Path,
    name: &str,
    from: &Path,
    passphrase: &Passphrase,
    other_wallet_is_gone: bool,
    now: Timestamp,
) -> Result<Restored, WalletFault> {
    let place = Place::new(folder, name)?;
    if place.is_taken() {
        return Err(WalletFault::Exists(name.to_owned()));
    }
    let bytes =
        fs::read(from).map_err(|cause| WalletFault::Disk { path: from.to_owned(), cause })?;
    let (_, plain): (Vault, Zeroizing<Vec<u8>>) = Vault::open(&bytes, passphrase)?;
    let mut contents: Contents = parse(&plain)?;
    // Its notes may have been spent since: their mints are asked first.
    if let Some(cash) = &mut contents.cash {
        cash.purse.came_from_backup();
    }
    for stored in &mut contents.credentials {
        stored.restored = !other_wallet_is_gone;
    }
    let restored = Restored {
        accounts: contents.accounts.len(),
        entries: contents.history.len(),
        usable: contents.usable().count(),
        resting: contents.credentials.len().saturating_sub(contents.usable().count()),
    };
    contents.history.push(Entry { at: now.seconds(), event: Event::Restored });
    WalletFile::create(&place, contents, passphrase)?;
    Ok(restored)
}
