//! `yufu card read`: opens a card, reads it, and says what was proven.

use super::told::Told;
use super::{signing, specimen};
use crate::command_line::CardReading;
use crate::data::DataFolder;
use crate::manual;
use crate::profile::Country;
use crate::words::text;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_card::{Access, CardData, InProcess, Randomness, Reading, read};
use yufu_emrtd::Anchors;
use yufu_emrtd::mrz::ShortDate;
use yufu_keys::random;

pub(super) fn run(
    data: &DataFolder,
    country: &Country,
    options: &CardReading,
    now: Timestamp,
) -> Result<ExitCode> {
    let anchors = anchors(data, country, options, now)?;
    let reading =
        Reading::new(access(options)?, Arc::new(anchors), now, Randomness::draw(random::<32>));
    let (read, place) = match &options.card {
        Some(name) => {
            let chip = specimen::find(data, name)?;
            let mut chip = chip.with_context(|| {
                text!(
                    "there is no card {name}: make it with `yufu card emulate {name}`",
                    name = name
                )
            })?;
            let mut random = random::<32>;
            (read(&mut InProcess::new(&mut chip, &mut random), reading)?, name.clone())
        }
        None => on_reader(options.reader.as_deref(), reading)?,
    };
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

#[cfg(feature = "pcsc")]
fn on_reader(wanted: Option<&str>, reading: Reading) -> Result<(CardData, String)> {
    let mut reader = super::pcsc::OnReader::find(wanted)?;
    let data = read(&mut reader, reading)?;
    Ok((data, reader.reader))
}

#[cfg(not(feature = "pcsc"))]
fn on_reader(_: Option<&str>, _: Reading) -> Result<(CardData, String)> {
    bail!(text!(
        "this build knows no readers: build it with the feature pcsc, or name an emulated card with --card"
    ))
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

fn access(options: &CardReading) -> Result<Access> {
    let CardReading { can, number, birth, expiry, .. } = options;
    if let Some(can) = can {
        return Ok(Access::can(can)?);
    }
    let (Some(number), Some(birth), Some(expiry)) = (number, birth, expiry) else {
        bail!(text!("name what opens the card: --can, or --number, --birth and --expiry"));
    };
    Ok(Access::zone(&number.to_uppercase(), ShortDate::of(birth)?, ShortDate::of(expiry)?))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = File::create_new(path);
    let mut file = file.with_context(|| {
        text!("{path} exists and is not overwritten: name another file", path = path.display())
    })?;
    Ok(file.write_all(bytes)?)
}
