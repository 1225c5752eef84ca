//! Files that were compressed: the product compresses nothing that it writes but status lists, which hold no persons;
//! whoever rotates its logs or packs its backups does, with gzip or zstd. They are read as what is in them.

use super::files::SQLITE;
use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// What of a file says how it is to be read.
const START: u64 = 16;
/// How often something may be compressed within itself.
const MOST: usize = 4;
/// The most memory that one frame may ask for, in bytes: what `zstd --long=31` writes.
const WINDOW: u64 = 1 << 31;

/// A file that is searched, and where it can be read.
#[derive(Clone)]
pub(super) struct Source {
    /// As the operator knows it.
    pub(super) shown: PathBuf,
    /// What it is called without the endings of compression.
    pub(super) name: String,
    /// Where it lies as it is meant: itself, or unpacked.
    pub(super) at: PathBuf,
    /// Whether it is compressed.
    pub(super) packed: bool,
}

/// What is found of files before they are searched.
pub(super) struct Sources {
    pub(super) all: Vec<Source>,
    /// Compressed files that cannot be unpacked: of them nothing can be said.
    pub(super) unread: Vec<PathBuf>,
    /// Where databases and keys lie unpacked, for as long as they are searched.
    _unpacked: TempDir,
}

impl Sources {
    /// Unpacks what has to lie on disk to be read: databases and keys. All else is unpacked while it is read.
    pub(super) fn of(paths: &[PathBuf], is_key: fn(&str) -> bool) -> io::Result<Self> {
        let unpacked = tempfile::tempdir()?;
        let (mut all, mut unread) = (Vec::new(), Vec::new());
        for (path, number) in paths.iter().zip(0_usize..) {
            let name = bare(path);
            let at = unpacked.path().join(number.to_string());
            let opened = open(path).and_then(|(layers, start, mut inside)| {
                let lies = layers > 0 && (start.starts_with(SQLITE) || is_key(&name));
                if lies {
                    io::copy(&mut inside, &mut File::create(&at)?)?;
                }
                Ok((layers > 0, lies))
            });
            let (packed, lies) = match opened {
                Ok(opened) => opened,
                // In a folder that is in use files come and go.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) if is_packed(path) => {
                    tracing::warn!(path = %path.display(), %error, "not unpacked");
                    unread.push(path.clone());
                    (false, false)
                }
                Err(error) => return Err(error),
            };
            let at = if lies { at } else { path.clone() };
            all.push(Source { shown: path.clone(), name, at, packed });
        }
        Ok(Self { all, unread, _unpacked: unpacked })
    }
}

/// What a file holds, unpacked as often as it is compressed: how often that is, how it starts, and all of it.
pub(super) fn open(path: &Path) -> io::Result<(usize, Vec<u8>, Box<dyn Read>)> {
    let mut inside: Box<dyn Read> = Box::new(File::open(path)?);
    for layer in 0..=MOST {
        let mut start = Vec::new();
        inside.by_ref().take(START).read_to_end(&mut start)?;
        let whole = BufReader::new(Cursor::new(start.clone()).chain(inside));
        inside = if start.starts_with(GZIP) {
            Box::new(MultiGzDecoder::new(whole))
        } else if start.starts_with(ZSTD) {
            Box::new(Frames { source: Some(Box::new(whole)), frame: None })
        } else {
            return Ok((layer, start, Box::new(whole)));
        };
    }
    Err(io::Error::other("compressed too often within itself"))
}

fn is_packed(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(START).read_to_end(&mut start));
    read.is_ok() && (start.starts_with(GZIP) || start.starts_with(ZSTD))
}

/// A file's name without the endings that compression gives it.
fn bare(path: &Path) -> String {
    let mut name =
        path.file_name().unwrap_or_else(|| OsStr::new("")).to_string_lossy().into_owned();
    while let Some(shorter) = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)) {
        name = shorter.to_owned();
    }
    name
}

type Frame = StreamingDecoder<Box<dyn BufRead>, FrameDecoder>;

/// All frames of a zstd file, one after the other.
struct Frames {
    /// Between two frames.
    source: Option<Box<dyn BufRead>>,
    /// Within one.
    frame: Option<Frame>,
}

impl Frames {
    /// The next frame, unless there is none.
    fn next(mut source: Box<dyn BufRead>) -> io::Result<Option<Frame>> {
        loop {
            let start = source.fill_buf()?;
            if start.is_empty() {
                return Ok(None);
            }
            if !is_skipped(start) {
                let frame = StreamingDecoder::new_with_max_window_size(source, WINDOW);
                return frame.map(Some).map_err(io::Error::other);
            }
            let (mut magic, mut length) = ([0; 4], [0; 4]);
            source.read_exact(&mut magic)?;
            source.read_exact(&mut length)?;
            let length = u32::from_le_bytes(length).into();
            io::copy(&mut source.by_ref().take(length), &mut io::sink())?;
        }
    }
}

/// Whether a frame starts so that holds nothing of the file (RFC 8878, 3.1.2).
fn is_skipped(start: &[u8]) -> bool {
    matches!(start, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let read = frame.read(buffer)?;
                if read > 0 || buffer.is_empty() {
                    return Ok(read);
                }
                self.source = self.frame.take().map(Frame::into_inner);
            }
            let Some(source) = self.source.take() else { return Ok(0) };
            self.frame = Self::next(source)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::fs;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        GzEncoder::new(bytes, Compression::default()).read_to_end(&mut packed).unwrap();
        packed
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    /// How often a file of these bytes was compressed, and what it holds.
    fn opened(bytes: &[u8]) -> io::Result<(usize, Vec<u8>)> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, bytes).unwrap();
        let (layers, _, mut inside) = open(&file)?;
        let mut all = Vec::new();
        inside.read_to_end(&mut all)?;
        Ok((layers, all))
    }

    #[test]
    fn a_file_is_read_as_what_is_in_it_however_often_it_is_compressed() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
        assert_eq!(opened(&text).unwrap(), (0, text.clone()));
        assert_eq!(opened(&gzip(&text)).unwrap(), (1, text.clone()));
        assert_eq!(opened(&zstd(&text)).unwrap(), (1, text.clone()));
        assert_eq!(opened(&zstd(&gzip(&text))).unwrap(), (2, text.clone()));
        assert_eq!(opened(b"").unwrap(), (0, Vec::new()));
        assert_eq!(opened(&GZIP[..1]).unwrap(), (0, GZIP[..1].to_vec()));
        let often = (0..=MOST).fold(text, |inside, _| gzip(&inside));
        assert!(opened(&often).is_err());
    }

    #[test]
    fn members_and_frames_after_the_first_are_read_too() {
        let [one, two] = [b"one, ".as_slice(), b"two"];
        assert_eq!(opened(&[gzip(one), gzip(two)].concat()).unwrap().1, b"one, two");
        let nothing = [&[0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let frames = [zstd(one), nothing, zstd(two)].concat();
        assert_eq!(opened(&frames).unwrap().1, b"one, two");
    }

    #[test]
    fn what_is_cut_off_is_not_taken_for_whole() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
        for packed in [gzip(&text), zstd(&text)] {
            assert!(opened(&packed[..packed.len() / 2]).is_err());
        }
    }

    #[test]
    fn a_packed_file_is_called_as_before() {
        for (name, expected) in [
            ("a/records.key.gz", "records.key"),
            ("person-keys.sqlite.gz.zst", "person-keys.sqlite"),
            ("yufu.log", "yufu.log"),
        ] {
            assert_eq!(bare(Path::new(name)), expected);
        }
    }
}
