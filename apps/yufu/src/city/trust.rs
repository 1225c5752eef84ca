//! The ceremony at the beginning: authorities make their anchors, the trust-list operator lists
//! them, the registrar certifies relying parties. Each key stays in its institution's own folder.

use super::Plan;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use yufu_api::http::Client;
use yufu_api::relying_party::Party;
use yufu_api::trust::{TrustOperator, TrustSource};
use yufu_base::{Digest, PublicKey, Signer, Timestamp};
use yufu_jose::{Chain, ClaimPath, encode_base64url, sha256};
use yufu_keys::{AuthorityCertificate, KeyStore, LeafSubject, Validity};
use yufu_profile::{CredentialType, Institution, Profile, Request, Role, Text};
use yufu_trust::{
    Localized, RegisteredClaim, RegisteredCredential, RegisteredMeta, RegistrationCertificate,
    TrustEntry, TrustList,
};

const DAY: u64 = 86_400;
/// How long an authority's anchor is valid.
const ANCHOR_DAYS: u64 = 3650;
/// How long what is certified is valid: three periods beyond the one in which it is used.
const LEAF_DAYS: u64 = 360;
/// For how long one leaf is used: a quarter of a year.
const PERIOD_SECONDS: u64 = 90 * DAY;

/// What the ceremony leaves.
pub(super) struct Trust {
    pub(super) operator: TrustOperator,
    /// The list as of now, for parties that set themselves up.
    pub(super) list: TrustList,
    registrar: KeyStore,
    now: Timestamp,
}

/// A relying party's access certificate and the key it is for.
struct Access {
    pub(super) signer: Arc<dyn Signer>,
    pub(super) chain: Chain,
}

/// Makes (or finds) the anchors, and lists them.
pub(super) fn establish(plan: &Plan<'_>) -> Result<Trust> {
    let now = plan.clock.read().wall;
    let authority = plan.the(Role::IdentityAuthority)?;
    let registrar = plan.the(Role::Registrar)?;
    let operator = plan.the(Role::TrustListOperator)?;
    let registrar_keys = plan.data.keys(&registrar.id)?;
    let authority_keys = plan.data.keys(&authority.id)?;
    let entry = |institution: &Institution, keys: &KeyStore, anchor: &str, role, path: &str| {
        let der = anchor_der(keys, anchor, &institution.name.en, now)?;
        let identifier = format!("{}{path}", plan.address(&institution.id));
        Ok::<_, anyhow::Error>(TrustEntry::new(
            localized(&institution.name),
            role,
            &identifier,
            &[der],
        ))
    };
    let mut entries = vec![
        entry(
            authority,
            &authority_keys,
            "credential-anchor",
            yufu_trust::Role::PidIssuer,
            "/authority",
        )?,
        entry(
            registrar,
            &registrar_keys,
            "registration-anchor",
            yufu_trust::Role::Registrar,
            "/registrar",
        )?,
        entry(
            registrar,
            &registrar_keys,
            "access-anchor",
            yufu_trust::Role::AccessCa,
            "/registrar",
        )?,
    ];
    for (role, trusted_as, folder) in [
        (Role::CommercialBank, yufu_trust::Role::BankIssuer, "banks"),
        (Role::Railway, yufu_trust::Role::TicketIssuer, "parties"),
        (Role::WalletProvider, yufu_trust::Role::WalletProvider, "wallet-providers"),
    ] {
        for issuer in plan.profile().institutions_of(role) {
            let keys = plan.data.keys(&issuer.id)?;
            let path = format!("/{folder}/{}", issuer.id);
            entries.push(entry(issuer, &keys, "credential-anchor", trusted_as, &path)?);
        }
    }
    let signer: Arc<dyn Signer> = plan.data.keys(&operator.id)?.signer("trust-list")?;
    let operator = TrustOperator {
        identifier: format!("{}/trust-list", plan.address(&plan.the(Role::TrustListOperator)?.id)),
        entries,
        signer: Arc::clone(&signer),
        clock: Arc::clone(&plan.clock),
    };
    let list = TrustList::verify(&operator.signed_list()?, &signer.public_key(), now, None)?;
    Ok(Trust { operator, list, registrar: registrar_keys, now })
}

impl Trust {
    /// The chain of the key with which an institution signs credentials.
    pub(super) fn credential_chain(
        &self,
        keys: &KeyStore,
        name: &Text,
        identifier: &str,
        key: PublicKey,
    ) -> Result<Chain> {
        let subject = LeafSubject {
            organisation: name.en.clone(),
            common_name: "credentials and their status".to_owned(),
            dns_names: Vec::new(),
            uris: vec![identifier.to_owned()],
            key,
        };
        certify(keys, "credential-anchor", &subject, self.now)
    }

    /// Where a relying party of this city gets the trust list from, and by whose key it knows it.
    pub(super) fn source(&self, client: Client) -> TrustSource {
        let url = format!("{}/v1/list", self.operator.identifier);
        TrustSource::new(client, url, self.operator.signer.public_key())
    }

    /// An institution as a relying party below `base`: certified, and registered for each of its purposes.
    pub(super) fn party(
        &self,
        plan: &Plan<'_>,
        institution: &Institution,
        base: &str,
    ) -> Result<Party> {
        let host = plan.endpoint(&institution.id, "/")?.host().to_owned();
        let access = self.access(&plan.data.keys(&institution.id)?, &institution.name, &host)?;
        let verifiers = verifiers(plan, self, institution, &access, base)?;
        Ok(Party { signer: access.signer, verifiers, issuers: issuers(plan.profile()) })
    }

    /// An access certificate for a relying party that is reached at `host`.
    fn access(&self, keys: &KeyStore, name: &Text, host: &str) -> Result<Access> {
        let signer: Arc<dyn Signer> = keys.signer("access")?;
        let subject = LeafSubject {
            organisation: name.en.clone(),
            common_name: "presentation requests".to_owned(),
            dns_names: vec![host.to_owned()],
            uris: Vec::new(),
            key: signer.public_key(),
        };
        let chain = certify(&self.registrar, "access-anchor", &subject, self.now)?;
        Ok(Access { signer, chain })
    }

    /// A registration certificate: what `party` may ask for the purpose of `request`, and where
    /// answers may go.
    pub(super) fn register(
        &self,
        party: &Institution,
        request: &Request,
        access: &Chain,
        origin: &str,
        asked: Vec<RegisteredCredential>,
    ) -> Result<String> {
        let signer = self.registrar.signer("registration")?;
        let subject = LeafSubject {
            organisation: "Registrar".to_owned(),
            common_name: "registration certificates".to_owned(),
            dns_names: Vec::new(),
            uris: Vec::new(),
            key: signer.public_key(),
        };
        let chain = certify(&self.registrar, "registration-anchor", &subject, self.now)?;
        let certificate = RegistrationCertificate {
            sub: party.id.to_string(),
            name: localized(&party.name),
            client_id: format!("x509_hash:{}", encode_base64url(sha256(access.unverified_leaf()))),
            origins: vec![origin.to_owned()],
            purpose: localized(&request.purpose),
            credentials: asked,
            privacy_policy: format!("{origin}/#{}", party.id),
            support_uri: format!("mailto:{}", party.support),
            report_uri: format!("mailto:{}", party.support),
            intended_use_id: request.id.clone(),
            retention_days: party.retention_days,
            issued_at: self.now,
            expires_at: self.now.plus_seconds(LEAF_DAYS.saturating_mul(DAY)),
            status: None,
        };
        Ok(certificate.sign(&*signer, &chain)?)
    }
}

pub(super) fn localized(text: &Text) -> Localized {
    Localized::new("zh", &text.zh).with("en", &text.en)
}

/// What a request may ask, credential by credential.
fn asked(plan: &Plan<'_>, request: &Request) -> Result<Vec<RegisteredCredential>> {
    let credential = |id: &String| {
        let kind = plan.profile().credential(id);
        let kind = kind.with_context(|| format!("the profile has no credential {id}"))?;
        let own = kind.claims.iter().filter(|claim| request.claims.contains(&claim.path));
        let claims = own.map(|claim| {
            let path = ClaimPath::members(claim.path.segments().iter().map(String::as_str))?;
            Ok::<_, anyhow::Error>(RegisteredClaim { path })
        });
        Ok(RegisteredCredential {
            format: yufu_openid4vc::FORMAT_SD_JWT_VC.to_owned(),
            meta: RegisteredMeta { vct_values: vec![kind.vct.clone()] },
            claims: claims.collect::<Result<_>>()?,
        })
    };
    request.credentials.iter().map(credential).collect()
}

/// Who must have issued each type of credential.
fn issuers(profile: &Profile) -> BTreeMap<String, yufu_trust::Role> {
    let role = |kind: &CredentialType| match kind.issuer {
        Role::CommercialBank => yufu_trust::Role::BankIssuer,
        Role::Railway => yufu_trust::Role::TicketIssuer,
        _ => yufu_trust::Role::PidIssuer,
    };
    profile.credentials.iter().map(|kind| (kind.vct.clone(), role(kind))).collect()
}

fn validity(now: Timestamp, days: u64) -> Validity {
    Validity { from: now.minus_seconds(DAY), until: now.plus_seconds(days.saturating_mul(DAY)) }
}

/// The authority's self-signed certificate, made once and kept.
fn anchor_der(keys: &KeyStore, anchor: &str, name: &str, now: Timestamp) -> Result<Vec<u8>> {
    let signer = keys.signer(anchor)?;
    let der = keys.document(anchor, "der", || {
        let made = AuthorityCertificate::self_signed(name, &*signer, validity(now, ANCHOR_DAYS))?;
        Ok::<_, anyhow::Error>(made.der().to_vec())
    })?;
    let key = signer.public_key();
    let certified = der.windows(key.as_bytes().len()).any(|window| window == key.as_bytes());
    anyhow::ensure!(
        certified,
        "the key {anchor} of {name} is not the one its certificate is for: restore {anchor}.p8 from the backup of keys"
    );
    Ok(der)
}

/// The leaf of `subject` under an anchor: the same one for a quarter of a year, across starts, so that
/// a credential does not tell by its certificate when the server was started.
fn certify(keys: &KeyStore, anchor: &str, subject: &LeafSubject, now: Timestamp) -> Result<Chain> {
    let signer = keys.signer(anchor)?;
    let der =
        keys.document(anchor, "der", || anyhow::bail!("the anchor {anchor} was never made"))?;
    let period = now.seconds().checked_div(PERIOD_SECONDS).unwrap_or(0);
    let begun = Timestamp::from_seconds(period.saturating_mul(PERIOD_SECONDS));
    let digest = Digest::of(format!("{anchor}{subject:?}").as_bytes()).to_string();
    let name = format!("leaf-{}-{period}", digest.get(..16).unwrap_or_default());
    let leaf = keys.document(&name, "der", || {
        let authority = AuthorityCertificate::from_der(der, &*signer)?;
        Ok::<_, anyhow::Error>(authority.issue(subject, validity(begun, LEAF_DAYS))?)
    })?;
    Chain::from_der(vec![leaf]).context("a stored certificate")
}

/// The verifiers of a relying party, one for each purpose it is registered for.
fn verifiers(
    plan: &Plan<'_>,
    trust: &Trust,
    party: &Institution,
    access: &Access,
    base: &str,
) -> Result<BTreeMap<String, yufu_verifier::Verifier>> {
    let base = plan.endpoint(&party.id, base)?;
    let mut verifiers = BTreeMap::new();
    for request in &party.requests {
        let asked = asked(plan, request)?;
        let registration = trust.register(party, request, &access.chain, &base.origin(), asked)?;
        let verifier = yufu_verifier::Verifier::new(
            access.chain.clone(),
            base.clone(),
            registration,
            &trust.list,
            trust.now,
        )?;
        verifiers.insert(request.id.clone(), verifier);
    }
    Ok(verifiers)
}
