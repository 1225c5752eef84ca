//! Showing credentials over OpenID4VP: the other side is verified before the person is even asked.

use super::history::{Entry, Event};
use super::holder::{Awaited, Choose, Decide, Holder};
use super::refusing;
use crate::words::{known, noted, text};
use anyhow::{Context, Result, anyhow, bail};
use std::collections::BTreeSet;
use yufu_api::http::ClientError;
use yufu_api::registrar::Asked;
use yufu_jose::SoftwareKey;
use yufu_keys::random;
use yufu_openid4vc::presentation::{EncodedTransaction, TransactionData};
use yufu_openid4vc::{HttpRequest, HttpResponse};
use yufu_trust::{Receipt, TrustList};
use yufu_wallet::HeldCredential;
use yufu_wallet::presentation::{
    AnswerEntropy, Answered, CheckingStatus, Consent, Presenting, RequestRefused, Reviewed,
    VerifierReceipt, open_with_key,
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
    /// The same, as their issuers call them in the person's language.
    pub named: Vec<String>,
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
        let (shown, agreed) = self.present_agreed(link, decide).await?;
        self.note_presented(&agreed)?;
        Ok(shown)
    }

    /// What was shown, and what else the person agreed to sign.
    pub(super) async fn present_agreed(
        &mut self,
        link: &str,
        decide: Decide<'_>,
    ) -> Result<(Shown, Vec<TransactionData>)> {
        let mut agreed = Vec::new();
        let mut look = |consent: &Consent| {
            agreed.clone_from(&consent.transactions);
            decide(consent)
        };
        let shown = self.present_for(link, &Awaited::Nothing, &mut look).await?;
        Ok((shown, agreed))
    }

    pub(super) async fn present_for(
        &mut self,
        link: &str,
        awaited: &Awaited,
        decide: Decide<'_>,
    ) -> Result<Shown> {
        let trust = self.trust().await?;
        let reviewed = Box::pin(self.review(link, &trust)).await?;
        let held = self.held();
        match decided(&reviewed, &held, awaited, (self.choose.as_mut(), decide)) {
            Ok(consent) => self.answer(reviewed, &consent, &held).await,
            Err(why) => self.decline(&reviewed, &why).await,
        }
    }

    /// The credentials that can be shown.
    pub(super) fn held(&self) -> Vec<HeldCredential> {
        self.file.contents.usable().map(|(_, stored)| stored.held.clone()).collect()
    }

    /// Fetches a request, and verifies who asks, before the person is.
    pub(super) async fn review(&mut self, link: &str, trust: &TrustList) -> Result<Reviewed> {
        let (fetching, request) = open_with_key(link, &random(), &random())?;
        let response = self.send(request).await?;
        let (now, seen) = (self.now(), self.answered_before());
        let came = fetching.clone();
        let checked = match fetching.handle(&response, trust, &seen, now) {
            Ok(checking) => self.check(checking, trust).await,
            Err(refused) => Err(refused),
        };
        checked.or_else(|refused| {
            if matches!(refused, RequestRefused::Http(_)) {
                return Err(reason(&response, &refused));
            }
            // What cannot be opened is no evidence of anything, and is noted without.
            let request = came.signed(&response).unwrap_or_default().trim().to_owned();
            bail!(self.note_refused(request, &refused, trust)?)
        })
    }

    /// What was answered before and could come again.
    pub(super) fn answered_before(&mut self) -> BTreeSet<String> {
        let now = self.now();
        self.file.contents.answered.retain(|_, until| *until > now.seconds());
        self.file.contents.answered.keys().cloned().collect()
    }

    /// Asks whether the party's registration was withdrawn: by the whole list, at most once in its ttl, so
    /// that the registrar does not learn whose request is before the person.
    pub(super) async fn check(
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
        let chosen = self.choose(consent)?;
        let answered_as = Answering::of(&reviewed);
        let entropy = AnswerEntropy { ephemeral: random(), iv: random() };
        let (answered, request) =
            reviewed.approve(&chosen.presenting(held), &entropy, self.now())?;
        let (entry, shown) =
            self.spend(&chosen, answered_as, consent, answered.receipt().clone())?;
        self.deliver(answered, request, (entry, shown)).await
    }

    /// Sends an answer that is in the history, and holds the other side's receipt against it.
    pub(super) async fn deliver(
        &mut self,
        answered: Answered,
        request: HttpRequest,
        (entry, mut shown): (usize, Shown),
    ) -> Result<Shown> {
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

    /// A copy of each credential that the person agreed to show, with its key: for each query another, or its answers
    /// could be linked.
    pub(super) fn choose(&self, consent: &Consent) -> Result<Chosen> {
        let mut chosen = Chosen::default();
        for credential in &consent.credentials {
            for holding in credential.chosen() {
                let mut copies = holding.copies.iter();
                let unused =
                    copies.find(|copy| !chosen.keys.iter().any(|(_, used, _)| used == *copy));
                let index = *unused.with_context(|| {
                    text!("the request wants more copies of one credential than are here: get a new batch")
                })?;
                let (place, stored) = self
                    .file
                    .contents
                    .usable()
                    .nth(index)
                    .with_context(|| text!("the wallet changed meanwhile"))?;
                chosen.used.insert(place);
                chosen.keys.push((credential.query_id.clone(), index, stored.key.key()?));
            }
        }
        Ok(chosen)
    }

    /// Takes what is about to be shown out of the wallet, and notes it, before it leaves: whatever happens on the way. Where
    /// it stands in the history, and what was shown.
    pub(super) fn spend(
        &mut self,
        chosen: &Chosen,
        answering: Answering,
        consent: &Consent,
        receipt: Receipt,
    ) -> Result<(usize, Shown)> {
        self.use_up(&chosen.used);
        self.file.contents.answered.insert(answering.replay_id, answering.until);
        self.note_shown(consent, receipt, answering.request_object)
    }

    /// Notes what is about to leave, for what was sent was shown, even if it is then refused. Where it stands in the history,
    /// and what was shown.
    pub(super) fn note_shown(
        &mut self,
        consent: &Consent,
        receipt: Receipt,
        request: String,
    ) -> Result<(usize, Shown)> {
        let shown = Shown {
            party: consent.party.get(&self.language).to_owned(),
            purpose: consent.purpose.get(&self.language).to_owned(),
            claims: names(&receipt),
            named: self.names().shown(&receipt),
            receipt: false,
            redirect: None,
        };
        let entry = self.history().len();
        self.note(Event::Disclosed {
            party: shown.party.clone(),
            purpose: shown.purpose.clone(),
            claims: shown.claims.clone(),
            receipt: Box::new(receipt),
            signed_receipt: None,
            request,
        })?;
        Ok((entry, shown))
    }

    /// One use: gone from the wallet.
    pub(super) fn use_up(&mut self, used: &BTreeSet<usize>) {
        let mut index = 0_usize;
        self.file.contents.credentials.retain(|_| {
            let keep = !used.contains(&index);
            index = index.saturating_add(1);
            keep
        });
    }

    /// Adds the other side's receipt to the disclosure that it is for.
    pub(super) fn keep_receipt(&mut self, index: usize, jws: String) -> Result<()> {
        let entry = self.file.contents.history.get_mut(index);
        if let Some(Entry { event: Event::Disclosed { signed_receipt, .. }, .. }) = entry {
            *signed_receipt = Some(jws);
        }
        Ok(self.file.save()?)
    }

    pub(super) async fn decline(&mut self, reviewed: &Reviewed, why: &str) -> Result<Shown> {
        if let Some(refusal) = reviewed.decline() {
            // The verifier learns only that nothing comes; whether it hears that is its affair.
            let _ = self.send(refusal).await;
        }
        self.note_declined(reviewed, why)?;
        bail!(text!("nothing was shown: {why}", why = known(why)))
    }

    pub(super) fn note_declined(&mut self, reviewed: &Reviewed, why: &str) -> Result<()> {
        let party = reviewed.certificate().name.get(&self.language).to_owned();
        let request = Some(reviewed.request_object().to_owned());
        Ok(self.note(Event::Declined { party, reason: why.to_owned(), request })?)
    }

    /// Notes a request that the rules forbid to answer; what the person is told. The party is named only if its
    /// registration holds.
    pub(super) fn note_refused(
        &mut self,
        request: String,
        refused: &RequestRefused,
        trust: &TrustList,
    ) -> Result<String> {
        // Not the party's doing: there is nothing to report, and later the same request may pass.
        if matches!(refused, RequestRefused::StatusUnknown(_)) {
            return Ok(text!("nothing was shown: {why}", why = refusing::said(refused)));
        }
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
        Ok(text!(
            "{party} was refused, nothing was shown: {reason}; report it with `yufu wallet report {number}`",
            party = party,
            reason = reason,
            number = number
        ))
    }
}

/// The credentials that the person agreed to show.
#[derive(Default)]
pub(super) struct Chosen {
    /// Their places in the wallet.
    pub(super) used: BTreeSet<usize>,
    /// For which query, the position among those that can be shown, and the key.
    keys: Vec<(String, usize, SoftwareKey)>,
}

impl Chosen {
    pub(super) fn presenting<'a>(&'a self, held: &'a [HeldCredential]) -> Vec<Presenting<'a>> {
        let presenting = self.keys.iter().filter_map(|(query_id, index, key)| {
            Some(Presenting { query_id, held: held.get(*index)?, signer: key })
        });
        presenting.collect()
    }
}

/// What is remembered of a request that is answered.
pub(super) struct Answering {
    replay_id: String,
    until: u64,
    request_object: String,
}

impl Answering {
    pub(super) fn of(reviewed: &Reviewed) -> Self {
        Self {
            replay_id: reviewed.replay_id(),
            until: reviewed.expires_at().plus_seconds(60).seconds(),
            request_object: reviewed.request_object().to_owned(),
        }
    }
}

/// What the person agreed to, of what she has; or why nothing is shown. She is asked as well if nothing here answers: a
/// party that asks for certain values cannot tell by the answer, nor by the wait for it, whether she has them.
pub(super) fn decided(
    reviewed: &Reviewed,
    held: &[HeldCredential],
    awaited: &Awaited,
    (choose, decide): (Option<&mut Choose>, Decide<'_>),
) -> Result<Consent, String> {
    let data = reviewed.request().transaction_data.iter().map(EncodedTransaction::data);
    let transactions: Vec<&TransactionData> = data.collect();
    if !awaited.is(&transactions) {
        return Err(noted!("the request is for something else than was begun here").to_owned());
    }
    // Somebody else's opening, under somebody else's key, would be in this person's name.
    // And somebody else's key would command her account.
    if matches!(awaited, Awaited::Nothing)
        && let Some(why) = transactions.into_iter().find_map(begun_elsewhere)
    {
        return Err(why.to_owned());
    }
    let mut consent = match reviewed.consent(held) {
        Ok(consent) => consent,
        Err(lacking) => {
            decide(&reviewed.consent_lacking(&lacking));
            return Err(lacking.to_string());
        }
    };
    if let Some(choose) = choose {
        choose(&mut consent);
    }
    if decide(&consent) { Ok(consent) } else { Err(noted!("declined by the person").to_owned()) }
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
        TransactionData::SignIn(_) => Some(noted!(
            "it signs somebody in who began with another wallet, and would get credentials of yours: begin it here with `yufu wallet obtain`"
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
