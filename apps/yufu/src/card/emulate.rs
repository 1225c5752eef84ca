//! `yufu card emulate`: a card in the virtual reader.

use super::specimen;
use super::vpcd;
use crate::data::DataFolder;
use crate::profile::Country;
use crate::words::say;
use anyhow::Result;
use std::net::SocketAddr;
use std::process::ExitCode;
use yufu_base::Timestamp;
use yufu_keys::random;

pub(super) fn run(
    data: &DataFolder,
    country: &Country,
    name: &str,
    reader: SocketAddr,
    now: Timestamp,
) -> Result<ExitCode> {
    let mut chip = specimen::card(data, country, name, now)?;
    say!(
        "The card of {name} has the number {can} on its face.",
        name = name,
        can = chip.contents().can()
    );
    let mut stream = vpcd::connect(reader)?;
    say!("It lies on the virtual reader; Ctrl-C takes it off.");
    vpcd::serve(&mut stream, &mut chip, random::<32>)?;
    say!("The virtual reader is gone.");
    Ok(ExitCode::SUCCESS)
}
