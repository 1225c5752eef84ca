//! The card of a resident of the sample city: made once, kept in the data folder as an emulated card is.

use super::signing;
use crate::data::DataFolder;
use crate::profile::Country;
use crate::words::text;
use anyhow::{Context, Result};
use yufu_base::{Digest, Timestamp};
use yufu_card::{
    Card, CardSecrets, Chip, Contents, DocumentSigner, Holder, Protocols, personalise, portrait,
};
use yufu_emrtd::mrz::Sex;
use yufu_keys::random;
use yufu_profile::{CardProfile, Resident};

/// The card called `name`, if it was made.
pub(super) fn find(data: &DataFolder, name: &str) -> Result<Option<Chip>> {
    let Some(bytes) = data.cards()?.find(name, "card")? else { return Ok(None) };
    Ok(Some(Chip::new(Contents::from_bytes(&bytes)?)))
}

/// The card called `name`, made at first use for the resident that the name says.
pub(super) fn card(
    data: &DataFolder,
    country: &Country,
    name: &str,
    now: Timestamp,
) -> Result<Chip> {
    let bytes = data.cards()?.document(name, "card", || {
        let contents = make(data, country, resident(country, name)?, now)?;
        Ok::<_, anyhow::Error>(contents.to_bytes()?.to_vec())
    })?;
    Ok(Chip::new(Contents::from_bytes(&bytes)?))
}

/// `resident-7` is the eighth.
fn resident<'a>(country: &'a Country, name: &str) -> Result<&'a Resident> {
    let index = name.strip_prefix("resident-").and_then(|index| index.parse::<usize>().ok());
    let found = index.and_then(|index| country.residents.get(index));
    found.with_context(|| {
        text!(
            "{name}: cards are called resident-0 to resident-{last}, after the residents of the sample city",
            name = name,
            last = country.residents.len().saturating_sub(1)
        )
    })
}

fn make(
    data: &DataFolder,
    country: &Country,
    resident: &Resident,
    now: Timestamp,
) -> Result<Contents> {
    let keys = signing::keys(data, &country.profile, now)?;
    let signer = keys.document_signer();
    let profile = signing::cards(&country.profile)?;
    let secrets = CardSecrets::draw(random::<32>);
    let face = Digest::of(resident.number.as_str().as_bytes());
    Ok(personalise(
        &holder(resident, profile),
        &new_card(country, profile, now)?,
        Protocols::default(),
        &secrets,
        &portrait(&face.0)?,
        DocumentSigner { certificate: &signer.certificate, key: &*signer.key },
        now,
    )?)
}

fn holder(resident: &Resident, profile: &CardProfile) -> Holder {
    let Resident { region, locality, street, house, .. } = resident;
    Holder {
        number: resident.number.as_str().to_owned(),
        family_name: resident.family_name.clone(),
        given_name: resident.given_name.clone(),
        sex: match resident.sex {
            yufu_profile::Sex::Female => Sex::Female,
            yufu_profile::Sex::Male => Sex::Male,
        },
        birth_date: resident.birth_date.to_string(),
        nationality: profile.issuer.clone(),
        address: [region, locality, street, house].map(Clone::clone).to_vec(),
    }
}

/// A card's number, the digits on its face, its last day.
fn new_card(country: &Country, profile: &CardProfile, now: Timestamp) -> Result<Card> {
    let today = country.profile.utc_offsets.date_at(now);
    let today = today.with_context(|| text!("the clock is beyond all calendars"))?;
    let last = profile.last_day(today);
    let last = last.with_context(|| text!("the clock is beyond all calendars"))?;
    Ok(Card::draw(profile.issuer.clone(), last.to_string(), random::<32>))
}
