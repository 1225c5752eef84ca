//! `yufu card read`: opens a card, reads it, and says what was proven.

use super::told::Told;
use super::{access, signing};
use crate::command_line::CardReading;
use crate::data::DataFolder;
use crate::manual;
use crate::profile::Country;
use crate::words::text;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_card::{Randomness, Reading, read};
use yufu_emrtd::Anchors;
use yufu_keys::random;

pub(super) fn run(
    data: &DataFolder,
    country: &Country,
    options: &CardReading,
    now: Timestamp,
) -> Result<ExitCode> {
    let anchors = anchors(data, country, options, now)?;
    let reading = Reading::new(
        access(&options.opening)?,
        Arc::new(anchors),
        now,
        Randomness::draw(random::<32>),
    );
    let (mut card, place) = super::open(data, options.card.as_deref(), options.reader.as_deref())?;
    let read = read(&mut card, reading)?;
    if let (Some(path), Some(portrait)) = (&options.portrait, &read.portrait) {
        write_new(path, &portrait.image)?;
    }
    let told = Told::of(&read, place);
    if options.json {
        return manual::print(format!("{}\n", serde_json::to_string_pretty(&told)?).as_bytes());
    }
    told.say();
    Ok(ExitCode::SUCCESS)
}

fn anchors(
    data: &DataFolder,
    country: &Country,
    options: &CardReading,
    now: Timestamp,
) -> Result<Anchors> {
    match (&options.master_list, &options.authority) {
        (Some(list), Some(authority)) => {
            signing::anchors(list, authority, &options.revocations, now)
        }
        _ => Ok(signing::keys(data, country, now)?.anchors(now)?),
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = File::create_new(path);
    let mut file = file.with_context(|| {
        text!("{path} exists and is not overwritten: name another file", path = path.display())
    })?;
    Ok(file.write_all(bytes)?)
}
