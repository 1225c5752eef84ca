//! The one key that a wallet is given out of band: the trust-list operator's. The server leaves it in
//! its data folder; for a wallet elsewhere it is carried there by hand.

use crate::data::DataFolder;
use crate::words::text;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use yufu_base::PublicKey;
use yufu_jose::Jwk;

const FILE: &str = "trust-list-key.json";

/// Leaves the key for wallets on this machine.
pub(crate) fn write(data: &DataFolder, key: PublicKey) -> Result<()> {
    let path = file(data);
    let json = serde_json::to_string_pretty(&Jwk::from(key))?;
    // Whole or not at all: others read it while it is written anew.
    let fresh = path.with_extension("new");
    let written = fs::write(&fresh, format!("{json}\n")).and_then(|()| fs::rename(&fresh, &path));
    written.with_context(|| path.display().to_string())
}

/// Where the key lies in a data folder.
pub(crate) fn file(data: &DataFolder) -> PathBuf {
    data.root().join(FILE)
}

/// The key, from the data folder.
pub(crate) fn read(data: &DataFolder) -> Result<PublicKey> {
    read_at(file(data))
}

/// The key, from wherever it was brought to.
pub(crate) fn read_at(path: PathBuf) -> Result<PublicKey> {
    let text = fs::read_to_string(&path).with_context(|| {
        text!(
            "{path} is missing: start the city with `yufu demo` or `yufu serve`, or bring its file here",
            path = path.display()
        )
    })?;
    let jwk: Jwk = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(jwk.key)
}
