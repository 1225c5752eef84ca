//! What the end-to-end tests share: the real binary on a fresh folder and a free port, and callers who know
//! nothing but its HTTP interface. Each test file names the binary as `BINARY`.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly; each test uses a part of it"
)]

mod caller;
mod wallet;

pub use caller::{Account, Answer, Caller, JIANGCHENG, LIANGHU, fen, now};
pub use wallet::{Presentation, Resident, begin_opening};

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use yufu::wallet::Passphrase;

/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary, with no setting from outside.
pub fn yufu() -> Command {
    let mut command = Command::new(crate::BINARY);
    for name in ["DATA", "PROFILE", "LISTEN", "CONFIG", "URL", "LOG"] {
        command.env_remove(format!("YUFU_{name}"));
    }
    // The tests read English, whatever is spoken around them; their wallets have the demo's passphrase.
    command.env("YUFU_LANG", "en").env("YUFU_WALLET_PASSPHRASE", Passphrase::OF_THE_DEMO);
    command.stdin(Stdio::null());
    command
}

/// Runs the binary to its end, which is to come in time.
pub fn run(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut child = Running(
        yufu()
            .args(arguments)
            .stdout(File::create(path("out")).unwrap())
            .stderr(File::create(path("err")).unwrap())
            .spawn()
            .unwrap(),
    );
    let mut waited = Duration::ZERO;
    let status = loop {
        if let Some(status) = child.0.try_wait().unwrap() {
            break status;
        }
        assert!(waited < PATIENCE, "{arguments:?} does not end");
        thread::sleep(Duration::from_millis(10));
        waited += Duration::from_millis(10);
    };
    let read = |name: &str| fs::read(path(name)).unwrap();
    Output { status, stdout: read("out"), stderr: read("err") }
}

/// `yufu demo --once` on `data`.
pub fn demo(data: &Path, more: &[&str]) -> Output {
    let mut arguments =
        vec!["demo", "--once", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    arguments.extend(more);
    run(&arguments)
}

/// What a program printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder for one test's state.
pub struct Data(TempDir);

impl Data {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("state")
    }

    pub fn beside(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn log(&self) -> PathBuf {
        self.path().join("central-bank").join("ledger.sqlite")
    }
}

/// A server that runs.
pub struct Server {
    process: Running,
    pub url: String,
    data: PathBuf,
}

impl Server {
    /// Starts `yufu serve` on the folder, on a port that is free.
    pub fn start(data: &Data) -> Self {
        let path = data.path();
        let mut child = yufu()
            .args(["serve", "--listen", "127.0.0.1:0", "--data", path.to_str().unwrap()])
            .env("YUFU_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        let process = Running(child);
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let line = told.recv_timeout(PATIENCE).expect("the server says where it serves");
        let url = line.strip_prefix("yufu serves ").and_then(|rest| rest.split(' ').next());
        let url = url.unwrap_or_else(|| panic!("not an address: {line}")).to_owned();
        Self { process, url, data: path }
    }

    /// SIGKILL: nothing is finished, nothing is closed.
    pub fn kill(mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }

    /// Somebody who calls it.
    pub fn caller(&self) -> Caller {
        Caller::new(&self.url, &self.data)
    }
}
