//! What is to be paid, and how: said by the payer, or read from a payee's request (NUT-11, NUT-14, NUT-18).

use crate::note::NoteSecret;
use crate::purse::Purse;
use yufu_ecash::spend::{Conditions, Kind, Lock, LockError, Pathway, SigFlag};
use yufu_ecash::{DeriveError, PaymentRequest, Point, SecretScalar};

/// What is to be paid, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayTerms {
    /// Notes of which mint.
    pub mint: String,
    /// How much.
    pub amount: u64,
    /// How the notes are to be locked; a lock without a refund key gets a fresh one of the purse.
    pub lock: Option<Lock>,
    /// Tags that the payee wants to see in the lock as they are.
    pub tags: Vec<Vec<String>>,
    /// Whether the payee has no network: then it gets proofs of the signatures, on notes made for it.
    pub offline: bool,
    /// What the payee calls the request.
    pub id: Option<String>,
    /// Words for the payee.
    pub memo: Option<String>,
    /// Whether notes that rest are spent too: the bank may then tell by the time who paid.
    pub hurry: bool,
}

/// Why a request cannot be paid from this purse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestUnpayable {
    /// It leaves the amount open and none was given, or another one than it names.
    #[error("the request names no amount, or another: say how much to pay")]
    Amount,
    /// It takes notes of mints or units that are not held.
    #[error(
        "the request takes no notes that are in this purse: withdraw from a mint that it names"
    )]
    Mint,
    /// Its lock is not understood.
    #[error(
        "the request asks for a lock that is not understood: ask the payee for another request"
    )]
    Lock,
}

impl RequestUnpayable {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Amount => "purse.request_amount",
            Self::Mint => "purse.request_mint",
            Self::Lock => "purse.request_lock",
        }
    }
}

impl PayTerms {
    /// An amount in notes of a mint, to whoever has the token.
    #[must_use]
    pub const fn to_bearer(mint: String, amount: u64) -> Self {
        Self {
            mint,
            amount,
            lock: None,
            tags: Vec::new(),
            offline: false,
            id: None,
            memo: None,
            hurry: false,
        }
    }

    /// Locked to a key, with proofs for a payee without network; the purse's again after `until`.
    #[must_use]
    pub fn to_key(mint: String, amount: u64, key: Point, until: u64) -> Self {
        let lock = Some(receivers_lock(None, vec![key], until));
        Self { lock, offline: true, ..Self::to_bearer(mint, amount) }
    }

    /// Locked to the SHA-256 of a preimage, and to a key if there is one (NUT-14).
    #[must_use]
    pub fn to_hash(
        mint: String,
        amount: u64,
        hash: [u8; 32],
        key: Option<Point>,
        until: u64,
    ) -> Self {
        let lock = Some(receivers_lock(Some(hash), key.into_iter().collect(), until));
        Self { lock, ..Self::to_bearer(mint, amount) }
    }
}

fn receivers_lock(hash: Option<[u8; 32]>, keys: Vec<Point>, until: u64) -> Lock {
    let needed = usize::from(!keys.is_empty());
    Lock {
        hash,
        sig_flag: SigFlag::Inputs,
        receivers: Pathway { keys, needed },
        locktime: Some(until),
        refund: Pathway { keys: Vec::new(), needed: 0 },
    }
}

impl Purse {
    /// What paying a request takes: `amount` if the request leaves it open; a lock without a time is given `until`.
    ///
    /// # Errors
    /// [`RequestUnpayable`].
    pub fn terms_of(
        &self,
        request: &PaymentRequest,
        amount: Option<u64>,
        until: u64,
        now: u64,
    ) -> Result<PayTerms, RequestUnpayable> {
        let amount = match (request.amount, amount) {
            (Some(asked), Some(given)) if asked != given => return Err(RequestUnpayable::Amount),
            (asked, given) => asked.or(given).ok_or(RequestUnpayable::Amount)?,
        };
        let takes = |mint: &str| {
            request.mints.is_empty()
                || request.mints.iter().any(|m| m.trim_end_matches('/') == mint)
        };
        let mut holdings = self.holdings(now);
        holdings.retain(|holding| takes(&holding.mint));
        holdings.retain(|h| request.unit.as_ref().is_none_or(|unit| *unit == h.unit));
        let best = holdings.into_iter().max_by_key(|holding| (holding.ready, holding.resting));
        let mint = best.ok_or(RequestUnpayable::Mint)?.mint;
        let lock = request.lock.as_ref().map(|asked| {
            let kind = match asked.kind.as_str() {
                "P2PK" => Kind::PayToKey,
                "HTLC" => Kind::HashLock,
                _ => return Err(RequestUnpayable::Lock),
            };
            let (nonce, data, tags) = ("00".to_owned(), asked.data.clone(), asked.tags.clone());
            let lock = Lock::read(&Conditions { kind, nonce, data, tags });
            let mut lock = lock.map_err(|_| RequestUnpayable::Lock)?;
            lock.locktime = lock.locktime.or(Some(until));
            Ok(lock)
        });
        Ok(PayTerms {
            lock: lock.transpose()?,
            tags: request.lock.as_ref().map(|asked| asked.tags.clone()).unwrap_or_default(),
            id: request.id.clone(),
            offline: request.offline,
            ..PayTerms::to_bearer(mint, amount)
        })
    }
}

/// The lock, with a refund to `key` if it has a time and names nobody.
pub(crate) fn with_refund(
    lock: &Lock,
    key: impl FnOnce() -> Result<SecretScalar, DeriveError>,
) -> Result<Lock, DeriveError> {
    let mut lock = lock.clone();
    if lock.refund.keys.is_empty() && lock.locktime.is_some() {
        lock.refund = Pathway { keys: vec![key()?.to_point()], needed: 1 };
    }
    Ok(lock)
}

/// The lock as a secret. What a payee wants to see in other words that say the same stands in its words.
pub(crate) fn condition(
    lock: &Lock,
    tags: &[Vec<String>],
    nonce: &[u8; 32],
) -> Result<NoteSecret, LockError> {
    let mut conditions = lock.to_conditions(nonce)?;
    for tag in tags {
        conditions.tags.retain(|there| there.first() != tag.first());
        conditions.tags.push(tag.clone());
    }
    if Lock::read(&conditions)? != *lock {
        return Err(LockError::Count("tags"));
    }
    Ok(NoteSecret::new(&conditions.to_text()?))
}
