//! Writes a sample city to standard output:
//! `cargo run -p yufu-profile --example generate-city -- --seed 42 --residents 1000`.
//! Options: `--profile DIR` (profiles/china), `--as-of DAY` (2026-01-01).

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use yufu_profile::{city, load_dir, write_residents};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut seed, mut residents) = (42, 1000);
    let mut profile = PathBuf::from("profiles/china");
    let mut as_of = jiff::civil::date(2026, 1, 1);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--seed" => seed = value.parse()?,
            "--residents" => residents = value.parse()?,
            "--profile" => profile = value.into(),
            "--as-of" => as_of = value.parse()?,
            _ => {
                return Err(
                    format!("{name} is unknown: --seed, --residents, --profile, --as-of").into()
                );
            }
        }
    }
    let profile = load_dir(&profile)?;
    let city = city::generate(&profile, seed, residents, as_of)?;
    std::io::stdout().write_all(write_residents(&city).as_bytes())?;
    Ok(())
}
