//! The server that is measured: this program, serving the sample city from a fresh folder.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The kernel counts processor time in hundredths of a second here.
const TICK_MICROS: f64 = 10_000.0;

/// What is measured.
pub(crate) struct Target {
    /// Host and port.
    pub(crate) address: String,
    /// The process whose time is read, if it is here.
    pub(crate) process: Option<u32>,
}

pub(crate) struct Server {
    process: Child,
    pub(crate) target: Target,
    data: PathBuf,
}

impl Server {
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self> {
        let data = folder.join("city");
        let mut process = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .env("YUFU_LANG", "en")
            .env("YUFU_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = process.stdout.take().context("the server's output")?;
        let first = BufReader::new(out).lines().next().context("the server said nothing")??;
        let address = first
            .strip_prefix("yufu serves http://")
            .and_then(|rest| rest.split([' ', '/']).next().map(str::to_owned));
        let address = address.with_context(|| format!("no address: {first}"))?;
        let target = Target { address, process: Some(process.id()) };
        Ok(Self { process, target, data })
    }

    /// A bank that has a mint.
    pub(crate) fn bank(&self) -> Result<String> {
        self.with(Path::new("keys").join("mint.key")).context("no bank of the city has a mint")
    }

    /// The key that wallets check the trust list with: a JWK.
    pub(crate) fn trust_key(&self) -> Result<Vec<u8>> {
        Ok(std::fs::read(self.data.join("trust-list-key.json"))?)
    }

    /// A party that only asks.
    pub(crate) fn verifier(&self) -> Result<String> {
        self.with("verifications.sqlite").context("nobody in the city only asks")
    }

    /// A wallet provider.
    pub(crate) fn wallet_provider(&self) -> Result<String> {
        self.with("instances.sqlite").context("there is no wallet provider in the city")
    }

    /// The first institution whose folder has a file.
    fn with(&self, file: impl AsRef<Path>) -> Option<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.data).ok()?.flatten() {
            if entry.path().join(&file).exists() {
                found.extend(entry.file_name().into_string().ok());
            }
        }
        found.sort();
        found.into_iter().next()
    }

    /// The token of an institution's desk.
    pub(crate) fn desk(&self, bank: &str) -> Result<String> {
        let path = self.data.join(bank).join("keys").join("desk.token");
        Ok(std::fs::read_to_string(path)?.trim().to_owned())
    }
}

impl Target {
    /// Its processor time so far, in its own code and in the kernel, in microseconds; none of a process elsewhere.
    pub(crate) fn processor(&self) -> Result<(f64, f64)> {
        let Some(process) = self.process else { return Ok((0.0, 0.0)) };
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
        // What follows the name, which may hold anything.
        let after = stat.rsplit(')').next().unwrap_or_default();
        let fields: Vec<&str> = after.split_whitespace().collect();
        ensure!(fields.len() > 12, "/proc/PID/stat is cut");
        let ticks = |place: usize| -> Result<f64> {
            Ok(fields.get(place).context("a field")?.parse::<f64>()? * TICK_MICROS)
        };
        Ok((ticks(11)?, ticks(12)?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It holds nothing that is needed after the measurement.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
