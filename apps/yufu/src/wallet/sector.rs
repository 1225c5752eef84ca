//! The holder's pseudonyms: one root secret that only the wallet and its backups hold, and from it a
//! key for each sector. The derivation is fixed (docs/adr/0013): HKDF-SHA-256 with the salt
//! `yufu.wallet.sector-key.v1`, the root as key material and the sector's name as info gives 32
//! bytes, of which [`SoftwareKey::from_seed`] makes the key. The pseudonym is its thumbprint.

use super::contents::Contents;
use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use yufu_base::{SECTOR_PSEUDONYM, SectorId};
use yufu_jose::{ClaimPath, PathStep, SoftwareKey, decode_base64url, encode_base64url};
use yufu_keys::random;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Says what the root secret is extracted for; a change would give everybody new pseudonyms.
const DOMAIN: &[u8] = b"yufu.wallet.sector-key.v1";

/// What all pseudonyms come from: 32 random bytes in base64url. Never printed; wiped when dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub(super) struct RootSecret(String);

impl RootSecret {
    fn fresh() -> Self {
        Self(encode_base64url(*Zeroizing::new(random::<32>())))
    }

    /// 32 bytes for another use, which say nothing of those for any other.
    #[cfg(feature = "zero-knowledge")]
    pub(super) fn seed(&self, domain: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
        let damaged = "the root secret in the wallet is damaged: restore it from a backup";
        let root = Zeroizing::new(decode_base64url(&self.0).context(damaged)?);
        let mut seed = Zeroizing::new([0_u8; 32]);
        let secret = Salt::new(HKDF_SHA256, domain).extract(&root);
        let derived = secret.expand(&[], HKDF_SHA256).and_then(|okm| okm.fill(&mut *seed));
        derived.ok().with_context(|| text!("the cryptographic library derives no key"))?;
        Ok(seed)
    }

    fn key(&self, sector: &SectorId) -> Result<SoftwareKey> {
        let damaged = "the root secret in the wallet is damaged: restore it from a backup";
        let root = Zeroizing::new(decode_base64url(&self.0).context(damaged)?);
        let mut seed = Zeroizing::new([0_u8; 32]);
        let info = [sector.as_str().as_bytes()];
        let secret = Salt::new(HKDF_SHA256, DOMAIN).extract(&root);
        let derived = secret.expand(&info, HKDF_SHA256).and_then(|okm| okm.fill(&mut *seed));
        derived.ok().with_context(|| text!("the cryptographic library derives no key"))?;
        Ok(SoftwareKey::from_seed(&seed)?)
    }
}

impl fmt::Debug for RootSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootSecret(…)")
    }
}

impl Contents {
    /// Gives a wallet its root secret, if it has none yet (new, or of an earlier version); whether
    /// it got one, which is to be saved before a key is derived from it.
    pub(super) fn root(&mut self) -> bool {
        let missing = self.root.is_none();
        self.root.get_or_insert_with(RootSecret::fresh);
        missing
    }
}

impl Holder {
    /// The key of the holder's pseudonym in a sector: the same as long as the wallet, or a backup of
    /// it, lives. Its thumbprint is the pseudonym.
    ///
    /// # Errors
    /// If `sector` is no name of a sector, or the wallet's secret is damaged.
    pub fn sector_key(&self, sector: &str) -> Result<SoftwareKey> {
        let root = self
            .file
            .contents
            .root
            .as_ref()
            .with_context(|| text!("the wallet has no root secret"))?;
        root.key(&sector.parse()?)
    }

    /// The sectors in which the holder's pseudonym was registered by the authority.
    pub fn sectors(&self) -> impl Iterator<Item = &str> {
        self.file.contents.sectors.iter().map(String::as_str)
    }

    /// The keys of the sectors that an issuer takes.
    pub(super) fn sector_keys(
        &self,
        taken: Vec<SectorId>,
    ) -> Result<BTreeMap<SectorId, SoftwareKey>> {
        let of = |sector: SectorId| Ok((sector.clone(), self.sector_key(sector.as_str())?));
        taken.into_iter().map(of).collect()
    }

    /// Remembers in which sectors a credential shows that the authority knows the pseudonym.
    pub(super) fn note_sectors(&mut self, claims: &Map<String, Value>) {
        let carried = claims.get(SECTOR_PSEUDONYM).and_then(Value::as_object);
        let names = carried.into_iter().flat_map(Map::keys).cloned();
        self.file.contents.sectors.extend(names);
    }
}

/// How a claim is named to the person, if it is a pseudonym.
pub(super) fn pseudonym_label(path: &ClaimPath) -> Option<String> {
    let [PathStep::Name(first), PathStep::Name(second)] = path.steps() else { return None };
    let sector = if first == SECTOR_PSEUDONYM {
        second
    } else {
        // As an element of an mdoc.
        second.strip_prefix(SECTOR_PSEUDONYM)?.strip_prefix('.')?
    };
    Some(text!("Pseudonym for this sector ({sector})", sector = sector))
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_base::Signer;
    use yufu_jose::Jwk;

    fn pseudonym(root: [u8; 32], sector: &str) -> String {
        let root = RootSecret(encode_base64url(root));
        let key = root.key(&sector.parse().unwrap()).unwrap();
        Jwk::from(key.public_key()).thumbprint_base64url()
    }

    /// Computed apart, with Python's hmac and cryptography: a change would rename everybody.
    #[test]
    fn the_derivation_is_fixed() {
        let root = [7; 32];
        assert_eq!(pseudonym(root, "pension"), "oB246-NIUaLPvSiAHI88nbRZ9yzYlb1_1PX9WbpIJAo");
        assert_eq!(pseudonym(root, "education"), "Cv5rWD-FAAJRj-nUD2BA13bSnY0hPqJCQrk0Je9HvxM");
        assert_ne!(pseudonym([8; 32], "pension"), pseudonym(root, "pension"));
    }

    #[test]
    fn the_root_is_made_once_and_never_printed() {
        let mut contents = Contents::default();
        assert!(contents.root());
        let first = serde_json::to_value(&contents.root).unwrap();
        assert!(!contents.root());
        assert_eq!(serde_json::to_value(&contents.root).unwrap(), first);
        assert_eq!(format!("{:?}", contents.root.unwrap()), "RootSecret(…)");
    }

    #[test]
    fn only_pseudonyms_are_named_as_such() {
        let path = |names: &[&str]| ClaimPath::members(names.iter().copied()).unwrap();
        let label = pseudonym_label(&path(&[SECTOR_PSEUDONYM, "pension"])).unwrap();
        assert_eq!(label, "Pseudonym for this sector (pension)");
        let as_mdoc = path(&["org.example.pid.1", &format!("{SECTOR_PSEUDONYM}.pension")]);
        assert_eq!(pseudonym_label(&as_mdoc), Some(label));
        assert!(pseudonym_label(&path(&["address", "locality"])).is_none());
        assert!(pseudonym_label(&path(&[SECTOR_PSEUDONYM])).is_none());
    }
}
