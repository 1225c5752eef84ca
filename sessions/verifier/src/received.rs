//! An answer that was opened, and the checks that need no look at a status list.

use crate::authenticated::{Authenticated, Credential, MdocSigner};
use crate::presented::{Found, Presented};
use crate::requested::Requested;
use crate::verified::AuthorisedTransaction;
use crate::verifier::decode;
use std::collections::BTreeMap;
use std::fmt;
use yufu_base::Timestamp;
use yufu_credential::PresentationError;
use yufu_jose::{Base64Error, Chain, ChainError, KeyError};
use yufu_mdoc::MdocError;
use yufu_openid4vc::dcql::{Answer, ResponseMismatch};
use yufu_openid4vc::presentation::EncodedTransaction;
use yufu_openid4vc::{Endpoint, FORMAT_MSO_MDOC};
use yufu_trust::{Role, TrustEntry, TrustError, TrustList, TrustedParty};

/// An opened answer. Nothing in it is known to be true yet.
pub struct Received {
    pub(crate) request: Requested,
    pub(crate) request_object: String,
    pub(crate) presentations: BTreeMap<String, Vec<String>>,
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&String> = self.presentations.keys().collect();
        f.debug_struct("Received")
            .field("request", &self.request.id)
            .field("answers", &ids)
            .finish_non_exhaustive()
    }
}

/// Why an answer is refused. Checked in this order, presentation by presentation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The answer does not fit the query.
    #[error(transparent)]
    Answer(#[from] ResponseMismatch),
    /// A presentation does not hold: signature, key binding, nonce, audience, dates,
    /// transaction data.
    #[error("the credential for {id:?}: {error}")]
    Presentation {
        /// Which query.
        id: String,
        /// Why.
        error: Box<PresentationError>,
    },
    /// An mdoc is not base64url.
    #[error("the document for {id:?} is {error}")]
    Encoding {
        /// Which query.
        id: String,
        /// Why.
        error: Base64Error,
    },
    /// An mdoc does not hold: issuer's signature, elements, dates, the device's signature for this
    /// request.
    #[error("the document for {id:?}: {error}")]
    Mdoc {
        /// Which query.
        id: String,
        /// Why.
        error: Box<MdocError>,
    },
    /// The stored key, which a device's signature is bound to, cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A credential carries no chain that can be read.
    #[error("the issuer of the credential for {id:?}: {error}")]
    Chain {
        /// Which query.
        id: String,
        /// Why.
        error: ChainError,
    },
    /// The issuer is not trusted for this: nobody on the list, not for this type, or in another's name.
    #[error("the issuer of the credential for {id:?}: {error}")]
    Issuer {
        /// Which query.
        id: String,
        /// Why.
        error: TrustError,
    },
    /// The credential is of a type that its issuer's country does not issue.
    #[error("the credential for {id:?} is a {vct}, which an issuer of {country} does not issue")]
    IssuerCountry {
        /// Which query.
        id: String,
        /// The credential's type.
        vct: String,
        /// The issuer's country; `this country` for the own one.
        country: String,
    },
    /// Another country's issuer sends elsewhere for its status list: then a third party would learn
    /// where its residents go.
    #[error("the status of the credential for {id:?} stands at {uri}, not at its issuer")]
    StatusElsewhere {
        /// Which query.
        id: String,
        /// The status list's address.
        uri: String,
    },
    /// No credential that was asked to sign the transaction data was presented.
    #[error("the transaction data were not signed: none of {0:?} was presented")]
    TransactionUnsigned(Vec<String>),
}

impl Received {
    /// Checks every presentation: its issuer against the trust list, its signatures, its
    /// binding to this request, and the query. Claims that were not asked for are dropped.
    ///
    /// # Errors
    /// [`VerifyError`], the first rule that is broken.
    pub fn authenticate(
        self,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<Authenticated, VerifyError> {
        let unasked = |id: &&String| self.request.query.credential(id).is_none();
        if let Some(id) = self.presentations.keys().find(unasked) {
            return Err(ResponseMismatch::Unasked(id.clone()).into());
        }
        let transactions = self.assign()?;
        let (mut checked, mut mdoc_signers) = (BTreeMap::new(), Vec::new());
        for (id, texts) in &self.presentations {
            let signed: Vec<String> = transactions
                .iter()
                .filter(|transaction| transaction.query_id == *id)
                .map(|transaction| transaction.encoded.text().to_owned())
                .collect();
            let mut found = Vec::new();
            for text in texts {
                let (one, chain) = self.check(id, text, &signed, trust, now)?;
                if one.0.format == FORMAT_MSO_MDOC {
                    mdoc_signers.push(MdocSigner::new(chain, one.1.clone()));
                }
                found.push(one);
            }
            checked.insert(id.clone(), found);
        }
        let asked = self.request.query.check_answers(&answers(&checked))?;
        let credentials = checked
            .into_iter()
            .map(|(id, found)| {
                let paths = asked.get(&id).cloned().unwrap_or_default();
                let credentials = found.into_iter().zip(paths);
                let credentials = credentials
                    .map(|((found, issuer), paths)| Credential::new(found, issuer, &paths))
                    .collect();
                (id, credentials)
            })
            .collect();
        let Self { request, request_object, presentations } = self;
        Ok(Authenticated {
            request,
            request_object,
            presentations,
            credentials,
            transactions,
            mdoc_signers,
        })
    }

    /// Which presentation must have signed which transaction data: the first of the named
    /// queries that was answered.
    fn assign(&self) -> Result<Vec<AuthorisedTransaction>, VerifyError> {
        let assigned = |encoded: EncodedTransaction| {
            let ids = encoded.data().credential_ids();
            let first = ids.iter().find(|id| self.presentations.contains_key(*id)).cloned();
            let unsigned = VerifyError::TransactionUnsigned(ids.to_vec());
            first.map(|query_id| AuthorisedTransaction { query_id, encoded }).ok_or(unsigned)
        };
        decode(&self.request.transactions).into_iter().map(assigned).collect()
    }

    fn check(
        &self,
        id: &str,
        text: &str,
        transaction_data: &[String],
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<((Found, TrustEntry), Chain), VerifyError> {
        let query = self.request.query.credential(id);
        let format = query.map(|query| query.format.as_str());
        let presented = Presented::parse(id, format.unwrap_or_default(), text)?;
        let id = || id.to_owned();
        let chain = presented.chain().map_err(|error| VerifyError::Chain { id: id(), error })?;
        let untrusted = |error| VerifyError::Issuer { id: id(), error };
        let party = self.issuer(&id(), &chain, trust, now).map_err(untrusted)?;
        let mut found =
            presented.verify(&id(), &self.request, &party.leaf, transaction_data, now)?;
        if query.is_some_and(|query| query.trusted_authorities.is_some()) {
            found.authority_key_ids = chain.authority_key_ids();
        }
        self.check_country(&id(), &found.kind, &party.entry)?;
        party.check_issued(&found.kind, found.issuer.as_deref()).map_err(untrusted)?;
        if let Some(status) = found.status.as_ref().filter(|_| party.entry.country().is_some())
            && !same_origin(&status.uri, &party.entry.identifier)
        {
            return Err(VerifyError::StatusElsewhere { id: id(), uri: status.uri.clone() });
        }
        Ok(((found, party.entry), chain))
    }

    /// Who of those trusted for the query issued a credential: where other countries' identity
    /// credentials do as well, their issuers too.
    fn issuer(
        &self,
        id: &str,
        chain: &Chain,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<TrustedParty, TrustError> {
        let role = self.request.roles.get(id).copied().unwrap_or(Role::PidIssuer);
        let own = trust.identify(role, chain, now);
        if role != Role::PidIssuer || self.request.foreign.is_empty() {
            return own;
        }
        own.or_else(|refusal| {
            trust.identify(Role::ForeignPidIssuer, chain, now).map_err(|_| refusal)
        })
    }

    /// No country issues another's identities, however it is recognised.
    fn check_country(&self, id: &str, vct: &str, issuer: &TrustEntry) -> Result<(), VerifyError> {
        let foreign = issuer.country().filter(|_| issuer.role == Role::ForeignPidIssuer);
        if self.request.foreign.get(vct).map(String::as_str) == foreign {
            return Ok(());
        }
        let (id, vct) = (id.to_owned(), vct.to_owned());
        let country = foreign.unwrap_or("this country").to_owned();
        Err(VerifyError::IssuerCountry { id, vct, country })
    }
}

fn answers(
    checked: &BTreeMap<String, Vec<(Found, TrustEntry)>>,
) -> BTreeMap<String, Vec<Answer<'_>>> {
    checked
        .iter()
        .map(|(id, found)| {
            let answers = found.iter().map(|(found, _)| Answer {
                format: found.format,
                vct: &found.kind,
                claims: &found.claims,
                authority_key_ids: &found.authority_key_ids,
            });
            (id.clone(), answers.collect())
        })
        .collect()
}

fn same_origin(named: &str, trusted: &str) -> bool {
    match (Endpoint::parse(named), Endpoint::parse(trusted)) {
        (Ok(named), Ok(trusted)) => named.origin() == trusted.origin(),
        _ => false,
    }
}
