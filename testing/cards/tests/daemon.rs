//! The system's PC/SC service, a virtual reader, our card in it: seen by `opensc-tool`, read by the crate `dmrtd` and by
//! our own program. The service runs in a network namespace: the virtual reader listens on all addresses there, and
//! nothing outside reaches it.

#![expect(clippy::unwrap_used, clippy::panic, clippy::string_slice, reason = "a test")]

mod support;

use dmrtd::com::{TransceiveError, Transceiver};
use pcsc::{Card, Context, MAX_BUFFER_SIZE, Protocols, Scope, ShareMode};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use support::{Way, opened, read};
use tempfile::TempDir;

const DRIVER: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
/// A name that the demo looks for, and the port of the virtual reader where Debian has it: nothing else is in the namespace.
const READER: &str = "Virtual PCD of Yufu's tests";
const PORT: u16 = 35_963;

/// Ends a process, whatever becomes of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The service with its reader, and the data folder of the card.
struct Service {
    daemon: Running,
    data: PathBuf,
    _folder: TempDir,
}

impl Service {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let readers = folder.path().join("readers");
        fs::create_dir(&readers).unwrap();
        let configuration = format!(
            "FRIENDLYNAME \"{READER}\"\nDEVICENAME /dev/null:{PORT}\nLIBPATH {DRIVER}\nCHANNELID {PORT}\n"
        );
        fs::write(readers.join("vpcd"), configuration).unwrap();
        let service = "ip link set lo up && exec pcscd --foreground --error --config \"$0\"";
        let daemon = Command::new("unshare")
            .args(["--net", "--", "sh", "-c", service])
            .arg(&readers)
            .stdout(fs::File::create(folder.path().join("pcscd.log")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let this =
            Self { daemon: Running(daemon), data: folder.path().join("data"), _folder: folder };
        let there = || {
            let context = Context::establish(Scope::User).ok()?;
            let names = context.list_readers_owned().ok()?;
            names.iter().any(|name| name.to_string_lossy().contains(READER)).then_some(())
        };
        wait_for("the reader is there (no other pcscd may run)", there);
        this
    }

    /// Our program with these arguments.
    fn yufu(&self, arguments: &[&str]) -> Output {
        Command::new(program()).args(arguments).arg("--data").arg(&self.data).output().unwrap()
    }

    /// Our program where the virtual reader listens.
    fn inside(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.daemon.0.id().to_string(), "--net", "--"]).arg(program());
        command
    }

    /// Lays the card on the reader; the number on its face.
    fn emulate(&self) -> (Running, String) {
        let reader = format!("127.0.0.1:{PORT}");
        let mut card = self
            .inside()
            .args(["--lang", "en", "card", "emulate", "resident-0", "--reader", &reader, "--data"])
            .arg(&self.data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(card.stdout.take().unwrap()).lines();
        let face = lines.next().unwrap().unwrap();
        let number = face.split(' ').find(|word| word.len() == 6 && word.parse::<u32>().is_ok());
        let number = number.unwrap_or_else(|| panic!("{face}")).to_owned();
        let there = || OnReader::find().map(|_| ());
        wait_for("the card is on the reader", there);
        (Running(card), number)
    }
}

/// A card on the reader, as the foreign crate wants it.
struct OnReader(Card);

impl OnReader {
    fn find() -> Option<Self> {
        let context = Context::establish(Scope::User).ok()?;
        let names = context.list_readers_owned().ok()?;
        let reader = names.iter().find(|name| name.to_string_lossy().contains(READER))?;
        let card = context.connect(reader, ShareMode::Exclusive, Protocols::ANY).ok()?;
        Some(Self(card))
    }
}

impl Transceiver for OnReader {
    fn transceive(&mut self, apdu: &[u8]) -> Result<Vec<u8>, TransceiveError> {
        let mut answer = [0; MAX_BUFFER_SIZE];
        let answered = self.0.transmit(apdu, &mut answer);
        answered.map(<[u8]>::to_vec).map_err(|error| TransceiveError::new(error.to_string()))
    }
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_yufu-with-readers"))
}

fn wait_for(what: &str, mut there: impl FnMut() -> Option<()>) {
    for _ in 0..200 {
        if there().is_some() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what}: not within ten seconds");
}

fn text_of(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

/// One test, as there is one service on a machine.
#[test]
fn every_program_of_the_system_reads_our_card_over_the_real_service() {
    let service = Service::start();
    let empty = service.yufu(&["--lang", "en", "card", "read", "--can", "123456"]);
    assert!(!empty.status.success() && said(&empty).contains("lay the card on the reader"));
    let (card, number) = service.emulate();

    let seen = Command::new("opensc-tool").args(["--list-readers"]).output().unwrap();
    assert!(said(&seen).contains(READER) && said(&seen).contains("Yes"), "{}", said(&seen));
    let reset = Command::new("opensc-tool").args(["--atr"]).output().unwrap();
    assert!(said(&reset).contains("3b:80:01:81"), "{}", said(&reset));

    let read_ours = service.yufu(&["card", "read", "--can", &number, "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&read_ours.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", said(&read_ours)));
    assert_eq!(
        (&told["chip_authentication"], &told["active_authentication"]),
        (&true.into(), &true.into())
    );
    let personal = told["personal_number"].as_str().unwrap();

    let keys = service.data.join("identity-authority/keys");
    let authority = fs::read(keys.join("card-authority.der")).expect("the authority's certificate");
    let (document, birth) =
        (told["document_number"].as_str().unwrap(), told["birth"].as_str().unwrap());
    let birth = format!("{}-{}-{}", &birth[..4], &birth[4..6], &birth[6..]);
    let expiry = told["expiry"].as_str().unwrap();
    let expiry = format!("20{}-{}-{}", &expiry[..2], &expiry[2..4], &expiry[4..]);
    for way in [
        Way::Number(&number),
        Way::Zone(document, &birth, &expiry),
        Way::Basic(document, &birth, &expiry),
    ] {
        let reader = OnReader::find().expect("the card is on the reader");
        assert_eq!(read(reader, way, &authority), personal);
    }

    let wrong = if number == "000000" { "000001" } else { "000000" };
    assert!(opened(OnReader::find().unwrap(), Way::Number(wrong)).is_err());
    let refused = service.yufu(&["--lang", "zh", "card", "read", "--can", wrong]);
    assert!(said(&refused).contains("打不开这张卡"), "{}", said(&refused));

    drop(card);
    wait_for("the card is gone", || OnReader::find().is_none().then_some(()));
    let gone = service.yufu(&["--lang", "zh", "card", "read", "--can", &number]);
    assert!(
        !gone.status.success() && said(&gone).contains("请将卡片放上读卡器"),
        "{}",
        said(&gone)
    );

    // The demo's person lays her card on the same reader.
    let folder = service.data.with_file_name("demo");
    let mut demo = service.inside();
    demo.args(["--lang", "en", "demo", "--once", "--listen", "127.0.0.1:0", "--data"]).arg(&folder);
    let played = demo.output().unwrap();
    assert!(played.status.success(), "{}", said(&played));
    let laid = "the virtual reader of this machine's card service";
    let words: Vec<&str> = text_of(&played).split_whitespace().collect();
    assert!(words.join(" ").contains(laid), "{}", said(&played));
}
