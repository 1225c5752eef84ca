//! A bank's mint of bearer notes, as Cashu wallets speak to it: one address of its own, one unit. The
//! notes it verifies, the ledger spends; what the ledger promised, it signs, the same bytes every time.

mod batching;
mod blind_auth;
mod browsers;
mod checks;
mod describing;
mod exchanging;
pub(super) mod funding;
pub(super) mod invoicing;
mod keysets;
mod ledger;
mod melting;
mod minting;
mod opening;
mod refusing;
mod repeating;
mod state;
mod subscribing;
pub(super) mod top_up;

pub use blind_auth::TopUpTerms;
pub use funding::{WithdrawalFunded, WithdrawalRequest};
pub use invoicing::AccountInvoice;
use refusing::MintRefusal;
pub use top_up::{TopUp, TopUpPaid};

use super::{Bank, Banks};
use crate::http::Direct;
use axum::Router;
use axum::routing::{get, post};
use batching::Exchange;
use keysets::Book;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use tokio::sync::{Semaphore, mpsc, watch};
use yufu_ecash::{InvoiceError, InvoiceKey, KeysetSigner};
use zeroize::Zeroizing;

/// The most notes, and the most outputs, of one request: said in `/v1/info`.
pub(crate) const MOST: usize = 250;
/// The most notes or outputs asked about at once, which costs less: wallets restore hundreds in one request.
const MOST_ASKED: usize = yufu_machine::MOST_NOTES;
/// How long a quote may be funded or paid, in seconds.
const QUOTE_SECONDS: u64 = 3_600;

/// What a mint's keysets are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysetTerms {
    /// How many denominations: 1, 2, 4, ... minor units.
    pub denominations: u8,
    /// The fee of spending a note, in parts per thousand of a minor unit.
    pub input_fee_ppk: u32,
    /// For how many days notes are redeemed; half as long new ones are signed.
    pub validity_days: u32,
    /// Whether they are paid into accounts of registered payees alone.
    pub payees_alone: bool,
}

/// A bank's mint.
pub struct Mint {
    /// The unit of its notes: the currency's code in small letters, counted in minor units.
    unit: String,
    /// Its address, to which wallets append `/v1/...`.
    address: String,
    /// What it is called.
    name: String,
    terms: KeysetTerms,
    /// What its keys are made from.
    seed: Zeroizing<[u8; 32]>,
    /// Signs invoices, where wallets may fund and redeem by them.
    invoices: Option<InvoiceKey>,
    /// What anonymous top-ups are like, where there are any.
    top_ups: Option<TopUpTerms>,
    book: RwLock<Arc<Book>>,
    renewing: tokio::sync::Mutex<()>,
    /// To whoever puts exchanges before the ledger, once somebody asked for one.
    exchanges: OnceLock<mpsc::Sender<Exchange>>,
    /// Where the mints of other banks are.
    others: Vec<(String, String)>,
    /// Tells those who listen that something changed.
    news: watch::Sender<()>,
    /// Places for those who listen.
    listeners: Arc<Semaphore>,
}

/// What a mint is opened with.
pub struct MintSetting {
    /// The currency's code; the unit is it in small letters.
    pub currency: String,
    /// Its address, to which wallets append `/v1/...`.
    pub address: String,
    /// What it is called.
    pub name: String,
    /// What its keysets are like.
    pub terms: KeysetTerms,
    /// Whether wallets may fund and redeem by invoices too.
    pub bolt11: bool,
    /// What anonymous top-ups are like; `None` if there are none.
    pub top_ups: Option<TopUpTerms>,
    /// What its keys are made from.
    pub seed: [u8; 32],
    /// The banks whose notes it takes from its customers, and the addresses of their mints.
    pub others: Vec<(String, String)>,
}

impl Mint {
    /// A mint whose keysets are not known yet: they are registered, or found in the ledger, when they are
    /// first needed.
    ///
    /// # Errors
    /// If no key for invoices follows from the seed, which does not happen.
    pub fn new(setting: MintSetting) -> Result<Self, InvoiceError> {
        let MintSetting { currency, address, name, terms, bolt11, top_ups, seed, others } = setting;
        let invoices = bolt11.then(|| InvoiceKey::derive(&seed)).transpose()?;
        Ok(Self {
            unit: currency.to_ascii_lowercase(),
            address,
            name,
            terms,
            seed: Zeroizing::new(seed),
            invoices,
            top_ups,
            book: RwLock::default(),
            renewing: tokio::sync::Mutex::default(),
            exchanges: OnceLock::new(),
            others,
            news: watch::Sender::new(()),
            listeners: Arc::new(Semaphore::new(subscribing::LISTENERS)),
        })
    }

    /// Has those who listen look up what they listen to.
    fn changed(&self) {
        self.news.send_replace(());
    }

    fn book(&self) -> Arc<Book> {
        Arc::clone(&self.book.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, book: Book) -> Arc<Book> {
        let book = Arc::new(book);
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&book);
        book
    }
}

/// The addresses of the protocol, below each bank's own.
pub(crate) fn routes() -> Router<Arc<Banks>> {
    let at = |path: &str| format!("/banks/{{bank}}/mint/v1/{path}");
    let all = [
        ("info", get(describing::info)),
        ("keys", get(describing::keys)),
        ("keys/{keyset}", get(describing::keys_of)),
        ("keysets", get(describing::keysets)),
        ("swap", post(repeating::swap)),
        ("exchange", post(repeating::exchange)),
        ("mint/quote/{method}", post(minting::quote)),
        ("mint/quote/{method}/check", post(minting::check)),
        ("mint/quote/{method}/{quote}", get(minting::state)),
        ("mint/{method}", post(minting::mint)),
        ("mint/{method}/batch", post(minting::batch)),
        ("melt/quote/{method}", post(melting::quote)),
        ("melt/quote/{method}/{quote}", get(melting::state)),
        ("melt/{method}", post(melting::melt)),
        ("auth/blind/keys", get(blind_auth::keys)),
        ("auth/blind/keys/{keyset}", get(blind_auth::keys_of)),
        ("auth/blind/keysets", get(blind_auth::keysets)),
        ("auth/blind/mint", post(blind_auth::mint)),
        ("checkstate", post(state::check)),
        ("restore", post(state::restore)),
        ("ws", get(subscribing::listen)),
    ];
    let add = |router: Router<_>, (path, route)| {
        router.route(&at(path), browsers::asked_beforehand(route))
    };
    browsers::all_readable(all.into_iter().fold(Router::new(), add))
}

/// What is answered before the router, at the banks that have a mint.
pub(super) fn direct(banks: &Banks) -> Vec<Direct> {
    let minting = banks.iter().filter(|(_, bank)| bank.mint.is_some());
    minting.map(|(name, bank)| repeating::direct(name, bank)).collect()
}

/// The bank of that name, if it has a mint.
fn of<'a>(banks: &'a Banks, name: &str) -> Result<(&'a Arc<Bank>, &'a Mint), MintRefusal> {
    let bank = banks.get(name).ok_or_else(MintRefusal::no_mint)?;
    let mint = bank.mint.as_ref().ok_or_else(MintRefusal::no_mint)?;
    Ok((bank, mint))
}

/// Whether something stands in a list twice.
fn repeated<T: Ord>(mut all: impl ExactSizeIterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    all.len() > 1 && !all.all(|one| seen.insert(one))
}

/// A keyset's keys as the mint holds them.
type Signer = Arc<dyn KeysetSigner>;
