//! Measures the register: generates a city, imports it into files, reads some of it:
//! `cargo run --release -p yufu-population --example import-city -- 400000`.

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use yufu_base::Timestamp;
use yufu_database::{Database, MasterKey, Sealer};
use yufu_population::{Access, Population};
use yufu_profile::{Column, city, load_dir};

/// How many residents are read one after the other.
const READS: usize = 1000;

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "this program measures")]
async fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).as_deref().unwrap_or("10000").parse()?;
    let profile = load_dir(Path::new("profiles/china"))?;
    let start = Instant::now();
    let residents = city::generate(&profile, 1, count, jiff::civil::date(2026, 1, 1))?;
    println!("generated {count} residents in {:.2?}", start.elapsed());

    let folder = tempfile::tempdir()?;
    let records = Database::open(&folder.path().join("records.db")).await?;
    let keys = Database::open(&folder.path().join("keys.db")).await?;
    let sealer = Sealer::open(keys, &MasterKey::new([1; 32])).await?;
    let register = Population::open(records, sealer).await?;
    let start = Instant::now();
    register.import(&residents, |_, _| ()).await?;
    println!("imported them in {:.2?}", start.elapsed());

    let access = Access {
        actor: "measurement".into(),
        role: "measurement".into(),
        purpose: "measure how long a recorded read takes".into(),
        fields: [Column::FamilyName, Column::GivenName].into(),
        at: Timestamp::default(),
    };
    let start = Instant::now();
    for resident in residents.iter().take(READS) {
        register.read(&resident.number, &access).await?;
    }
    let each = start.elapsed().checked_div(u32::try_from(READS.min(count).max(1))?);
    println!("read {} of them in {:.2?} each", READS.min(count), each.unwrap_or_default());
    Ok(())
}
