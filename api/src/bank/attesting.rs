//! What a bank attests of its own: who holds an account, and how it stands. What a credential says is the profile's
//! affair; here is what there is to say, by name. Each read of the customer's file is recorded.

use super::issuing::PAYMENT;
use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use crate::issuer::{Claims, IssuedOffer, OfferFor, Referring, UnderWay, claims_of, day, today};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;
use yufu_base::AccountId;
use yufu_onboarding::{Access, Account, AccountState};
use yufu_profile::CredentialType;

/// What the bank says of an account itself; every other record is of its customer.
const OF_ACCOUNT: [&str; 4] = ["bank", "class", "since", "standing"];

/// Offer what the bank attests of an account to its wallet: one of the credentials that the profile has banks issue.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the account's wallet key, for this address.
#[utoipa::path(post, path = "/banks/{bank}/v1/accounts/{account}/credentials/{credential}", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id"), ("credential" = String, Path, description = "the credential, by its id in the profile"), Referring),
    security(("request" = [])),
    responses((status = 200, body = IssuedOffer), (status = 401, body = ProblemBody), (status = 404, description = "no such account, or no such credential here", body = ProblemBody), (status = 409, description = "the account is not open", body = ProblemBody), (status = 422, description = "nobody has shown an identity for the account", body = ProblemBody)))]
pub(super) async fn offer(
    State(banks): State<Arc<Banks>>,
    Path((bank, account, credential)): Path<(String, String, String)>,
    Query(wish): Query<Referring>,
    headers: HeaderMap,
) -> Result<Json<IssuedOffer>, Problem> {
    let bank = named(&banks, &bank)?;
    let id: AccountId = account.parse().map_err(Problem::malformed)?;
    let path = format!("/banks/{}/v1/accounts/{account}/credentials/{credential}", bank.id);
    let found = bank.authenticate(id, &headers, "POST", &path).await?;
    let made = bank.offer_attestation(&found, &credential).await?;
    Ok(Json(bank.issuer.as_asked(made, &wish).await?))
}

impl Bank {
    async fn offer_attestation(
        &self,
        account: &Account,
        credential: &str,
    ) -> Result<IssuedOffer, Problem> {
        let kind = self.attests(credential)?;
        must_be_open(account)?;
        if account.customer.is_none() && of_customer(kind).next().is_some() {
            return Err(in_nobodys_name());
        }
        let offer = OfferFor {
            credential: kind.id.clone(),
            subject: Uuid::from_u128(account.id.bits()),
            officer: "account".to_owned(),
            evidence: "asked for with the account's wallet key".to_owned(),
            code: None,
            derived_from: None,
        };
        self.issuer.offer(offer).await
    }

    /// What a credential of this bank says: nothing, if it is to pay with. The account has to stand as it had when the
    /// credential was offered: a wallet that was granted fresh copies comes long after.
    pub(super) async fn claims_for(&self, under_way: &UnderWay) -> Result<Claims, Problem> {
        let account = self.records.account(AccountId::new(under_way.subject().as_u128())).await?;
        must_be_open(&account)?;
        self.may_act(&account).await?;
        if under_way.credential_id() == PAYMENT {
            return Ok(Claims::new());
        }
        let kind = self.attests(under_way.credential_id())?;
        let facts = self.facts(&account, kind).await?;
        let values = kind.values(|_| None, |name| facts.get(name).cloned(), today(self.now())?);
        let values = values.ok_or_else(|| {
            let detail = "the bank's records lack what this credential says: ask at a counter";
            Problem::refused("credential.unfounded", detail)
        })?;
        Ok(claims_of(values))
    }

    /// A credential that this bank issues of what it knows itself.
    fn attests(&self, credential: &str) -> Result<&CredentialType, Problem> {
        let found = self.issuer.credentials.iter().find(|kind| kind.id == credential);
        let found = found.filter(|kind| kind.id != PAYMENT);
        found.ok_or_else(|| Problem::not_found("credential of this bank"))
    }

    async fn facts(
        &self,
        account: &Account,
        kind: &CredentialType,
    ) -> Result<BTreeMap<String, String>, Problem> {
        let mut facts = BTreeMap::from([
            ("bank".to_owned(), self.id.to_string()),
            ("class".to_owned(), account.class.clone()),
            ("since".to_owned(), day(self.records.opened_at(account.id).await?)),
        ]);
        if kind.records().any(|name| name == "standing") {
            facts.insert("standing".to_owned(), self.wallet(account.id).await?.standing);
        }
        let fields: Vec<String> = of_customer(kind).map(str::to_owned).collect();
        if !fields.is_empty() {
            let customer = account.customer.ok_or_else(in_nobodys_name)?;
            let access = Access {
                actor: "credential issuance".to_owned(),
                purpose: format!("issuing the credential {} to the account's wallet", kind.id),
                fields,
                at: self.now(),
            };
            let claims = self.records.customer_claims(customer, access).await?;
            let texts = claims.into_iter();
            facts
                .extend(texts.filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))));
        }
        Ok(facts)
    }
}

/// That an account is open.
pub(super) fn must_be_open(account: &Account) -> Result<(), Problem> {
    if account.state == AccountState::Open {
        return Ok(());
    }
    let detail = format!("the account is {}: open one first", account.state.as_str());
    Err(Problem::conflict("account.not_open", detail))
}

/// The records of the customer's that a credential says.
fn of_customer(kind: &CredentialType) -> impl Iterator<Item = &str> {
    kind.records().filter(|name| !OF_ACCOUNT.contains(name))
}

fn in_nobodys_name() -> Problem {
    let detail = "nobody has shown an identity for this account, so the bank can attest nobody: open one in a name";
    Problem::refused("account.no_customer", detail)
}
