//! Acting for a ward: an account opened in the ward's name, which this wallet operates.

use super::contents::StoredCredential;
use super::holder::{Decide, Holder};
use super::opening::Opened;
use crate::words::text;
use anyhow::{Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;

/// The credential's configuration id.
const GUARDIANSHIP: &str = "guardianship";

impl Holder {
    /// Opens an account of `class` at `bank` in the name of a ward, with a fresh key of this wallet.
    /// A guardian of several names the one: `ward` is the given name.
    ///
    /// # Errors
    /// If no guardianship is here, or several and none is named; whatever either side refused.
    pub async fn open_for_ward(
        &mut self,
        bank: &str,
        class: &str,
        ward: Option<&str>,
        decide: Decide<'_>,
    ) -> Result<Opened> {
        let wards: BTreeSet<String> =
            self.file.contents.usable().filter_map(|(_, stored)| ward_of(stored)).collect();
        let names = wards.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let meant = match (ward, wards.len()) {
            (_, 0) => bail!(text!(
                "no guardianship is in this wallet: an officer of the identity authority offers one"
            )),
            (None, 1) => wards.iter().next().cloned(),
            (None, _) => {
                bail!(text!("you are the guardian of {names}: name one with --ward", names = names))
            }
            (Some(named), _) => wards.get(named).cloned(),
        };
        let Some(meant) = meant else {
            bail!(text!("you are the guardian of {names} only", names = names))
        };
        // The first that fits a query is shown: this ward's come first.
        let other = |stored: &StoredCredential| ward_of(stored).is_some_and(|ward| ward != meant);
        self.file.contents.credentials.sort_by_key(other);
        self.open_at(bank, class, "ward-openings", decide).await
    }
}

/// The given name of the ward that a credential is about.
fn ward_of(stored: &StoredCredential) -> Option<String> {
    if stored.held.configuration_id != GUARDIANSHIP {
        return None;
    }
    let ward = stored.held.credential.claims().get("ward")?;
    ward.get("given_name").and_then(Value::as_str).map(str::to_owned)
}
