//! `yufu card`: chip cards, emulated and read.

mod emulate;
mod fault;
#[cfg(feature = "pcsc")]
mod pcsc;
mod reading;
mod signing;
mod specimen;
mod table;
mod told;
mod vpcd;

pub(crate) use fault::said;
pub(crate) use table::OnTable;

use crate::command_line::{self, CardAction, CardOpening};
use crate::data::DataFolder;
use crate::profile;
use crate::words::text;
use anyhow::{Context, Result, bail};
use std::process::ExitCode;
use yufu_card::Access;
use yufu_emrtd::mrz::ShortDate;
use yufu_engine::{Clock, SystemClock};

/// A card to be read, and where it lies: an emulated one of the data folder, in this process, or the one on a reader.
pub(crate) fn open(
    data: &DataFolder,
    name: Option<&str>,
    reader: Option<&str>,
) -> Result<(OnTable, String)> {
    let Some(name) = name else { return OnTable::on_reader(reader) };
    let chip = specimen::find(data, name)?;
    let chip = chip.with_context(|| {
        text!("there is no card {name}: make it with `yufu card emulate {name}`", name = name)
    })?;
    Ok((OnTable::Here(Box::new(chip)), name.to_owned()))
}

pub(crate) fn run(options: &command_line::Card) -> Result<ExitCode> {
    let data = DataFolder::choose(options.data.data.clone(), "demo")?;
    let now = SystemClock::new().read().wall;
    let country = profile::load(options.profile.as_deref(), now)?;
    match &options.action {
        CardAction::Emulate { name, reader } => emulate::run(&data, &country, name, *reader, now),
        CardAction::Read(reading) => reading::run(&data, &country, reading, now),
    }
}

/// What opens a card, as it was typed.
pub(crate) fn access(options: &CardOpening) -> Result<Access> {
    let CardOpening { can, number, birth, expiry } = options;
    if let Some(can) = can {
        return Ok(Access::can(can)?);
    }
    let (Some(number), Some(birth), Some(expiry)) = (number, birth, expiry) else {
        bail!(text!("name what opens the card: --can, or --number, --birth and --expiry"));
    };
    Ok(Access::zone(&number.to_uppercase(), ShortDate::of(birth)?, ShortDate::of(expiry)?))
}
