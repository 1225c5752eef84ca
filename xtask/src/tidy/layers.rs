//! Who may import whom, from `cargo metadata` (ARCHITECTURE.md states the rule in words).

use crate::run;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The crates of the workspace.
pub(crate) struct Workspace {
    pub(crate) crates: Vec<Crate>,
}

/// One crate, its folder from the root (`formats/jose`), and the ordinary dependencies on ours.
pub(crate) struct Crate {
    pub(crate) folder: String,
    pub(crate) imports: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: String,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    path: Option<String>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let json =
            run::output("cargo", &["metadata", "--format-version=1", "--no-deps", "--locked"])?;
        let metadata: Metadata = serde_json::from_str(&json).context("cargo metadata")?;
        let folder = |package: &Package| {
            let path = package.manifest_path.strip_prefix(&metadata.workspace_root);
            path.unwrap_or_default()
                .trim_start_matches('/')
                .trim_end_matches("/Cargo.toml")
                .to_owned()
        };
        let folders: BTreeMap<&str, String> =
            metadata.packages.iter().map(|p| (p.name.as_str(), folder(p))).collect();
        let ours = |package: &Package| {
            let ordinary =
                package.dependencies.iter().filter(|d| d.kind.is_none() && d.path.is_some());
            ordinary.filter_map(|d| folders.get(d.name.as_str()).cloned()).collect()
        };
        let crates = metadata
            .packages
            .iter()
            .map(|p| Crate { folder: folder(p), imports: ours(p) })
            .collect();
        Ok(Self { crates })
    }
}

/// Every import that the layering forbids.
pub(crate) fn breaches(workspace: &Workspace) -> Vec<String> {
    let edges = workspace.crates.iter().flat_map(|c| c.imports.iter().map(move |i| (&c.folder, i)));
    edges
        .filter(|(from, to)| !allowed(from, to))
        .map(|(from, to)| {
            format!("{from} may not import {to}: see \"Who may import whom\" in ARCHITECTURE.md")
        })
        .collect()
}

fn allowed(from: &str, to: &str) -> bool {
    let within =
        |layers: &[&str]| layers.iter().any(|l| to == *l || to.starts_with(&format!("{l}/")));
    match from.split('/').next().unwrap_or_default() {
        "base" => false,
        "formats" if from == "formats/jose" => within(&["base"]),
        "formats" if from == "formats/credential" => within(&["base", "formats/jose"]),
        "formats" if from == "formats/mdoc" => {
            within(&["base", "formats/jose", "formats/credential"])
        }
        "formats" => within(&["base", "formats/jose", "formats/credential", "formats/mdoc"]),
        "sessions" => within(&["base", "formats"]),
        "state" if from == "state/machine" => within(&["base", "formats", "state"]),
        "state" => within(&["base", "formats"]),
        "runtime" => within(&["base", "formats", "state", "runtime"]),
        "records" => within(&["base", "formats", "runtime/database"]),
        "api" => within(&["base", "formats", "sessions", "state", "runtime", "records"]),
        "apps" => !within(&["xtask", "testing"]),
        "testing" => !within(&["xtask"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layers_hold() {
        let permitted = [
            ("formats/credential", "formats/jose"),
            ("formats/jose", "base"),
            ("formats/trust", "formats/credential"),
            ("formats/trust", "formats/mdoc"),
            ("sessions/wallet", "formats/trust"),
            ("state/machine", "state/ledger"),
            ("runtime/engine", "runtime/log"),
            ("records/population", "runtime/database"),
            ("api", "records/onboarding"),
            ("apps/yufu", "api"),
        ];
        for (from, to) in permitted {
            assert!(allowed(from, to), "{from} -> {to}");
        }
        let forbidden = [
            ("base", "formats/jose"),
            ("formats/jose", "formats/credential"),
            ("formats/credential", "formats/trust"),
            ("formats/mdoc", "formats/trust"),
            ("formats/openid4vc", "formats/trust"),
            ("sessions/wallet", "sessions/issuer"),
            ("sessions/wallet", "state/ledger"),
            ("state/ledger", "state/registry"),
            ("state/machine", "runtime/log"),
            ("records/population", "records/credentials"),
            ("records/population", "runtime/engine"),
            ("api", "apps/yufu"),
            ("apps/yufu", "testing/fixtures"),
            ("xtask", "base"),
        ];
        for (from, to) in forbidden {
            assert!(!allowed(from, to), "{from} -> {to}");
        }
    }
}
