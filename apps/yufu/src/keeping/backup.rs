//! `yufu backup`: a copy of a data folder that a server may be using.

use super::copying::{self, Kind};
use super::manifest::{self, Entry, Holds, Manifest};
use crate::bars::Bars;
use crate::city::Progress;
use crate::command_line;
use crate::data::DataFolder;
use crate::words::{noted, say, text};
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use yufu_engine::{Clock, SystemClock};
use yufu_keys::KeyStore;

pub(crate) fn run(options: &command_line::Backup) -> Result<ExitCode> {
    let data = DataFolder::choose(options.data.data.clone(), "city")?;
    let holds = match (options.only_keys, options.with_keys) {
        (true, _) => Holds::Keys,
        (false, true) => Holds::StateAndKeys,
        (false, false) => Holds::State,
    };
    ensure!(
        data.root().join("profile").is_file(),
        text!("{folder} is no data folder: name it with --data", folder = data.root().display())
    );
    let to = &options.to;
    ensure!(
        copying::is_new(to),
        text!(
            "{path} is there already: it was not touched; name another folder",
            path = to.display()
        )
    );
    KeyStore::open(to).with_context(|| text!("{path} cannot be made", path = to.display()))?;
    let made_at = SystemClock::new().read().wall.seconds();
    let wanted = |kind: Kind| match holds {
        Holds::State => kind != Kind::Key,
        Holds::Keys => kind == Kind::Key,
        Holds::StateAndKeys => true,
    };
    let mut listed = copying::listed(data.root())?;
    listed.retain(|(kind, _)| wanted(*kind));
    let mut files = copy_all(data.root(), to, &listed)?;
    // What has left the log since the files were listed.
    let mut since = copying::listed(data.root())?;
    since.retain(|file| file.0 == Kind::Archive && wanted(file.0) && !listed.contains(file));
    files.extend(copy_all(data.root(), to, &since)?);
    let log = listed.iter().find(|(kind, _)| *kind == Kind::Log);
    let ledger = log.map(|(_, path)| super::replayed(&to.join(path))).transpose()?;
    let manifest = Manifest::new(made_at, holds, ledger, files);
    let print = write(&manifest, to)?;
    copying::sync_folders(to)?;
    tell(&manifest, &print, to);
    Ok(ExitCode::SUCCESS)
}

fn copy_all(from: &Path, to: &Path, listed: &[(Kind, PathBuf)]) -> Result<Vec<Entry>> {
    let mut bars = Bars::new(true);
    let mut files = Vec::new();
    for (done, (_, path)) in (1..).zip(listed) {
        if copying::copy(&from.join(path), &to.join(path))? {
            files.push(Entry::of(to, path)?);
        }
        let progress = Progress::Counted { what: noted!("copying"), done, of: listed.len() };
        bars.show(&progress, &|progress| eprintln!("{}", progress.told()));
    }
    Ok(files)
}

/// Written last: a folder without it is no backup. Its hash.
fn write(manifest: &Manifest, to: &Path) -> Result<String> {
    let path = to.join(manifest::FILE);
    let bytes = serde_json::to_vec_pretty(manifest)?;
    let written = File::create_new(&path).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()
    });
    written.with_context(|| text!("{path} cannot be written", path = path.display()))?;
    Ok(blake3::hash(&bytes).to_string())
}

fn tell(manifest: &Manifest, print: &str, to: &Path) {
    say!("backup      {path}", path = to.display());
    say!("files       {count}", count = manifest.files.len());
    if let Some(ledger) = &manifest.ledger {
        say!("head        {seq}:{chain}", seq = ledger.seq, chain = ledger.chain);
        say!("state hash  {hash}", hash = ledger.state_hash);
    }
    say!("manifest    {hash}", hash = print);
    match manifest.holds {
        Holds::State => say!(
            "Keys and the data keys of persons are not in it: `yufu backup --only-keys` copies them, to another place."
        ),
        Holds::Keys => {
            say!("These are keys alone: keep them apart from the rest, and for at most 30 days.")
        }
        Holds::StateAndKeys => say!(
            "Keys are in it: whoever has it can sign as every institution in it and read every record."
        ),
    }
}
