//! The one key that a wallet is given out of band: the trust-list operator's. The server leaves it in
//! its data folder; for a wallet elsewhere it is carried there by hand. A server elsewhere keeps beside it which key
//! followed it, as the list said.

use crate::data::DataFolder;
use crate::words::text;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;
use yufu_base::PublicKey;
use yufu_jose::Jwk;
use yufu_trust::TrustPin;

const FILE: &str = "trust-list-key.json";
const PIN: &str = "trust-list-pin.json";

/// What is known of the key that was given.
#[derive(Serialize, Deserialize)]
struct Known {
    given: Jwk,
    pin: TrustPin,
}

/// By which key the list is known here, where `given` was brought by hand: another one that is brought counts anew.
pub(crate) fn pinned(data: &DataFolder, given: PublicKey) -> TrustPin {
    let text = fs::read_to_string(data.root().join(PIN)).ok();
    let known = text.and_then(|text| serde_json::from_str::<Known>(&text).ok());
    let known = known.filter(|known| known.given.key == given);
    known.map_or_else(|| TrustPin::given(given), |known| known.pin)
}

/// Keeps by which key it is known from now on.
pub(crate) fn keep(data: &DataFolder, given: PublicKey, pin: &TrustPin) -> Result<()> {
    let known = Known { given: given.into(), pin: pin.clone() };
    put(data.root().join(PIN), &serde_json::to_string_pretty(&known)?)
}

/// Leaves the key for wallets on this machine.
pub(crate) fn write(data: &DataFolder, key: PublicKey) -> Result<()> {
    put(file(data), &serde_json::to_string_pretty(&Jwk::from(key))?)
}

/// Whole or not at all: others read it while it is written anew.
fn put(path: PathBuf, json: &str) -> Result<()> {
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
