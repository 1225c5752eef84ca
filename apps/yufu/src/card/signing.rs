//! Who signs the cards of a country, and whom a reader believes: the keys in the authority's folder, or lists from
//! files.

use crate::data::DataFolder;
use crate::profile::Country;
use crate::words::text;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use yufu_base::Timestamp;
use yufu_emrtd::{Anchors, Certificate};
use yufu_keys::{CardCountry, CardKeys};
use yufu_profile::{CardProfile, Role};

/// What the profile says of cards.
pub(super) fn cards(country: &Country) -> Result<&CardProfile> {
    country.profile.cards.as_ref().with_context(|| text!("this country issues no chip cards"))
}

/// The keys that sign the country's cards, made at first use.
pub(super) fn keys(data: &DataFolder, country: &Country, now: Timestamp) -> Result<CardKeys> {
    let profile = &country.profile;
    let authority = profile.institutions_of(Role::IdentityAuthority).next();
    let authority = authority.with_context(|| {
        text!("the profile names no {role}", role = Role::IdentityAuthority.word())
    })?;
    let named = CardCountry {
        code: profile.country.clone(),
        organisation: authority.name.en().to_owned(),
        valid_years: cards(country)?.valid_years,
    };
    Ok(CardKeys::open(&data.keys(&authority.id)?, &named, now)?)
}

/// Whom a reader believes, by lists from files.
pub(super) fn anchors(
    master_list: &Path,
    authority: &Path,
    revocations: &[PathBuf],
    now: Timestamp,
) -> Result<Anchors> {
    let read = |path: &Path| fs::read(path).with_context(|| path.display().to_string());
    let authority = Certificate::read(&read(authority)?)?;
    let mut anchors = Anchors::read(&read(master_list)?, &authority, now)?;
    for list in revocations {
        anchors.add_revocations(&read(list)?)?;
    }
    Ok(anchors)
}
