//! `yufu sweep`: whether anything of a person can still be read in what is left: data folders, backups, logs, dumps. It
//! looks as somebody would who has all of it, keys included: what a key that is still there opens, is readable; what was
//! compressed, too.

mod databases;
mod files;
mod keys;
mod needles;
mod packed;

use crate::command_line;
use crate::words::{say, text};
use anyhow::{Context, Result};
use keys::FoundKeys;
use needles::{Hit, Needles};
use packed::Sources;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;

/// What was found, where. Not the value itself: only its line in the file of values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Finding {
    /// The file.
    file: PathBuf,
    /// `table.column`, if it was read as a database.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// The file of keys that holds the key which opens it, if it is sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_with: Option<PathBuf>,
    #[serde(flatten)]
    hit: Hit,
}

/// What a sweep came to.
#[derive(Debug, Default, Serialize)]
struct Swept {
    files: usize,
    databases: usize,
    /// Data keys of persons that were there to be tried.
    keys: usize,
    /// How many of the files are compressed.
    packed: usize,
    found: BTreeSet<Finding>,
    /// Compressed files that cannot be unpacked: of them nothing can be said.
    unread: BTreeSet<PathBuf>,
}

pub(crate) fn run(options: &command_line::Sweep) -> Result<ExitCode> {
    let needles = Needles::read(&options.values)?;
    let own = fs::canonicalize(&options.values).ok();
    let mut paths = Vec::new();
    for root in &options.paths {
        files::below(root, &mut paths)
            .with_context(|| text!("{path} cannot be read", path = root.display()))?;
    }
    paths.retain(|path| fs::canonicalize(path).ok() != own);
    paths.sort();
    paths.dedup();
    let swept = sweep(&needles, &paths)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&swept)?);
    } else {
        tell(&swept, needles.values());
    }
    let clean = swept.found.is_empty() && swept.unread.is_empty();
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn sweep(needles: &Needles, paths: &[PathBuf]) -> Result<Swept> {
    let sources = Sources::of(paths, keys::holds_keys)
        .with_context(|| text!("the files cannot be unpacked for the search"))?;
    let keys = FoundKeys::among(&sources.all)?;
    let mut swept = Swept { files: paths.len(), keys: keys.len(), ..Swept::default() };
    swept.unread.extend(sources.unread.iter().cloned());
    for source in &sources.all {
        let path = &source.shown;
        let cannot = || text!("{path} cannot be read", path = path.display());
        let plain = |hit| Finding { file: path.clone(), column: None, opened_with: None, hit };
        match needles.in_file(path) {
            // In a folder that is in use files come and go.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            hits => swept.found.extend(hits.with_context(cannot)?.into_iter().map(plain)),
        }
        if source.packed {
            swept.packed = swept.packed.saturating_add(1);
            match packed::open(path).and_then(|(_, _, inside)| needles.in_stream(inside)) {
                Ok(hits) => swept.found.extend(hits.into_iter().map(plain)),
                Err(_) => drop(swept.unread.insert(path.clone())),
            }
        }
        if files::is_database(&source.at) {
            swept.databases = swept.databases.saturating_add(1);
            databases::search(source, needles, &keys, &mut swept.found).with_context(cannot)?;
        }
    }
    Ok(swept)
}

fn tell(swept: &Swept, values: usize) {
    for finding in &swept.found {
        let file = finding.file.display();
        let place = finding.column.as_deref().unwrap_or("-");
        let (value, encoding) = (finding.hit.value, finding.hit.encoding);
        match &finding.opened_with {
            None => say!(
                "FOUND       value {value} ({encoding})  {file}  {place}",
                value = value,
                encoding = encoding,
                file = file,
                place = place
            ),
            Some(keys) => say!(
                "READABLE    value {value}  {file}  {place}: its key is in {keys}",
                value = value,
                file = file,
                place = place,
                keys = keys.display()
            ),
        }
    }
    for path in &swept.unread {
        say!("NOT READ    {path}: it is compressed and cannot be unpacked", path = path.display());
    }
    say!(
        "searched    {files} files, {databases} of them databases, for {values} values, with {keys} keys of persons",
        files = swept.files,
        databases = swept.databases,
        values = values,
        keys = swept.keys
    );
    if swept.found.is_empty() && swept.unread.is_empty() {
        say!("nothing readable is left there");
    }
}
