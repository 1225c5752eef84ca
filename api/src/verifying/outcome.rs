//! What is made of a verified answer: a yes or no, and what its purpose allows to keep.

use super::Purpose;
use super::waiting::{Request, Stage};
use crate::http::Problem;
use crate::relying_party::name_of;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use yufu_base::Timestamp;
use yufu_jose::{encode_base64url, sha256};
use yufu_openid4vc::dcql::DcqlQuery;
use yufu_verifications::{ToSeal, Verification};
use yufu_verifier::Verified;

/// An answer that counts.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) verification: Verification,
    pub(super) to_seal: ToSeal,
    /// The person whose one account it opens, as accounts know her.
    #[cfg(feature = "zero-knowledge")]
    pub(super) account: Option<yufu_database::BlindIndex>,
}

/// An outcome that waits for the browser that began, as it is written: sealed, for it holds personal data.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Waits {
    purpose: String,
    return_to: Option<String>,
    /// When the request ends, in seconds since the epoch.
    until: u64,
    result: bool,
    receipt: String,
    code_digest: Option<String>,
    /// In milliseconds since the epoch.
    answered_at: u64,
    /// The same.
    retained_until: u64,
    claims: Option<String>,
    evidence: Option<String>,
    account: Option<[u8; 32]>,
}

impl Waits {
    /// The outcome of a request, as it waits.
    pub(super) fn of(outcome: Outcome, request: &Request) -> Self {
        #[cfg(feature = "zero-knowledge")]
        let account = outcome.account.map(|person| *person.as_bytes());
        #[cfg(not(feature = "zero-knowledge"))]
        let account = None;
        let (one, to_seal) = (outcome.verification, outcome.to_seal);
        Self {
            purpose: one.purpose,
            return_to: request.return_to.clone(),
            until: request.expires_at.seconds(),
            result: one.result,
            receipt: one.receipt,
            code_digest: one.code_digest,
            answered_at: one.answered_at.millis(),
            retained_until: one.retained_until.millis(),
            claims: to_seal.claims,
            evidence: to_seal.evidence,
            account,
        }
    }

    /// The request with this id that it answers, as far as it is still known, and its outcome.
    pub(super) fn into_outcome(self, id: &str) -> (Request, Outcome) {
        let request = Request {
            purpose: self.purpose.clone(),
            return_to: self.return_to,
            expires_at: Timestamp::from_seconds(self.until),
            stage: Stage::Settling,
            note: None,
        };
        let verification = Verification {
            id: id.to_owned(),
            purpose: self.purpose,
            result: self.result,
            receipt: self.receipt,
            code_digest: self.code_digest,
            answered_at: Timestamp::from_millis(self.answered_at),
            retained_until: Timestamp::from_millis(self.retained_until),
        };
        let outcome = Outcome {
            verification,
            to_seal: ToSeal { claims: self.claims, evidence: self.evidence },
            #[cfg(feature = "zero-knowledge")]
            account: self.account.map(yufu_database::BlindIndex::from_bytes),
        };
        (request, outcome)
    }
}

impl Outcome {
    /// Of the request `id` for the purpose called `name`; `receipt` is what the holder got, `code` what the
    /// browser that began has to bring.
    pub(super) fn of(
        (id, name): (&str, &str),
        purpose: &Purpose,
        (verified, several): (&Verified, &BTreeSet<String>),
        (receipt, code): (String, Option<&str>),
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let found = || verified.credentials.values().flatten();
        let result = found().all(|credential| credential.claims.values().all(says_no_no));
        let claims = if purpose.result_only { None } else { Some(claims(verified, several)) };
        let evidence = purpose.keeps_evidence.then_some(&verified.evidence);
        let text = |value: Result<String, serde_json::Error>| value.map_err(Problem::internal);
        let to_seal = ToSeal {
            claims: claims.map(|claims| text(serde_json::to_string(&claims))).transpose()?,
            evidence: evidence.map(|all| text(serde_json::to_string(all))).transpose()?,
        };
        let verification = Verification {
            id: id.to_owned(),
            purpose: name.to_owned(),
            result,
            receipt,
            code_digest: code.map(digest),
            answered_at: now,
            retained_until: verified.receipt.retained_until.unwrap_or(now),
        };
        Ok(Self {
            verification,
            to_seal,
            #[cfg(feature = "zero-knowledge")]
            account: None,
        })
    }

    /// Whether anything of it is kept after it was told.
    pub(super) fn is_kept(&self) -> bool {
        self.verification.retained_until > self.verification.answered_at
    }
}

/// What is kept of a response code: whoever reads the records cannot bring it.
pub(super) fn digest(code: &str) -> String {
    encode_base64url(sha256(code.as_bytes()))
}

/// Whether no boolean in it is false: `age_equal_or_over.18` says no by that.
#[must_use]
pub fn says_no_no(value: &Value) -> bool {
    match value {
        Value::Bool(said) => *said,
        Value::Array(all) => all.iter().all(says_no_no),
        Value::Object(all) => all.values().all(says_no_no),
        _ => true,
    }
}

/// The queries, by their names here, that several credentials may answer.
pub(super) fn several(query: &DcqlQuery) -> BTreeSet<String> {
    let queries = query.credentials().iter().filter(|query| query.multiple);
    queries.map(|query| name_of(&query.id).to_owned()).collect()
}

/// The claims of all credentials that were shown. Of a query that several may answer each claim is a list, an element for
/// each credential in the order of the answer. Of two claims of the same name the first counts.
fn claims(verified: &Verified, several: &BTreeSet<String>) -> Map<String, Value> {
    let mut all = Map::new();
    for (id, found) in &verified.credentials {
        let names: BTreeSet<&String> = found.iter().flat_map(|one| one.claims.keys()).collect();
        for name in names {
            let mut values = found.iter().map(|one| one.claims.get(name).cloned());
            let value = if several.contains(id) {
                Some(values.map(Option::unwrap_or_default).collect())
            } else {
                values.find_map(|value| value)
            };
            all.entry(name.clone()).or_insert_with(|| value.unwrap_or_default());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_false_anywhere_is_a_no_and_what_is_no_boolean_says_nothing() {
        for (value, yes) in [
            (json!({"16": true}), true),
            (json!({"16": false}), false),
            (json!({"18": true, "60": false}), false),
            (json!(["CN", {"resident": false}]), false),
            (json!("false"), true),
            (json!(0), true),
            (json!(null), true),
        ] {
            assert_eq!(says_no_no(&value), yes, "{value}");
        }
    }
}
