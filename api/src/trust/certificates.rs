//! Lists of revoked certificates (RFC 5280, section 5), as those who sign mdocs name them (ISO/IEC 18013-5, Annex B):
//! fetched whole, at most once in ten minutes, and good until they say that they are over.

use super::TrustSource;
use crate::http::Problem;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use yufu_base::Timestamp;
use yufu_jose::ChainError;
use yufu_trust::Revocations;
use yufu_verifier::{Authenticated, MdocSigner};

/// For how long a fetched list is used before it is fetched again, in seconds.
const FRESH_SECONDS: u64 = 600;

/// Lists that were fetched, by address.
#[derive(Clone, Default)]
pub(super) struct CertificateLists(Arc<Mutex<BTreeMap<String, Fetched>>>);

/// A list, none if its issuer publishes none there, and when that was found.
#[derive(Clone)]
struct Fetched {
    list: Option<Arc<Revocations>>,
    at: Timestamp,
}

impl TrustSource {
    /// That nobody who signed a presented mdoc has a certificate that its authority revoked.
    ///
    /// # Errors
    /// `issuer.certificate_revoked`; `trust.unavailable` if that cannot be found out.
    pub(crate) async fn unrevoked(
        &self,
        answer: &Authenticated,
        now: Timestamp,
    ) -> Result<(), Problem> {
        for signer in answer.mdoc_signers() {
            self.signer_unrevoked(signer, now).await?;
        }
        Ok(())
    }

    async fn signer_unrevoked(&self, signer: &MdocSigner, now: Timestamp) -> Result<(), Problem> {
        for address in signer.lists_at() {
            // An issuer that publishes none is judged by the trust list alone, which has withdrawn keys.
            let Some(list) = self.list_at(&address, now).await? else { continue };
            return signer.check(&list, now).map_err(|error| match error {
                ChainError::Revoked => Problem::refused("issuer.certificate_revoked", error),
                other => Problem::unavailable(
                    "trust.unavailable",
                    format!("the list of revoked certificates at {address}: {other}"),
                ),
            });
        }
        Ok(())
    }

    async fn list_at(
        &self,
        address: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Revocations>>, Problem> {
        let known = self.certificates.known(address);
        if let Some(Fetched { list, at }) = &known
            && now < at.plus_seconds(FRESH_SECONDS)
        {
            return Ok(list.clone());
        }
        let list = match self.client_for(address).exchange("GET", address, &[], Vec::new()).await {
            Ok((200, _, list)) => Some(Arc::new(Revocations::new(list))),
            Ok((404 | 410, ..)) => None,
            got => {
                let cause = match got {
                    Ok((status, ..)) => format!("answered {status}"),
                    Err(error) => error.to_string(),
                };
                // The one at hand says itself until when it is good.
                let detail =
                    format!("the list of revoked certificates at {address} cannot be had: {cause}");
                return match known {
                    Some(known) => Ok(known.list),
                    None => Err(Problem::unavailable("trust.unavailable", detail)),
                };
            }
        };
        self.certificates.keep(address, Fetched { list: list.clone(), at: now });
        Ok(list)
    }
}

impl CertificateLists {
    fn known(&self, address: &str) -> Option<Fetched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(address).cloned()
    }

    fn keep(&self, address: &str, fetched: Fetched) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.insert(address.to_owned(), fetched);
    }
}
