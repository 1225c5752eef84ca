//! Withdrawing: a quote, which an account pays, then notes for it (NUT-04, NUT-20).

use super::Swapping;
use super::exchanging::{Then, finished};
use super::recovering::Regaining;
use crate::allowance;
use crate::delay;
use crate::message::{Refusal, Reply, Request};
use crate::note::HeldNote;
use crate::operation::{Around, Next, OperationId, Outcome, Step, StepError, Waiting, answer};
use crate::output::{Planned, messages};
use crate::purse::{FromBackup, Purse, key, sizes_by_part};
use serde::{Deserialize, Serialize};
use yufu_ecash::Seed;
use yufu_ecash::message::{
    ErrorCode, MintQuote, MintQuoteRequest, MintQuoteState, MintRequest, Signatures, sign_quote,
};

/// Why a withdrawal is not begun. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawError {
    /// The mint's keysets are not known.
    #[error("the keysets of this mint are not known: fetch them first")]
    MintUnknown,
    /// The purse is from a backup.
    #[error(transparent)]
    FromBackup(#[from] FromBackup),
    /// The mint has no keyset to sign with.
    #[error(
        "the mint has no keyset in use that is published: fetch its keysets, or use another mint"
    )]
    NoKeyset,
    /// Nothing, or more than notes are made for at once.
    #[error("{0} cannot be withdrawn at once: choose another amount")]
    Amount(u64),
    /// No blind token is left.
    #[error("there is no token for this bank: get some, or pay in to an account first")]
    NoToken,
}

impl WithdrawError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MintUnknown => "purse.mint_unknown",
            Self::FromBackup(_) => "purse.from_backup",
            Self::NoKeyset => "purse.no_keyset",
            Self::Amount(_) => "purse.amount",
            Self::NoToken => "purse.no_token",
        }
    }
}

/// The quote is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quoting {
    unit: String,
    amount: u64,
    /// Which own key can take the notes.
    key: u64,
    /// What the sum is made up of, if it is a multiple of it.
    part: u64,
    /// How long the notes are to rest, in seconds.
    rest: u64,
    /// Whether cash at a counter pays, and no account.
    #[serde(default)]
    cash: bool,
    /// What lets a quote for cash be made: kept until the notes are there, as it is good again if they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<HeldNote>,
}

/// The quote is to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Funding {
    terms: Quoting,
    quote: String,
    request: String,
    until: Option<u64>,
    /// Outputs that were asked for, and refused.
    pub(crate) tried: Vec<Planned>,
    /// Whether others are to be asked for: these are of no use.
    anew: bool,
}

/// The notes are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Minting {
    funding: Funding,
    pub(crate) outputs: Vec<Planned>,
}

impl Purse {
    /// Begins to withdraw `amount`, in notes as of so many times `part` ([`delay::standard_part`]; the fewest notes
    /// if it is no multiple). The notes will rest for a time that `randomness` chooses
    /// ([`delay::rest`]), so that what they pay is not told by when they were withdrawn.
    ///
    /// # Errors
    /// [`WithdrawError`].
    pub fn withdraw(
        &mut self,
        mint: &str,
        amount: u64,
        part: u64,
        randomness: u64,
        now: u64,
    ) -> Result<OperationId, WithdrawError> {
        let (mint, terms) = self.withdrawal((mint, amount, part), randomness, now)?;
        Ok(self.begin(mint, Step::Quoting(terms), now))
    }

    /// Begins to pay in cash at a counter of the mint's bank, with a blind token and without an account: as
    /// [`Purse::withdraw`] otherwise.
    ///
    /// # Errors
    /// [`WithdrawError`].
    pub fn top_up(
        &mut self,
        mint: &str,
        amount: u64,
        part: u64,
        randomness: u64,
        now: u64,
    ) -> Result<OperationId, WithdrawError> {
        let (mint, terms) = self.withdrawal((mint, amount, part), randomness, now)?;
        let token = self.take_token(&mint, now).ok_or(WithdrawError::NoToken)?;
        let terms = Quoting { cash: true, token: Some(token), ..terms };
        Ok(self.begin(mint, Step::Quoting(terms), now))
    }

    /// Gives up a withdrawal whose quote nobody paid, as the bank refused the order for it: it is not tried again on some
    /// other day. `false` if it has come further, or is to be paid in cash.
    pub fn give_up(&mut self, id: OperationId) -> bool {
        let step = self.operations.get(&id).map(|operation| &operation.step);
        let unpaid = |funding: &Funding| funding.tried.is_empty() && !funding.terms.cash;
        let given_up = matches!(step, Some(Step::Funding(funding)) if unpaid(funding));
        if given_up {
            self.operations.remove(&id);
        }
        given_up
    }

    fn withdrawal(
        &mut self,
        (mint, amount, part): (&str, u64, u64),
        randomness: u64,
        now: u64,
    ) -> Result<(String, Quoting), WithdrawError> {
        let (mint, known) = self.mint(mint).ok_or(WithdrawError::MintUnknown)?;
        self.current(&mint)?;
        let keyset = known.active(now).ok_or(WithdrawError::NoKeyset)?;
        if amount == 0 || sizes_by_part(known, &keyset.id, amount, part).is_none() {
            return Err(WithdrawError::Amount(amount));
        }
        let unit = known.unit.clone();
        let (key, rest) = (self.next_key(), delay::rest(randomness));
        Ok((mint, Quoting { unit, amount, key, part, rest, cash: false, token: None }))
    }
}

impl Quoting {
    pub(crate) fn request(&self, seed: &Seed) -> Result<Request, StepError> {
        let content = MintQuoteRequest {
            amount: Some(self.amount),
            unit: self.unit.clone(),
            description: None,
            pubkey: Some(key(seed, self.key)?.to_point()),
        };
        let request = Request::post(&format!("/v1/mint/quote/{}", self.method()), &content);
        Ok(match self.token.as_ref().map(allowance::header) {
            Some((name, value)) => request.with(name, &value),
            None => request,
        })
    }

    const fn method(&self) -> &'static str {
        if self.cash { "cash" } else { "bank" }
    }

    pub(crate) fn handle(
        mut self,
        purse: &mut Purse,
        around: Around<'_>,
        reply: &Reply,
    ) -> Result<Next, StepError> {
        let quote: MintQuote = match answer(reply)? {
            Ok(quote) => quote,
            Err(refusal) => {
                // A token that the mint does not take is of no use any more; any other refusal left it as it was.
                let spoilt = refusal.code == Some(ErrorCode::BlindAuthFailed);
                if let Some(token) = self.token.take().filter(|_| !spoilt) {
                    purse.put_token_back(around.mint, token);
                }
                return Ok(Next::Done(Outcome::Refused(refusal)));
            }
        };
        if quote.amount.is_some_and(|amount| amount != self.amount) || !is_name(&quote.quote) {
            return Err(StepError::Malformed("a quote of another amount".to_owned()));
        }
        let funding = Funding {
            terms: self,
            quote: quote.quote,
            request: quote.request,
            until: quote.expiry,
            tried: Vec::new(),
            anew: true,
        };
        Ok(funding.wait(None))
    }
}

impl Funding {
    pub(crate) fn request(&self) -> Request {
        Request::get(format!("/v1/mint/quote/{}/{}", self.terms.method(), self.quote))
    }

    pub(crate) fn handle(
        self,
        purse: &mut Purse,
        around: Around<'_>,
        reply: &Reply,
    ) -> Result<Next, StepError> {
        let over = self.until.is_some_and(|until| around.now > until);
        let state = match answer::<MintQuote>(reply)? {
            Ok(quote) => state(&quote),
            // The mint forgets those that came to nothing, a while after their time.
            Err(_) if over => MintQuoteState::Unpaid,
            Err(_) => return Err(StepError::Unclear(reply.status)),
        };
        match state {
            MintQuoteState::Unpaid if over => {
                // The bank lets go of a token whose quote came to nothing.
                if let Some(token) = self.terms.token {
                    purse.put_token_back(around.mint, token);
                }
                Ok(Next::Done(Outcome::Lapsed))
            }
            MintQuoteState::Unpaid => Ok(self.wait(None)),
            // The same again, as the first request may be on its way yet.
            MintQuoteState::Paid if !self.anew => {
                let outputs = self.tried.clone();
                Ok(Next::Step(Step::Minting(Minting { funding: self, outputs })))
            }
            MintQuoteState::Paid => {
                let (_, known) = purse.mint(around.mint).ok_or(StepError::MintUnknown)?;
                let keyset = known.active(around.now).ok_or(StepError::NoKeyset)?.id;
                let (amount, part) = (self.terms.amount, self.terms.part);
                let sizes = sizes_by_part(known, &keyset, amount, part);
                let sizes = sizes.ok_or(StepError::NoKeyset)?.into_iter().map(|size| (size, false));
                let outputs = purse.plan(around.seed, keyset, sizes);
                Ok(Next::Step(Step::Minting(Minting { funding: self, outputs })))
            }
            MintQuoteState::Issued => {
                let then = Then::Withdraw { rest: self.terms.rest };
                let (inputs, outputs) = (Vec::new(), self.tried);
                let swap = Swapping { inputs, outputs, keys: Vec::new(), preimage: None, then };
                Ok(Next::Step(Step::Regaining(Regaining { swap })))
            }
        }
    }

    fn wait(self, refused: Option<Refusal>) -> Next {
        let waiting = Waiting::Funding {
            quote: self.quote.clone(),
            request: self.request.clone(),
            amount: self.terms.amount,
            cash: self.terms.cash,
            until: self.until,
            refused,
        };
        Next::Wait(Step::Funding(self), waiting)
    }
}

impl Minting {
    pub(crate) fn request(&self, seed: &Seed) -> Result<Request, StepError> {
        let outputs = messages(&self.outputs, seed)?;
        let key = key(seed, self.funding.terms.key)?;
        // Without randomness of its own the signature is the same when the request is repeated.
        let signature = Some(sign_quote(&key, &self.funding.quote, &outputs, &[0; 32]));
        let content = MintRequest { quote: self.funding.quote.clone(), outputs, signature };
        let method = self.funding.terms.method();
        Ok(Request::post(&format!("/v1/mint/{method}"), &content))
    }

    pub(crate) fn handle(
        self,
        purse: &mut Purse,
        around: Around<'_>,
        reply: &Reply,
    ) -> Result<Next, StepError> {
        match answer::<Signatures>(reply)? {
            Ok(signed) => {
                let then = Then::Withdraw { rest: self.funding.terms.rest };
                finished(purse, around, &self.outputs, &signed.signatures, then)
            }
            // The quote itself says whether these outputs were signed, or fresh ones are to be tried.
            Err(refusal) => {
                let useless = [
                    ErrorCode::OutputsSigned,
                    ErrorCode::KeysetInactive,
                    ErrorCode::KeysetExpired,
                    ErrorCode::KeysetUnknown,
                ];
                let anew = refusal.code.is_some_and(|code| useless.contains(&code));
                let funding = Funding { tried: self.outputs, anew, ..self.funding };
                Ok(funding.wait(Some(refusal)))
            }
        }
    }
}

fn state(quote: &MintQuote) -> MintQuoteState {
    if let Some(state) = quote.state {
        return state;
    }
    let (paid, issued) = (quote.amount_paid.unwrap_or(0), quote.amount_issued.unwrap_or(0));
    if issued > 0 {
        MintQuoteState::Issued
    } else if paid > 0 {
        MintQuoteState::Paid
    } else {
        MintQuoteState::Unpaid
    }
}

/// A quote's id that can stand in an address.
pub(super) fn is_name(quote: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    !quote.is_empty() && quote.len() <= 200 && quote.bytes().all(allowed)
}
