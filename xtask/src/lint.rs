//! Formatting, clippy with the house lints as errors, and tidy.

use crate::{run, tidy};
use anyhow::Result;

pub(crate) fn lint() -> Result<()> {
    run::loud("cargo", &["fmt", "--all", "--check"])?;
    run::loud("cargo", &["fmt", "--manifest-path", "testing/foreign/cdk/Cargo.toml", "--check"])?;
    run::loud(
        "cargo",
        &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    )?;
    tidy::tidy()
}
