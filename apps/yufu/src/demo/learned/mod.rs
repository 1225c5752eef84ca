//! Who learned what: computed from what each institution has in its files after a step and had not before it,
//! and from what her wallet in fact showed. Nothing here is told by the institutions' own code but the names of
//! what they sealed.

mod ledger;
mod meaning;
mod rows;

use super::name::Name;
use super::report::Told;
use super::story::Story;
use crate::wallet::{Event, field_named};
use crate::words::{in_demo, language};
use anyhow::{Context, Result};
use ledger::Ledger;
use meaning::{Meanings, Sealed};
use rows::{Databases, Written};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use yufu_api::http::Language;
use yufu_base::InstitutionId;
use yufu_profile::{Institution, Role};

/// Watches what institutions store.
pub(super) struct Observer {
    meanings: Meanings,
    databases: BTreeMap<InstitutionId, Databases>,
    ledger: Ledger,
    /// How many entries of her wallet's history were looked at.
    history: usize,
}

/// Sealed claims that were written: where to ask for their names.
struct Unseen {
    institution: InstitutionId,
    sealed: Sealed,
    /// The customer's or stay's id.
    row: String,
}

impl Story<'_> {
    /// Puts into `told` what every institution learned by the step that just ended.
    pub(super) async fn observe(&mut self, told: &mut Told) -> Result<()> {
        let central_bank = self.the(Role::CentralBank)?.id.clone();
        let mut learned: BTreeMap<InstitutionId, BTreeSet<String>> = BTreeMap::new();
        learned.insert(central_bank, self.observer.ledger.changes()?);
        let mut unseen = Vec::new();
        for (id, databases) in &mut self.observer.databases {
            for written in databases.changes()? {
                let meant = self.observer.meanings.explain(&written);
                learned.entry(id.clone()).or_default().extend(meant.attributes);
                if let Some(sealed) = meant.sealed {
                    let row = written.row.context("sealed claims in a row without an id")?;
                    unseen.push(Unseen { institution: id.clone(), sealed, row });
                }
            }
        }
        for found in &unseen {
            let names = self.ask_desk(found).await?;
            learned.entry(found.institution.clone()).or_default().extend(names);
        }
        if !unseen.is_empty() {
            // Asking the desks was itself recorded there; that is not what the step left.
            self.observer.pass_over()?;
        }
        for (id, attributes) in learned.into_iter().filter(|(_, attributes)| !attributes.is_empty())
        {
            let institution = self.country.profile.institutions.get(&id);
            let name = institution.context("an unknown institution")?;
            let name = Name::from(self.tell(&name.name));
            told.learned.insert(name, self.attributes(&attributes).collect());
        }
        self.shown(told);
        Ok(())
    }

    /// What her wallet showed: received, though perhaps compared and dropped.
    fn shown(&mut self, told: &mut Told) {
        let history = self.wallet.history();
        for entry in history.iter().skip(self.observer.history) {
            if let Event::Disclosed { party, claims, .. } = &entry.event {
                let learned = told.learned.entry(Name::from(party.as_str())).or_default();
                learned.extend(self.attributes(claims));
            }
        }
        self.observer.history = history.len();
        told.learned.retain(|_, names| !names.is_empty());
    }

    /// What was learned, each by its name.
    pub(super) fn attributes<'n>(
        &self,
        names: impl IntoIterator<Item = &'n String>,
    ) -> impl Iterator<Item = Name> {
        names.into_iter().map(move |name| self.attribute(name))
    }

    /// Told in English as it is reported; in other languages in words of ours, and a claim by its label in its credential.
    pub(super) fn attribute(&self, name: &str) -> Name {
        let words = in_demo(name);
        if words != name || language() == Language::En {
            return Name::new(name, words);
        }
        let credentials = self.country.profile.credentials.iter();
        let mut claims = credentials.flat_map(|credential| &credential.claims);
        match claims.find(|claim| claim.path.to_string() == name) {
            Some(claim) => Name::new(name, self.tell(&claim.label)),
            None => Name::new(name, field_named(name)),
        }
    }

    /// The names of sealed claims, as the institution's own desk tells them. The look is recorded there.
    async fn ask_desk(&self, unseen: &Unseen) -> Result<Vec<String>> {
        let id = &unseen.institution;
        let all: Vec<String> =
            self.identity()?.claims.iter().map(|claim| claim.path.to_string()).collect();
        let fields = all.join("+");
        let (base, row) = (self.address(id), &unseen.row);
        let url = match unseen.sealed {
            Sealed::Customer => {
                let databases = self.observer.databases.get(id);
                let databases = databases.context("an institution that was not watched")?;
                let account = databases.find("onboarding", "accounts", "customer", row)?;
                let account = account.context("a customer without an account")?;
                format!(
                    "{base}/banks/{id}/v1/desk/accounts/{account}/customer?purpose=report&fields={fields}"
                )
            }
            Sealed::Guest => {
                format!(
                    "{base}/parties/{id}/v1/desk/check-ins/{row}/guest?purpose=report&fields={fields}"
                )
            }
        };
        let file: Map<String, Value> = self.client.get(&url, Some(&self.desk(id)?)).await?;
        Ok(file.keys().cloned().collect())
    }
}

impl Observer {
    /// Watches `institutions` from now on: what they have already is passed over.
    pub(super) fn new<'a>(
        institutions: impl Iterator<Item = &'a Institution>,
        folder: impl Fn(&InstitutionId) -> Result<std::path::PathBuf>,
    ) -> Result<Self> {
        let mut databases = BTreeMap::new();
        let mut ledger = None;
        for institution in institutions {
            let folder = folder(&institution.id)?;
            if institution.role == Role::CentralBank {
                ledger = Some(Ledger::new(folder.join("ledger.sqlite")));
            }
            databases.insert(institution.id.clone(), Databases::new(folder));
        }
        let ledger = ledger.context("the profile has no central bank")?;
        let mut observer = Self { meanings: Meanings::read(), databases, ledger, history: 0 };
        observer.pass_over()?;
        Ok(observer)
    }

    fn pass_over(&mut self) -> Result<()> {
        self.ledger.changes()?;
        for databases in self.databases.values_mut() {
            let _: Vec<Written> = databases.changes()?;
        }
        Ok(())
    }
}
