//! The rules no compiler checks. Each rule reports every breach it finds, with the place
//! and the remedy; one breach fails the task.

mod countries;
mod documents;
mod layers;
mod sources;

use anyhow::{Result, bail};

pub(crate) fn tidy() -> Result<()> {
    let workspace = layers::Workspace::load()?;
    let mut breaches = layers::breaches(&workspace);
    breaches.extend(sources::breaches()?);
    breaches.extend(countries::breaches()?);
    breaches.extend(documents::breaches(&workspace)?);
    for breach in &breaches {
        eprintln!("tidy: {breach}");
    }
    if breaches.is_empty() {
        eprintln!("tidy: {} crates in order", workspace.crates.len());
        Ok(())
    } else {
        bail!("{} breaches of the house rules", breaches.len())
    }
}
