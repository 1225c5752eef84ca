//! What the ledger costs: the machine alone, its memory and its start, and payments made durable.

mod apply;
mod authenticated;
mod durable;
mod postgres;
mod views;
pub(crate) mod workload;

use crate::{Figure, Report};
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Accounts of the three sizes of books.
    accounts: [usize; 3],
    /// Payments applied to each.
    payments: usize,
    /// Payments made durable.
    durable: usize,
    /// How long each ledger in PostgreSQL pays.
    postgres: Duration,
    /// Payments whose orders wallets signed.
    authenticated: usize,
}

impl Size {
    /// As the figures are named: 10^4, 10^6 and 10^7 accounts.
    pub const FULL: Self = Self {
        accounts: [10_000, 1_000_000, 10_000_000],
        payments: 4_000_000,
        durable: 4_000_000,
        postgres: Duration::from_secs(20),
        authenticated: 40_000,
    };
    /// Under a minute: the same names, smaller books.
    pub const QUICK: Self = Self {
        accounts: [10_000, 100_000, 500_000],
        payments: 400_000,
        durable: 400_000,
        postgres: Duration::from_secs(3),
        authenticated: 4_000,
    };
}

/// What is being measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The machine alone, with so many accounts.
    Apply(usize),
    /// A start.
    Restart,
    /// Payments made durable.
    Durable,
    /// The same with the log in PostgreSQL.
    DurableInPostgres,
    /// A ledger in PostgreSQL's tables.
    Postgres,
    /// Payments whose orders wallets signed.
    Authenticated,
    /// The history, kept up behind the log.
    Views,
}

/// Measures everything. `folder` is where durable things are written: on the disk that is meant.
/// `tell` hears what is being measured.
///
/// # Errors
/// If something cannot be set up.
pub fn run(size: Size, folder: &Path, tell: &mut dyn FnMut(Stage)) -> Result<Report> {
    let mut figures = Vec::new();
    let [small, middle, large] = size.accounts;
    tell(Stage::Apply(small));
    let first = apply::measure(small, size.payments)?;
    figures.push(first.figure("apply.10k", "over 2 million a second and core"));
    tell(Stage::Apply(middle));
    let second = apply::measure(middle, size.payments)?;
    figures.push(second.figure("apply.1m", "between the other two"));
    tell(Stage::Apply(large));
    let third = apply::measure(large, size.payments)?;
    figures.push(third.figure("apply.10m", "at least a third of apply.10k"));
    figures.push(Figure::alone("memory.account", third.bytes_per_account, "bytes", "at most 200"));
    tell(Stage::Restart);
    figures.push(third.restart(folder)?);
    drop(third);
    tell(Stage::Durable);
    let durable = durable::over_sqlite(small, size.durable, folder)?;
    figures.extend(durable.figures("durable", first.rate));
    tell(Stage::DurableInPostgres);
    let name = "durable.postgres";
    figures.extend(match durable::over_postgres(small, size.durable, folder)? {
        Some(durable) => durable.figures(name, first.rate),
        None => durable::not_measured(name),
    });
    tell(Stage::Postgres);
    figures.extend(postgres::figures(durable.rate, small, size.postgres, folder)?);
    tell(Stage::Views);
    figures.extend(views::measure(small, size.durable, folder)?);
    tell(Stage::Authenticated);
    figures.push(authenticated::measure(size.authenticated)?);
    Ok(Report { bench: "ledger", figures })
}
