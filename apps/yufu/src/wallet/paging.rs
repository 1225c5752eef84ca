//! Showing credentials to a web page that asks through the browser or the platform (the Digital Credentials API):
//! whoever calls this sits in their place, and vouches for the page's origin.

use super::holder::{Awaited, Decide, Holder};
use super::refusing;
use super::showing::{Answering, Shown, decided};
use crate::words::{known, text};
use anyhow::Result;
use serde_json::{Value, json};
use yufu_keys::random;
use yufu_openid4vc::presentation::{AuthorizationErrorCode, DigitalAnswer, DigitalRequest};
use yufu_trust::TrustList;
use yufu_wallet::presentation::{AnswerEntropy, Consent, RequestRefused, Reviewed, take};

/// What becomes of a page's request.
#[derive(Debug)]
pub enum Paged {
    /// Something was shown: what the page gets, an object with `protocol` and `data`.
    Shown(Box<Shown>, Value),
    /// The page gets this refusal, and the person this reason.
    Refused(Value, String),
    /// The page gets nothing, as if nobody had been asked: it would learn what the wallet has, or has not.
    Cancelled(String),
}

impl Holder {
    /// Answers the request of a page of `origin`, if `decide` agrees.
    ///
    /// # Errors
    /// If the trust list cannot be fetched, or the wallet not be written.
    pub async fn present_to_page(
        &mut self,
        origin: &str,
        request: &DigitalRequest,
        decide: Decide<'_>,
    ) -> Result<Paged> {
        let trust = self.trust().await?;
        let reviewed = match self.review_of_page(origin, request, &trust).await {
            Ok(reviewed) => reviewed,
            Err(refused) => return self.refuse_page(request, &refused, &trust),
        };
        let held = self.held();
        let mut agreed = Vec::new();
        let mut asked = false;
        let mut look = |consent: &Consent| {
            agreed.clone_from(&consent.transactions);
            asked = true;
            decide(consent)
        };
        let consent =
            match decided(&reviewed, &held, &Awaited::Nothing, (self.choose.as_mut(), &mut look)) {
                Ok(consent) => consent,
                Err(why) => {
                    self.note_declined(&reviewed, &why)?;
                    let said = text!("nothing was shown: {why}", why = known(&why));
                    // Before she was asked, no answer says what she has (OpenID4VP 1.0, 15.9.1).
                    if !asked {
                        return Ok(Paged::Cancelled(said));
                    }
                    return Ok(Paged::Refused(error(AuthorizationErrorCode::AccessDenied), said));
                }
            };
        let shown = self.answer_page(reviewed, &consent, &held)?;
        self.note_presented(&agreed)?;
        Ok(shown)
    }

    async fn review_of_page(
        &mut self,
        origin: &str,
        request: &DigitalRequest,
        trust: &TrustList,
    ) -> Result<Reviewed, RequestRefused> {
        let (seen, now) = (self.answered_before(), self.now());
        let checking = take(origin, request, trust, &seen, now)?;
        self.check(checking, trust).await
    }

    fn refuse_page(
        &mut self,
        request: &DigitalRequest,
        refused: &RequestRefused,
        trust: &TrustList,
    ) -> Result<Paged> {
        let Ok(object) = request.request_object() else {
            let said = text!("nothing was shown: {why}", why = refusing::said(refused));
            return Ok(Paged::Refused(error(AuthorizationErrorCode::InvalidRequest), said));
        };
        let said = self.note_refused(object.to_owned(), refused, trust)?;
        if matches!(refused, RequestRefused::StatusUnknown(_)) {
            return Ok(Paged::Cancelled(said));
        }
        Ok(Paged::Refused(error(AuthorizationErrorCode::InvalidRequest), said))
    }

    fn answer_page(
        &mut self,
        reviewed: Reviewed,
        consent: &Consent,
        held: &[yufu_wallet::HeldCredential],
    ) -> Result<Paged> {
        let chosen = self.choose(consent)?;
        let answering = Answering::of(&reviewed);
        let entropy = AnswerEntropy { ephemeral: random(), iv: random() };
        let (receipt, answer) =
            reviewed.approve_for_page(&chosen.presenting(held), &entropy, self.now())?;
        let (_, shown) = self.spend(&chosen, answering, consent, receipt)?;
        Ok(Paged::Shown(Box::new(shown), credential(&answer)))
    }
}

fn error(code: AuthorizationErrorCode) -> Value {
    credential(&DigitalAnswer::Error(code))
}

/// What `navigator.credentials.get` gives the page.
fn credential(answer: &DigitalAnswer) -> Value {
    json!({"protocol": yufu_openid4vc::presentation::SIGNED_PROTOCOL, "data": answer.to_data()})
}
