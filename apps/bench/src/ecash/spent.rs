//! The rules of notes by themselves, with so many notes spent before: how many swaps a second, and what a
//! spent note and a promised output take in memory.

use crate::Figure;
use crate::memory::resident;
use crate::stopwatch::{Stopwatch, number};
use anyhow::{Result, anyhow};
use yufu_base::{Digest, Timestamp};
use yufu_mint::{Input, KeysetNumber, KeysetTerms, Mint, Output, Payees, Point};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// Swaps measured.
const SWAPS: usize = 100_000;

pub(super) fn measure(notes: usize, name: &str) -> Result<Vec<Figure>> {
    let mut mint = Mint::default();
    let terms = KeysetTerms {
        denominations: 20,
        input_fee_ppk: 0,
        final_expiry: NOW.plus_seconds(86_400),
        payees: Payees::Anyone,
    };
    let keyset = mint.register(1, Digest::ZERO, terms, NOW)?;
    let before = resident()?;
    for place in 0..notes {
        let outputs = [output(keyset, place)];
        let checked = mint.check(&[], &outputs, NOW).map_err(|e| anyhow!(e))?;
        mint.commit(checked);
    }
    let promised = resident()?;
    for place in 0..notes.saturating_sub(1) {
        let inputs = [input(keyset, place)];
        let checked = mint.check(&inputs, &[], NOW).map_err(|e| anyhow!(e))?;
        mint.commit(checked);
    }
    let spent = resident()?;
    // One note is out, and goes on from swap to swap.
    let watch = Stopwatch::start();
    for swap in 0..SWAPS {
        let inputs = [input(keyset, notes.saturating_add(swap))];
        let outputs = [output(keyset, notes.saturating_add(swap))];
        let checked = mint.check(&inputs, &outputs, NOW).map_err(|e| anyhow!(e))?;
        mint.commit(checked);
    }
    let rate = number(SWAPS) / watch.seconds();
    let mut figures =
        vec![Figure::alone(format!("swap.rules.{name}"), rate, "swaps/s", "far more than HTTP")];
    if name == "10m" {
        let each = |kib: usize| number(kib.saturating_mul(1_024)) / number(notes);
        let spent = each(spent.saturating_sub(promised));
        let promised = each(promised.saturating_sub(before));
        figures.push(Figure::alone("spent_note", spent, "bytes", "at most 64"));
        figures.push(Figure::alone("promised_output", promised, "bytes", "stated"));
    }
    Ok(figures)
}

/// A point that says its place, scattered as hashes are.
fn point(kind: u64, place: usize) -> Point {
    let place = u64::try_from(place).unwrap_or(u64::MAX);
    let Digest(hash) = Digest::of(&[kind.to_le_bytes(), place.to_le_bytes()].concat());
    let mut bytes = [2; 33];
    for (byte, of) in bytes.iter_mut().skip(1).zip(hash) {
        *byte = of;
    }
    Point(bytes)
}

fn input(keyset: KeysetNumber, place: usize) -> Input {
    Input { keyset, amount: 1, point: point(1, place) }
}

fn output(keyset: KeysetNumber, place: usize) -> Output {
    Output { keyset, amount: 1, blinded: point(2, place) }
}
