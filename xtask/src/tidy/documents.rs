//! Rules for documents: the architecture names every crate and no other, every crate and
//! decision is written up, and lock files name no hosts.

use crate::tidy::layers::Workspace;
use anyhow::{Context, Result};
use std::fs;

pub(crate) fn breaches(workspace: &Workspace) -> Result<Vec<String>> {
    let map = fs::read_to_string("ARCHITECTURE.md").context("ARCHITECTURE.md")?;
    let mut breaches = Vec::new();
    let folders: Vec<&str> = workspace.crates.iter().map(|c| c.folder.as_str()).collect();
    for folder in &folders {
        if !map.contains(&format!("`{folder}`")) {
            breaches.push(format!("ARCHITECTURE.md does not name `{folder}`"));
        }
        if fs::metadata(format!("{folder}/README.md")).is_err() {
            breaches.push(format!("{folder} has no README.md"));
        }
    }
    for named in map_entries(&map).filter(|named| fs::metadata(named).is_err()) {
        breaches.push(format!("ARCHITECTURE.md names `{named}`, which does not exist"));
    }
    breaches.extend(decisions()?);
    breaches.extend(lock_files()?);
    Ok(breaches)
}

/// The paths that the map's tables name in their first column.
fn map_entries(map: &str) -> impl Iterator<Item = &str> {
    map.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next())
}

/// Decisions are numbered without gaps, and each states its status.
fn decisions() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir("docs/adr").context("docs/adr")? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut breaches = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let expected = format!("{:04}-", index.saturating_add(1));
        if !name.starts_with(&expected) {
            breaches.push(format!("docs/adr/{name}: expected the number {expected}…"));
        }
        let text = fs::read_to_string(format!("docs/adr/{name}"))?.to_lowercase();
        for part in ["context", "decision", "alternatives", "consequences", "status"] {
            if !text.contains(part) {
                breaches.push(format!("docs/adr/{name} has no part \"{part}\""));
            }
        }
    }
    Ok(breaches)
}

/// Lock files of the front end carry integrity hashes but no download addresses.
fn lock_files() -> Result<Vec<String>> {
    let files = crate::run::output("git", &["ls-files", "*package-lock.json"])?;
    let mut breaches = Vec::new();
    for file in files.lines() {
        if fs::read_to_string(file)?.contains("\"resolved\": \"http") {
            breaches.push(format!(
                "{file} names download hosts: run `npm install --omit-lockfile-registry-resolved`"
            ));
        }
    }
    Ok(breaches)
}
