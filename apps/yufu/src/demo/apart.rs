//! A city of processes: each institution runs by itself, with its own settings, port and data folder. The demo
//! does what their operators would do: it brings the trust list's key to each, and the fingerprints of their
//! keys to those who admit them.

use super::stage::{STATUS_SECONDS, tell};
use crate::city::{Plan, fingerprint, needed};
use crate::data::DataFolder;
use crate::profile::Country;
use crate::words::text;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, Command};
use yufu_api::http::Client;
use yufu_base::{InstitutionId, PublicKey};
use yufu_engine::Clock;
use yufu_profile::{Institution, Role};

/// For how long the processes may take to be ready, in tenths of a second.
const PATIENCE: u32 = 1200;
/// How many lines of a process's log are shown when it ended by itself.
const LAST_LINES: usize = 5;

/// The processes of a city.
pub(super) struct Processes {
    /// Where the trust list is.
    pub(super) trust_list: String,
    /// The key that it is signed with.
    pub(super) trust_key: PublicKey,
    all: BTreeMap<InstitutionId, Process>,
}

struct Process {
    url: String,
    folder: PathBuf,
    child: Child,
}

/// The settings of one process, as its file holds them.
#[derive(Serialize)]
struct SettingsFile<'a> {
    listen: String,
    url: &'a str,
    data: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<PathBuf>,
    institutions: [&'a str; 1],
    trust_list_key: PathBuf,
    status_seconds: u64,
    addresses: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admitted: Option<&'a BTreeMap<String, String>>,
}

impl Processes {
    /// Writes each institution's settings, starts them all, those first that need others, and waits until all are ready.
    pub(super) async fn start(
        country: &Country,
        data: &DataFolder,
        profile: Option<&Path>,
        first: SocketAddr,
        clock: Arc<dyn Clock>,
        say: &impl Fn(&str),
    ) -> Result<Self> {
        let institutions: Vec<&Institution> =
            country.profile.institutions.values().filter(|one| serves(one)).collect();
        let ports = ports(first, institutions.len())?;
        let home = data.root().join("apart");
        let place = |one: &Institution| home.join(one.id.as_str());
        let addresses: BTreeMap<String, String> = institutions
            .iter()
            .zip(&ports)
            .map(|(one, port)| (one.id.to_string(), format!("http://localhost:{port}")))
            .collect();
        let mut admitted = BTreeMap::new();
        let mut trust_key = None;
        for one in &institutions {
            let own = DataFolder::choose(Some(place(one)), "demo")?;
            own.claim(country.digest)?;
            own.mark_as_demo()?;
            let plan = Plan::whole(country, &own, String::new(), Arc::clone(&clock));
            admitted.insert(one.id.to_string(), fingerprint(&plan, &one.id)?);
            if one.role == Role::TrustListOperator {
                let key = own.keys(&one.id)?.signer("trust-list")?.public_key();
                crate::trust_key::write(&own, key)?;
                // For the wallets on this machine.
                crate::trust_key::write(data, key)?;
                trust_key = Some((one, key));
            }
        }
        let (operator, trust_key) = trust_key.context("the profile has no trust-list operator")?;
        let key_file = place(operator).join("trust-list-key.json");
        let mut all = BTreeMap::new();
        for (one, port) in institutions.iter().zip(&ports).rev() {
            let url = address(&addresses, &one.id)?;
            let elsewhere = needed(&country.profile, one).into_iter();
            let elsewhere = elsewhere.map(|id| Ok((id.to_string(), address(&addresses, &id)?)));
            let folder = place(one);
            let settings = SettingsFile {
                listen: SocketAddr::new(first.ip(), *port).to_string(),
                url: &url,
                data: &folder,
                profile: profile.map(std::path::absolute).transpose()?,
                institutions: [one.id.as_str()],
                trust_list_key: key_file.clone(),
                status_seconds: STATUS_SECONDS,
                addresses: elsewhere.collect::<Result<_>>()?,
                admitted: admits(one).then_some(&admitted),
            };
            let file = folder.join("yufu.toml");
            fs::write(&file, toml::to_string(&settings)?)
                .with_context(|| file.display().to_string())?;
            let child = start(&file, &folder.join("log"))?;
            tell(say, &text!("{institution} runs at {url}", institution = one.id, url = url));
            tell(say, &text!("its state lies in {folder}", folder = folder.display()));
            all.insert(one.id.clone(), Process { url, folder, child });
        }
        let trust_list = address(&addresses, &operator.id)?;
        let mut processes = Self { trust_list, trust_key, all };
        processes.ready().await?;
        Ok(processes)
    }

    /// Where each institution's state lies.
    pub(super) fn folders(&self) -> BTreeMap<InstitutionId, PathBuf> {
        self.all.iter().map(|(id, process)| (id.clone(), process.folder.clone())).collect()
    }

    /// Where an institution is reached.
    pub(super) fn address(&self, id: &InstitutionId) -> Result<String> {
        let process = self.all.get(id).with_context(|| format!("{id} has no process"))?;
        Ok(process.url.clone())
    }

    /// Ends all of them as an operator would, and holds that each ended well.
    pub(super) async fn stop(self) -> Result<()> {
        for process in self.all.values() {
            process.terminate();
        }
        for (id, mut process) in self.all {
            let status = process.child.wait().await?;
            if !status.success() {
                bail!("{id} ended with {status}: {}", process.last_lines());
            }
        }
        Ok(())
    }

    /// Waits until every institution says that it can serve.
    async fn ready(&mut self) -> Result<()> {
        let client = Client::new()?;
        let ids: Vec<InstitutionId> = self.all.keys().cloned().collect();
        let mut waited = 0_u32;
        for id in ids {
            loop {
                self.all_run()?;
                let url = format!("{}/readyz", self.address(&id)?);
                let Err(error) = client.get_text(&url).await else { break };
                if waited > PATIENCE {
                    bail!("{id} is not ready: {error}");
                }
                waited = waited.saturating_add(1);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    fn all_run(&mut self) -> Result<()> {
        for (id, process) in &mut self.all {
            if let Some(status) = process.child.try_wait()? {
                bail!("{id} ended with {status}: {}", process.last_lines());
            }
        }
        Ok(())
    }
}

impl Process {
    fn terminate(&self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            // It may have ended by itself: then waiting for it tells how.
            let _ = kill_process(id, Signal::TERM);
        }
    }

    fn last_lines(&self) -> String {
        let path = self.folder.join("log");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
        format!("{} ends with:\n{}", path.display(), last.join("\n"))
    }
}

/// Whether an institution has a face of its own; a merchant is paid through its bank.
fn serves(institution: &Institution) -> bool {
    institution.role != Role::Merchant
}

/// Whether others enrol with it.
fn admits(institution: &Institution) -> bool {
    matches!(institution.role, Role::TrustListOperator | Role::Registrar | Role::CentralBank)
}

fn address(addresses: &BTreeMap<String, String>, id: &InstitutionId) -> Result<String> {
    addresses.get(id.as_str()).cloned().with_context(|| format!("{id} has no port"))
}

/// Starts an institution with nothing but its settings from outside.
fn start(settings: &Path, log: &Path) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe().context("this program's file")?);
    for (name, _) in std::env::vars_os() {
        let setting = name.to_str().is_some_and(|name| name.starts_with("YUFU_"));
        if setting && name != "YUFU_LOG" {
            command.env_remove(name);
        }
    }
    let log = File::create(log).with_context(|| log.display().to_string())?;
    command
        .args(["serve", "--of-demo", "--config"])
        .arg(settings)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .context("an institution's process could not be started")
}

/// The ports from that of `first` on; any that are free if it is 0.
fn ports(first: SocketAddr, count: usize) -> Result<Vec<u16>> {
    if first.port() != 0 {
        let last = first.port().saturating_add(u16::try_from(count)?.saturating_sub(1));
        return Ok((first.port()..=last).collect());
    }
    // Held together, so that no port is given twice; let go of just before they are used.
    let held = (0..count).map(|_| TcpListener::bind(SocketAddr::new(first.ip(), 0)));
    let held = held.collect::<Result<Vec<_>, _>>().context("no free port")?;
    Ok(held
        .iter()
        .map(|one| Ok(one.local_addr()?.port()))
        .collect::<Result<_, std::io::Error>>()?)
}
