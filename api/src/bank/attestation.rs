//! Through whom somebody comes: a wallet of the bank's own, or one of a wallet provider that the bank
//! lets onboard people on its behalf, which vouches for the very key that is to command the account.

use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_jose::Jwk;
use yufu_openid4vc::attestation::{ATTESTATION_HEADER, ATTESTATION_POP_HEADER, SignedAttestation};
use yufu_trust::{DirectoryEntry, Role, TrustList};

/// How a wallet comes to an account at this bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Onboarding {
    /// The audience of proofs of possession for this bank.
    pub audience: String,
    /// The wallet providers that onboard people for this bank, by their address on the trust list.
    /// Wallets without a provider are the bank's own, and always taken.
    pub wallet_providers: Vec<String>,
    /// The classes that are opened by showing an identity remotely.
    pub remote_classes: Vec<String>,
    /// The classes that need no identity.
    pub anonymous_classes: Vec<String>,
}

/// Who may onboard people for this bank, and for what.
///
/// A wallet of a provider sends its attestation and proof in the headers `OAuth-Client-Attestation`
/// and `OAuth-Client-Attestation-PoP` with `openings`, `anonymous-openings`, `hand-overs` and
/// `key-recoveries`. The attested key is the one that is to command the account.
#[utoipa::path(get, path = "/banks/{bank}/v1/onboarding", tag = "bank",
    params(("bank" = String, Path, description = "the bank")),
    responses((status = 200, body = Onboarding), (status = 404, body = ProblemBody)))]
pub(super) async fn onboarding(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<Onboarding>, Problem> {
    let bank = named(&banks, &bank)?;
    Ok(Json(Onboarding {
        audience: bank.audience(),
        wallet_providers: bank.admitted(&*bank.trust.list(bank.now()).await?).into_keys().collect(),
        remote_classes: bank.remote_classes.keys().cloned().collect(),
        anonymous_classes: bank.wallet_rules.anonymous.keys().cloned().collect(),
    }))
}

impl Bank {
    /// The wallet provider that vouches for `key`, by its id; none for a wallet of the bank's own.
    pub(super) async fn comes_through(
        &self,
        headers: &HeaderMap,
        key: &Jwk,
    ) -> Result<Option<String>, Problem> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (attestation, pop) = match (header(ATTESTATION_HEADER), header(ATTESTATION_POP_HEADER))
        {
            (None, None) => return Ok(None),
            (Some(attestation), Some(pop)) => (attestation, pop),
            _ => {
                let detail = format!(
                    "a wallet attestation comes with its proof of possession: send both {ATTESTATION_HEADER} and {ATTESTATION_POP_HEADER}"
                );
                return Err(incomplete(detail));
            }
        };
        let refused =
            |error: &dyn std::fmt::Display| Problem::forbidden("attestation.refused", error);
        let signed = SignedAttestation::parse(attestation).map_err(|e| refused(&e))?;
        let chain = signed.chain().map_err(|e| refused(&e))?;
        let now = self.now();
        let trust = self.trust.list(now).await?;
        let by = trust.identify(Role::WalletProvider, &chain, now).map_err(|e| refused(&e))?;
        let provider = (by.entry.identifier.as_str(), &by.leaf.public_key);
        let attested =
            signed.verify(provider, pop, &self.audience(), now).map_err(|e| refused(&e))?;
        if attested.key.key != key.key {
            let detail = "the attested key is not the one that is to command the account: have that one attested";
            return Err(refused(&detail));
        }
        let mut admitted = self.admitted(&trust);
        admitted.remove(&attested.provider).map(Some).ok_or_else(|| {
            let detail = format!(
                "{} does not onboard people for this bank: use a wallet of one of {}, or the bank's own",
                attested.provider,
                admitted.into_keys().collect::<Vec<_>>().join(", ")
            );
            Problem::forbidden("attestation.provider_not_admitted", detail)
        })
    }

    /// The ids of the wallet providers that onboard people for this bank, by their address as the
    /// trust list has it.
    fn admitted(&self, list: &TrustList) -> BTreeMap<String, String> {
        let through = list.directory.iter().filter(|entry| {
            self.onboards_through.iter().any(|admitted| admitted.as_str() == entry.id)
        });
        let address =
            |entry: &DirectoryEntry| format!("{}/wallet-providers/{}", entry.url, entry.id);
        through.map(|entry| (address(entry), entry.id.clone())).collect()
    }

    /// Whom proofs of possession are for: the bank as an authorization server.
    fn audience(&self) -> String {
        self.issuer.metadata.credential_issuer.to_string()
    }
}

fn incomplete(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "attestation.incomplete", detail)
}
