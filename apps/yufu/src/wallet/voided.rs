//! Credentials whose issuer withdrew the key that signed them: nobody accepts them any more, so they leave the wallet,
//! and fresh ones are fetched in their place.

use super::history::Event;
use super::holder::Holder;
use anyhow::Result;
use std::collections::BTreeMap;
use yufu_trust::TrustList;

impl Holder {
    /// Forgets what counts no more by `trust`, and notes it; how many copies that were.
    pub(super) fn forget_void(&mut self, trust: &TrustList) -> Result<usize> {
        let now = self.now();
        let mut void: BTreeMap<(String, String), usize> = BTreeMap::new();
        let language = self.language.clone();
        self.file.contents.credentials.retain(|stored| {
            let is_void = stored.held.is_void(trust, now);
            if is_void {
                let issuer = stored.held.issuer.name.get(&language).to_owned();
                let of = (issuer, stored.held.credential.kind().to_owned());
                let count = void.entry(of).or_default();
                *count = count.saturating_add(1);
            }
            !is_void
        });
        let all = void.values().fold(0_usize, |sum, count| sum.saturating_add(*count));
        for ((issuer, vct), count) in void {
            self.note(Event::Voided { issuer, vct, count })?;
        }
        Ok(all)
    }
}
