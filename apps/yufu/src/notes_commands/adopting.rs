//! A profile that differs in its rules for bearer notes alone is taken into a data folder that exists.

use crate::data::DataFolder;
use crate::profile;
use crate::words::{say, text};
use anyhow::{Result, bail};
use std::path::Path;
use yufu_engine::{Clock, SystemClock};
use yufu_profile::Profile;

pub(super) fn adopt(data: &DataFolder, former: &Path, next: Option<&Path>) -> Result<()> {
    let now = SystemClock::new().read().wall;
    let (former, next) = (profile::load(Some(former), now)?, profile::load(next, now)?);
    let without = |profile: &Profile| Profile { bearer_notes: None, ..profile.clone() };
    if next.profile.bearer_notes.is_none() {
        bail!(text!("the profile has no [bearer_notes]: write them into its profile.toml first"));
    }
    let same = without(&former.profile) == without(&next.profile);
    if !same || former.residents != next.residents {
        bail!(text!(
            "the profiles differ in more than [bearer_notes]: nothing was changed; copy the former one, and add only that section"
        ));
    }
    data.adopt(former.digest, next.digest)?;
    say!(
        "{folder} goes on with the new profile: start the server with it, and run `yufu notes allow`",
        folder = data.root().display()
    );
    Ok(())
}
