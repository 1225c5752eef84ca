//! How institutions come to trust each other: authorities make their anchors, the trust-list operator
//! lists them, the registrar certifies relying parties. Each key stays in its institution's own folder;
//! what needs another's signature is asked for at that other, in this process or over HTTP.

use super::Plan;
use super::issuer::issued_by;
use super::list_keys::list_keys;
use super::opening::{INSTITUTION_KEY, Listing, Opening, enrolment, refused, refused_with};
use crate::trust_key;
use crate::words::{noted, text};
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use yufu_api::enrolment::{Admission, place};
use yufu_api::http::Client;
use yufu_api::recognition::Recognition;
use yufu_api::registrar::{ACCESS_ANCHOR, Certified, REGISTRATION_ANCHOR, Registrar};
use yufu_api::relying_party::{IdentityTerms, Party};
use yufu_api::trust::{
    Enlisted, ListSequence, Register, SeenLists, SharedPin, TrustOperator, TrustSource,
};
use yufu_base::{InstitutionId, PublicKey, Signer, Timestamp};
use yufu_jose::Chain;
use yufu_keys::{IN_TOKEN as ROTATED, KeyStore, LeafSubject};
use yufu_profile::{Column, CredentialType, Institution, Profile, Role, Text};
use yufu_trust::{Anchor, TrustList};
use yufu_verifier::Ages;

/// The anchor of the key with which an institution signs credentials.
pub(super) const CREDENTIAL_ANCHOR: &str = "credential-anchor";

/// The key of a relying party's access certificate.
const ACCESS: &str = "access";
/// What the registrar certified last.
const CERTIFIED: &str = "certified";

/// The code with which the registrar refuses whoever it revoked altogether.
const REVOKED: &str = "registration.revoked";

/// The code with which the operator of the trust list refuses whoever it took off.
const REMOVED: &str = "enrolment.removed";

/// Whom the institutions here ask for trust.
#[derive(Clone)]
pub(super) struct Trust {
    /// The key of the trust list that was given.
    pub(super) key: PublicKey,
    /// By which key it is known since.
    pub(super) pin: SharedPin,
    /// The operator of the list, if it is served here.
    pub(super) operator: Option<Arc<TrustOperator>>,
    /// The registrar, if it is served here.
    pub(super) registrar: Option<Arc<Registrar>>,
    /// Their ids.
    operator_id: InstitutionId,
    registrar_id: InstitutionId,
    /// Where the list is.
    url: String,
    /// How old status lists may become.
    ages: Ages,
    /// What each institution here knows of the newest list: one memory each, whoever of it looks.
    seen: Arc<Mutex<BTreeMap<InstitutionId, SeenLists>>>,
}

/// Opens the list of the operator, if it is served here; else takes its key from where it was brought to.
pub(super) fn establish(plan: &Plan<'_>) -> Result<Trust> {
    let institution = plan.the(Role::TrustListOperator)?;
    let id = institution.id.clone();
    let (path, _) = place(institution);
    let identifier = format!("{}{path}", plan.address(&id));
    let url = format!("{identifier}/v1/list");
    let operator = if plan.serves(&id) {
        let keys = list_keys(plan, &id, &identifier)?;
        let register = Register::open(plan.data.store(&id, "listed")?, plan.profile());
        let store = plan.data.store(&id, "recognised")?;
        let recognition = Recognition::open(store, Client::new()?, plan.recognised.clone())?;
        Some(Arc::new(TrustOperator {
            identifier,
            register: register.map_err(|e| refused(&id, &e))?,
            recognition,
            sequence: ListSequence::open(plan.data.store(&id, "list")?)?,
            admission: admission(plan)?,
            desk: plan.operator(&id)?,
            keys: keys.into(),
            clock: Arc::clone(&plan.clock),
            id: id.clone(),
        }))
    } else {
        None
    };
    let key = match &operator {
        Some(operator) => operator.keys.get().signer.public_key(),
        None => trust_key::read_at(plan.trust_key_file()).with_context(|| {
            text!("the key of the trust list was not brought here: copy trust-list-key.json from its operator")
        })?,
    };
    let pin = SharedPin::new(trust_key::pinned(plan.data, key));
    let registrar_id = plan.the(Role::Registrar)?.id.clone();
    let ages = Ages { fresh_seconds: plan.status_seconds, ..Ages::default() };
    let (registrar, operator_id, seen) = (None, id, Arc::default());
    Ok(Trust { key, pin, operator, registrar, operator_id, registrar_id, url, ages, seen })
}

/// Whose enrolment is taken here: those of this process, and those whom the operator named.
pub(super) fn admission(plan: &Plan<'_>) -> Result<Admission> {
    let mut fingerprints = plan.apart.admitted.clone();
    for id in plan.profile().institutions.keys().filter(|id| plan.serves(id)) {
        fingerprints.insert(id.clone(), super::fingerprint(plan, id)?);
    }
    Ok(Admission::new(fingerprints))
}

impl Trust {
    /// Puts an institution onto the trust list: its address, and the anchors of its roles. One that the operator took off
    /// opens all the same, and is off: its other work, and the operator itself, may be in this very process.
    pub(super) async fn enlist(
        &self,
        opening: &mut Opening<'_>,
        institution: &Institution,
    ) -> Result<()> {
        let plan = opening.plan;
        let keys = plan.data.keys(&institution.id)?;
        let make = || {
            let listing = listing(plan, &keys, institution)?;
            enrolment(plan, institution, &self.operator_id, None, listing)
        };
        let enlisted = match &self.operator {
            Some(operator) => {
                let enlisted = operator.enrol(&make()?.enrolment);
                enlisted.map_err(|problem| Box::new(problem.into_body()))
            }
            None => {
                let what = ("/trust-list/v1/enrolments", noted!("list it"));
                opening.post_unless(&self.operator_id, what, REMOVED, make).await?
            }
        };
        let _: Enlisted = match enlisted {
            Ok(enlisted) => enlisted,
            Err(body) if body.code == REMOVED => {
                tracing::warn!(institution = %institution.id, "nobody finds or trusts it: {}", body.detail);
                return Ok(());
            }
            Err(body) => return Err(refused_with(&self.operator_id, &body.code, &body.detail)),
        };
        Ok(())
    }

    /// The list as of now, from its operator, for an institution.
    async fn list(&self, opening: &mut Opening<'_>, id: &InstitutionId) -> Result<TrustList> {
        let (now, plan) = (opening.now(), opening.plan);
        let seen = self.seen(plan, id)?;
        let text = match &self.operator {
            Some(operator) => {
                let signed = operator.signed_list();
                signed.map_err(|problem| refused(&self.operator_id, &problem))?
            }
            None => {
                let (client, url) = (opening.client.clone(), self.url.clone());
                let ask = || {
                    let (client, url) = (client.clone(), url.clone());
                    async move { client.get_text(&url).await }
                };
                opening.until(&self.operator_id, noted!("give the trust list"), ask).await?
            }
        };
        let list = seen.verify(&text, &self.pin, now).with_context(|| {
            text!(
                "the trust list is refused: is the key in trust-list-key.json that of its operator?"
            )
        })?;
        trust_key::keep(plan.data, self.key, &self.pin.get())?;
        Ok(list)
    }

    /// The chain of the key with which an institution signs credentials.
    pub(super) fn credential_chain(
        plan: &Plan<'_>,
        keys: &KeyStore,
        name: &Text,
        identifier: &str,
        (key, signs_mdocs): (PublicKey, bool),
    ) -> Result<Chain> {
        let subject = LeafSubject {
            organisation: name.en().to_owned(),
            common_name: "credentials and their status".to_owned(),
            dns_names: Vec::new(),
            uris: vec![identifier.to_owned()],
            key,
        };
        let now = plan.clock.read().wall;
        Ok(match signs_mdocs {
            true => keys.certify_document_signer(CREDENTIAL_ANCHOR, identifier, &subject, now)?,
            false => keys.certify(CREDENTIAL_ANCHOR, &subject, now)?,
        })
    }

    /// Where an institution of this city gets the trust list from, by whose key it knows it, and what it saw of it before.
    pub(super) fn source(
        &self,
        plan: &Plan<'_>,
        id: &InstitutionId,
        client: Client,
    ) -> Result<TrustSource> {
        let (seen, pin) = (self.seen(plan, id)?, self.pin.clone());
        Ok(TrustSource::new(client, self.url.clone(), pin, seen)?.with_ages(self.ages))
    }

    fn seen(&self, plan: &Plan<'_>, id: &InstitutionId) -> Result<SeenLists> {
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = all.get(id) {
            return Ok(seen.clone());
        }
        let seen = SeenLists::new(plan.data.store(id, "trust")?);
        Ok(all.entry(id.clone()).or_insert(seen).clone())
    }

    /// An institution as a relying party below `base`: certified, and registered for each of its purposes.
    pub(super) async fn party(
        &self,
        opening: &mut Opening<'_>,
        institution: &Institution,
        base: &str,
    ) -> Result<Party> {
        let plan = opening.plan;
        let keys = plan.data.keys(&institution.id)?;
        let signer: Arc<dyn Signer> = keys.signer(ACCESS)?;
        let certified = self.certified(opening, institution, (&*signer, &keys)).await?;
        let list = self.list(opening, &institution.id).await?;
        let now = opening.now();
        let former = keys.former_signers(ACCESS, now)?;
        let base = plan.endpoint(&institution.id, base)?;
        let mut verifiers = BTreeMap::new();
        let revoked: BTreeSet<String> = certified.revoked.keys().cloned().collect();
        for request in institution.requests.iter().filter(|one| !revoked.contains(&one.id)) {
            let chain = own_chain(&certified, &list, &*signer, now)?;
            let registration = certified.registrations.get(&request.id).with_context(|| {
                text!(
                    "the registrar has another profile: it does not register {request}",
                    request = request.id
                )
            })?;
            let verifier = yufu_verifier::Verifier::new(
                chain,
                base.clone(),
                registration.clone(),
                &list,
                now,
            )?;
            verifiers.insert(request.id.clone(), verifier);
        }
        let (issuers, identity) = (issuers(plan.profile()), identity_terms(plan.profile())?);
        Ok(Party::new((signer, former), verifiers, revoked, (issuers, identity)))
    }

    /// What the registrar certifies; what it certified before, if the key is in a token that does not sign just now. An
    /// institution of which it revoked everything opens all the same, and asks nothing: its other work, and the
    /// registrar itself, may be in this very process.
    async fn certified(
        &self,
        opening: &mut Opening<'_>,
        institution: &Institution,
        (signer, keys): (&dyn Signer, &KeyStore),
    ) -> Result<Certified> {
        let plan = opening.plan;
        if let Err(why) = signer.ready()
            && let Some(before) = certified_before(keys, signer.public_key())?
        {
            tracing::warn!(institution = %institution.id, %why, "its key does not sign: it goes on with the certificates of before");
            return Ok(before);
        }
        let withdrawn: Vec<String> = keys.ring(ACCESS)?.retired().map(str::to_owned).collect();
        let make = || {
            let listing = Listing { withdrawn: withdrawn.clone(), ..Listing::default() };
            enrolment(plan, institution, &self.registrar_id, Some(signer), listing)
        };
        let certified = match &self.registrar {
            Some(registrar) => {
                let certified = registrar.enrol(&make()?.enrolment).await;
                certified.map_err(|problem| Box::new(problem.into_body()))
            }
            None => {
                let what = ("/registrar/v1/enrolments", noted!("certify it"));
                opening.post_unless(&self.registrar_id, what, REVOKED, make).await?
            }
        };
        let certified = certified.or_else(|body| match body.more.get("revoked").cloned() {
            Some(revoked) if body.code == REVOKED => Ok(Certified {
                access: Vec::new(),
                registrations: BTreeMap::new(),
                revoked: serde_json::from_value(revoked)?,
            }),
            _ => Err(refused_with(&self.registrar_id, &body.code, &body.detail)),
        })?;
        for why in certified.revoked.values() {
            tracing::warn!(institution = %institution.id, "it asks nothing for this: {why}");
        }
        keys.replace(CERTIFIED, "json", &serde_json::to_vec(&certified)?)?;
        Ok(certified)
    }
}

/// What the registrar certified for this very key before, if that is kept.
fn certified_before(keys: &KeyStore, key: PublicKey) -> Result<Option<Certified>> {
    let Some(bytes) = keys.find(CERTIFIED, "json")? else { return Ok(None) };
    let before: Certified = serde_json::from_slice(&bytes)?;
    let of_key = |chain: &Chain| chain.unverified_key() == Some(key);
    Ok(Chain::from_x5c(&before.access).ok().filter(of_key).map(|_| before))
}

/// The chain that the registrar gave, if it is under its listed anchor and for the key that was sent.
fn own_chain(
    certified: &Certified,
    list: &TrustList,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Chain> {
    let chain = Chain::from_x5c(&certified.access)?;
    let by = list.identify(yufu_trust::Role::AccessCa, &chain, now);
    let by =
        by.with_context(|| text!("the registrar's certificate is not one of the trust list's"))?;
    ensure!(
        by.leaf.public_key == signer.public_key(),
        text!("the registrar certified another key than the one it was sent: ask its operator")
    );
    Ok(chain)
}

/// What is to be listed of an institution's keys: what certifies, what certified before, what counts no more.
fn listing(plan: &Plan<'_>, keys: &KeyStore, institution: &Institution) -> Result<Listing> {
    let (now, country) = (plan.clock.read().wall, plan.profile().country.as_str());
    let mut listing = Listing::default();
    let (path, roles) = place(institution);
    let issuer = format!("{}{path}", plan.address(&institution.id));
    let mdocs = issued_by(plan, institution).iter().any(|kind| kind.doctype.is_some());
    for role in roles {
        let name = anchor_name(*role);
        let (of, called) = (country, institution.name.en());
        let for_mdocs = (mdocs && name == CREDENTIAL_ANCHOR).then_some(issuer.as_str());
        let der = match for_mdocs {
            Some(issuer) => keys.anchor_for_mdocs((of, called), issuer, name, now)?,
            None => keys.anchor_in(Some(of), name, called, now)?,
        };
        let subject = LeafSubject {
            organisation: institution.name.en().to_owned(),
            common_name: "enrolment".to_owned(),
            dns_names: Vec::new(),
            uris: Vec::new(),
            key: keys.signer(INSTITUTION_KEY)?.public_key(),
        };
        let proof = keys.certify(name, &subject, now)?;
        listing.anchors.push(Anchor::new(*role, &der, proof.unverified_leaf()));
        // One that is ahead is listed before it certifies anything.
        if let Some(der) = keys.anchor_ahead((Some(of), called), for_mdocs, name, now)? {
            let proof = keys.certify_ahead(name, &subject, now)?;
            listing.anchors.push(Anchor::new(*role, &der, proof.unverified_leaf()));
        }
        let ring = keys.ring(name)?;
        let before = ring.generations().iter().filter(|one| one.number != ring.current());
        let kept = before.filter(|one| one.retired.is_none());
        listing.former.extend(kept.filter_map(|one| one.thumbprint.clone()));
    }
    for name in ROTATED.into_iter().filter(|name| *name != ACCESS) {
        listing.withdrawn.extend(keys.ring(name)?.retired().map(str::to_owned));
    }
    Ok(listing)
}

/// Which of an institution's authorities certifies a role.
const fn anchor_name(role: yufu_trust::Role) -> &'static str {
    match role {
        yufu_trust::Role::Registrar => REGISTRATION_ANCHOR,
        yufu_trust::Role::AccessCa => ACCESS_ANCHOR,
        _ => CREDENTIAL_ANCHOR,
    }
}

/// What identity credentials are, as the profile says.
fn identity_terms(profile: &Profile) -> Result<IdentityTerms> {
    let identity =
        profile.identity().with_context(|| text!("the profile has no identity credential"))?;
    let number = identity.claim_from(Column::ResidentNumber);
    let number = number
        .with_context(|| text!("the identity credential does not name the resident"))?
        .clone();
    let foreign = profile.foreign_credentials.iter();
    let foreign = foreign.map(|other| (other.vct.clone(), other.country.clone())).collect();
    Ok(IdentityTerms { number, foreign })
}

/// Who must have issued each type of credential.
fn issuers(profile: &Profile) -> BTreeMap<String, yufu_trust::Role> {
    let role = |kind: &CredentialType| match kind.issuer {
        Role::CommercialBank => yufu_trust::Role::BankIssuer,
        Role::Railway => yufu_trust::Role::TicketIssuer,
        Role::Agency => yufu_trust::Role::AgencyIssuer,
        _ => yufu_trust::Role::PidIssuer,
    };
    let types = |kind: &CredentialType| {
        let role = role(kind);
        let types: Vec<_> = std::iter::once(&kind.vct).chain(&kind.doctype).cloned().collect();
        types.into_iter().map(move |named| (named, role))
    };
    profile.credentials.iter().flat_map(types).collect()
}
