//! Paths that were verified under a list, so that a signer who comes a thousand times a second is verified once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use yufu_base::Timestamp;
use yufu_jose::{Chain, ChainError, Leaf, sha256};

/// The most paths that are kept; beyond it all are found anew.
const MOST: usize = 4096;

/// The paths that were found good for entries of one list. It starts empty, is no part of what the list says, and goes
/// with it: a copy of a list starts anew.
#[derive(Default)]
pub struct GoodPaths(Mutex<BTreeMap<Digest, Good>>);

/// Of the anchors and the chain.
type Digest = [u8; 32];

struct Good {
    leaf: Leaf,
    /// The first and the last second at which every certificate of the chain is valid.
    seconds: (u64, u64),
}

impl GoodPaths {
    /// The leaf of a chain that leads to one of these anchors (as the list has them) at `now`: as it was found before, or as `verify` finds it.
    /// Refusals are not kept.
    pub(crate) fn leaf(
        &self,
        anchors: &[String],
        chain: &Chain,
        now: Timestamp,
        verify: impl FnOnce() -> Result<Leaf, ChainError>,
    ) -> Result<Leaf, ChainError> {
        let path = digest(anchors, chain);
        if let Some(leaf) = self.known(&path, now.seconds()) {
            return Ok(leaf);
        }
        let leaf = verify()?;
        if let Some(seconds) = chain.validity() {
            let mut paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if paths.len() >= MOST {
                paths.clear();
            }
            paths.insert(path, Good { leaf: leaf.clone(), seconds });
        }
        Ok(leaf)
    }

    fn known(&self, path: &Digest, now: u64) -> Option<Leaf> {
        let paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let good = paths.get(path)?;
        let (first, last) = good.seconds;
        (first <= now && now <= last).then(|| good.leaf.clone())
    }
}

/// Each part with its length before it, so that no two run together into the same bytes.
fn digest(anchors: &[String], chain: &Chain) -> Digest {
    let length = |part: &[u8]| u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes();
    let mut bytes = Vec::new();
    let anchors = anchors.iter().map(String::as_bytes);
    for part in anchors.chain([&[][..]]).chain(chain.certificates()) {
        bytes.extend(length(part));
        bytes.extend(part);
    }
    sha256(&bytes)
}

impl Clone for GoodPaths {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for GoodPaths {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for GoodPaths {}

impl fmt::Debug for GoodPaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GoodPaths")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use yufu_fixtures::party;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn a_path_is_verified_once_in_its_dates_and_anew_for_other_anchors_or_another_chain() {
        let (one, other) = (party(), party());
        let anchors = |name: &str| vec![name.to_owned()];
        let (paths, verified) = (GoodPaths::default(), Cell::new(0));
        let find = |anchors: &[String], of: &yufu_fixtures::Party, at: Timestamp| {
            paths.leaf(anchors, &of.chain, at, || {
                verified.set(verified.get() + 1);
                of.chain.verify(std::slice::from_ref(&of.anchor), at)
            })
        };
        let (first, last) = one.chain.validity().unwrap();
        for at in [NOW, Timestamp::from_seconds(first), Timestamp::from_seconds(last), NOW] {
            let leaf = find(&anchors("a"), &one, at).unwrap();
            assert_eq!(leaf.public_key, yufu_base::Signer::public_key(&one.key));
        }
        assert_eq!(verified.get(), 1);
        find(&anchors("b"), &one, NOW).unwrap();
        assert_ne!(find(&anchors("a"), &other, NOW), find(&anchors("a"), &one, NOW));
        assert_eq!(verified.get(), 3);
        for late in [last + 1, first - 1] {
            let refused = find(&anchors("a"), &one, Timestamp::from_seconds(late));
            assert!(matches!(refused, Err(ChainError::Expired | ChainError::NotYetValid)));
        }
        assert_eq!(verified.get(), 5, "a refusal is not kept, and no path outlives its dates");
    }

    #[test]
    fn what_is_kept_is_bounded_and_no_part_of_what_a_list_says() {
        let one = party();
        let paths = GoodPaths::default();
        for number in 0..=MOST {
            let anchors = [number.to_string()];
            let verify = || one.chain.verify(std::slice::from_ref(&one.anchor), NOW);
            let leaf = if number == 0 {
                verify()
            } else {
                paths.leaf(&["0".into()], &one.chain, NOW, verify)
            };
            paths.leaf(&anchors, &one.chain, NOW, || leaf).unwrap();
        }
        assert!(paths.0.lock().unwrap().len() <= MOST);
        assert!(paths.clone().0.lock().unwrap().is_empty());
        assert_eq!(paths, GoodPaths::default());
    }
}
