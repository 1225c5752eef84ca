//! What the person sees before she decides.

use super::Reviewed;
use super::choosing::Choice;
use crate::HeldCredential;
use serde_json::Value;
use yufu_jose::ClaimPath;
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::dcql::{Candidate, Match, Unsatisfied};
use yufu_openid4vc::presentation::TransactionData;
use yufu_trust::{Basis, Localized, RegistrationCertificate, names_resident};

/// Longer retention than this is pointed out, in days.
const LONG_RETENTION_DAYS: u32 = 365;

/// Everything a decision needs, from sources that were verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    /// Who asks, as registered.
    pub party: Localized,
    /// Why, as registered.
    pub purpose: Localized,
    /// What allows it, as registered.
    pub basis: Option<Basis>,
    /// What would be shown.
    pub credentials: Vec<ConsentCredential>,
    /// Where the verifier leaves a choice: the alternatives that can be given, and which of them is taken.
    pub choices: Vec<Choice>,
    /// Of a request that nothing here answers, why: the person is asked all the same, so that the verifier cannot tell by
    /// the wait what she has, and whatever she says nothing is shown.
    pub missing: Option<String>,
    /// What else would be signed.
    pub transactions: Vec<TransactionData>,
    /// After how many days the verifier erases what it received.
    pub retention_days: u32,
    /// Whether it keeps the signed answer itself for as long, as evidence.
    pub keeps_evidence: bool,
    /// Where its privacy policy stands.
    pub privacy_policy: String,
    /// Where it can be reported.
    pub report_uri: String,
    /// What should be pointed out.
    pub warnings: Vec<Warning>,
}

/// What would be shown for one query.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsentCredential {
    /// Which query it answers.
    pub query_id: String,
    /// Whether it is among those to show.
    pub selected: bool,
    /// Whether several may be shown.
    pub multiple: bool,
    /// What there is to show, each different from the others: the first is shown, or all if several may be, unless the
    /// person picks others.
    pub holdings: Vec<Holding>,
}

/// A credential that answers a query, and its copies.
#[derive(Clone, Debug, PartialEq)]
pub struct Holding {
    /// Its type.
    pub vct: String,
    /// The claims, with their values.
    pub claims: Vec<(ClaimPath, Vec<Value>)>,
    /// The held credentials that say the same, by their position: one of them would be used up.
    pub copies: Vec<usize>,
    /// Whether it would be shown.
    pub chosen: bool,
}

/// Something to point out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The verifier keeps the data for longer than a year.
    LongRetention {
        /// For how many days.
        days: u32,
    },
    /// The verifier runs on this very machine, without a protected connection.
    Unprotected,
    /// The answer is not encrypted: whatever runs in the page reads it.
    Unencrypted,
    /// Only one unused credential is left for a query: fetch new ones soon.
    LastOne {
        /// Which query.
        query_id: String,
    },
}

impl Consent {
    /// What a party would be shown by its registration: nothing yet.
    #[must_use]
    pub fn of(certificate: &RegistrationCertificate) -> Self {
        let days = certificate.retention_days;
        let long = (days > LONG_RETENTION_DAYS).then_some(Warning::LongRetention { days });
        Self {
            party: certificate.name.clone(),
            purpose: certificate.purpose.clone(),
            basis: certificate.basis.clone(),
            credentials: Vec::new(),
            choices: Vec::new(),
            missing: None,
            transactions: Vec::new(),
            retention_days: days,
            keeps_evidence: certificate.evidence,
            privacy_policy: certificate.privacy_policy.clone(),
            report_uri: certificate.report_uri.clone(),
            warnings: long.into_iter().collect(),
        }
    }

    /// The claims that would be shown, with their values.
    pub fn claims(&self) -> impl Iterator<Item = &(ClaimPath, Vec<Value>)> {
        let chosen = self.credentials.iter().flat_map(ConsentCredential::chosen);
        chosen.flat_map(|holding| &holding.claims)
    }

    /// Whether the number that names the person for life would be shown.
    #[must_use]
    pub fn shows_resident_number(&self) -> bool {
        self.claims().any(|(path, _)| names_resident(path))
    }
}

impl ConsentCredential {
    /// A credential that is shown, as it is.
    #[must_use]
    pub fn one(query_id: &str, vct: &str, claims: Vec<(ClaimPath, Vec<Value>)>) -> Self {
        let holding = Holding { vct: vct.to_owned(), claims, copies: vec![0], chosen: true };
        let (query_id, holdings) = (query_id.to_owned(), vec![holding]);
        Self { query_id, selected: true, multiple: false, holdings }
    }

    /// What of it would be shown, if it is among what is.
    pub fn chosen(&self) -> impl Iterator<Item = &Holding> {
        self.holdings.iter().filter(|holding| self.selected && holding.chosen)
    }
}

impl Reviewed {
    /// Finds what would be shown of `held`, the credentials that were not shown before.
    ///
    /// # Errors
    /// [`Unsatisfied`] if something required is not there: then [`Reviewed::consent_lacking`], and
    /// [`Reviewed::decline`].
    pub fn consent(&self, held: &[HeldCredential]) -> Result<Consent, Unsatisfied> {
        let candidates: Vec<Candidate<'_>> = held.iter().map(HeldCredential::candidate).collect();
        let query = &self.request.dcql_query;
        let evaluation = query.evaluate(&candidates)?;
        let mut consent = self.consent_to_nothing();
        let mut credentials = Vec::new();
        for (query_id, matches) in evaluation.matches {
            if matches.len() == 1 {
                consent.warnings.push(Warning::LastOne { query_id: query_id.clone() });
            }
            let multiple = query.credential(&query_id).is_some_and(|query| query.multiple);
            credentials.push(ConsentCredential {
                selected: evaluation.answer.contains(&query_id),
                holdings: holdings(held, &matches, multiple),
                query_id,
                multiple,
            });
        }
        consent.choices = evaluation.choices.into_iter().map(Choice::from).collect();
        Ok(Consent { credentials, ..consent })
    }

    /// What the person sees if she has not what is asked.
    #[must_use]
    pub fn consent_lacking(&self, lacking: &Unsatisfied) -> Consent {
        Consent { missing: Some(lacking.to_string()), ..self.consent_to_nothing() }
    }

    pub(super) fn consent_to_nothing(&self) -> Consent {
        let mut consent = Consent::of(&self.certificate);
        let transactions = &self.request.transaction_data;
        consent.transactions = transactions.iter().map(|t| t.data().clone()).collect();
        let reply = &self.request.reply;
        let goes_to = self.origin.as_deref().or_else(|| reply.address().map(Endpoint::as_str));
        let plain = goes_to.is_some_and(|there| there.starts_with("http:"));
        let clear = reply.encryption().is_none();
        consent.warnings.extend(plain.then_some(Warning::Unprotected));
        consent.warnings.extend(clear.then_some(Warning::Unencrypted));
        consent
    }
}

/// What differs among the credentials that match; copies of the same are one.
fn holdings(held: &[HeldCredential], matches: &[Match], multiple: bool) -> Vec<Holding> {
    let mut found: Vec<(&HeldCredential, Holding)> = Vec::new();
    for one in matches {
        let Some(credential) = held.get(one.candidate) else { continue };
        if let Some((_, holding)) = found.iter_mut().find(|(known, _)| known.is_copy_of(credential))
        {
            holding.copies.push(one.candidate);
            continue;
        }
        let queried = credential.credential.queried();
        let values = |path: &ClaimPath| path.select(queried).into_iter().cloned().collect();
        let holding = Holding {
            vct: credential.credential.kind().to_owned(),
            claims: one.claims.iter().map(|path| (path.clone(), values(path))).collect(),
            copies: vec![one.candidate],
            chosen: multiple || found.is_empty(),
        };
        found.push((credential, holding));
    }
    found.into_iter().map(|(_, holding)| holding).collect()
}
