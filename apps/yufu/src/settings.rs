//! The server's settings: one documented struct; options and environment override the file.

use crate::command_line::Serve;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use url::Url;
use yufu_api::recognition::Recognised;
use yufu_jose::Jwk;
use yufu_openid4vc::Endpoint;
use yufu_trust::Role;

/// The settings of `yufu serve`, as a file holds them. Unknown names are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The address to listen on. Default `127.0.0.1:8080`.
    listen: Option<String>,
    /// The address under which others reach this server, behind which TLS ends. Default: where it listens.
    url: Option<String>,
    /// The folder that holds all state.
    data: Option<PathBuf>,
    /// Another country and city.
    profile: Option<PathBuf>,
    /// Connections open at once. Default 512.
    connections: Option<usize>,
    /// `text` or `json`. Default `text`.
    log_format: Option<LogFormat>,
    /// Other countries' trust lists that the operator of this one recognises. Default none.
    recognised: Option<Vec<RecognisedList>>,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
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
    pub(crate) url: Option<Url>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) profile: Option<PathBuf>,
    pub(crate) connections: usize,
    pub(crate) log_format: LogFormat,
    pub(crate) recognised: Vec<Recognised>,
}

impl Settings {
    /// Reads the file, if one is named, and puts the options over it.
    pub(crate) fn load(options: Serve) -> Result<Self> {
        let file = options.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let listen = options.listen.or(file.listen).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        let url = options.url.or(file.url);
        let connections = file.connections.unwrap_or(512);
        anyhow::ensure!(connections > 0, "connections is 0: expected at least 1");
        Ok(Self {
            listen: listen_address(&listen)?,
            url: url
                .map(|u| {
                    Url::parse(&u).with_context(|| {
                        format!("url {u:?}: expected such as https://city.example")
                    })
                })
                .transpose()?,
            data: options.data.data.or(file.data),
            profile: options.profile.or(file.profile),
            connections,
            log_format: file.log_format.unwrap_or_default(),
            recognised: recognised(file.recognised.unwrap_or_default())?,
        })
    }
}

/// The recognised lists, one for each country.
fn recognised(lists: Vec<RecognisedList>) -> Result<Vec<Recognised>> {
    let mut countries = BTreeSet::new();
    let checked = lists.into_iter().map(|list| {
        let country = list.country;
        let code = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        anyhow::ensure!(code, "recognised: country {country:?}: expected two capital letters");
        anyhow::ensure!(countries.insert(country.clone()), "recognised: {country} is given twice");
        Endpoint::parse(&list.url)
            .with_context(|| format!("recognised: the list of {country} is at {:?}", list.url))?;
        let roles = list.roles.unwrap_or_else(|| [Role::PidIssuer].into());
        let known = !roles.contains(&Role::Other) && !roles.contains(&Role::ForeignPidIssuer);
        anyhow::ensure!(known, "recognised: {country} has a role that cannot be recognised");
        Ok(Recognised { country, url: list.url, key: list.key, roles })
    });
    checked.collect()
}

/// Parses an address to listen on.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr> {
    text.parse().with_context(|| {
        format!("listen {text:?}: expected an address and a port, such as 127.0.0.1:8080")
    })
}

fn read(path: &Path) -> Result<File> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is refused", path.display()))
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
    fn an_address_needs_a_port() {
        assert!(listen_address("127.0.0.1:8080").is_ok());
        for bad in ["127.0.0.1", "localhost:80x", ""] {
            assert!(listen_address(bad).is_err(), "{bad}");
        }
    }
}
