//! Showing an identity to a reader near by (ISO 18013-5): the wallet shows a code, whoever reads it asks, and is verified
//! before the person is asked. No server is between the two.

use super::history::Event;
use super::holder::{Decide, Holder};
use super::showing::Shown;
use crate::words::{known, noted, text};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;
use yufu_jose::SoftwareKey;
use yufu_keys::random;
use yufu_mdoc::{IssuedMdoc, RetrievalMethod};
use yufu_nearby::{Channel, Listening, Tcp};
use yufu_openid4vc::{Endpoint, HttpRequest};
use yufu_proximity::{Asked, Engaged, Offline, OfflineStatusError, RefuseReader};
use yufu_trust::{STATUS_LIST_MEDIA_TYPE, TrustList};
use yufu_wallet::presentation::{Consent, ConsentCredential};
use zeroize::Zeroizing;

/// The id of the one credential that a reader near by asks for, as the person sees it.
const QUERY: &str = "near";
/// How long after its signature a registrar's list is relied on, in seconds.
const MOST_SECONDS: u64 = 3600;
/// How long the device waits for the reader's receipt, in seconds: it looks at a status list first.
const RECEIPT_SECONDS: u64 = 10;
/// How long a reader may take from its connection to its request, in seconds.
const ASK_SECONDS: u64 = 30;

/// A wallet that can be reached, and waits for a reader.
pub struct Near {
    listening: Listening,
    seed: Zeroizing<[u8; 32]>,
    code: String,
    trust: TrustList,
}

/// A document of the wallet that answers a reader, and its place there.
struct Answering<'a> {
    place: usize,
    mdoc: &'a IssuedMdoc,
    key: SoftwareKey,
}

impl Near {
    /// The text of the code to show.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    fn engaged(&self) -> Result<Engaged> {
        engaged(&self.seed, &self.listening)
    }
}

fn engaged(seed: &[u8; 32], listening: &Listening) -> Result<Engaged> {
    let address = listening.address();
    let method = RetrievalMethod::tcp(&address.ip().to_string(), address.port());
    Ok(Engaged::new(seed, vec![method])?)
}

impl Holder {
    /// Waits at `host`, on a port that the system chooses, for a reader that sees the code. Whom to trust is fetched now.
    ///
    /// # Errors
    /// If the trust list cannot be fetched, or nobody can wait there.
    pub async fn come_near(&mut self, host: IpAddr) -> Result<Near> {
        let trust = self.trust().await?;
        let listening = Listening::at(host).await?;
        let seed = Zeroizing::new(random());
        let code = engaged(&seed, &listening)?.qr();
        Ok(Near { listening, seed, code, trust })
    }

    /// Answers the first reader that comes within a time, if `decide` agrees.
    ///
    /// # Errors
    /// If nobody comes; if whoever comes may not ask this; if the person declines, or has no such document.
    pub async fn present_near(
        &mut self,
        near: Near,
        within: Duration,
        decide: Decide<'_>,
    ) -> Result<Shown> {
        // Made before the listener goes: whoever comes first is the only one.
        let (first, second) = (near.engaged()?, near.engaged()?);
        let Near { listening, trust, .. } = near;
        let mut channel = listening.accept(within).await?;
        let message = channel.receive(Duration::from_secs(ASK_SECONDS)).await?;
        let asked = match self.asked((first, second), &message, &trust).await {
            Ok(asked) => asked,
            Err(refused) => {
                // It learns that the session is over; whether it hears that is its affair.
                let _ = channel.send(&refused.reply()).await;
                return self.refuse_reader(&refused);
            }
        };
        let consent = self.consent_near(&asked);
        let agreed = match &consent {
            Ok(consent) if decide(consent) => Ok(consent),
            Ok(_) => Err(noted!("declined by the person")),
            Err(why) => {
                // Asked all the same: the reader cannot tell by the wait what is here.
                let missing = Some(known(why));
                decide(&Consent { missing, ..Consent::of(asked.certificate()) });
                Err(*why)
            }
        };
        match agreed {
            Ok(consent) => self.answer_near(asked, consent, channel).await,
            Err(why) => self.decline_reader(asked, why, channel).await,
        }
    }

    /// The request, if whoever asks may: the registrar's list is fetched whole, if it is not at hand.
    async fn asked(
        &self,
        (first, second): (Engaged, Engaged),
        message: &[u8],
        trust: &TrustList,
    ) -> Result<Asked, RefuseReader> {
        let none = BTreeMap::new();
        let now = self.now();
        let known = Offline { trust, lists: &none, max_age_seconds: MOST_SECONDS, now };
        let missing = match first.handle(message, &known) {
            Err(RefuseReader::Status(OfflineStatusError::Missing(uri))) => uri,
            other => return other,
        };
        let mut lists = BTreeMap::new();
        if let Ok(address) = Endpoint::parse(&missing) {
            let request = HttpRequest::get(address, STATUS_LIST_MEDIA_TYPE);
            let fetched = self.send(request).await.ok();
            let token =
                fetched.and_then(|list| list.text(STATUS_LIST_MEDIA_TYPE).ok().map(str::to_owned));
            lists.extend(token.map(|token| (missing, token)));
        }
        second.handle(message, &Offline { lists: &lists, ..known })
    }

    /// What the person sees before she decides; or why there is nothing to decide.
    fn consent_near(&self, asked: &Asked) -> Result<Consent, &'static str> {
        let missing = noted!(
            "no identity here is an mdoc that has all that is asked: get one with `yufu wallet get --mdoc`"
        );
        let answering = self.answering(asked).map_err(|_| missing)?;
        let values = |path: &yufu_jose::ClaimPath| {
            path.select(answering.mdoc.elements()).into_iter().cloned().collect()
        };
        let claims = asked.elements().iter().map(|path| (path.clone(), values(path))).collect();
        let credentials = vec![ConsentCredential::one(QUERY, &asked.items().doc_type, claims)];
        Ok(Consent { credentials, ..Consent::of(asked.certificate()) })
    }

    /// The first copy of a document that answers.
    fn answering(&self, asked: &Asked) -> Result<Answering<'_>> {
        let mut usable = self.file.contents.usable();
        let found = usable.find_map(|(place, stored)| {
            let mdoc = stored.held.credential.as_mdoc().filter(|mdoc| asked.is_answered_by(mdoc));
            mdoc.map(|mdoc| (place, mdoc, &stored.key))
        });
        let (place, mdoc, key) = found.with_context(|| text!("nothing matches the request"))?;
        Ok(Answering { place, mdoc, key: key.key()? })
    }

    async fn answer_near(
        &mut self,
        asked: Asked,
        consent: &Consent,
        mut channel: Tcp,
    ) -> Result<Shown> {
        let now = self.now();
        let (place, message, receipt, request) = {
            let Answering { place, mdoc, key } = self.answering(&asked)?;
            let request = asked.conversation();
            let (message, receipt, waiting) = asked.approve_for_receipt(mdoc, &key, now)?;
            (place, (message, waiting), receipt, request)
        };
        let (message, waiting) = message;
        // Gone from the wallet, and in the history, before it leaves.
        self.use_up(&BTreeSet::from([place]));
        let (entry, shown) = self.note_shown(consent, receipt, request)?;
        channel.send(&message).await?;
        // A reader of another house says nothing more, and closes.
        let said = channel.receive(Duration::from_secs(RECEIPT_SECONDS)).await.ok();
        let receipt = said.and_then(|message| waiting.take(&message).ok());
        let Some(receipt) = receipt else { return Ok(shown) };
        self.keep_receipt(entry, receipt)?;
        Ok(Shown { receipt: true, ..shown })
    }

    async fn decline_reader(&mut self, asked: Asked, why: &str, mut channel: Tcp) -> Result<Shown> {
        let party = asked.certificate().name.get(&self.language).to_owned();
        let _ = channel.send(&asked.decline()).await;
        self.note(Event::Declined { party, reason: why.to_owned(), request: None })?;
        bail!(text!("nothing was shown: {why}", why = known(why)))
    }

    fn refuse_reader(&mut self, refused: &RefuseReader) -> Result<Shown> {
        let reason = refused.to_string();
        let party = text!("somebody unknown");
        self.note(Event::Refused { party, reason: reason.clone(), request: None })?;
        bail!(text!("nothing was shown: {why}", why = reason))
    }
}
