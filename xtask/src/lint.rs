//! Formatting, clippy with the house lints as errors, and tidy.

use crate::{run, tidy};
use anyhow::Result;

pub(crate) fn lint() -> Result<()> {
    run::loud("cargo", &["fmt", "--all", "--check"])?;
    for apart in ["testing/foreign/cdk/Cargo.toml", "testing/foreign/isomdl/Cargo.toml"] {
        run::loud("cargo", &["fmt", "--manifest-path", apart, "--check"])?;
    }
    run::loud(
        "cargo",
        &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    )?;
    tidy::tidy()
}
