//! The server's settings: one documented struct; options and environment override the file.

use crate::command_line::{HistoryKept, Serve};
use crate::ledger_log::Hidden;
use crate::words::text;
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;
use yufu_api::recognition::Recognised;
use yufu_base::InstitutionId;
use yufu_jose::Jwk;
use yufu_keys::TokenAddress;
use yufu_log::PostgresAddress;
use yufu_openid4vc::Endpoint;
use yufu_trust::Role;
use yufu_verifier::Ages;

/// The settings with their defaults and meanings, as `yufu config template` prints them.
pub(crate) const TEMPLATE: &str = include_str!("settings/template.toml");

/// The settings of `yufu serve`, as a file holds them. Unknown names are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    url: Option<String>,
    data: Option<PathBuf>,
    profile: Option<PathBuf>,
    institutions: Option<Vec<String>>,
    trust_list_key: Option<PathBuf>,
    keys: Option<String>,
    wait_seconds: Option<u64>,
    connections: Option<usize>,
    status_seconds: Option<u64>,
    snapshot_records: Option<u64>,
    snapshot_mebibytes: Option<u64>,
    old_records: Option<OldRecords>,
    log_format: Option<LogFormat>,
    addresses: Option<BTreeMap<String, String>>,
    admitted: Option<BTreeMap<String, String>>,
    recognised: Option<Vec<RecognisedList>>,
    central_bank: Option<OfCentralBank>,
}

/// What only the process that serves the central bank needs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfCentralBank {
    /// Where the ledger's log is, if it is not a file in the data folder.
    log: Option<Hidden>,
    /// Who keeps up the history of the ledger. Default this process.
    history: Option<HistoryKept>,
}

/// Another country's trust list, as its operator told this one out of band.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecognisedList {
    /// ISO 3166-1 alpha-2.
    country: String,
    /// Where the list is.
    url: String,
    /// The key that signs it: a P-256 JWK, as `trust-list-key.json` holds it there.
    key: Jwk,
    /// Who of that list is trusted here. Default those who issue identities, and nobody else.
    roles: Option<BTreeSet<Role>>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// The settings, complete and valid.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    /// The address under which others reach this server, without a slash at the end.
    pub(crate) url: Option<String>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) profile: Option<PathBuf>,
    pub(crate) apart: Apart,
    pub(crate) connections: usize,
    /// How old a status list at hand may be before another one is fetched, in seconds.
    pub(crate) status_seconds: u64,
    pub(crate) log_format: LogFormat,
    pub(crate) recognised: Vec<Recognised>,
    pub(crate) snapshots: SnapshotPolicy,
    /// Where the ledger's log is, if it is not a file in the data folder.
    pub(crate) log: Option<PostgresAddress>,
    /// Who keeps up the history of the ledger.
    pub(crate) history: HistoryKept,
    /// The token that keys are made in, if there is one.
    pub(crate) keys: Option<TokenAddress>,
    /// The file that holds it, if it is not an option or in the environment.
    pub(crate) secret_in: Option<PathBuf>,
}

/// After how much of the log a snapshot of the ledger's state is made, whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotPolicy {
    pub(crate) every_records: u64,
    pub(crate) every_bytes: u64,
    /// What is done with the records that all kept snapshots are past.
    pub(crate) old_records: OldRecords,
}

/// What becomes of records of the ledger's log that no start needs any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OldRecords {
    /// They stay in the log.
    #[default]
    Keep,
    /// They are moved into files in the central bank's folder.
    Archive,
    /// They are removed for good: no audit can begin before the snapshots any more.
    Remove,
}

impl Default for SnapshotPolicy {
    fn default() -> Self {
        Self { every_records: 100_000, every_bytes: 256 << 20, old_records: OldRecords::Keep }
    }
}

/// How the institutions are spread over processes. By default all of them are in this one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Apart {
    /// Those that this process serves; all, if none is named.
    pub(crate) institutions: Option<BTreeSet<InstitutionId>>,
    /// Where those are that run elsewhere.
    pub(crate) addresses: BTreeMap<InstitutionId, String>,
    /// Whose enrolment the registries here take: the fingerprints of their keys.
    pub(crate) admitted: BTreeMap<InstitutionId, String>,
    /// The file with the trust-list operator's key, if that runs elsewhere.
    pub(crate) trust_list_key: Option<PathBuf>,
    /// How long a start waits for another institution.
    pub(crate) patience: Duration,
}

impl Settings {
    /// Reads the file, if one is named, and puts the options over it.
    pub(crate) fn load(options: Serve) -> Result<Self> {
        let file = options.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let listen = options.listen.or(file.listen).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        let connections = options.connections.or(file.connections).unwrap_or(512);
        anyhow::ensure!(connections > 0, text!("connections is 0: expected at least 1"));
        let status_seconds = status_seconds(options.status_seconds.or(file.status_seconds))?;
        let institutions = options.institutions.as_deref().and_then(parts).or(file.institutions);
        let institutions = institutions.map(|names| {
            let ids = names.iter().map(|name| id("institutions", name));
            ids.collect::<Result<BTreeSet<_>>>()
        });
        let addresses = pairs("addresses", options.addresses.as_deref(), file.addresses)?;
        let addresses =
            addresses.into_iter().map(|(name, text)| Ok((id("addresses", &name)?, base(&text)?)));
        let admitted = pairs("admitted", options.admitted.as_deref(), file.admitted)?;
        let admitted =
            admitted.into_iter().map(|(name, text)| Ok((id("admitted", &name)?, print(&text)?)));
        let OfCentralBank { log: log_in_file, history } = file.central_bank.unwrap_or_default();
        let secret_in = options.config.filter(|_| log_in_file.is_some());
        let log = options.central_bank_log.or(log_in_file.map(|Hidden(text)| text));
        let log = log.map(|text| text.parse().with_context(|| "central_bank.log".to_owned()));
        let keys =
            options.keys.or(file.keys).map(|text| text.parse().with_context(|| "keys".to_owned()));
        let seconds = options.wait_seconds.or(file.wait_seconds).unwrap_or(300);
        Ok(Self {
            listen: listen_address(&listen)?,
            url: options.url.or(file.url).as_deref().map(base).transpose()?,
            data: options.data.data.or(file.data),
            profile: options.profile.or(file.profile),
            apart: Apart {
                institutions: institutions.transpose()?,
                addresses: addresses.collect::<Result<_>>()?,
                admitted: admitted.collect::<Result<_>>()?,
                trust_list_key: options.trust_list_key.or(file.trust_list_key),
                patience: Duration::from_secs(seconds),
            },
            connections,
            status_seconds,
            log_format: options.log_format.or(file.log_format).unwrap_or_default(),
            recognised: recognised(file.recognised.unwrap_or_default())?,
            snapshots: SnapshotPolicy {
                old_records: options.old_records.or(file.old_records).unwrap_or_default(),
                ..snapshots(
                    options.snapshot_records.or(file.snapshot_records),
                    options.snapshot_mebibytes.or(file.snapshot_mebibytes),
                )?
            },
            log: log.transpose()?,
            history: options.history.or(history).unwrap_or_default(),
            keys: keys.transpose()?,
            secret_in,
        })
    }
}

/// Within a minute every revocation is to be seen.
fn status_seconds(given: Option<u64>) -> Result<u64> {
    let longest = Ages::default().fresh_seconds;
    let seconds = given.unwrap_or(longest);
    anyhow::ensure!(
        (1..=longest).contains(&seconds),
        text!(
            "status_seconds is {seconds}: expected 1 to {longest}",
            seconds = seconds,
            longest = longest
        )
    );
    Ok(seconds)
}

fn snapshots(records: Option<u64>, mebibytes: Option<u64>) -> Result<SnapshotPolicy> {
    let default = SnapshotPolicy::default();
    let bytes = mebibytes.map(|mebibytes| mebibytes.saturating_mul(1 << 20));
    let (every_records, every_bytes) =
        (records.unwrap_or(default.every_records), bytes.unwrap_or(default.every_bytes));
    anyhow::ensure!(
        every_records > 0 && every_bytes > 0,
        text!("snapshot_records or snapshot_mebibytes is 0: expected at least 1")
    );
    Ok(SnapshotPolicy { every_records, every_bytes, ..default })
}

/// The recognised lists, one for each country.
fn recognised(lists: Vec<RecognisedList>) -> Result<Vec<Recognised>> {
    let mut countries = BTreeSet::new();
    let checked = lists.into_iter().map(|list| {
        let country = list.country;
        let code = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        anyhow::ensure!(code, "recognised: country {country:?}: expected two capital letters");
        anyhow::ensure!(countries.insert(country.clone()), "recognised: {country} is given twice");
        Endpoint::parse(&list.url).with_context(|| {
            text!(
                "recognised: the list of {country} is at {given}",
                country = country,
                given = quoted(&list.url)
            )
        })?;
        let roles = list.roles.unwrap_or_else(|| [Role::PidIssuer].into());
        let known = !roles.contains(&Role::Other) && !roles.contains(&Role::ForeignPidIssuer);
        anyhow::ensure!(
            known,
            text!("recognised: {country} has a role that cannot be recognised", country = country)
        );
        Ok(Recognised { country, url: list.url, key: list.key, roles })
    });
    checked.collect()
}

/// Parses an address to listen on.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr> {
    text.parse().with_context(|| {
        text!(
            "listen {given}: expected an address and a port, such as 127.0.0.1:8080",
            given = quoted(text)
        )
    })
}

/// The parts between commas, as options and environment have them; `None` if there is none.
fn parts(text: &str) -> Option<Vec<String>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    Some(parts.map(str::to_owned).collect::<Vec<_>>()).filter(|parts| !parts.is_empty())
}

/// The pairs `id=value` between commas; else those of the file.
fn pairs(
    setting: &str,
    given: Option<&str>,
    file: Option<BTreeMap<String, String>>,
) -> Result<BTreeMap<String, String>> {
    let Some(given) = given.and_then(parts) else { return Ok(file.unwrap_or_default()) };
    let pair = |text: &String| {
        let pair = text.split_once('=').filter(|(_, value)| !value.is_empty());
        let (name, value) = pair.with_context(|| {
            text!(
                "{setting}: {given}: expected INSTITUTION=VALUE",
                setting = setting,
                given = quoted(text)
            )
        })?;
        Ok((name.to_owned(), value.to_owned()))
    };
    given.iter().map(pair).collect()
}

fn id(setting: &str, name: &str) -> Result<InstitutionId> {
    name.parse().with_context(|| {
        text!(
            "{setting}: {given} is not the id of an institution",
            setting = setting,
            given = quoted(name)
        )
    })
}

/// An address to which paths are appended: scheme, host and port. Others must be reached over TLS.
fn base(text: &str) -> Result<String> {
    let expected = || {
        text!(
            "{given}: expected an address without a path, such as https://bank.example",
            given = quoted(text)
        )
    };
    let url = Url::parse(text).with_context(expected)?;
    anyhow::ensure!(url.path() == "/" && url.query().is_none(), expected());
    let address = url.origin().ascii_serialization();
    yufu_openid4vc::Endpoint::parse(&address).with_context(|| {
        text!(
            "{given}: without TLS, desks' tokens and orders would be readable on the way",
            given = quoted(text)
        )
    })?;
    Ok(address)
}

/// A fingerprint: 32 bytes in base64url.
fn print(text: &str) -> Result<String> {
    let bytes = yufu_jose::decode_base64url(text).ok().filter(|bytes| bytes.len() == 32);
    bytes.with_context(|| {
        text!(
            "admitted: {given} is no fingerprint: `yufu config fingerprint` prints one",
            given = quoted(text)
        )
    })?;
    Ok(text.to_owned())
}

fn read(path: &Path) -> Result<File> {
    let text = std::fs::read_to_string(path)
        .with_context(|| text!("{path} cannot be read", path = path.display()))?;
    parse(&text).with_context(|| text!("{path} is refused", path = path.display()))
}

/// A refusal names the line and its setting, and does not show the rest: it may hold a password.
fn parse(text: &str) -> Result<File> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let above = before.matches('\n').count();
        let setting = text.lines().nth(above).and_then(|line| line.split('=').next());
        anyhow::anyhow!(text!(
            "line {line}, {setting}: {cause}",
            line = above.saturating_add(1),
            setting = setting.unwrap_or_default().trim(),
            cause = error.message()
        ))
    })
}

/// What was typed, so that one sees where it begins and ends.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_setting_is_refused_by_name() {
        let refused =
            toml::from_str::<File>("listen = \"127.0.0.1:1\"\nlisten_adress = \"x\"").unwrap_err();
        assert!(refused.to_string().contains("listen_adress"), "{refused}");
    }

    #[test]
    fn a_refused_file_names_the_line_and_shows_no_password() {
        let file =
            "listen = \"127.0.0.1:1\"\n[central_bank]\nlgo = \"postgres://bank:secret@db/log\"";
        let refused = format!("{:#}", parse(file).err().unwrap());
        assert!(refused.contains("line 3") && refused.contains("lgo"), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
    }

    #[test]
    fn an_address_needs_a_port() {
        assert!(listen_address("127.0.0.1:8080").is_ok());
        for bad in ["127.0.0.1", "localhost:80x", ""] {
            assert!(listen_address(bad).is_err(), "{bad}");
        }
    }

    /// The template's settings, each taken out of its comment.
    fn uncommented() -> String {
        let setting = |line: &str| {
            let text = line.strip_prefix('#')?;
            let is = text.starts_with('[')
                || text.split_once(" = ").is_some_and(|(name, _)| {
                    name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'-')
                });
            is.then(|| text.to_owned())
        };
        let lines = TEMPLATE.lines().map(|line| setting(line).unwrap_or_else(|| line.to_owned()));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_template_sets_nothing_and_documents_every_setting() {
        let plain: toml::Table = toml::from_str(TEMPLATE).unwrap();
        assert!(plain.is_empty(), "{plain:?}");
        let text = uncommented();
        let all: toml::Table = toml::from_str(&text).unwrap();
        // The names that the settings in fact have, from the refusal of one that they have not.
        let refused = toml::from_str::<File>("no_such_setting = 1").unwrap_err().to_string();
        let known: Vec<&str> = refused.split('`').skip(3).step_by(2).collect();
        assert!(known.len() > 8, "{refused}");
        for name in &known {
            assert!(all.contains_key(*name), "the template lacks {name}:\n{text}");
        }
        assert_eq!(all.len(), known.len(), "the template has settings that do not exist");
        let file: File = toml::from_str(&text).unwrap();
        assert!(file.addresses.is_some_and(|them| them.values().all(|text| base(text).is_ok())));
        assert!(file.admitted.is_some_and(|them| them.values().all(|text| print(text).is_ok())));
    }

    #[test]
    fn addresses_are_bare_and_reached_over_tls() {
        assert_eq!(base("https://bank.example/").unwrap(), "https://bank.example");
        assert_eq!(base("http://localhost:8081").unwrap(), "http://localhost:8081");
        for bad in ["bank.example", "http://bank.example", "https://a/b", "https://a?b", "ftp://a"]
        {
            assert!(base(bad).is_err(), "{bad}");
        }
    }
}
