//! PostgreSQL servers for tests and measurements: real ones, from the system's binaries, in a
//! folder of the caller's, reached over a Unix socket there. They end with the thread that
//! started them, however it ends.

use postgres::{Client, Config, NoTls};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// How often a starting server is asked whether it is there, and for how long.
const STEP: Duration = Duration::from_millis(20);
const STEPS: u32 = 1_500;
/// The superuser of every server.
const USER: &str = "yufu";

/// A running server, or one that was stopped.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    settings: Vec<(String, String)>,
    running: Option<Child>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// PostgreSQL is not installed.
    #[error("PostgreSQL is not there: apt-get install postgresql")]
    Missing,
    /// A program of it failed.
    #[error("{program} failed: {said}")]
    Failed {
        /// The program.
        program: String,
        /// What it said.
        said: String,
    },
    /// The system refused something.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// The server refused something.
    #[error(transparent)]
    Refused(#[from] postgres::Error),
}

impl Server {
    /// Makes a server in `folder` (which must be empty, and of a short path) and starts it, with
    /// `settings` beyond the defaults.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn start(folder: &Path, settings: &[(&str, &str)]) -> Result<Self, ServerError> {
        prepare(folder)?;
        let data = folder.join("data");
        let options = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-sync"];
        let mut initdb = command("initdb")?;
        initdb.args(options).args(["--locale", "C", "--no-instructions", "--pgdata"]).arg(data);
        checked("initdb", &initdb.output()?)?;
        Self::open(folder, settings)
    }

    /// Makes a standby of this server in `folder`, under a name, and starts it.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn standby(&self, folder: &Path, name: &str) -> Result<Self, ServerError> {
        prepare(folder)?;
        let source = format!("host={} user={USER} application_name={name}", self.folder.display());
        let mut copy = command("pg_basebackup")?;
        copy.args([
            "--dbname",
            &source,
            "--checkpoint",
            "fast",
            "--no-sync",
            "--write-recovery-conf",
        ]);
        copy.arg("--pgdata").arg(folder.join("data"));
        checked("pg_basebackup", &copy.output()?)?;
        Self::open(folder, &[("primary_conninfo", &source), ("wal_retrieve_retry_interval", "100")])
    }

    /// Starts a server that was made before, with other settings.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn open(folder: &Path, settings: &[(&str, &str)]) -> Result<Self, ServerError> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let settings = settings.iter().map(own).collect();
        let mut server = Self { folder: folder.to_owned(), settings, running: None };
        server.restart()?;
        Ok(server)
    }

    /// Starts it again after it was stopped or killed.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn restart(&mut self) -> Result<(), ServerError> {
        // What is left of a killed one is in the way for a moment.
        for _ in 0..20 {
            let mut running = self.spawn()?;
            for _ in 0..STEPS {
                if self.client("postgres").is_ok() {
                    self.running = Some(running);
                    return Ok(());
                }
                if running.try_wait()?.is_some() {
                    break;
                }
                std::thread::sleep(STEP);
            }
            running.kill()?;
            running.wait()?;
            std::thread::sleep(STEP.saturating_mul(10));
        }
        let said = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(ServerError::Failed { program: "postgres".to_owned(), said })
    }

    fn spawn(&self) -> Result<Child, ServerError> {
        let log = File::options().create(true).append(true).open(self.folder.join("log"))?;
        let mut postgres = command("postgres")?;
        postgres.arg("-D").arg(self.folder.join("data"));
        let socket = format!("unix_socket_directories={}", self.folder.display());
        let mut settings = vec![socket, "listen_addresses=".to_owned()];
        settings.extend(["shared_buffers=32MB", "max_connections=40"].map(str::to_owned));
        settings.extend(self.settings.iter().map(|(name, value)| format!("{name}={value}")));
        for setting in settings {
            postgres.args(["-c", &setting]);
        }
        Ok(postgres.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?)
    }

    /// The address of one of its databases, for `PostgresAddress`.
    #[must_use]
    pub fn address(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@{folder}:{}/{database}", self.port())
    }

    fn port(&self) -> u16 {
        let port = self.settings.iter().find(|(name, _)| name == "port");
        port.and_then(|(_, port)| port.parse().ok()).unwrap_or(5432)
    }

    /// The folder that its socket is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A session of the superuser's.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn client(&self, database: &str) -> Result<Client, ServerError> {
        let mut config = Config::new();
        config.host_path(&self.folder).port(self.port()).user(USER).dbname(database);
        Ok(config.connect(NoTls)?)
    }

    /// Runs statements in the database `postgres`.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn execute(&self, sql: &str) -> Result<(), ServerError> {
        Ok(self.client("postgres")?.batch_execute(sql)?)
    }

    /// Makes a standby the primary.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn promote(&self) -> Result<(), ServerError> {
        self.execute("SELECT pg_promote(true, 60)")
    }

    /// Kills it and all its sessions with SIGKILL, in the middle of whatever they do.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn kill(&mut self) -> Result<(), ServerError> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        let process = running.id();
        let children = format!("/proc/{process}/task/{process}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        running.kill()?;
        running.wait()?;
        // Sessions that ended by themselves in the meantime are as good.
        let _ = Command::new("kill")
            .arg("-9")
            .args(children.split_whitespace())
            .stderr(Stdio::null())
            .status();
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing can be done about a failure, and the system ends it with this thread anyway.
        let _ = self.kill();
    }
}

/// The folder, usable by the user that the server runs as.
fn prepare(folder: &Path) -> Result<(), ServerError> {
    fs::create_dir_all(folder)?;
    if let Some((user, group)) = other_user()? {
        std::os::unix::fs::chown(folder, Some(user), Some(group))?;
        // The way to it has to be open as well: temporary folders are their owner's alone.
        let parent = folder.parent().unwrap_or(folder);
        let open = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        fs::set_permissions(parent, open)?;
    }
    Ok(())
}

/// A program of PostgreSQL, to be run as a user who is not root, and ended with this thread.
fn command(program: &str) -> Result<Command, ServerError> {
    let program = find(program).ok_or(ServerError::Missing)?;
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if let Some((user, group)) = other_user()? {
        command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
        command.arg("--clear-groups");
    }
    command.arg("--").arg(program).current_dir("/").env("LC_ALL", "C");
    Ok(command)
}

/// In Debian's folders, the newest first, else on the path.
fn find(program: &str) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
        .collect();
    versions.sort();
    let debian = versions.into_iter().rev().map(|(_, path)| path.join("bin"));
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = debian.chain(std::env::split_paths(&paths).collect::<Vec<_>>());
    folders.find_map(|folder| Some(folder.join(program)).filter(|path| path.exists()))
}

/// Who runs the server if this process is root's, which PostgreSQL refuses.
fn other_user() -> Result<Option<(u32, u32)>, ServerError> {
    let number = |arguments: [&str; 2]| -> Option<u32> {
        let output = Command::new("id").args(arguments.map(OsStr::new)).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    let own = Command::new("id").arg("-u").output()?;
    if own.stdout != b"0\n" {
        return Ok(None);
    }
    let user = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| Some((number(["-u", name])?, number(["-g", name])?)));
    Ok(user)
}

fn checked(program: &str, output: &Output) -> Result<(), ServerError> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(ServerError::Failed { program: program.to_owned(), said })
}
