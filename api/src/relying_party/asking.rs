//! What a relying party asks: each registered credential under a name, in whichever of its formats the
//! wallet has it.

use super::party::Party;
use crate::http::Problem;
use std::collections::BTreeMap;
use yufu_jose::ClaimPath;
use yufu_openid4vc::FORMAT_MSO_MDOC;
use yufu_openid4vc::dcql::{CredentialQuery, CredentialSetQuery, DcqlQuery};
use yufu_openid4vc::presentation::TransactionData;
use yufu_trust::{RegisteredCredential, RegistrationCertificate};
use yufu_verifier::{Question, Verified};

/// What the name of a query has behind it, if it asks for the credential as an mdoc.
pub(super) const MDOC: &str = "-mdoc";

impl Party {
    /// The question for all that is registered. The queries are named `ids`, in the order of the
    /// registered credentials; an mdoc stands behind the SD-JWT VC that it is another format of, and
    /// is asked for as the alternative, unless that is to sign a transaction, which an mdoc cannot.
    pub(crate) fn question(
        &self,
        registered: &RegistrationCertificate,
        ids: &[&str],
        transaction: Option<TransactionData>,
    ) -> Result<Question, Problem> {
        let signing: &[String] =
            transaction.as_ref().map(TransactionData::credential_ids).unwrap_or_default();
        let (mut queries, mut sets) = (Vec::new(), Vec::new());
        let (mut roles, mut foreign) = (BTreeMap::new(), BTreeMap::new());
        for (id, (credential, mdoc)) in ids.iter().zip(formats(&registered.credentials)) {
            let id = (*id).to_owned();
            let types = &credential.meta.vct_values;
            let role = types.iter().find_map(|vct| self.issuers.get(vct)).copied();
            roles.extend(role.map(|role| (id.clone(), role)));
            foreign.extend(self.foreign_among(types));
            queries.push(CredentialQuery::sd_jwt_vc_of(&id, types, &claims(credential)));
            let mut options = vec![vec![id.clone()]];
            let mdoc = mdoc.filter(|_| !signing.contains(&id));
            if let Some((mdoc, doc_type)) =
                mdoc.and_then(|m| Some((m, m.meta.doctype_value.as_ref()?)))
            {
                let other = format!("{id}{MDOC}");
                let query = CredentialQuery::mdoc(&other, doc_type, &claims(mdoc));
                queries.push(query.retaining(registered.retention_days > 0));
                roles.extend(role.map(|role| (other.clone(), role)));
                options.push(vec![other]);
            }
            sets.push(CredentialSetQuery { options, required: true });
        }
        let choice = sets.iter().any(|set| set.options.len() > 1);
        Ok(Question {
            query: DcqlQuery::new(queries, choice.then_some(sets)).map_err(Problem::internal)?,
            roles,
            foreign,
            transactions: transaction.into_iter().collect(),
        })
    }

    /// Those of these types that are another country's identity credential, each with its country.
    pub(super) fn foreign_among(&self, types: &[String]) -> Vec<(String, String)> {
        let country = |vct: &String| {
            self.identity.foreign.get(vct).map(|country| (vct.clone(), country.clone()))
        };
        types.iter().filter_map(country).collect()
    }
}

/// Each credential with the mdoc that stands behind it.
pub(super) fn formats(
    registered: &[RegisteredCredential],
) -> Vec<(&RegisteredCredential, Option<&RegisteredCredential>)> {
    let mut formats: Vec<(&RegisteredCredential, Option<&RegisteredCredential>)> = Vec::new();
    for credential in registered {
        match formats.last_mut() {
            Some((_, mdoc)) if credential.format == FORMAT_MSO_MDOC => *mdoc = Some(credential),
            _ => formats.push((credential, None)),
        }
    }
    formats
}

fn claims(registered: &RegisteredCredential) -> Vec<ClaimPath> {
    registered.claims.iter().map(|claim| claim.path.clone()).collect()
}

/// What a query is called, in whichever format it asks.
pub(crate) fn name_of(id: &str) -> &str {
    id.strip_suffix(MDOC).unwrap_or(id)
}

/// The answer under the names of what was asked, in whichever format it came.
pub(crate) fn named(mut verified: Verified) -> Verified {
    for (id, found) in std::mem::take(&mut verified.credentials) {
        verified.credentials.entry(name_of(&id).to_owned()).or_default().extend(found);
    }
    verified
}
