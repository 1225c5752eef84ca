//! The profile: the one built in, or one from a folder.

use crate::words::text;
use anyhow::{Context, Result, anyhow};
use std::path::Path;
use yufu_base::{Digest, Timestamp};
use yufu_profile::{Profile, ProfileErrors, Resident, Sources};

/// The files of a profile that is built in, each with its name.
type Files = [(&'static str, &'static str); 4];

macro_rules! built_in {
    ($folder:literal) => {
        [
            (
                concat!($folder, "/profile.toml"),
                include_str!(concat!("../../../", $folder, "/profile.toml")),
            ),
            (
                concat!($folder, "/institutions.toml"),
                include_str!(concat!("../../../", $folder, "/institutions.toml")),
            ),
            (
                concat!($folder, "/city.toml"),
                include_str!(concat!("../../../", $folder, "/city.toml")),
            ),
            (
                concat!($folder, "/residents.csv"),
                include_str!(concat!("../../../", $folder, "/residents.csv")),
            ),
        ]
    };
}

/// The profiles that are built in, the one that is taken unless another is named first.
const BUILT_IN: [Files; 2] = [built_in!("profiles/china"), built_in!("profiles/plain")];

/// A profile with its city, and the digest that state made with it is claimed for.
pub(crate) struct Country {
    pub(crate) profile: Profile,
    pub(crate) residents: Vec<Resident>,
    pub(crate) digest: Digest,
}

/// Reads the profile in `folder`, or the one built in. Nothing is returned unless all of it is right.
pub(crate) fn load(folder: Option<&Path>, now: Timestamp) -> Result<Country> {
    let texts: [(String, String); 4] = match folder {
        None => {
            let [first, ..] = BUILT_IN;
            return read(&first, now);
        }
        Some(folder) => {
            let read = |name: &str| {
                let path = folder.join(name);
                let text = std::fs::read_to_string(&path);
                text.map(|text| (path.display().to_string(), text)).with_context(|| {
                    text!("{path}: a profile has this file, in UTF-8", path = path.display())
                })
            };
            [
                read("profile.toml")?,
                read("institutions.toml")?,
                read("city.toml")?,
                read("residents.csv")?,
            ]
        }
    };
    read(&texts.each_ref().map(|(name, text)| (name.as_str(), text.as_str())), now)
}

/// A built-in country that the one of `profile` knows, to be its neighbour.
pub(crate) fn neighbour(profile: &Profile, now: Timestamp) -> Result<Option<Country>> {
    for files in BUILT_IN {
        let other = read(&files, now)?;
        let vct = other.profile.identity().map(|kind| kind.vct.clone());
        let known = profile.foreign_credentials.iter().any(|foreign| {
            foreign.country == other.profile.country && Some(&foreign.vct) == vct.as_ref()
        });
        if known {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

fn read(texts: &[(&str, &str); 4], now: Timestamp) -> Result<Country> {
    let today = today(now)?;
    let [profile, institutions, city, people] = *texts;
    let sources = Sources { profile, institutions, city };
    let profile = Profile::read(sources).map_err(|e| refused(&e))?;
    let residents = profile.read_residents(people.0, people.1, today).map_err(|e| refused(&e))?;
    let all: String = texts.iter().map(|(_, text)| *text).collect();
    Ok(Country { profile, residents, digest: Digest::of(all.as_bytes()) })
}

fn today(now: Timestamp) -> Result<jiff::civil::Date> {
    let seconds =
        i64::try_from(now.seconds()).with_context(|| text!("the clock is beyond all calendars"))?;
    Ok(jiff::Timestamp::from_second(seconds)?.to_zoned(jiff::tz::TimeZone::UTC).date())
}

fn refused(errors: &ProfileErrors) -> anyhow::Error {
    anyhow!(text!(
        "the profile was refused, and nothing of it imported:\n{errors}",
        errors = errors
    ))
}
