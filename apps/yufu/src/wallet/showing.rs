//! Showing credentials over OpenID4VP: the other side is verified before the person is even asked.

use super::history::{Entry, Event};
use super::holder::{Awaited, Decide, Holder};
use super::refusing;
use crate::words::{known, noted, text};
use anyhow::{Context, Result, anyhow, bail};
use std::collections::BTreeSet;
use yufu_api::http::ClientError;
use yufu_api::registrar::Asked;
use yufu_jose::SoftwareKey;
use yufu_keys::random;
use yufu_openid4vc::presentation::TransactionData;
use yufu_openid4vc::{HttpRequest, HttpResponse};
use yufu_trust::{Receipt, TrustList};
use yufu_wallet::HeldCredential;
use yufu_wallet::presentation::{
    AnswerEntropy, Answered, CheckingStatus, Consent, Presenting, RequestRefused, Reviewed,
    VerifierReceipt, open,
};

/// What was shown.
#[derive(Debug)]
pub struct Shown {
    /// To whom.
    pub party: String,
    /// What for.
    pub purpose: String,
    /// The names of the claims.
    pub claims: Vec<String>,
    /// Whether the other side signed a receipt that says the same.
    pub receipt: bool,
    /// Where the person goes next.
    pub redirect: Option<String>,
}

impl Holder {
    /// Answers a presentation request, if `decide` agrees.
    ///
    /// # Errors
    /// A request that is refused (unknown, expired or over-asking party, wrong origin, replay), a
    /// person who declines, or a verifier that does.
    pub async fn present(&mut self, link: &str, decide: Decide<'_>) -> Result<Shown> {
        let mut agreed = Vec::new();
        let mut look = |consent: &Consent| {
            agreed.clone_from(&consent.transactions);
            decide(consent)
        };
        let shown = self.present_for(link, &Awaited::Nothing, &mut look).await?;
        self.note_presented(&agreed)?;
        Ok(shown)
    }

    pub(super) async fn present_for(
        &mut self,
        link: &str,
        awaited: &Awaited,
        decide: Decide<'_>,
    ) -> Result<Shown> {
        let trust = self.trust().await?;
        let reviewed = Box::pin(self.review(link, &trust)).await?;
        let held: Vec<HeldCredential> =
            self.file.contents.usable().map(|(_, stored)| stored.held.clone()).collect();
        let consent = match reviewed.consent(&held) {
            Ok(consent) => consent,
            Err(missing) => return self.decline(&reviewed, &missing.to_string()).await,
        };
        if let Awaited::Transaction(wanted) = awaited
            && consent.transactions != [wanted.as_ref().clone()]
        {
            return self
                .decline(&reviewed, noted!("the request is for something else than was begun here"))
                .await;
        }
        // Somebody else's opening, under somebody else's key, would be in this person's name.
        // And somebody else's key would command her account.
        if matches!(awaited, Awaited::Nothing)
            && let Some(why) = consent.transactions.iter().find_map(begun_elsewhere)
        {
            return self.decline(&reviewed, why).await;
        }
        if !decide(&consent) {
            return self.decline(&reviewed, noted!("declined by the person")).await;
        }
        self.answer(reviewed, &consent, &held).await
    }

    /// Fetches a request, and verifies who asks, before the person is.
    pub(super) async fn review(&mut self, link: &str, trust: &TrustList) -> Result<Reviewed> {
        let (fetching, request) = open(link, &random())?;
        let response = self.send(request).await?;
        let now = self.now();
        self.file.contents.answered.retain(|_, until| *until > now.seconds());
        let seen: BTreeSet<String> = self.file.contents.answered.keys().cloned().collect();
        let checked = match fetching.handle(&response, trust, &seen, now) {
            Ok(checking) => self.check(checking, trust).await,
            Err(refused) => Err(refused),
        };
        checked.or_else(|refused| self.refuse(&response, &refused, trust))
    }

    /// Asks whether the party's registration was withdrawn: by the whole list, at most once in its ttl, so
    /// that the registrar does not learn whose request is before the person.
    async fn check(
        &mut self,
        checking: CheckingStatus,
        trust: &TrustList,
    ) -> Result<Reviewed, RequestRefused> {
        let list = match checking.request(&self.lists, self.now()) {
            Some(request) => self.send(request).await.ok(),
            None => None,
        };
        let now = self.now();
        checking.handle(list.as_ref(), &mut self.lists, trust, now)
    }

    async fn answer(
        &mut self,
        reviewed: Reviewed,
        consent: &Consent,
        held: &[HeldCredential],
    ) -> Result<Shown> {
        let mut chosen: Vec<(String, usize, SoftwareKey)> = Vec::new();
        let mut used: BTreeSet<usize> = BTreeSet::new();
        for credential in consent.credentials.iter().filter(|credential| credential.selected) {
            let index = *credential
                .candidates
                .first()
                .with_context(|| text!("nothing matches the request"))?;
            let (place, stored) = self
                .file
                .contents
                .usable()
                .nth(index)
                .with_context(|| text!("the wallet changed meanwhile"))?;
            used.insert(place);
            chosen.push((credential.query_id.clone(), index, stored.key.key()?));
        }
        let presenting: Vec<Presenting<'_>> = chosen
            .iter()
            .filter_map(|(query_id, index, key)| {
                Some(Presenting { query_id, held: held.get(*index)?, signer: key })
            })
            .collect();
        let until = reviewed.expires_at().plus_seconds(60).seconds();
        let replay_id = reviewed.replay_id();
        let entropy = AnswerEntropy { ephemeral: random(), iv: random() };
        let (answered, request) = reviewed.approve(&presenting, &entropy, self.now())?;
        // One use: gone from the wallet before it leaves, whatever happens on the way.
        let mut index = 0_usize;
        self.file.contents.credentials.retain(|_| {
            let keep = !used.contains(&index);
            index = index.saturating_add(1);
            keep
        });
        self.file.contents.answered.insert(replay_id, until);
        self.deliver(answered, request, consent).await
    }

    /// Sends an answer, and holds the other side's receipt against it.
    pub(super) async fn deliver(
        &mut self,
        answered: Answered,
        request: HttpRequest,
        consent: &Consent,
    ) -> Result<Shown> {
        let mut shown = Shown {
            party: consent.party.get(&self.language).to_owned(),
            purpose: consent.purpose.get(&self.language).to_owned(),
            claims: names(answered.receipt()),
            receipt: false,
            redirect: None,
        };
        // In the history before it leaves too: what was sent was shown, even if it is then refused.
        let entry = self.history().len();
        self.note(Event::Disclosed {
            party: shown.party.clone(),
            purpose: shown.purpose.clone(),
            claims: shown.claims.clone(),
            receipt: Box::new(answered.receipt().clone()),
            signed_receipt: None,
            request: answered.request_object().to_owned(),
        })?;
        let response = self.send(request).await?;
        let done = answered.handle(&response).map_err(|error| reason(&response, &error))?;
        match done.verifier_receipt {
            VerifierReceipt::Valid { jws, .. } => self.keep_receipt(entry, jws)?,
            VerifierReceipt::Missing => return Ok(Shown { redirect: done.redirect_uri, ..shown }),
            VerifierReceipt::Invalid(error) => {
                bail!(text!(
                    "shown, but the other side's receipt does not hold: {error}; report it",
                    error = error
                ))
            }
            VerifierReceipt::Different(_) => {
                bail!(text!("shown, but the other side's receipt says something else: report it"))
            }
        }
        shown.receipt = true;
        shown.redirect = done.redirect_uri;
        Ok(shown)
    }

    /// Adds the other side's receipt to the disclosure that it is for.
    fn keep_receipt(&mut self, index: usize, jws: String) -> Result<()> {
        let entry = self.file.contents.history.get_mut(index);
        if let Some(Entry { event: Event::Disclosed { signed_receipt, .. }, .. }) = entry {
            *signed_receipt = Some(jws);
        }
        Ok(self.file.save()?)
    }

    pub(super) async fn decline(&mut self, reviewed: &Reviewed, why: &str) -> Result<Shown> {
        let party = reviewed.certificate().name.get(&self.language).to_owned();
        // The verifier learns only that nothing comes; whether it hears that is its affair.
        let _ = self.send(reviewed.decline()).await;
        let request = Some(reviewed.request_object().to_owned());
        self.note(Event::Declined { party, reason: why.to_owned(), request })?;
        bail!(text!("nothing was shown: {why}", why = known(why)))
    }

    /// Notes a request that the rules forbid to answer. The party is named only if its registration holds.
    fn refuse(
        &mut self,
        response: &HttpResponse,
        refused: &RequestRefused,
        trust: &TrustList,
    ) -> Result<Reviewed> {
        if matches!(refused, RequestRefused::Http(_)) {
            return Err(reason(response, refused));
        }
        // Not the party's doing: there is nothing to report, and later the same request may pass.
        if matches!(refused, RequestRefused::StatusUnknown(_)) {
            bail!(text!("nothing was shown: {why}", why = refusing::said(refused)));
        }
        let request = String::from_utf8_lossy(&response.body).trim().to_owned();
        let asked = Asked::read(&request, trust, self.now()).ok();
        let party = asked.as_ref().map_or_else(
            || text!("somebody unknown"),
            |asked| asked.party.get(&self.language).to_owned(),
        );
        let reason = refusing::said(refused);
        self.note(Event::Refused {
            party: party.clone(),
            reason: reason.clone(),
            request: asked.map(|_| request),
        })?;
        let number = self.history().len();
        bail!(text!(
            "{party} was refused, nothing was shown: {reason}; report it with `yufu wallet report {number}`",
            party = party,
            reason = reason,
            number = number
        ))
    }
}

/// Why a transaction that was not begun in this wallet is not confirmed by it.
fn begun_elsewhere(data: &TransactionData) -> Option<&'static str> {
    match data {
        TransactionData::AccountOpening(_) => Some(noted!(
            "it opens an account that was not begun in this wallet: begin it here with `yufu wallet open`"
        )),
        TransactionData::KeyChange(_) => Some(noted!(
            "it puts a key in command of your account that was not made in this wallet: begin it here with `yufu wallet recover`"
        )),
        TransactionData::Payment(_) => None,
    }
}

/// The names of the claims that a receipt is about.
fn names(receipt: &Receipt) -> Vec<String> {
    let all = receipt.disclosed.iter().flat_map(|names| &names.claims);
    all.map(ToString::to_string).collect()
}

/// The other side's own words, if it refused; else what the wallet makes of it.
fn reason(response: &HttpResponse, error: &impl ToString) -> anyhow::Error {
    match response.refusal() {
        Some(problem) => ClientError::Refused(Box::new(problem)).into(),
        None => anyhow!("{}", error.to_string()),
    }
}
