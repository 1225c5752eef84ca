//! Which files are searched: all, but what is people's own.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How every SQLite database begins.
pub(super) const SQLITE: &[u8] = b"SQLite format 3\0";
/// In a data folder: terminal wallets and chip cards, which are people's own.
const PEOPLES: [&str; 2] = ["wallets", "cards"];

/// The files below `path`, or itself if it is one.
pub(super) fn below(path: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let data_folder = path.join("profile").is_file();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let peoples = PEOPLES.iter().any(|own| entry.file_name() == *own);
        if kind.is_dir() && !(data_folder && peoples) {
            below(&entry.path(), found)?;
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// Whether a file can be read as a database.
pub(super) fn is_database(path: &Path) -> bool {
    let mut start = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == SQLITE
}
