//! libeac (OpenPACE) as the terminal: PACE and chip authentication in every suite and on both curves, by cryptography
//! that is not ours. `peer/eac.c` frames the commands and is built here.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use yufu_card::{Chip, Contents, Protocols};
use yufu_emrtd::crypto::{Curve, Suite};
use yufu_emrtd::file::File;
use yufu_foreign_cards::{CAN, card};
use yufu_keys::random;

const SUITES: [Suite; 3] = [Suite::TripleDes, Suite::Aes128, Suite::Aes256];
const CURVES: [Curve; 2] = [Curve::NistP256, Curve::BrainpoolP256r1];

/// The terminal, built.
struct Terminal {
    program: PathBuf,
    _folder: TempDir,
}

impl Terminal {
    fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("eac");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/peer/eac.c");
        let built = Command::new("gcc")
            .args(["-Wall", "-Wno-deprecated-declarations", "-Werror", source, "-o"])
            .arg(&program)
            .args(["-leac", "-lcrypto"])
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self { program, _folder: folder }
    }

    /// Lets it read a card: the zone that it read under the chip's keys, or what it says is wrong.
    fn read(&self, chip: &mut Chip, number: &str) -> Result<Vec<u8>, String> {
        let mut terminal = Command::new(&self.program)
            .arg(number)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        chip.reset();
        let mut answers = terminal.stdin.take().unwrap();
        let mut zone = None;
        for line in BufReader::new(terminal.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some(read) = line.strip_prefix("zone ") {
                zone = Some(bytes(read));
                break;
            }
            let answer = chip.handle(&bytes(&line), &mut random::<32>).bytes;
            let hex = answer.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            });
            writeln!(answers, "{hex}").unwrap();
        }
        let ended = terminal.wait_with_output().unwrap();
        zone.ok_or_else(|| String::from_utf8_lossy(&ended.stderr).trim().to_owned())
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn a_foreign_terminal_runs_pace_and_chip_authentication_in_every_suite_on_both_curves() {
    let terminal = Terminal::build();
    for curve in CURVES {
        for suite in SUITES {
            let one = Some((suite, curve));
            let protocols = Protocols { pace: one, proof: one, ..Protocols::default() };
            let (mut chip, _) = card(1, protocols);
            let zone = terminal.read(&mut chip, CAN);
            let zone = zone.unwrap_or_else(|said| panic!("{suite:?} on {curve:?}: {said}"));
            assert_eq!(zone, chip.contents().file(File::Group(1)).unwrap(), "{suite:?}, {curve:?}");
        }
    }
}

#[test]
fn a_foreign_terminal_tells_a_wrong_number_and_a_copied_card() {
    let terminal = Terminal::build();
    let (mut chip, _) = card(1, Protocols::default());
    let refused = terminal.read(&mut chip, "480214").unwrap_err();
    assert_eq!(refused, "the card does not accept the number");
    let copied = Contents::from_bytes(&chip.contents().to_bytes().unwrap()).unwrap();
    let mut copy = Chip::new(copied.with_secrets([1; 32], [2; 32]));
    let refused = terminal.read(&mut copy, CAN).unwrap_err();
    assert_eq!(refused, "data group 1 was not read under the chip's keys");
}
