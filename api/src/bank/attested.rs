//! A bank as an issuer to attested wallets; and whoever comes without an offer: she shows her identity's number, by which
//! the bank knows its customers, and gets what it attests of her one account. What pays is never had that way: it rests on
//! the account's own key.

use super::presentation::QUERY;
use super::{Bank, Banks, PAYMENT, named};
use crate::http::Problem;
use crate::issuer::{Attesters, Attests, Issuer, Refusal, UnderWay, not_by_sign_in};
use std::sync::Arc;
use uuid::Uuid;
use yufu_credentials::SignedIn;
use yufu_onboarding::AccountState;
use yufu_openid4vc::issuance::CredentialResponse;
use yufu_verifier::Verified;

impl Attesters for Banks {
    type One = Bank;
    const AT: &'static str = "/banks/{bank}";
    const TAG: &'static str = "bank";

    fn one(all: &Arc<Self>, name: Option<&str>) -> Result<Arc<Bank>, Problem> {
        named(all, name.unwrap_or_default())
    }
}

impl Attests for Bank {
    fn as_issuer(&self) -> Result<&Issuer, Problem> {
        Ok(&self.issuer)
    }

    async fn issue_under(&self, under_way: UnderWay) -> Result<CredentialResponse, Refusal> {
        let claims = self.claims_for(&under_way).await?;
        self.issuer.issue(under_way, claims).await
    }

    async fn signed_in(&self, wanted: &[String], shown: &Verified) -> Result<SignedIn, Problem> {
        let credentials: Vec<String> = wanted.iter().filter(|id| *id != PAYMENT).cloned().collect();
        if credentials.is_empty() {
            return Err(not_by_sign_in(
                "what pays for an account is given to the account's key: ask with the wallet that has it",
            ));
        }
        let found = shown.credentials.get(QUERY).and_then(|found| found.first());
        let found =
            found.ok_or_else(|| Problem::internal("a verified answer lacks the identity"))?;
        let number = self.party.get().identity.person(found)?.number;
        let mut own = self.records.accounts_of(&number).await?;
        own.retain(|account| account.state == AccountState::Open);
        let Some(account) = own.pop() else {
            let detail = "no open account is in your name here: open one first";
            return Err(Problem::refused("sign_in.no_account", detail));
        };
        if !own.is_empty() {
            let detail = "several accounts are in your name here: ask with the key of the one that it is to be about (`yufu wallet attest`)";
            return Err(Problem::refused("sign_in.several_accounts", detail));
        }
        self.may_take_over(&account).await?;
        self.may_act(&account).await?;
        Ok(SignedIn { person: Uuid::from_u128(account.id.bits()), credentials })
    }
}
