//! The wallet's outer half: carries what the sessions want sent, keeps the clock, the randomness and
//! the file. What may be shown is decided by whoever holds it, through [`Decide`].

use super::abroad::Abroad;
use super::fault::WalletFault;
use super::file::{Place, WalletFile};
use super::history::{Entry, Event};
use super::pins::StoredPin;
use super::vault::Passphrase;
use crate::words::{self, text};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::sync::Arc;
use yufu_api::http::{AnswerTimes, Client, ClientError, Exchanged, may_lead_inside};
use yufu_base::{PublicKey, Timestamp};
use yufu_engine::{Clock, SystemClock};
use yufu_jose::encode_base64url;
use yufu_openid4vc::{Endpoint, HttpRequest, HttpResponse, RESPONSE_HEADERS};
use yufu_openid4vc::{Method, presentation::TransactionData};
use yufu_trust::{Role, TrustList};
use yufu_wallet::presentation::{Consent, StatusLists};

/// Whether to show what is asked.
pub type Decide<'a> = &'a mut (dyn FnMut(&Consent) -> bool + Send);

/// Chooses, before that, among what a request leaves open.
pub type Choose = Box<dyn FnMut(&mut Consent) + Send + Sync>;

/// The word of the directory for who keeps the ledger.
const CENTRAL_BANK: &str = "central-bank";

/// A wallet in use.
pub struct Holder {
    pub(super) file: WalletFile,
    /// For the institutions of the country in which the wallet acts: abroad it connects to nobody inside.
    pub(super) client: Client,
    /// For those of its own country.
    home: Client,
    /// For addresses that others name.
    outside: Client,
    /// The address of the trust list's operator, without a slash at the end. Where the others are, the list says.
    pub(super) url: String,
    /// The account that the person named to act; none is the first.
    pub(super) from: Option<String>,
    trust_key: PublicKey,
    pub(super) clock: Arc<dyn Clock>,
    /// The registrars' lists of what they revoked, for as long as they are fresh.
    pub(super) lists: StatusLists,
    /// In which other country it acts.
    pub(super) abroad: Option<Abroad>,
    /// The language in which parties and purposes are shown (BCP 47).
    pub(super) language: String,
    /// Who chooses among alternatives; without anybody the least is shown.
    pub(super) choose: Option<Choose>,
}

impl Holder {
    /// Opens the wallet called `name` in `folder` (or makes it) with its passphrase, for the city whose
    /// trust list is at `url` and signed with `trust_key`.
    ///
    /// # Errors
    /// If `url` is neither https nor on this machine; if the file is in use or does not open: a [`WalletFault`].
    pub fn open(
        folder: &Path,
        name: &str,
        passphrase: &Passphrase,
        url: &str,
        trust_key: PublicKey,
    ) -> Result<Self> {
        Endpoint::parse(url).context("--url")?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let home = Client::speaking(words::language())?;
        Ok(Self {
            file: WalletFile::open(&Place::new(folder, name)?, passphrase, clock.read().wall)?,
            client: home.clone(),
            home,
            outside: Client::outside(words::language())?,
            url: url.trim_end_matches('/').to_owned(),
            from: None,
            trust_key,
            clock,
            lists: StatusLists::default(),
            abroad: None,
            language: "en".to_owned(),
            choose: None,
        })
    }

    /// Shows parties and purposes in `language` (BCP 47), where they have it.
    pub fn speak(&mut self, language: &str) {
        language.clone_into(&mut self.language);
    }

    /// Has `choose` asked wherever a request leaves a choice: before the person decides.
    pub fn choosing(&mut self, choose: Choose) {
        self.choose = Some(choose);
    }

    /// The same wallet, collecting how long answers take.
    #[must_use]
    pub fn timed(mut self, times: AnswerTimes) -> Self {
        self.client = self.client.timed(times.clone());
        self.home = self.home.timed(times.clone());
        self.outside = self.outside.timed(times);
        self
    }

    /// Everything in the wallet, secrets included: for the program's own tests, which answer as a wallet would and
    /// then misbehave.
    ///
    /// # Errors
    /// If the contents cannot be written as JSON.
    pub fn secrets(&self) -> Result<serde_json::Value> {
        Ok(serde_json::to_value(&self.file.contents)?)
    }

    /// Every disclosure and payment, oldest first.
    #[must_use]
    pub fn history(&self) -> &[Entry] {
        &self.file.contents.history
    }

    /// How many credentials are left, each for one use.
    #[must_use]
    pub fn credentials_left(&self) -> usize {
        self.file.contents.usable().count()
    }

    /// How many credentials came from a backup and rest, because another wallet may show them.
    #[must_use]
    pub fn credentials_resting(&self) -> usize {
        self.file.contents.credentials.len().saturating_sub(self.credentials_left())
    }

    /// Under which address an institution is reached, without a slash at the end: as the trust list of the
    /// country in which the wallet acts said last.
    pub(super) fn address(&self, institution: &str) -> &str {
        let found = self.directory().iter().find(|entry| entry.id == institution);
        let elsewhere = self.abroad.as_ref().map_or(&self.url, |abroad| &abroad.url);
        found.map_or(elsewhere, |entry| &entry.url)
    }

    /// Takes the directory from a trust list that was verified elsewhere in this program.
    pub(crate) fn know(&mut self, list: &TrustList) {
        self.file.contents.directory.clone_from(&list.directory);
    }

    /// Fetches the trust list, unless the wallet knows from one before where institutions are.
    ///
    /// # Errors
    /// If the list cannot be fetched, or is refused.
    pub async fn find_institutions(&mut self) -> Result<()> {
        if self.directory().is_empty() {
            self.trust().await?;
        }
        Ok(())
    }

    /// The ledger's name, which orders bear: its central bank's id, as the trust list has it. The central
    /// bank itself is not asked: it would see who is about to pay.
    pub(super) async fn ledger(&mut self) -> Result<String> {
        self.find_institutions().await?;
        let mut entries = self.directory().iter();
        let found = entries.find(|entry| entry.kind == CENTRAL_BANK);
        Ok(found.with_context(|| text!("the trust list names no central bank"))?.id.clone())
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.read().wall
    }

    /// Notes an event, and saves the wallet.
    pub(super) fn note(&mut self, event: Event) -> Result<(), WalletFault> {
        let at = self.now().seconds();
        self.file.contents.history.push(Entry { at, event });
        self.file.save()
    }

    /// The trust list as of now of the country in which the wallet acts; never one older than was seen
    /// before.
    pub(super) async fn trust(&mut self) -> Result<TrustList> {
        let home = self.trust_at_home().await?;
        self.trust_abroad(home).await
    }

    async fn trust_at_home(&mut self) -> Result<TrustList> {
        let url = format!("{}/trust-list/v1/list", self.url);
        let text = self.home.get_text(&url).await?;
        // The first thing that is asked in a network is where its own page comes instead.
        if text.trim_start().starts_with('<') {
            let cause = text.chars().take(80).collect();
            let (status, retry_after, page) = (200, None, true);
            return Err(ClientError::Unexpected { url, status, cause, retry_after, page }.into());
        }
        let known = self.file.contents.trust_sequence;
        let pin = self.file.contents.trust_pin(self.trust_key);
        let verified = TrustList::verify_by(&text, &pin, self.now(), known);
        let (list, next) = verified.with_context(|| {
            text!("the trust list is refused: nobody can be verified, so nothing is shown")
        })?;
        let same = known == Some(list.sequence) && self.file.contents.directory == list.directory;
        if !same || next != pin {
            self.know(&list);
            self.file.contents.trust_pin = Some(StoredPin::new(self.trust_key, next));
            self.file.contents.trust_sequence = Some(list.sequence);
            let anchors = list.anchors(Role::AccessCa);
            self.file.contents.access_anchors = anchors.iter().map(encode_base64url).collect();
            self.file.save()?;
        }
        Ok(list)
    }

    /// Connects from here on as it is safe in this country, or in another one whose list names its institutions'
    /// addresses: they are to lead outside, unless the own city is on this machine itself, in development.
    pub(super) fn connect_for(&mut self, country: Option<&str>) {
        let developed = Endpoint::parse(&self.url).is_ok_and(|home| home.is_inside());
        let judged = country.is_some() && !developed;
        self.client = if judged { self.outside.clone() } else { self.home.clone() };
    }

    /// Whether an address that somebody named may lead inside this machine or its network: if the city itself is there,
    /// or the own trust list's directory names it.
    pub(super) fn may_lead_inside(&self, address: &str) -> bool {
        let listed = self.file.contents.directory.iter().map(|entry| entry.url.as_str());
        may_lead_inside(address, &self.url, listed)
    }

    /// Sends to an address that somebody named. None inside this machine or its network is asked, whatever a name leads
    /// to, but where [`Holder::may_lead_inside`] says so.
    pub(super) async fn exchange_named(
        &self,
        method: &str,
        address: &str,
        headers: &[(String, String)],
        content: Vec<u8>,
    ) -> Result<Exchanged> {
        let inside = self.may_lead_inside(address);
        let client = if inside { &self.home } else { &self.outside };
        match client.exchange_whole(method, address, headers, content).await {
            Err(ClientError::Inside { url }) => bail!(text!(
                "nothing was asked of {address}: it is inside this machine or its network, where nobody of this city is",
                address = url
            )),
            answer => Ok(answer?),
        }
    }

    /// Carries a request of a session. Whoever made the link or offer that led to it names its address.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let headers: Vec<(String, String)> = request.headers.into_iter().collect();
        let address = request.url.as_str();
        let answer = self.exchange_named(method, address, &headers, request.body).await?;
        Ok(received(answer.looked_at(address)?))
    }
}

/// An answer as sessions read it.
fn received(answer: Exchanged) -> HttpResponse {
    let header = |name: &&str| {
        let value = answer.headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), value.to_owned()))
    };
    HttpResponse {
        status: answer.status,
        headers: RESPONSE_HEADERS.iter().filter_map(header).collect(),
        content_type: Some(answer.content_type),
        body: answer.body,
    }
}

/// What the transaction data of a request must say, if the wallet began the step itself.
pub(super) enum Awaited {
    /// Anything: the person reads it and decides.
    Nothing,
    /// Exactly this.
    Transaction(Box<TransactionData>),
    /// A sign-in at this issuer for this pushed request, whichever credential signs it.
    SignIn {
        /// The issuer's identifier.
        issuer: String,
        /// What the pushed request is known by.
        request: String,
    },
}

impl Awaited {
    /// Whether these are what was begun here; anything is, if nothing was.
    pub(super) fn is(&self, transactions: &[&TransactionData]) -> bool {
        match (self, transactions) {
            (Self::Nothing, _) => true,
            (Self::Transaction(wanted), [one]) => **one == **wanted,
            (Self::SignIn { issuer, request }, [TransactionData::SignIn(one)]) => {
                one.issuer == *issuer && one.request == *request
            }
            _ => false,
        }
    }
}

#[cfg(test)]
impl Holder {
    /// The wallet with another clock.
    pub(super) fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }
}
