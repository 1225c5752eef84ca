//! The profile: the one built in, or one from a folder.

use crate::words::text;
use anyhow::{Context, Result, anyhow};
use std::path::Path;
use yufu_base::{Digest, Timestamp};
use yufu_profile::{Profile, ProfileErrors, Resident, Sources};

const PROFILE: (&str, &str) =
    ("profiles/china/profile.toml", include_str!("../../../profiles/china/profile.toml"));
const INSTITUTIONS: (&str, &str) =
    ("profiles/china/institutions.toml", include_str!("../../../profiles/china/institutions.toml"));
const CITY: (&str, &str) =
    ("profiles/china/city.toml", include_str!("../../../profiles/china/city.toml"));
const RESIDENTS: (&str, &str) =
    ("profiles/china/residents.csv", include_str!("../../../profiles/china/residents.csv"));

/// A profile with its city, and the digest that state made with it is claimed for.
pub(crate) struct Country {
    pub(crate) profile: Profile,
    pub(crate) residents: Vec<Resident>,
    pub(crate) digest: Digest,
}

/// Reads the profile in `folder`, or the one built in. Nothing is returned unless all of it is right.
pub(crate) fn load(folder: Option<&Path>, now: Timestamp) -> Result<Country> {
    let today = today(now)?;
    let texts: [(String, String); 4] = match folder {
        None => [PROFILE, INSTITUTIONS, CITY, RESIDENTS]
            .map(|(name, text)| (name.to_owned(), text.to_owned())),
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
    let [profile, institutions, city, people] = &texts;
    let sources = Sources {
        profile: (&profile.0, &profile.1),
        institutions: (&institutions.0, &institutions.1),
        city: (&city.0, &city.1),
    };
    let profile = Profile::read(sources).map_err(|e| refused(&e))?;
    let residents = profile.read_residents(&people.0, &people.1, today).map_err(|e| refused(&e))?;
    let all: String = texts.iter().map(|(_, text)| text.as_str()).collect();
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
