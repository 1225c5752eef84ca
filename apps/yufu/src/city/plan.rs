//! What a process is started from: the country, its folder, its address, and which institutions it serves.

use super::opening::needed;
use crate::command_line::HistoryKept;
use crate::data::DataFolder;
use crate::profile::Country;
use crate::settings::{Apart, SnapshotPolicy};
use crate::trust_key;
use crate::words::{known, text};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use yufu_api::http::OperatorToken;
use yufu_api::recognition::Recognised;
use yufu_base::{InstitutionId, Signer};
use yufu_engine::Clock;
use yufu_log::PostgresAddress;
use yufu_openid4vc::Endpoint;
use yufu_profile::{Institution, Profile, Role};
use yufu_verifier::Ages;
use yufu_views::Place;

/// Everything that a city is started from.
pub(crate) struct Plan<'a> {
    pub(crate) country: &'a Country,
    pub(crate) data: &'a DataFolder,
    /// The address under which everybody reaches this process, without a slash at the end.
    pub(crate) url: String,
    pub(crate) clock: Arc<dyn Clock>,
    /// What runs elsewhere.
    pub(crate) apart: Apart,
    /// Which other countries' trust lists the operator of this one recognises.
    pub(crate) recognised: Vec<Recognised>,
    /// When snapshots of the ledger are made.
    pub(crate) snapshots: SnapshotPolicy,
    /// Where the ledger's log is, if it is not a file in the central bank's folder.
    pub(crate) log: Option<PostgresAddress>,
    /// Who keeps up the history of the ledger.
    pub(crate) history: HistoryKept,
    /// How old a status list at hand may be before another one is fetched, in seconds.
    pub(crate) status_seconds: u64,
}

/// What long work has to say.
pub(crate) enum Progress<'a> {
    /// A sentence.
    Said(&'a str),
    /// So many residents came into the register.
    Registered(usize),
    /// So much of so much.
    Counted { what: &'a str, done: usize, of: usize },
}

impl<'a> Plan<'a> {
    /// A city with all its institutions in this process.
    pub(crate) fn whole(
        country: &'a Country,
        data: &'a DataFolder,
        url: String,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (apart, recognised) = (Apart::default(), Vec::new());
        let snapshots = SnapshotPolicy::default();
        Self {
            country,
            data,
            url,
            clock,
            apart,
            recognised,
            snapshots,
            log: None,
            history: HistoryKept::Here,
            status_seconds: Ages::default().fresh_seconds,
        }
    }

    /// Where the history of the ledger lies, and what it is made from.
    pub(crate) fn history(&self, central_bank: &InstitutionId) -> Result<Place> {
        let view = self.data.database(central_bank, "history")?;
        Ok(Place { view, snapshots: self.data.snapshots(central_bank)? })
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.country.profile
    }

    /// The one institution of a role that has exactly one.
    pub(crate) fn the(&self, role: Role) -> Result<&Institution> {
        let found = self.profile().institutions_of(role).next();
        found.with_context(|| text!("the profile names no {role}", role = role.word()))
    }

    /// Whether an institution is served by this process.
    pub(crate) fn serves(&self, institution: &InstitutionId) -> bool {
        self.apart.institutions.as_ref().is_none_or(|here| here.contains(institution))
    }

    /// Under which address an institution is reached, without a slash at the end.
    pub(crate) fn address(&self, institution: &InstitutionId) -> &str {
        self.apart.addresses.get(institution).unwrap_or(&self.url)
    }

    /// Where the key of the trust list was brought to, if its operator is elsewhere.
    pub(crate) fn trust_key_file(&self) -> PathBuf {
        self.apart.trust_list_key.clone().unwrap_or_else(|| trust_key::file(self.data))
    }

    /// An address below an institution's.
    pub(crate) fn endpoint(&self, institution: &InstitutionId, path: &str) -> Result<Endpoint> {
        Ok(Endpoint::parse(&format!("{}{path}", self.address(institution)))?)
    }

    /// The token of an institution's desk.
    pub(crate) fn operator(&self, id: &InstitutionId) -> Result<OperatorToken> {
        Ok(OperatorToken::new(self.data.keys(id)?.secret("desk")?))
    }

    /// An institution's key for commands.
    pub(crate) fn command_key(&self, id: &InstitutionId) -> Result<Arc<dyn Signer>> {
        Ok(self.data.keys(id)?.signer(super::money::COMMANDS)?)
    }

    /// What of the institutions' spread does not fit the profile, and what to do about it.
    pub(crate) fn findings(&self) -> Vec<String> {
        let known = |id: &InstitutionId| self.profile().institutions.contains_key(id);
        let Apart { institutions, addresses, admitted, .. } = &self.apart;
        let mut found = Vec::new();
        let named = institutions.iter().flatten().map(|id| ("institutions", id));
        let named = named.chain(addresses.keys().map(|id| ("addresses", id)));
        for (setting, id) in named.chain(admitted.keys().map(|id| ("admitted", id))) {
            if !known(id) {
                found.push(text!(
                    "{setting}: the profile has no institution {institution}",
                    setting = setting,
                    institution = id
                ));
            }
        }
        for (id, url) in addresses.iter().filter(|(id, _)| known(id) && self.serves(id)) {
            if *url != self.url {
                found.push(text!(
                    "addresses: {institution} is served here: its address is {address}",
                    institution = id,
                    address = self.url
                ));
            }
        }
        let elsewhere = |one: &Institution| !self.serves(&one.id);
        if self.log.is_some() && self.the(Role::CentralBank).is_ok_and(elsewhere) {
            found.push(text!(
                "central_bank.log: the central bank is not served here; remove the setting"
            ));
        }
        let here = self.profile().institutions.values().filter(|one| self.serves(&one.id));
        let needed: BTreeSet<InstitutionId> = here
            .flat_map(|one| needed(self.profile(), one))
            .filter(|id| !self.serves(id))
            .collect();
        let shared = self.url.starts_with("https://");
        for id in needed.iter().filter(|id| !shared && !addresses.contains_key(id)) {
            found.push(text!(
                "{institution} runs elsewhere and is needed: put its address under [addresses]",
                institution = id
            ));
        }
        found
    }

    /// Refuses what [`Plan::findings`] finds.
    pub(crate) fn check(&self) -> Result<()> {
        let found = self.findings();
        if !found.is_empty() {
            bail!("{}", found.join("\n"));
        }
        Ok(())
    }
}

impl Progress<'_> {
    /// As a person is told it.
    pub(crate) fn told(&self) -> String {
        match *self {
            Self::Said(line) => line.to_owned(),
            Self::Registered(count) => {
                text!("{count} residents are in the register, sealed one by one", count = count)
            }
            Self::Counted { what, done, of } => {
                text!("{what}: {done} of {of}", what = known(what), done = done, of = of)
            }
        }
    }
}

/// As logs have it.
impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(line) => f.write_str(line),
            Self::Registered(count) => {
                write!(f, "{count} residents are in the register, sealed one by one")
            }
            Self::Counted { what, done, of } => write!(f, "{what}: {done} of {of}"),
        }
    }
}
