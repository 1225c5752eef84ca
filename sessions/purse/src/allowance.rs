//! Blind tokens (NUT-22): signed in a batch for an access token, each good for one top-up without an account. A batch
//! that is asked for stands in the record until it is answered, so that the same request goes out again after a crash.

use crate::keysets::KnownMint;
use crate::message::{Refusal, Reply, Request, Unmet};
use crate::note::HeldNote;
use crate::output::{Planned, SignatureError, finish, messages};
use crate::purse::Purse;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yufu_ecash::message::{
    AUTH_UNIT, AuthProof, BLIND_AUTH, BlindAuthMintRequest, CLEAR_AUTH, Signatures,
};
use yufu_ecash::{KeysResponse, Keyset, KeysetId, Seed};

/// The path of a batch.
const BATCH: &str = "/v1/auth/blind/mint";
/// The most tokens that are asked for together.
const MOST: u32 = 200;

/// A batch that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Batch {
    keyset: Keyset,
    outputs: Vec<Planned>,
    access: String,
}

/// Why a batch of tokens was not begun, or not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokensError {
    /// The mint signs with keys that are not published for everybody.
    #[error(
        "the mint signs tokens with a keyset that is not published for everybody: it could tell by it who you are, so none are taken"
    )]
    NotPublished,
    /// No batch is under way at this mint.
    #[error("no batch of tokens is under way at this mint")]
    NoBatch,
    /// Whether it was signed is not known.
    #[error("the mint answered {0}, so whether the tokens were signed is not known: repeat")]
    Unclear(u16),
    /// The answer cannot be read.
    #[error("the mint's answer cannot be read ({0}): repeat")]
    Malformed(String),
    /// The mint refused; nothing of the batch is kept.
    #[error("the mint signed no tokens: {}", .0.detail)]
    Refused(Refusal),
    /// The signatures are not good.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl TokensError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPublished => "purse.keyset_unpublished",
            Self::NoBatch => "purse.operation_unknown",
            Self::Unclear(_) | Self::Malformed(_) => "purse.unanswered",
            Self::Refused(_) => "purse.refused",
            Self::Signature(_) => "purse.signature",
        }
    }
}

impl Purse {
    /// Asks a mint for the keyset that it signs tokens with.
    #[must_use]
    pub fn ask_token_keys() -> Request {
        Request::get("/v1/auth/blind/keys".to_owned())
    }

    /// Begins a batch of `count` tokens at a mint, for an access token. Its keyset is the one that is `published` for
    /// everybody. To be saved, then sent with [`Purse::tokens_request`].
    ///
    /// # Errors
    /// [`TokensError`].
    pub fn begin_tokens(
        &mut self,
        seed: &Seed,
        mint: &str,
        (published, count): (&KeysetId, u32),
        access: &str,
        keys: &Reply,
    ) -> Result<(), TokensError> {
        let answer: KeysResponse = content(keys)?;
        let [keyset] = answer.keysets.as_slice() else { return Err(TokensError::NotPublished) };
        let fits = keyset.id == *published && keyset.unit == AUTH_UNIT && keyset.check().is_ok();
        if !fits {
            return Err(TokensError::NotPublished);
        }
        let sizes = (0..count.min(MOST)).map(|_| (1, false));
        let outputs = self.plan(seed, keyset.id, sizes);
        let batch = Batch { keyset: keyset.clone(), outputs, access: access.to_owned() };
        self.batches.insert(mint.to_owned(), batch);
        Ok(())
    }

    /// The mints at which a batch is under way.
    pub fn batches(&self) -> impl Iterator<Item = &str> {
        self.batches.keys().map(String::as_str)
    }

    /// Asks for the batch that is under way at a mint: the same bytes each time.
    ///
    /// # Errors
    /// [`TokensError::NoBatch`], or what the seed does not give.
    pub fn tokens_request(&self, seed: &Seed, mint: &str) -> Result<Request, TokensError> {
        let batch = self.batches.get(mint).ok_or(TokensError::NoBatch)?;
        let outputs = messages(&batch.outputs, seed)?;
        let request = Request::post(BATCH, &BlindAuthMintRequest { outputs });
        Ok(request.with(CLEAR_AUTH, &batch.access))
    }

    /// Takes the mint's answer: how many tokens there are now. A refusal ends the batch.
    ///
    /// # Errors
    /// [`TokensError`].
    pub fn take_tokens(
        &mut self,
        seed: &Seed,
        mint: &str,
        reply: &Reply,
    ) -> Result<usize, TokensError> {
        let batch = self.batches.get(mint).ok_or(TokensError::NoBatch)?;
        let signed: Signatures = match content(reply) {
            Err(TokensError::Refused(refusal)) => {
                self.batches.remove(mint);
                return Err(TokensError::Refused(refusal));
            }
            other => other?,
        };
        let keysets = BTreeMap::from([(batch.keyset.id, batch.keyset.clone())]);
        let known = KnownMint { unit: AUTH_UNIT.to_owned(), keysets };
        let signed = finish(&batch.outputs, seed, &known, &signed.signatures)?;
        let ends = batch.keyset.final_expiry;
        let stock = self.tokens.entry(mint.to_owned()).or_default();
        stock.extend(signed.into_iter().map(|one| HeldNote { rests_until: ends, ..one.note }));
        let count = stock.len();
        self.batches.remove(mint);
        Ok(count)
    }

    /// How many tokens there are for a mint that are good at `now`.
    #[must_use]
    pub fn tokens(&self, mint: &str, now: u64) -> usize {
        let stock = self.tokens.get(mint).into_iter().flatten();
        stock.filter(|token| is_good(token, now)).count()
    }

    /// Takes a token that is good at `now` out of the stock; those that are over are dropped.
    pub(crate) fn take_token(&mut self, mint: &str, now: u64) -> Option<HeldNote> {
        let stock = self.tokens.get_mut(mint)?;
        stock.retain(|token| is_good(token, now));
        stock.pop()
    }

    /// Puts a token back that came to nothing.
    pub(crate) fn put_token_back(&mut self, mint: &str, token: HeldNote) {
        self.tokens.entry(mint.to_owned()).or_default().push(token);
    }
}

/// A token's header.
pub(crate) fn header(token: &HeldNote) -> (&'static str, String) {
    let proof = AuthProof {
        id: token.keyset,
        secret: token.secret.text().to_owned(),
        signature: token.signature,
        dleq: None,
    };
    // A token always has its form.
    (BLIND_AUTH, proof.to_header().unwrap_or_default())
}

/// A token rests never: the time in its record is that of its keyset's end.
fn is_good(token: &HeldNote, now: u64) -> bool {
    token.rests_until.is_none_or(|ends| now < ends)
}

fn content<T: serde::de::DeserializeOwned>(reply: &Reply) -> Result<T, TokensError> {
    reply.read().map_err(|unmet| match unmet {
        Unmet::Refused(refusal) => TokensError::Refused(refusal),
        Unmet::Unclear(status) => TokensError::Unclear(status),
        Unmet::Malformed(reason) => TokensError::Malformed(reason),
    })
}
