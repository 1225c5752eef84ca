//! Keys that turn while a server runs. `yufu keys rotate` makes the next one and says from when on it is used; the server
//! notices, lets others know of it, and from its time on has it used by whatever begins then. What was begun with the
//! former one is finished with it. What is made of keys here is made as at a start, by the same functions.

use super::attested::haip;
use super::issuer::{described, signing, signing_with};
use super::list_keys::{TRUST_LIST, list_keys, words};
use super::money::COMMANDS;
use super::opening::Opening;
use super::trust::Trust;
use super::{City, Plan, Progress, authority, openid_provider, wallet_provider};
use crate::keys_commands::rotated;
use crate::trust_key;
use anyhow::{Result, anyhow};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use yufu_api::Institutions;
use yufu_api::enrolment::place;
use yufu_api::http::{Client, Problem, Starting};
use yufu_api::issuer::{Haip, Issuer};
use yufu_api::relying_party::Service;
use yufu_base::{InstitutionId, Signer};
use yufu_keys::{KeyStore, Ring};
use yufu_profile::{Institution, Role};

/// How often it is looked whether a key is to turn.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After how many looks it is tried again, if somebody else could not be told.
const AGAIN_AFTER: u32 = 5;
/// The key that commands an institution's account at its bank.
const WALLET: &str = "wallet";
/// Those of which others have to be told at the moment that they turn.
const TOLD: [&str; 2] = [COMMANDS, WALLET];

type Rings = BTreeMap<&'static str, Ring>;

/// Watches the keys of the institutions that are served here.
pub(crate) struct Turning<'a> {
    plan: &'a Plan<'a>,
    trust: Trust,
    client: Client,
    institutions: Institutions,
    seen: BTreeMap<InstitutionId, Rings>,
    /// Whose keys could not be turned, and how many looks they are left alone.
    again: BTreeMap<InstitutionId, u32>,
}

impl City {
    /// What turns the keys of this city while it runs.
    ///
    /// # Errors
    /// If what is known of the keys cannot be read.
    pub(crate) fn turning<'a>(&self, plan: &'a Plan<'a>) -> Result<Turning<'a>> {
        let mut seen = BTreeMap::new();
        for institution in here(plan) {
            seen.insert(institution.id.clone(), rings(plan, institution)?);
        }
        Ok(Turning {
            plan,
            trust: self.trust.clone(),
            client: Client::new()?,
            institutions: self.institutions.clone(),
            seen,
            again: BTreeMap::new(),
        })
    }
}

/// Before a start: what came due while nobody served is used from now on. What others have to be told of waits for
/// [`Turning`].
pub(super) fn take_up_due(plan: &Plan<'_>) -> Result<()> {
    let now = plan.clock.read().wall;
    for institution in here(plan) {
        let keys = plan.data.keys(&institution.id)?;
        let due = |ring: &Ring| ring.ahead().is_some_and(|ahead| ahead.is_due(now));
        for (name, _) in rings(plan, institution)?.iter().filter(|(_, ring)| due(ring)) {
            if *name != TRUST_LIST && !TOLD.contains(name) {
                keys.take_up(name, now)?;
            }
        }
    }
    Ok(())
}

fn here<'a>(plan: &'a Plan<'_>) -> impl Iterator<Item = &'a Institution> {
    let all = plan.profile().institutions.values().filter(|one| plan.serves(&one.id));
    all.filter(|one| one.role != Role::Merchant || !one.requests.is_empty())
}

fn rings(plan: &Plan<'_>, institution: &Institution) -> Result<Rings> {
    let keys = plan.data.keys(&institution.id)?;
    rotated().map(|name| Ok((name, keys.ring(name)?))).collect()
}

impl Turning<'_> {
    /// Watches for ever.
    pub(crate) async fn watch(mut self) -> Infallible {
        let mut pin = self.trust.pin.get();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            for institution in here(self.plan) {
                if let Err(why) = self.look(institution).await {
                    tracing::warn!(institution = %institution.id, why = format!("{why:#}"), "a key does not turn yet: it is tried again");
                    metrics::counter!("yufu_key_turns_failed_total").increment(1);
                    self.again.insert(institution.id.clone(), AGAIN_AFTER);
                }
            }
            let known = self.trust.pin.get();
            if known != pin {
                // Kept beside the key that was given: the next start goes on from there.
                if let Err(why) = trust_key::keep(self.plan.data, self.trust.key, &known) {
                    tracing::warn!(
                        why = format!("{why:#}"),
                        "the key of the trust list is not kept"
                    );
                }
                pin = known;
            }
        }
    }

    async fn look(&mut self, institution: &Institution) -> Result<()> {
        let (plan, id) = (self.plan, &institution.id);
        let (now, before) = (plan.clock.read().wall, self.seen.get(id));
        let found = rings(plan, institution)?;
        let due = |ring: &Ring| ring.ahead().is_some_and(|ahead| ahead.is_due(now));
        let changed = before != Some(&found) || found.values().any(due);
        let waits = self.again.get_mut(id).is_some_and(|looks| {
            *looks = looks.saturating_sub(1);
            *looks > 0
        });
        if !changed || waits {
            return Ok(());
        }
        Box::pin(self.turn(institution, &found)).await?;
        let after = rings(plan, institution)?;
        let before = self.seen.insert(id.clone(), after.clone()).unwrap_or_default();
        self.again.remove(id);
        for (name, ring) in &after {
            told(id, name, before.get(name), ring);
        }
        Ok(())
    }

    /// Has what is ahead known, and what is due used.
    async fn turn(&self, institution: &Institution, found: &Rings) -> Result<()> {
        let plan = self.plan;
        let mut progress = |progress: &Progress<'_>| tracing::info!("{progress}");
        let (client, starting) = (self.client.clone(), Arc::<Starting>::default());
        let mut opening = Opening { plan, client, starting, progress: &mut progress };
        let (keys, now) = (plan.data.keys(&institution.id)?, plan.clock.read().wall);
        self.trust.enlist(&mut opening, institution).await?;
        let due = |ring: &Ring| ring.ahead().is_some_and(|ahead| ahead.is_due(now));
        for (name, _) in found.iter().filter(|(_, ring)| due(ring)) {
            match *name {
                TRUST_LIST => {}
                name if TOLD.contains(&name) => self.tell(institution, (&keys, name)).await?,
                name => drop(keys.take_up(name, now)?),
            }
        }
        self.renew(&mut opening, institution).await
    }

    /// Tells others that another key takes the place of the one in use, and uses it.
    async fn tell(&self, institution: &Institution, (keys, name): (&KeyStore, &str)) -> Result<()> {
        let now = self.plan.clock.read().wall;
        let Some((_, next)) = keys.ahead(name)? else { return Ok(()) };
        let told = match name {
            COMMANDS => self.tell_ledger(institution, keys, next).await,
            _ => self.tell_bank(&institution.id, next).await,
        };
        told?.map_err(|problem| anyhow!("{}: {}", problem.code(), problem.detail()))?;
        keys.take_up(name, now)?;
        Ok(())
    }

    async fn tell_ledger(
        &self,
        institution: &Institution,
        keys: &KeyStore,
        next: Arc<dyn Signer>,
    ) -> Result<Result<(), Problem>> {
        let (all, id) = (&self.institutions, &institution.id);
        if let Some(central_bank) = all.central_bank.as_ref().filter(|one| one.id == *id) {
            let words = words(keys, (COMMANDS, id.as_str()), self.plan.clock.read().wall)?;
            return Ok(central_bank.command_with(next, words, &self.client).await);
        }
        match all.banks.get(id.as_str()) {
            Some(bank) => Ok(bank.command_with(next).await),
            None => Ok(Ok(())),
        }
    }

    async fn tell_bank(
        &self,
        id: &InstitutionId,
        next: Arc<dyn Signer>,
    ) -> Result<Result<(), Problem>> {
        let all = &self.institutions;
        if let Some(party) = all.relying_parties.get(id.as_str()) {
            return Ok(party.command_account_with(next).await);
        }
        match all.agencies.get(id.as_str()) {
            Some(agency) => Ok(agency.command_account_with(next).await),
            None => Ok(Ok(())),
        }
    }

    /// Makes anew what an institution makes of its keys, as at a start.
    async fn renew(&self, opening: &mut Opening<'_>, one: &Institution) -> Result<()> {
        let (plan, trust, all) = (self.plan, &self.trust, &self.institutions);
        let (id, name) = (&one.id, one.id.as_str());
        let (path, _) = place(one);
        let identifier = format!("{}{path}", plan.address(id));
        let answers = format!("{path}/openid4vp");
        match one.role {
            Role::TrustListOperator => {
                if let Some(operator) = &all.trust_operator {
                    operator.keys.turn(Arc::new(list_keys(plan, id, &identifier)?));
                }
            }
            Role::CentralBank | Role::Registrar => {}
            Role::IdentityAuthority => self.renew_authority(opening, one).await?,
            Role::CommercialBank => {
                if let Some(bank) = all.banks.get(name) {
                    self.renew_issuer(opening, one, (&bank.issuer, &path)).await?;
                    bank.party.turn(Arc::new(trust.party(opening, one, &answers).await?));
                }
            }
            Role::Hotel | Role::Railway => {
                if let Some(party) = all.relying_parties.get(name) {
                    if let Service::Railway(issuer) = &party.service {
                        self.renew_issuer(opening, one, (issuer, &path)).await?;
                    }
                    party.party.turn(Arc::new(trust.party(opening, one, &answers).await?));
                }
            }
            Role::Agency => {
                if let Some(agency) = all.agencies.get(name) {
                    if let Some(issuer) = &agency.issuer {
                        self.renew_issuer(opening, one, (issuer, &path)).await?;
                    }
                    agency.party.turn(Arc::new(trust.party(opening, one, &answers).await?));
                }
            }
            Role::Merchant => {
                if let Some(party) = all.verifying_parties.get(name) {
                    party.party.turn(Arc::new(trust.party(opening, one, &answers).await?));
                }
            }
            Role::WalletProvider => {
                if let Some(provider) = all.wallet_providers.get(name) {
                    let of = (wallet_provider::KEY, identifier.as_str());
                    provider.signing.turn(Arc::new(signing_with(plan, one, of, false)?));
                }
            }
            Role::OpenidProvider => {
                if let Some(provider) = all.openid_providers.get(name) {
                    let of = (openid_provider::KEY, identifier.as_str());
                    provider.signing.turn(Arc::new(signing_with(plan, one, of, false)?));
                    provider.party.turn(Arc::new(trust.party(opening, one, &answers).await?));
                }
            }
        }
        Ok(())
    }

    async fn renew_authority(&self, opening: &mut Opening<'_>, one: &Institution) -> Result<()> {
        let trust = &self.trust;
        let Some(authority) = &self.institutions.authority else { return Ok(()) };
        self.renew_issuer(opening, one, (&authority.issuer, "/authority")).await?;
        let party = trust.party(opening, one, authority::OWN_LOOK).await?;
        authority.own_look.party.turn(Arc::new(party));
        #[cfg(feature = "zero-knowledge")]
        if let Some(anonymous) = &authority.anonymous {
            let party = trust.party(opening, one, super::anonymous::ANSWERS).await?;
            anonymous.party.turn(Arc::new(party));
        }
        Ok(())
    }

    async fn renew_issuer(
        &self,
        opening: &mut Opening<'_>,
        one: &Institution,
        (issuer, path): (&Issuer, &str),
    ) -> Result<()> {
        issuer.signing.turn(Arc::new(signing(self.plan, one, path)?));
        let Some(in_use) = &issuer.haip else { return Ok(()) };
        let profile = described(self.plan, one, path)?;
        if let Some(next) = Box::pin(haip(opening, &self.trust, one, (path, &profile))).await? {
            // Whose status lists are at hand.
            let trust = in_use.get().trust.clone();
            in_use.turn(Arc::new(Haip { trust, ..next }));
        }
        Ok(())
    }
}

/// Says what happened to a key.
fn told(id: &InstitutionId, key: &'static str, before: Option<&Ring>, now: &Ring) {
    let former = before.map_or(0, Ring::current);
    if before.is_some() && former != now.current() {
        tracing::info!(institution = %id, key, generation = now.current(), "a key turned: what begins from now on uses the next one");
        let labels = [("institution", id.to_string()), ("key", key.to_owned())];
        metrics::counter!("yufu_key_turns_total", &labels).increment(1);
        metrics::gauge!("yufu_key_generation", &labels).set(f64::from(now.current()));
    }
    let ahead = |ring: &Ring| ring.ahead().map(|ahead| (ahead.number, ahead.from));
    if let Some((generation, from)) = ahead(now).filter(|_| before.and_then(ahead) != ahead(now)) {
        tracing::info!(institution = %id, key, generation, from, "the next key is known: it is used from that second on");
    }
    let retired = |ring: &Ring| ring.retired().count();
    if retired(now) > before.map_or(0, retired) {
        tracing::info!(institution = %id, key, "a former key is retired: what it made counts no more");
    }
}
