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

pub mod attested;
mod caller;
pub mod country;
pub mod institutions;
pub mod notes;
pub mod terminal;
pub mod third_party;
pub mod token;
pub mod visits;
mod wallet;

pub use caller::{Account, Answer, Caller, JIANGCHENG, LIANGHU, fen, now};
pub use wallet::{Presentation, Resident, begin_opening, carry, enrol, takings, trust_key};

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use yufu::wallet::Passphrase;

/// How long anything that is waited for may take: minutes, where other programs share the machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// The binary, with no setting from outside.
pub fn yufu() -> Command {
    let mut command = Command::new(crate::BINARY);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("YUFU_")) {
            command.env_remove(name);
        }
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
    let status = ended(&mut child.0);
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
pub struct Running(pub Child);

/// SIGTERM.
pub fn terminate(child: &Child) {
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
}

/// How a process ended, which it is to do in time.
pub fn ended(child: &mut Child) -> ExitStatus {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(waited < PATIENCE, "the process does not end");
        thread::sleep(Duration::from_millis(10));
        waited += Duration::from_millis(10);
    }
}

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

    /// What an issuer's records hold, in files, byte by byte.
    pub fn issuances(&self, institution: &str) -> Vec<u8> {
        let file = self.path().join(institution).join("credentials.sqlite");
        let mut stored = fs::read(&file).unwrap();
        stored.extend(fs::read(file.with_extension("sqlite-wal")).unwrap_or_default());
        stored
    }

    pub fn log(&self) -> PathBuf {
        self.path().join("central-bank").join("ledger.sqlite")
    }
}

/// A copy of the sample profile in a folder beside the state, its main file changed.
pub fn changed_profile(data: &Data, name: &str, change: impl Fn(String) -> String) -> PathBuf {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/china");
    let copy = data.beside(name);
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(sample).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let file = copy.join("profile.toml");
    fs::write(&file, change(fs::read_to_string(&file).unwrap())).unwrap();
    copy
}

/// A server that runs.
pub struct Server {
    process: Running,
    pub url: String,
    data: PathBuf,
    kept_open: Option<rusqlite::Connection>,
}

impl Server {
    /// Starts `yufu serve` on the folder, on a port that is free.
    pub fn start(data: &Data) -> Self {
        Self::launch(data, 0, &[], ("warn", Stdio::inherit()))
    }

    /// The same with more options.
    pub fn start_with(data: &Data, more: &[&str]) -> Self {
        Self::launch(data, 0, more, ("warn", Stdio::inherit()))
    }

    /// The same on a port that is known to be free.
    pub fn start_at(data: &Data, port: u16) -> Self {
        Self::launch(data, port, &[], ("warn", Stdio::inherit()))
    }

    /// The same with more options.
    pub fn start_at_with(data: &Data, port: u16, more: &[&str]) -> Self {
        Self::start_in(data, port, more, &[])
    }

    /// The same with more options, and more in its environment.
    pub fn start_in(data: &Data, port: u16, more: &[&str], environment: &[(&str, &Path)]) -> Self {
        let mut command = yufu();
        command.envs(environment.iter().copied());
        Self::launched(command, data, port, more, ("warn", Stdio::inherit()))
    }

    /// As [`Server::start`], with everything that it logs in a file.
    pub fn start_logging(data: &Data, log: &Path) -> Self {
        Self::launch(data, 0, &[], ("debug", File::create(log).unwrap().into()))
    }

    /// The same with more options.
    pub fn start_logging_with(data: &Data, more: &[&str], log: &Path) -> Self {
        Self::launch(data, 0, more, ("debug", File::create(log).unwrap().into()))
    }

    /// Starts `yufu serve` on the folder under strace, which makes system calls on the write-ahead log of the ledger
    /// fail as `fault` says. It stops when its standard input ends, as with this process.
    pub fn start_failing(data: &Data, fault: &str) -> Self {
        let wal = data.log().with_extension("sqlite-wal");
        let ledger = rusqlite::Connection::open(data.log()).unwrap();
        let _: i64 = ledger.query_row("SELECT count(*) FROM record", (), |row| row.get(0)).unwrap();
        // As long as somebody else has the ledger open the file stays: strace knows only what is there.
        assert!(wal.exists());
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={fault}"), "-P"]);
        command.arg(&wal).arg(crate::BINARY).env("YUFU_LANG", "en").stdin(Stdio::piped());
        let log = ("warn", Stdio::inherit());
        let server = Self::launched(command, data, 0, &["--of-demo"], log);
        Self { kept_open: Some(ledger), ..server }
    }

    fn launch(data: &Data, port: u16, more: &[&str], log: (&str, Stdio)) -> Self {
        Self::launched(yufu(), data, port, more, log)
    }

    fn launched(
        mut command: Command,
        data: &Data,
        port: u16,
        more: &[&str],
        (level, log): (&str, Stdio),
    ) -> Self {
        let path = data.path();
        let listen = format!("127.0.0.1:{port}");
        let mut child = command
            .args(["serve", "--listen", &listen, "--data", path.to_str().unwrap()])
            .args(more)
            .env("YUFU_LOG", level)
            .stderr(log)
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
        Self { process, url, data: path, kept_open: None }
    }

    /// SIGKILL: nothing is finished, nothing is closed.
    pub fn kill(mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }

    /// Asks it to stop, as an operator does.
    pub fn terminate(&self) {
        terminate(&self.process.0);
    }

    /// Ends its standard input: one that was started so stops.
    pub fn let_go(&mut self) {
        drop(self.process.0.stdin.take());
    }

    /// Waits for its end, which is to come in time.
    pub fn ended(mut self) -> ExitStatus {
        ended(&mut self.process.0)
    }

    /// Somebody who calls it.
    pub fn caller(&self) -> Caller {
        Caller::new(&self.url, &self.data)
    }
}
