//! Durable batches of 128 KiB a second, on SQLite and on PostgreSQL (started here, from the
//! system's binaries; once alone and once with a synchronous standby), each beside the yardsticks of
//! the same run: a bare `fdatasync`, and the same rows in the same database without a log.
//! `cargo run --release -p yufu-log --features measure --example append [-- DIRECTORY [BATCHES]]`

use std::error::Error;
use std::path::Path;
use yufu_log::measure::{Measured, appends, bare_postgres, bare_sqlite, bare_syncs};
use yufu_log::scratch::Server;
use yufu_log::{PostgresLog, SqliteLog};

const BATCH: usize = 128 << 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "/tmp".to_owned());
    let batches: u32 = arguments.next().map_or(Ok(1000), |number| number.parse())?;
    let directory = tempfile::tempdir_in(folder)?;
    let payload = vec![0xa5; BATCH];
    let path = |name: &str| directory.path().join(name);
    println!("{batches} batches of {BATCH} bytes, one after the other");

    let bare = bare_syncs(&path("bare"), &payload, batches)?;
    tell("bare fdatasync", &bare, &[]);
    let rows = bare_sqlite(&path("rows"), &payload, batches)?;
    tell("rows in SQLite", &rows, &[("fdatasync", &bare)]);
    let log = appends(&mut SqliteLog::open(&path("log"))?, &payload, batches)?;
    tell("log in SQLite", &log, &[("rows", &rows), ("fdatasync", &bare)]);

    let server = Server::start(&path("a"), &[("max_wal_size", "4GB")])?;
    on_postgres("", &server, &payload, batches, &bare)?;
    let _standby = with_standby(&server, &path("b"))?;
    on_postgres(" with a standby", &server, &payload, batches, &bare)
}

fn on_postgres(
    how: &str,
    server: &Server,
    payload: &[u8],
    batches: u32,
    bare: &Measured,
) -> Result<(), Box<dyn Error>> {
    let name = if how.is_empty() { "alone" } else { "replicated" };
    server.execute(&format!("CREATE DATABASE {name}"))?;
    let rows = bare_postgres(&mut server.client(name)?, payload, batches)?;
    tell(&format!("rows in PostgreSQL{how}"), &rows, &[("fdatasync", bare)]);
    let mut log = PostgresLog::open(&server.address(name).parse()?)?;
    let log = appends(&mut log, payload, batches)?;
    tell(&format!("log in PostgreSQL{how}"), &log, &[("rows", &rows), ("fdatasync", bare)]);
    Ok(())
}

fn with_standby(primary: &Server, folder: &Path) -> Result<Server, Box<dyn Error>> {
    let standby = primary.standby(folder, "b")?;
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (b)'")?;
    primary.execute("SELECT pg_reload_conf()")?;
    Ok(standby)
}

#[expect(clippy::float_arithmetic, reason = "a measurement")]
fn tell(name: &str, measured: &Measured, yardsticks: &[(&str, &Measured)]) {
    let (p50, p99) = (measured.per_mille(500), measured.per_mille(990));
    print!("{name:36} {:>6.0}/s  p50 {p50:>9.2?}  p99 {p99:>9.2?}", measured.rate());
    for (yardstick, of) in yardsticks {
        print!("  {:.2} of {yardstick}", measured.rate() / of.rate());
    }
    println!();
}
