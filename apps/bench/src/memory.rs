//! Memory of this process, as the kernel counts it.

use anyhow::{Context, Result};

/// What is in use, in KiB.
pub(crate) fn resident() -> Result<usize> {
    of_status("VmRSS:")
}

/// The most that was ever in use, in KiB.
pub(crate) fn most_resident() -> Result<usize> {
    of_status("VmHWM:")
}

fn of_status(name: &str) -> Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.with_context(|| format!("/proc/self/status has no {name}"))?.parse()?)
}
