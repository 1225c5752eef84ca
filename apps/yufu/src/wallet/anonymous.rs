//! The wallet's anonymous credential: got by showing who its holder is to her own authority, renewed each epoch, shown
//! under a pseudonym that only one party knows. Its secret comes from the root, as all pseudonyms do.

use super::holder::{Decide, Holder};
use super::showing::Shown;
use crate::words::{noted, text};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use yufu_anonymous::{Claims, HeldCredential, HolderSecret, Issued};
use yufu_api::authority::AnonymousProof;
use yufu_base::Timestamp;
use yufu_jose::ClaimPath;
use yufu_pseudonym::{Kept, PublishedTerms, Question};
use yufu_trust::{DisclosedNames, TrustList};
use yufu_wallet::presentation::Reviewed;

/// Says what the secret is extracted for; a change would give everybody new pseudonyms.
const DOMAIN: &[u8] = b"yufu.wallet.anonymous.v1";
/// Where an authority issues anonymous credentials, below its address.
const CREDENTIALS: &str = "/v1/anonymous/credentials";
/// The form of the answer, beside the address for others.
const FORM: &str = "anonymous";

/// What the wallet keeps.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAnonymous {
    /// The commitment that the authority registered: the same at each renewal.
    kept: Kept,
    /// The credential of the epoch in which it was got last.
    held: Option<HeldCredential>,
}

/// An anonymous credential that was received.
#[derive(Debug)]
pub struct AnonymousReceived {
    /// From whom.
    pub issuer: String,
    /// What it says.
    pub claims: Claims,
    /// Until when it can be shown; then it is renewed.
    pub expires_at: Timestamp,
}

impl Holder {
    /// Gets an anonymous credential for this epoch. The authority is shown the resident number, for this purpose alone.
    ///
    /// # Errors
    /// If the person declines or has no identity credential left, or the authority has another commitment of hers.
    pub async fn get_anonymous(&mut self, decide: Decide<'_>) -> Result<AnonymousReceived> {
        let trust = self.trust().await?;
        let authority = self.own_authority()?;
        let address = format!("{authority}/v1/anonymous/terms");
        let published = self.client.get_text(&address).await?;
        let terms = PublishedTerms::verify(&published, &trust, self.now())?;
        let secret = self.secret()?;
        let (kept, held) = match self.stored_anonymous()? {
            Some(stored) => (stored.kept, stored.held),
            None => (Kept::fresh(&terms, &secret)?, None),
        };
        // Before it is sent: what the authority registers is what is renewed for good.
        self.keep_anonymous(kept.clone(), held)?;
        let (committed, request) = kept.clone().ask(terms)?;
        let begin = format!("{authority}/v1/anonymous/proofs");
        let proof: AnonymousProof = self.client.post(&begin, None, &()).await?;
        let shown = self.present(&proof.authorization_request, decide).await?;
        let redirect = shown.redirect.unwrap_or_default();
        let code = redirect.split_once("#response_code=").filter(|(to, _)| {
            // The code opens a person's credential: it goes to the authority that was asked, nowhere else.
            *to == format!("{authority}{CREDENTIALS}")
        });
        let (to, code) = code.with_context(|| {
            text!("the authority did not say where the credential is asked for")
        })?;
        let issued: Issued = self.client.post(to, Some(code), &request).await?;
        let held = committed.handle(issued, &secret, self.now())?;
        let received = AnonymousReceived {
            issuer: authority,
            claims: held.claims().clone(),
            expires_at: held.expires_at(),
        };
        self.keep_anonymous(kept, Some(held))?;
        Ok(received)
    }

    /// Answers a presentation request from the anonymous credential, under the pseudonym that its party knows, if
    /// `decide` agrees.
    ///
    /// # Errors
    /// As [`Holder::present`]; and if there is no anonymous credential of this epoch.
    pub async fn present_anonymously(&mut self, link: &str, decide: Decide<'_>) -> Result<Shown> {
        let trust: TrustList = self.trust().await?;
        let reviewed: Reviewed = Box::pin(self.review(link, &trust)).await?;
        let party = &reviewed.certificate().sub;
        let question = Question::of(reviewed.request_object(), reviewed.request(), party)?;
        let held = self.stored_anonymous()?.and_then(|stored| stored.held);
        let held = held.filter(|held| held.is_current(self.now())).with_context(|| {
            text!("nothing was shown: no anonymous credential of this epoch is here; get one first")
        })?;
        let mut claims = Vec::new();
        for name in question.claims() {
            let value = held.claim(name).with_context(|| {
                text!(
                    "nothing was shown: the anonymous credential does not say {name}",
                    name = name
                )
            })?;
            claims.push((ClaimPath::members(name.split('.'))?, vec![json!(value)]));
        }
        let kind = held.terms().kind().to_owned();
        let names = claims.iter().map(|(path, _)| path.clone()).collect();
        let disclosed = DisclosedNames { vct: kind.clone(), claims: names };
        let consent = reviewed.consent_otherwise(&kind, claims);
        if !decide(&consent) {
            return self.decline(&reviewed, noted!("declined by the person")).await;
        }
        let presentation = json!(question.answer(&held, &self.secret()?)?);
        let until = reviewed.expires_at().plus_seconds(60).seconds();
        let replay_id = reviewed.replay_id();
        let answer = reviewed.answer_otherwise(FORM, &presentation, disclosed, self.now());
        let (answered, request) = answer?;
        self.file.contents.answered.insert(replay_id, until);
        let (receipt, asked) = (answered.receipt().clone(), answered.request_object().to_owned());
        let noted = self.note_shown(&consent, receipt, asked)?;
        self.deliver(answered, request, noted).await
    }

    fn secret(&self) -> Result<HolderSecret> {
        let root = self.file.contents.root.as_ref();
        let root = root.with_context(|| text!("the wallet has no root secret"))?;
        Ok(HolderSecret::derive(&*root.seed(DOMAIN)?)?)
    }

    fn stored_anonymous(&self) -> Result<Option<StoredAnonymous>> {
        let stored = self.file.contents.anonymous.clone();
        let damaged =
            || text!("the anonymous credential in the wallet is damaged: restore it from a backup");
        stored.map(serde_json::from_value).transpose().with_context(damaged)
    }

    fn keep_anonymous(&mut self, kept: Kept, held: Option<HeldCredential>) -> Result<()> {
        let stored = StoredAnonymous { kept, held };
        self.file.contents.anonymous = Some(serde_json::to_value(stored)?);
        Ok(self.file.save()?)
    }
}
