//! The mint's keysets: their keys follow from the seed and from what the ledger has of each, so nothing
//! but the seed has to be kept. A keyset signs for half its time; then a new one takes over, and the old
//! one's notes are redeemed until it is over.

use super::{Bank, Mint, MintRefusal, Signer};
use crate::central_bank::{Keysets, PublishedKeyset};
use crate::http::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;
use yufu_base::{Digest, Timestamp};
use yufu_ecash::message::BlindedMessage;
use yufu_ecash::{KeysetId, KeysetPlan, MintKeys};
use yufu_machine::{Action, KeysetNumber, KeysetTerms, Payees};

const DAY_SECONDS: u64 = 86_400;
/// Keysets are not looked up more often, in seconds, because of requests that name unknown ones.
const LOOKED_UP_AFTER: u64 = 2;
/// What the ledger knows a keyset's keys by.
const CONTEXT: &str = "yufu keyset v1";

/// A keyset of this bank.
pub(super) struct Own {
    pub(super) number: KeysetNumber,
    pub(super) signer: Signer,
    pub(super) active: bool,
    pub(super) final_expiry: Timestamp,
    /// Whether its notes are paid to registered payees alone.
    pub(super) registered_payees: bool,
}

/// A keyset of another bank.
#[derive(Clone)]
pub(super) struct Other {
    pub(super) number: KeysetNumber,
    pub(super) bank: String,
}

/// What is known of keysets.
#[derive(Default)]
pub(super) struct Book {
    pub(super) own: Vec<Arc<Own>>,
    others: BTreeMap<Digest, Other>,
    /// Whether new notes are made at all.
    pub(super) open: bool,
    /// When it was looked up.
    at: Timestamp,
    /// The limits of withdrawals, in minor units, by the rules in force.
    pub(super) most: Option<u64>,
}

impl Book {
    pub(super) fn get(&self, id: KeysetId) -> Option<&Arc<Own>> {
        self.own.iter().find(|own| own.signer.keyset().id == id)
    }

    pub(super) fn numbered(&self, number: KeysetNumber) -> Option<&Arc<Own>> {
        self.own.iter().find(|own| own.number == number)
    }

    pub(super) fn other(&self, id: KeysetId) -> Option<&Other> {
        self.others.get(&digest(id))
    }

    /// What the log knows the keyset of an output by.
    pub(super) fn number_of(&self, output: &BlindedMessage) -> Option<u32> {
        self.get(output.id).map(|own| own.number.0)
    }

    /// Whether a keyset of the wanted kind signs, and will for a while.
    fn is_fresh(&self, terms: super::KeysetTerms, now: Timestamp) -> bool {
        let half = u64::from(terms.validity_days).saturating_mul(DAY_SECONDS / 2);
        self.own.iter().any(|own| own.signs(terms) && own.final_expiry > now.plus_seconds(half))
    }

    /// Whether it was looked up a moment ago.
    fn is_recent(&self, now: Timestamp) -> bool {
        now < self.at.plus_seconds(LOOKED_UP_AFTER)
    }

    /// Whether it serves as it is: a keyset signs for a while, or nothing is signed.
    fn serves(&self, terms: super::KeysetTerms, now: Timestamp) -> bool {
        if self.open { self.is_fresh(terms, now) } else { !self.own.is_empty() }
    }
}

impl Own {
    /// Whether it signs notes of the wanted kind.
    fn signs(&self, terms: super::KeysetTerms) -> bool {
        self.active && self.registered_payees == terms.payees_alone
    }
}

/// What the ledger knows a keyset's keys by: the id commits to the public keys.
pub(super) fn digest(id: KeysetId) -> Digest {
    Digest::derive(CONTEXT, id.to_string().as_bytes())
}

impl Mint {
    /// The keys of a keyset that is over at `final_expiry`.
    fn derive(
        &self,
        (denominations, input_fee_ppk): (u8, u32),
        final_expiry: Timestamp,
        registered_payees: bool,
    ) -> Result<MintKeys, Problem> {
        let seconds = final_expiry.seconds();
        let plan = KeysetPlan {
            unit: self.unit.clone(),
            generation: seconds.saturating_mul(2).saturating_add(u64::from(registered_payees)),
            denominations,
            input_fee_ppk: input_fee_ppk.into(),
            final_expiry: Some(seconds),
        };
        MintKeys::derive(&self.seed, &plan).map_err(Problem::internal)
    }

    /// What the ledger has of keysets, with the keys of our own.
    fn read(&self, bank: &Bank, published: &Keysets) -> Result<Book, Problem> {
        let rules = published.rules.as_ref();
        let most = rules.and_then(|rules| rules.per_withdrawal_minor);
        let mut book = Book { open: rules.is_some(), most, at: bank.now(), ..Book::default() };
        for keyset in &published.keysets {
            let number = KeysetNumber(keyset.number);
            if keyset.bank != bank.id.as_str() {
                let bank = keyset.bank.clone();
                let keys = Digest::from_hex(&keyset.keys);
                book.others.extend(keys.map(|keys| (keys, Other { number, bank })));
                continue;
            }
            match self.own(keyset)? {
                Some(own) => book.own.push(Arc::new(own)),
                None => {
                    tracing::error!(
                        keyset = keyset.number,
                        "the keys of a keyset are not those of the seed: restore the mint's seed from the backup of keys, or its notes cannot be redeemed"
                    );
                }
            }
        }
        Ok(book)
    }

    fn own(&self, keyset: &PublishedKeyset) -> Result<Option<Own>, Problem> {
        let final_expiry = Timestamp::from_seconds(keyset.final_expiry);
        let (like, payees) =
            ((keyset.denominations, keyset.input_fee_ppk), keyset.registered_payees);
        let keys = self.derive(like, final_expiry, payees)?;
        let id = yufu_ecash::KeysetSigner::keyset(&keys).id;
        let own = Own {
            number: KeysetNumber(keyset.number),
            signer: Arc::new(keys),
            active: keyset.active,
            final_expiry,
            registered_payees: payees,
        };
        Ok((digest(id).to_string() == keyset.keys).then_some(own))
    }
}

impl Bank {
    /// The mint's keysets, found in the ledger or registered there if none signs. That none are signed with is looked up
    /// again after a moment, as rules may have been set.
    pub(super) async fn keysets(&self, mint: &Mint) -> Result<Arc<Book>, MintRefusal> {
        let (book, now) = (mint.book(), self.now());
        if book.serves(mint.terms, now) && (book.open || book.is_recent(now)) {
            return Ok(book);
        }
        self.looked_up(mint, book).await
    }

    /// The same by the rules of a moment ago at the latest: before somebody is led to pay for notes.
    pub(super) async fn keysets_by_newest_rules(
        &self,
        mint: &Mint,
    ) -> Result<Arc<Book>, MintRefusal> {
        let (book, now) = (mint.book(), self.now());
        if book.serves(mint.terms, now) && book.is_recent(now) {
            return Ok(book);
        }
        self.looked_up(mint, book).await
    }

    /// Looked up anew; while the ledger does not answer, those known last, if they serve.
    async fn looked_up(&self, mint: &Mint, known: Arc<Book>) -> Result<Arc<Book>, MintRefusal> {
        match Box::pin(self.renew_keysets_of(mint)).await {
            Err(_) if known.serves(mint.terms, self.now()) => Ok(known),
            looked_up => Ok(looked_up?),
        }
    }

    /// The same, looked up anew if one of these keysets is not known; now and then, whoever asks.
    pub(super) async fn keysets_with(
        &self,
        mint: &Mint,
        mut wanted: impl Iterator<Item = KeysetId>,
    ) -> Result<Arc<Book>, MintRefusal> {
        let book = self.keysets(mint).await?;
        let known = wanted.all(|id| book.get(id).is_some() || book.other(id).is_some());
        if known || book.is_recent(self.now()) {
            return Ok(book);
        }
        Ok(Box::pin(self.renew_keysets_of(mint)).await?)
    }

    /// Looks the mint's keysets up anew; registers the next one when it is due, and ends those that are
    /// over. To be called now and then.
    ///
    /// # Errors
    /// If the ledger does not answer, or refuses.
    pub async fn renew_keysets(&self) -> Result<(), Problem> {
        match &self.mint {
            Some(mint) => self.renew_keysets_of(mint).await.map(drop),
            None => Ok(()),
        }
    }

    async fn renew_keysets_of(&self, mint: &Mint) -> Result<Arc<Book>, Problem> {
        let asked = self.now();
        let _one_at_a_time = mint.renewing.lock().await;
        let now = self.now();
        // Somebody else looked meanwhile.
        let known = mint.book();
        if known.at > asked && known.serves(mint.terms, now) {
            return Ok(known);
        }
        let mut book = mint.read(self, &self.published_keysets().await?)?;
        if book.open && !book.is_fresh(mint.terms, now) {
            self.register_next(mint, now).await?;
            book = mint.read(self, &self.published_keysets().await?)?;
        }
        let newest = book.own.iter().filter(|own| own.signs(mint.terms));
        let newest = newest.map(|own| own.final_expiry).max();
        let mut changed = false;
        for own in &book.own {
            let follows = Some(own.final_expiry) < newest || !own.signs(mint.terms);
            if own.final_expiry <= now {
                self.order(Action::ExpireKeyset { keyset: own.number }).await?;
                changed = true;
            } else if own.active && newest.is_some() && follows {
                self.order(Action::DeactivateKeyset { keyset: own.number }).await?;
                changed = true;
            }
        }
        if changed {
            book = mint.read(self, &self.published_keysets().await?)?;
        }
        Ok(mint.keep(book))
    }

    /// Registers the keyset that is to sign from now on. Its end is a whole day, so that two processes
    /// that do this at once register the same one.
    async fn register_next(&self, mint: &Mint, now: Timestamp) -> Result<(), Problem> {
        let terms = mint.terms;
        let days = now.seconds().div_euclid(DAY_SECONDS);
        let end = days.saturating_add(terms.validity_days.into()).saturating_add(1);
        let final_expiry = Timestamp::from_seconds(end.saturating_mul(DAY_SECONDS));
        let like = (terms.denominations, terms.input_fee_ppk);
        let keys = mint.derive(like, final_expiry, terms.payees_alone)?;
        let keys = digest(yufu_ecash::KeysetSigner::keyset(&keys).id);
        let terms = KeysetTerms {
            denominations: terms.denominations,
            input_fee_ppk: terms.input_fee_ppk,
            final_expiry,
            payees: if terms.payees_alone { Payees::Registered } else { Payees::Anyone },
        };
        match self.order(Action::RegisterKeyset { keys, terms }).await {
            Err(problem) if problem.code() == "keyset.registered" => Ok(()),
            registered => registered.map(drop),
        }
    }

    async fn published_keysets(&self) -> Result<Keysets, Problem> {
        let url = format!("{}/v1/keysets", self.central_bank.1);
        Ok(self.client.get(&url, None).await?)
    }
}
