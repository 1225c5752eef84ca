//! Wallets without a file that hold one anonymous credential each, by the sessions of the product alone.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use super::pooled::Issuances;
use super::support::visits::Street;
use super::support::{carry, now};
use serde_json::{Value, json};
use yufu_anonymous::{HeldCredential, HolderSecret};
use yufu_jose::ClaimPath;
use yufu_keys::random;
use yufu_openid4vc::{Endpoint, HttpRequest};
use yufu_pseudonym::{Kept, PublishedTerms, Question};
use yufu_trust::DisclosedNames;

/// A wallet.
pub struct Anonymous {
    secret: HolderSecret,
    held: HeldCredential,
}

impl Anonymous {
    /// The wallet of a resident who showed the authority who she is. What the authority was sent and what it answered
    /// goes into its log.
    pub async fn issued(street: &mut Street, number: &str, log: &mut Issuances) -> Self {
        let caller = street.caller.clone();
        let authority = format!("{}/authority", caller.url);
        let identity = street.sd_jwts(number).await.remove(0);
        let published = caller.client.get_text(&format!("{authority}/v1/anonymous/terms")).await;
        let terms = PublishedTerms::verify(&published.unwrap(), &street.trust, now()).unwrap();
        let secret = HolderSecret::derive(&random()).unwrap();
        let kept = Kept::fresh(&terms, &secret).unwrap();
        let (committed, wanted) = kept.ask(terms).unwrap();
        let begun = caller.post("/authority/v1/anonymous/proofs", None, &json!({})).await.done();
        let link = begun["authorization_request"].as_str().unwrap();
        let answer = street.answer(link, &identity).await;
        let answered = carry(&caller, &answer).await;
        let said: Value = serde_json::from_slice(&answered.body).unwrap();
        let redirect = said["redirect_uri"].as_str().unwrap();
        let (to, code) = redirect.split_once("#response_code=").unwrap();
        let to = Endpoint::parse(to).unwrap();
        let request = HttpRequest::post_json(to, &json!(wanted)).bearer(code);
        let issued = carry(&caller, &request).await;
        assert_eq!(issued.status, 200, "{}", String::from_utf8_lossy(&issued.body));
        let document: Value = serde_json::from_slice(&issued.body).unwrap();
        log.add(
            number,
            &[&json!(wanted), &document, &said, &json!({"code": code, "number": number})],
        );
        let issued = serde_json::from_value(document).unwrap();
        Self { held: committed.handle(issued, &secret, now()).unwrap(), secret }
    }

    /// Shows that its holder is of age, to the end; the verification's id.
    pub async fn show(&self, street: &mut Street, verifier: &str) -> String {
        let begun = street.begin(verifier, "of-age").await;
        let reviewed = street.review(begun["authorization_request"].as_str().unwrap()).await;
        let party = &reviewed.certificate().sub;
        let question = Question::of(reviewed.request_object(), reviewed.request(), party).unwrap();
        let shown = json!(question.answer(&self.held, &self.secret).unwrap());
        let names = question.claims().iter();
        let names = names.map(|name| ClaimPath::members(name.split('.')).unwrap()).collect();
        let disclosed = DisclosedNames { vct: self.held.terms().kind().to_owned(), claims: names };
        let answer = reviewed.answer_otherwise("anonymous", &shown, disclosed, now()).unwrap().1;
        let answered = carry(&street.caller, &answer).await;
        assert_eq!(answered.status, 200, "{}", String::from_utf8_lossy(&answered.body));
        begun["verification"].as_str().unwrap().to_owned()
    }

    /// The issuer's signature, which a wallet never shows.
    pub fn signature(&self) -> String {
        json!(self.held)["issued"]["signature"].as_str().unwrap().to_owned()
    }

    /// By what a party knows its holder: for the judge alone.
    pub fn pseudonym(&self, party: &str) -> String {
        let context = yufu_anonymous::Context::of_party(party);
        let bound = yufu_anonymous::Bound { audience: "", nonce: "", request: &[0; 32] };
        let shown = self.held.show(&self.secret, &[].into(), &context, &bound).unwrap();
        shown.pseudonym().to_string()
    }
}
