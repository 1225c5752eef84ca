//! A wallet that is asked by a verifier (OpenID4VP 1.0): the verifier's desk starts, the wallet fetches the request
//! and answers it, the desk asks for the result. For a purpose of which the result is kept, durably.

use super::city::{City, now};
use super::walk::Walk;
use crate::http::{Server, text};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use yufu_jose::SoftwareKey;
use yufu_keys::random;
use yufu_openid4vc::{Endpoint, HttpRequest, HttpResponse};
use yufu_wallet::HeldCredential;
use yufu_wallet::presentation::{
    AnswerEntropy, Answered, FetchingRequest, Presenting, Reviewed, VerifierReceipt, open,
};

/// What is asked: whether she is old enough, yes or no.
const PURPOSE: &str = "check-age";

/// A verifier's desk and a wallet with one credential.
pub(super) struct Showing {
    desk: Endpoint,
    token: String,
    key: SoftwareKey,
    held: HeldCredential,
    verification: String,
    at: At,
}

enum At {
    /// Nothing was asked yet.
    Idle,
    /// The desk waits for the link.
    Started,
    /// The wallet waits for the request.
    Request(Box<FetchingRequest>),
    /// The wallet waits for the receipt.
    Response(Box<Answered>),
    /// The desk waits for the result.
    Result,
    Verified,
    /// Something was refused on the way.
    Lost,
}

impl Showing {
    pub(super) fn new(
        server: &Server,
        party: &str,
        (key, held): (SoftwareKey, HeldCredential),
    ) -> Result<Self> {
        let desk =
            format!("http://{}/verifiers/{party}/v1/desk/verifications", server.target.address);
        let (desk, token) = (Endpoint::parse(&desk)?, server.desk(party)?);
        Ok(Self { desk, token, key, held, verification: String::new(), at: At::Idle })
    }

    /// Checks who asks, as a wallet does, and answers.
    fn answer(
        &self,
        fetching: FetchingRequest,
        answer: &HttpResponse,
        city: &mut City,
    ) -> Result<(Answered, HttpRequest)> {
        let now = now()?;
        let checking = fetching.handle(answer, &city.trust, &BTreeSet::new(), now)?;
        let list = match checking.request(&city.lists, now) {
            Some(request) => Some(city.fetch(&request)?),
            None => None,
        };
        let reviewed: Reviewed =
            checking.handle(list.as_ref(), &mut city.lists, &city.trust, now)?;
        let held = std::slice::from_ref(&self.held);
        let consent = reviewed.consent(held)?;
        let asked = consent.credentials.iter().find(|credential| credential.selected);
        let query_id = &asked.context("the verifier asks for nothing")?.query_id;
        let presenting = [Presenting { query_id, held: &self.held, signer: &self.key }];
        let entropy = AnswerEntropy { ephemeral: random(), iv: random() };
        Ok(reviewed.approve(&presenting, &entropy, now)?)
    }
}

impl Walk for Showing {
    fn next(
        &mut self,
        city: &mut City,
        answer: Option<HttpResponse>,
    ) -> Result<Option<(&'static str, HttpRequest)>> {
        let answer = || answer.context("a step was not answered");
        let (at, asked) = match std::mem::replace(&mut self.at, At::Lost) {
            At::Idle => {
                let request =
                    HttpRequest::post_json(self.desk.clone(), &json!({"purpose": PURPOSE}));
                (At::Started, Some(("start", request.bearer(&self.token))))
            }
            At::Started => {
                let begun: Value = serde_json::from_slice(&answer()?.body)?;
                self.verification = text(&begun, "verification")?.to_owned();
                let (fetching, request) = open(text(&begun, "authorization_request")?, &random())?;
                (At::Request(Box::new(fetching)), Some(("request", request)))
            }
            At::Request(fetching) => {
                let (answered, request) = self.answer(*fetching, &answer()?, city)?;
                (At::Response(Box::new(answered)), Some(("response", request)))
            }
            At::Response(answered) => {
                let done = answered.handle(&answer()?)?;
                let valid = matches!(done.verifier_receipt, VerifierReceipt::Valid { .. });
                ensure!(valid, "the verifier's receipt does not hold");
                let address = self.desk.join(&self.verification)?;
                let request = HttpRequest::get(address, "application/json").bearer(&self.token);
                (At::Result, Some(("result", request)))
            }
            At::Result => {
                let state: Value = serde_json::from_slice(&answer()?.body)?;
                let state = text(&state, "state")?;
                ensure!(matches!(state, "yes" | "no"), "a verification is {state}");
                (At::Verified, None)
            }
            At::Verified | At::Lost => bail!("a wallet is at its end"),
        };
        self.at = at;
        Ok(asked)
    }
}
