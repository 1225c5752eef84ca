//! What the person sees before she decides.

use super::Reviewed;
use crate::HeldCredential;
use serde_json::Value;
use yufu_jose::ClaimPath;
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::dcql::{Candidate, SetChoice, Unsatisfied};
use yufu_openid4vc::presentation::TransactionData;
use yufu_trust::Localized;

/// Longer retention than this is pointed out, in days.
const LONG_RETENTION_DAYS: u32 = 365;

/// Everything a decision needs, from sources that were verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    /// Who asks, as registered.
    pub party: Localized,
    /// Why, as registered.
    pub purpose: Localized,
    /// What would be shown.
    pub credentials: Vec<ConsentCredential>,
    /// Where the verifier leaves a choice: the alternatives that can be given.
    pub choices: Vec<SetChoice>,
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

/// What one credential would show.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsentCredential {
    /// Which query it answers.
    pub query_id: String,
    /// Its type.
    pub vct: String,
    /// Whether it is among those to show by default.
    pub selected: bool,
    /// The claims, with their values.
    pub claims: Vec<(ClaimPath, Vec<Value>)>,
    /// The held credentials that could be used, by their position.
    pub candidates: Vec<usize>,
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

impl Reviewed {
    /// Finds what would be shown of `held`, the credentials that were not shown before.
    ///
    /// # Errors
    /// [`Unsatisfied`] if something required is not there: then [`Reviewed::decline`].
    pub fn consent(&self, held: &[HeldCredential]) -> Result<Consent, Unsatisfied> {
        let candidates: Vec<Candidate<'_>> = held.iter().map(HeldCredential::candidate).collect();
        let evaluation = self.request.dcql_query.evaluate(&candidates)?;
        let mut credentials = Vec::new();
        let mut warnings = self.warnings();
        for (query_id, matches) in evaluation.matches {
            let Some(first) = matches.first() else { continue };
            let Some(candidate) = candidates.get(first.candidate) else { continue };
            let values = |path: &ClaimPath| {
                path.select(candidate.claims).into_iter().cloned().collect::<Vec<Value>>()
            };
            if matches.len() == 1 {
                warnings.push(Warning::LastOne { query_id: query_id.clone() });
            }
            credentials.push(ConsentCredential {
                selected: evaluation.answer.contains(&query_id),
                query_id,
                vct: candidate.vct.to_owned(),
                claims: first.claims.iter().map(|path| (path.clone(), values(path))).collect(),
                candidates: matches.iter().map(|found| found.candidate).collect(),
            });
        }
        let transactions = &self.request.transaction_data;
        Ok(Consent {
            party: self.certificate.name.clone(),
            purpose: self.certificate.purpose.clone(),
            credentials,
            choices: evaluation.choices,
            transactions: transactions.iter().map(|t| t.data().clone()).collect(),
            retention_days: self.certificate.retention_days,
            keeps_evidence: self.certificate.evidence,
            privacy_policy: self.certificate.privacy_policy.clone(),
            report_uri: self.certificate.report_uri.clone(),
            warnings,
        })
    }

    fn warnings(&self) -> Vec<Warning> {
        let days = self.certificate.retention_days;
        let long = (days > LONG_RETENTION_DAYS).then_some(Warning::LongRetention { days });
        let reply = &self.request.reply;
        let goes_to = self.origin.as_deref().or_else(|| reply.address().map(Endpoint::as_str));
        let plain = goes_to.is_some_and(|there| there.starts_with("http:"));
        let clear = reply.encryption().is_none();
        let unprotected = plain.then_some(Warning::Unprotected);
        let unencrypted = clear.then_some(Warning::Unencrypted);
        long.into_iter().chain(unprotected).chain(unencrypted).collect()
    }
}
