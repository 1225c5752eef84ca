//! The machine alone: valid payments in lists, limits on, applied on one core; how much memory an
//! account takes; how long a start from a snapshot takes.

use super::workload::{Country, LIST};
use crate::memory::resident;
use crate::stopwatch::{Stopwatch, number};
use crate::{Figure, Yardstick};
use anyhow::{Context as _, Result, ensure};
use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use yufu_base::{Digest, Snapshot as _, Stamp, StateMachine as _};
use yufu_machine::{Machine, Submission};

/// Payments applied before the clock starts, and the bytes of one batch.
const BATCH: usize = 8_000;

/// Books of one size, measured.
pub(super) struct Applied {
    machine: Machine,
    accounts: usize,
    /// Payments a second.
    pub(super) rate: f64,
    /// Hashing the same bytes once with BLAKE3, in payments a second.
    hashing: f64,
    /// Memory for each account.
    pub(super) bytes_per_account: f64,
}

pub(super) fn measure(accounts: usize, payments: usize) -> Result<Applied> {
    let before = resident()?;
    let mut country = Country::new(accounts)?;
    let mut machine = country.opened()?;
    let after = resident()?;
    let (mut applying, mut hashing, mut done) = (0.0, 0.0, 0_usize);
    while done < payments {
        country.now = country.now.plus_seconds(1);
        let lists = lists(&mut country)?;
        let bytes: Vec<Vec<u8>> = lists.iter().map(borsh::to_vec).collect::<Result<_, _>>()?;
        let watch = Stopwatch::start();
        for list in &lists {
            let outcome = machine.apply(Stamp { at: country.now }, black_box(list));
            let each = outcome.map_err(|refusal| anyhow::anyhow!("{refusal}"))?.each;
            let each = each.context("a list comes to as many outcomes as it has orders")?;
            ensure!(each.iter().all(Result::is_ok), "a payment was refused");
            done = done.saturating_add(each.len());
        }
        applying += watch.seconds();
        let watch = Stopwatch::start();
        for bytes in &bytes {
            black_box(Digest::of(black_box(bytes)));
        }
        hashing += watch.seconds();
    }
    let bytes = number(after.saturating_sub(before));
    Ok(Applied {
        machine,
        accounts,
        rate: number(done) / applying,
        hashing: number(done) / hashing,
        bytes_per_account: bytes * 1024.0 / number(accounts),
    })
}

/// One batch: what each list commits to is worked out, as where its signature is verified.
fn lists(country: &mut Country) -> Result<Vec<Submission>> {
    let mut lists = Vec::new();
    for _ in 0..BATCH / (2 * LIST) {
        lists.extend(country.payments(2 * LIST)?);
    }
    lists.iter().for_each(Submission::prepare);
    Ok(lists)
}

impl Applied {
    pub(super) fn figure(&self, name: &'static str, target: &'static str) -> Figure {
        let yardstick = Yardstick {
            name: "hashing the same bytes once (BLAKE3)".to_owned(),
            value: self.hashing,
            unit: "transfers/s",
        };
        Figure::beside(name, self.rate, "transfers/s", yardstick, target)
    }

    /// Writes the state down and reads it back, as a start does.
    pub(super) fn restart(&self, folder: &Path) -> Result<Figure> {
        let path = folder.join("state");
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        self.machine.write_state(&mut file)?;
        file.flush()?;
        drop(file);
        let watch = Stopwatch::start();
        let read = Machine::read_state(&mut BufReader::with_capacity(1 << 20, File::open(&path)?))?;
        let seconds = watch.seconds();
        ensure!(read.totals() == self.machine.totals(), "the state was not read back as it was");
        let watch = Stopwatch::start();
        let bytes = std::fs::read(&path)?;
        black_box(Digest::of(&bytes));
        let yardstick = Yardstick {
            name: "reading and hashing the file".to_owned(),
            value: watch.seconds(),
            unit: "s",
        };
        std::fs::remove_file(&path)?;
        let target = "does not grow with history; proportional to accounts";
        ensure!(self.accounts > 0, "there are no accounts");
        Ok(Figure::beside("restart.10m", seconds, "s", yardstick, target))
    }
}
