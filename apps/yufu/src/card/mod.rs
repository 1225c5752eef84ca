//! `yufu card`: chip cards, emulated and read.

mod emulate;
mod fault;
#[cfg(feature = "pcsc")]
mod pcsc;
mod reading;
mod signing;
mod specimen;
mod told;
mod vpcd;

pub(crate) use fault::said;

use crate::command_line::{self, CardAction};
use crate::data::DataFolder;
use crate::profile;
use anyhow::Result;
use std::process::ExitCode;
use yufu_engine::{Clock, SystemClock};

pub(crate) fn run(options: &command_line::Card) -> Result<ExitCode> {
    let data = DataFolder::choose(options.data.data.clone(), "demo")?;
    let now = SystemClock::new().read().wall;
    let country = profile::load(options.profile.as_deref(), now)?;
    match &options.action {
        CardAction::Emulate { name, reader } => emulate::run(&data, &country, name, *reader, now),
        CardAction::Read(reading) => reading::run(&data, &country, reading, now),
    }
}
