//! `yufu restore`: a new data folder from a backup, if every bit of it is what was copied and its log leads to the
//! state that was noted.

use super::copying;
use super::forgetting::{DAYS, holds_persons, is_old};
use super::manifest::{Holds, LedgerState, Manifest};
use crate::command_line;
use crate::words::{say, text};
use anyhow::{Context, Result, bail, ensure};
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use yufu_engine::{Clock, SystemClock};
use yufu_keys::KeyStore;

pub(crate) fn run(options: &command_line::Restore) -> Result<ExitCode> {
    let to = &options.to;
    ensure!(
        copying::is_new(to),
        text!(
            "{path} is there already: it was not touched; name another folder",
            path = to.display()
        )
    );
    let state = Manifest::verified(&options.from)?;
    let keys = match &options.keys {
        Some(from) => Some((Manifest::verified(from)?, from.as_path())),
        None => None,
    };
    ensure!(
        state.holds != Holds::Keys,
        text!("{path} holds keys alone: name it with --keys", path = options.from.display())
    );
    let now = SystemClock::new().read().wall;
    for manifest in
        [Some(&state), keys.as_ref().map(|(manifest, _)| manifest)].into_iter().flatten()
    {
        ensure!(
            !(holds_persons(manifest) && is_old(manifest.made_at, DAYS, now)),
            text!(
                "these data keys are older than {days} days: persons who were erased since would come back; take a younger backup of keys, and `yufu forget-keys` for this one",
                days = DAYS
            )
        );
    }
    let sources = [(&state, options.from.as_path())].into_iter();
    let sources = sources.chain(keys.as_ref().map(|(manifest, from)| (manifest, *from)));
    let restored = sources
        .map(|(manifest, from)| copy_all(manifest, from, to))
        .sum::<Result<usize>>()
        .and_then(|files| Ok((files, check(&state, to)?)));
    let files = match restored {
        Ok((files, ())) => files,
        Err(error) => {
            // What was made here is of no use to anybody.
            drop(fs::remove_dir_all(to));
            return Err(error);
        }
    };
    say!("restored    {path}", path = to.display());
    say!("files       {count}", count = files);
    if let Some(ledger) = &state.ledger {
        say!("head        {seq}:{chain}", seq = ledger.seq, chain = ledger.chain);
        say!("state hash  {hash}", hash = ledger.state_hash);
    }
    if state.holds == Holds::State && keys.is_none() {
        say!(
            "The keys are not there yet: restore them too, with --keys, before a server makes new ones."
        );
    }
    say!(
        "The former server must never run again beside this one: both would pay from the same accounts."
    );
    Ok(ExitCode::SUCCESS)
}

fn copy_all(manifest: &Manifest, from: &Path, to: &Path) -> Result<usize> {
    KeyStore::open(to).with_context(|| text!("{path} cannot be made", path = to.display()))?;
    for entry in &manifest.files {
        let path = to.join(&entry.path);
        if let Some(folder) = path.parent() {
            KeyStore::open(folder)?;
        }
        let copied = fs::copy(from.join(&entry.path), &path).map(|_| ());
        copied.with_context(|| text!("{path} cannot be written", path = path.display()))?;
        fs::File::open(&path)?.sync_all()?;
    }
    Ok(manifest.files.len())
}

/// The log of the restored folder leads to the state that was noted when it was backed up.
fn check(manifest: &Manifest, to: &Path) -> Result<()> {
    copying::sync_folders(to)?;
    let log = manifest.files.iter().find(|file| file.path.ends_with("ledger.sqlite"));
    let (Some(noted), Some(log)) = (&manifest.ledger, log) else { return Ok(()) };
    let path = to.join(&log.path);
    // A copy is not in the mode that a log is written in.
    let connection = Connection::open(&path)?;
    connection.execute_batch("PRAGMA journal_mode = WAL")?;
    connection.close().map_err(|(_, error)| error)?;
    let LedgerState { seq, chain, state_hash } = super::replayed(&path)?;
    if (seq, &chain, &state_hash) != (noted.seq, &noted.chain, &noted.state_hash) {
        bail!(text!(
            "the log leads to head {seq}:{chain} and state {hash}, not to what the manifest notes: nothing was restored",
            seq = seq,
            chain = chain,
            hash = state_hash
        ));
    }
    Ok(())
}
