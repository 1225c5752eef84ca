//! What bearer notes cost: exchanges over HTTP, durable, at a server of its own; what of that is
//! cryptography; and what a note costs in memory and against a full spent set.

mod bare;
mod customer;
mod foreign;
mod purse;
mod spent;

use crate::http::{Clients, FEW, MANY, Measured, Server, Target, measure};
use crate::stopwatch::number;
use crate::{Figure, Report, Yardstick};
use anyhow::Result;
use bare::Way;
use customer::Customer;
use foreign::Guest;
use purse::Purse;
use std::path::Path;
use std::thread;
use url::Url;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Notes exchanged of each kind of swap.
    notes: usize,
    /// Withdrawals, and redemptions.
    quotes: usize,
    /// Notes spent before, against which the machine is measured.
    spent: [usize; 3],
}

impl Size {
    /// As the figures are named: spent sets of 10^4, 10^6 and 10^7 notes.
    pub const FULL: Self =
        Self { notes: 30_000, quotes: 2_000, spent: [10_000, 1_000_000, 10_000_000] };
    /// Under a minute: the same names, fewer notes.
    pub const QUICK: Self = Self { notes: 2_500, quotes: 200, spent: [10_000, 100_000, 1_000_000] };
}

/// What is being measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Notes are made that are exchanged afterwards.
    Preparing,
    /// Swaps of so many notes for as many.
    Swapping(usize),
    /// Withdrawals.
    Withdrawing,
    /// Redemptions.
    Redeeming,
    /// The machine alone, with so many notes spent before.
    Spent(usize),
    /// Another mint did not do the swaps of so many notes: what it did before is told.
    Refused(usize),
}

/// In how many slices the swaps are measured, their bare cryptography before and after each.
const SLICES: usize = 5;
/// The most notes of the bare swaps of a slice, on each core: connections wait meanwhile, and a server closes those that wait for
/// some seconds.
const BARE: usize = 1_000;

/// Inputs, and outputs, of the swaps.
const SWAPS: [usize; 4] = [1, 2, 4, 64];

/// Measures everything, at a server that `program` serves from `folder`: on the disk that is meant.
///
/// # Errors
/// If something cannot be set up, or an exchange is refused.
pub fn run(
    size: Size,
    program: &Path,
    folder: &Path,
    tell: &mut dyn FnMut(Stage),
) -> Result<Report> {
    let server = Server::start(program, folder)?;
    let mut customer = Customer::open(&server)?;
    let mut figures = Vec::new();
    let target = &server.target;
    for inputs in SWAPS {
        tell(Stage::Preparing);
        customer.purse.reconnect(target)?;
        let counts = counts(size, inputs);
        customer.fill(all(counts).saturating_mul(inputs))?;
        figures.extend(swaps(target, &mut customer.purse, counts, inputs, tell)?);
    }
    tell(Stage::Withdrawing);
    customer.purse.reconnect(target)?;
    let withdrawals = customer.withdrawals(size.quotes)?;
    figures.push(measure(target, &withdrawals, MANY)?.rate("withdraw", "operations/s"));
    tell(Stage::Redeeming);
    customer.purse.reconnect(target)?;
    let redemptions = customer.redemptions(size.quotes)?;
    figures.push(measure(target, &redemptions, MANY)?.rate("redeem", "operations/s"));
    drop(server);
    for (notes, name) in size.spent.into_iter().zip(["10k", "1m", "10m"]) {
        tell(Stage::Spent(notes));
        figures.extend(spent::measure(notes, name)?);
    }
    Ok(Report { bench: "ecash", figures })
}

/// Measures the swaps of another mint, running already, by the same clients in the same way. Its quotes of method
/// `bolt11` have to be paid by themselves. Its processor time is told if its process is here.
///
/// # Errors
/// If it does not answer as a mint, or refuses an exchange of one note for one; what it refuses later ends the measurement.
pub fn run_at(
    size: Size,
    mint: &Url,
    process: Option<u32>,
    tell: &mut dyn FnMut(Stage),
) -> Result<Report> {
    let mut guest = Guest::open(mint, process)?;
    let mut figures = Vec::new();
    for inputs in SWAPS {
        match guest_swaps(&mut guest, size, inputs, tell) {
            Ok(of_these) => figures.extend(of_these),
            Err(error) if figures.is_empty() => return Err(error),
            Err(_) => {
                tell(Stage::Refused(inputs));
                break;
            }
        }
    }
    Ok(Report { bench: "ecash", figures })
}

fn guest_swaps(
    guest: &mut Guest,
    size: Size,
    inputs: usize,
    tell: &mut dyn FnMut(Stage),
) -> Result<Vec<Figure>> {
    tell(Stage::Preparing);
    guest.purse.reconnect(&guest.target)?;
    let counts = counts(size, inputs);
    guest.fill(all(counts).saturating_mul(inputs))?;
    swaps(&guest.target, &mut guest.purse, counts, inputs, tell)
}

/// How many swaps are measured for their rate, after a slice of them that is not, and for how long they wait.
fn counts(size: Size, inputs: usize) -> (usize, usize) {
    let many = size.notes.checked_div(inputs).unwrap_or(1).max(1);
    (many, many.checked_div(4).unwrap_or(1).max(1))
}

/// How many swaps of those that are measured for their rate are sent at once.
fn slice(many: usize) -> usize {
    many.div_ceil(SLICES).max(1)
}

fn all((many, few): (usize, usize)) -> usize {
    slice(many).saturating_add(many).saturating_add(few)
}

/// The figures of one kind of swap, whose notes the purse has.
fn swaps(
    target: &Target,
    purse: &mut Purse,
    (many, few): (usize, usize),
    inputs: usize,
    tell: &mut dyn FnMut(Stage),
) -> Result<Vec<Figure>> {
    let swaps = purse.swaps(all((many, few)), inputs)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let slice = slice(many);
    let (warming, swaps) = swaps.split_at(slice);
    let (rated, waited) = swaps.split_at(many);
    let portions = many.min(BARE.div_ceil(inputs));
    let mut bare = bare::swap(Way::Portable, inputs, portions, cores)?;
    let mut ours = bare::swap(Way::Ours, inputs, portions, cores)?;
    tell(Stage::Swapping(inputs));
    let mut rate = Measured::default();
    let mut clients = Clients::open(target, MANY.min(slice))?;
    // A server's threads and their memory are there from when they are first needed.
    clients.measure(target, warming)?;
    bare.measure()?;
    ours.measure()?;
    for slice in rated.chunks(slice) {
        rate.add(clients.measure(target, slice)?);
        bare.measure()?;
        ours.measure()?;
    }
    let waits = measure(target, waited, FEW)?;
    let name = format!("swap.{inputs}x{inputs}");
    let mut figures = rate.swap_figures(&name, (bare.mean(), ours.mean()), cores, inputs == 1);
    figures.extend(waits.wait_figures(&name));
    Ok(figures)
}

impl Measured {
    /// Beside the bare cryptography in microseconds, as any processor does it and as the server does.
    fn swap_figures(
        &self,
        name: &str,
        (bare, ours): (f64, f64),
        cores: usize,
        all: bool,
    ) -> Vec<Figure> {
        let yardstick = Yardstick {
            name: "its bare cryptography, as on any processor, on all cores".to_owned(),
            value: number(cores) * 1e6 / bare,
            unit: "swaps/s",
        };
        let target = if all { "10,000 a second" } else { "no fewer notes than 1x1" };
        let mut figures =
            vec![Figure::beside(name, self.per_second(), "swaps/s", yardstick, target)];
        if all {
            let cpu = format!("{name}.cpu");
            let yardstick =
                |name: &str, value| Yardstick { name: name.to_owned(), value, unit: "CPU us" };
            let of_any = yardstick("its bare cryptography, as on any processor", bare);
            let target = "at most 1.3 times its bare cryptography";
            figures.push(Figure::beside(&cpu, self.user, "CPU us", of_any, target));
            let of_server = yardstick("its bare cryptography, as done here", ours);
            let beside = format!("{cpu}.beside");
            figures.push(Figure::beside(beside, self.user, "CPU us", of_server, "stated"));
            let kernel = format!("{name}.kernel");
            figures.push(Figure::alone(kernel, self.kernel, "CPU us", "stated"));
            let clients = format!("{name}.clients");
            figures.push(Figure::alone(clients, self.clients, "CPU us", "stated"));
        }
        figures
    }

    fn wait_figures(&self, name: &str) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (percent, word) in [(50, "p50"), (99, "p99")] {
            let name = format!("{name}.{word}");
            figures.push(Figure::alone(name, self.wait(percent), "ms", "32 requests at once"));
        }
        figures
    }
}
