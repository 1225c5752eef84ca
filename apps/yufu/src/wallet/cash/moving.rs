//! Notes come from an account, go to somebody, come from somebody, go to an account.

use super::refusing::PurseFault;
use crate::wallet::history::Event;
use crate::wallet::holder::Holder;
use crate::words::{sum, text};
use anyhow::{Context, Error, Result, bail};
use yufu_api::bank::{WithdrawalFunded, WithdrawalRequest};
use yufu_api::http::{ClientError, Exchanged};
use yufu_base::{AccountId, Amount, InstitutionId, Timestamp};
use yufu_ecash::{PaymentRequest, Point, Token};
use yufu_keys::random;
use yufu_ledger::{AccountKind, institution_account};
use yufu_openid4vc::Endpoint;
use yufu_payment::PaymentOrder;
use yufu_purse::delay::standard_part;
use yufu_purse::{OperationId, Outcome, PayError, PayTerms, Progress, Waiting};

/// How long an order may be taken, in seconds.
const ORDER_SECONDS: u64 = 600;
/// How long notes are locked to a payee before they can come back, in seconds: a week.
const LOCKED_SECONDS: u64 = 7 * 86_400;

/// How to pay with notes.
#[derive(Clone, Debug, Default)]
pub struct CashTerms {
    /// How much, in minor units; a request may say it.
    pub amount_minor: Option<u64>,
    /// The payee's request.
    pub request: Option<String>,
    /// The payee's key, to lock the notes to.
    pub key: Option<String>,
    /// Whether the payee has no network; a request, or a key to lock to, says so too.
    pub offline: bool,
    /// Whether to spend notes that rest.
    pub hurry: bool,
}

/// What became of a payment with notes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashPaid {
    /// What it is called in this wallet.
    pub number: u64,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// To be handed to the payee; none if it was sent.
    pub token: Option<String>,
}

impl Holder {
    /// Withdraws from the acting account. Gives until when the notes rest, in Unix seconds.
    ///
    /// # Errors
    /// Whatever the bank, its mint or the purse refused; what was begun goes on with [`Holder::settle_cash`].
    pub async fn withdraw_cash(&mut self, amount: Amount) -> Result<Option<u64>> {
        let bank = self.acting()?.bank.clone();
        let mint = self.learn_mint(&bank).await?;
        if let Some(most) = self.most_at_once().await?.filter(|most| amount.minor() > *most) {
            let most = sum(&self.money_here(most)?);
            bail!(text!("at most {most} can be withdrawn at once: withdraw less", most = most));
        }
        let digits = self.decimals().get(amount.currency().code()).copied().unwrap_or_default();
        let (now, randomness) = (self.now().seconds(), u64::from_be_bytes(random()));
        let part = standard_part(digits);
        let minor = amount.minor();
        let id = self.with_purse(|purse| purse.withdraw(&mint, minor, part, randomness, now))?;
        self.go_on(id).await?;
        let holdings = self.purse()?.holdings(self.now().seconds());
        Ok(holdings.into_iter().find(|holding| holding.mint == mint).and_then(|h| h.rested_at))
    }

    /// Goes on with an operation; a quote is paid from the acting account. What became of it is noted.
    pub(super) async fn go_on(&mut self, id: OperationId) -> Result<Progress> {
        let mint = self.purse()?.mint_of(id).unwrap_or_default().to_owned();
        let mut progress = self.carry(id).await?;
        if let Progress::Waiting(Waiting::Funding {
            quote,
            request,
            amount,
            cash: false,
            refused: None,
            ..
        }) = &progress
        {
            if let Err(error) = self.fund(&mint, quote, request, *amount).await {
                if is_refused(&error) {
                    self.cash()?.purse.give_up(id);
                    self.file.save()?;
                }
                return Err(error);
            }
            progress = self.carry(id).await?;
        }
        let currency = self.currency_here()?.to_string();
        let bank = self.bank_of(&mint)?;
        match &progress {
            Progress::Done(Outcome::Withdrawn(amount)) => {
                self.note(Event::CashWithdrawn { bank, amount_minor: *amount, currency })?;
            }
            Progress::Done(Outcome::Received(amount)) => {
                self.note(Event::CashReceived { bank, amount_minor: *amount, currency })?;
            }
            Progress::Done(Outcome::Redeemed(amount)) => {
                self.note(Event::CashRedeemed { bank, amount_minor: *amount, currency })?;
            }
            Progress::Done(Outcome::Refused(refusal))
            | Progress::Waiting(Waiting::Funding { refused: Some(refusal), .. }) => {
                return Err(PurseFault::from(refusal).into());
            }
            Progress::Done(Outcome::Taken { preimage: Some(preimage), .. }) => {
                self.note(Event::CashOpened { number: id.0, preimage: preimage.clone() })?;
            }
            Progress::Done(Outcome::TakenBack(amount)) => {
                self.note(Event::CashTakenBack { bank, amount_minor: *amount, currency })?;
            }
            Progress::Done(Outcome::Lost(amount)) => {
                self.note(Event::CashLost { bank, amount_minor: *amount, currency })?;
                return Err(PurseFault::lost(&sum(&self.money_here(*amount)?)).into());
            }
            _ => {}
        }
        Ok(progress)
    }

    /// Has the acting account pay for a withdrawal.
    async fn fund(&mut self, mint: &str, quote: &str, request: &str, minor: u64) -> Result<()> {
        let of = self.acting()?.bank.clone();
        let bank: InstitutionId = of.parse()?;
        let payee = institution_account(&bank, AccountKind::BearerNotes);
        let asked = url::Url::parse(request).ok();
        let asked = asked.and_then(|url| {
            let (_, payee) = url.query_pairs().find(|(name, _)| name == "payee")?;
            payee.parse::<AccountId>().ok()
        });
        if asked != Some(payee) || self.bank_of(mint)? != of {
            bail!(text!("the quote is not to be paid to the bank's notes: nothing was signed"));
        }
        self.order_withdrawal(&bank, quote, minor).await
    }

    /// Orders that the acting account pays for a quote of its bank's mint.
    pub(super) async fn order_withdrawal(
        &mut self,
        bank: &InstitutionId,
        quote: &str,
        minor: u64,
    ) -> Result<()> {
        let account = self.acting()?.clone();
        let payee = institution_account(bank, AccountKind::BearerNotes);
        let id = self.fresh_order_id();
        let lapses = id.created().plus_seconds(ORDER_SECONDS).seconds();
        let order = PaymentOrder {
            ledger: self.ledger().await?,
            id,
            payer: account.account.parse()?,
            payee,
            payee_name: quote.to_owned(),
            amount: Amount::new(self.currency_here()?, minor),
            expires: Timestamp::from_seconds(lapses),
        };
        let order = order.sign(&account.key.key()?)?;
        let url = format!("{}/banks/{bank}/v1/withdrawals", self.address(&account.bank));
        let funded: Result<WithdrawalFunded, _> =
            self.client.post(&url, None, &WithdrawalRequest { order }).await;
        match funded {
            Ok(_) => Ok(()),
            // An order whose answer got lost paid for it.
            Err(ClientError::Refused(problem)) if problem.code == "notes.quote_paid" => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Pays with notes: to whoever has the token, or as a request asks.
    ///
    /// # Errors
    /// Whatever the purse or the mint refused.
    pub async fn pay_cash(&mut self, terms: &CashTerms) -> Result<CashPaid> {
        self.follow_mints()?;
        let request = terms.request.as_deref().map(PaymentRequest::parse).transpose();
        let request = request.map_err(PurseFault::from)?;
        let pay = self.cash_terms(terms, request.as_ref())?;
        self.learn_mint(&self.bank_of(&pay.mint)?).await?;
        let (seed, now) = (self.cash_seed()?, self.now().seconds());
        let amount_minor = pay.amount;
        // What is handed over as it is needs no request; it must be saved all the same.
        let begun = self.cash()?.purse.pay(&seed, pay, now);
        let id = begun.map_err(|refused| self.said_of(refused))?;
        self.file.save()?;
        if self.purse()?.handing(id).is_none() {
            self.go_on(id).await?;
        }
        let currency = self.currency_here()?.to_string();
        self.note(Event::CashPaid { number: id.0, amount_minor, currency })?;
        let token = match request {
            Some(request) => self.send_payment(id, &request).await?,
            None => Some(self.cash_token(id.0)?),
        };
        Ok(CashPaid { number: id.0, amount_minor, token })
    }

    /// A refusal to pay, its amounts as the person reads them.
    fn said_of(&self, refused: PayError) -> PurseFault {
        let (code, PayError::Insufficient { ready, resting, .. }) = (refused.code(), &refused)
        else {
            return refused.into();
        };
        match (self.money_here(*ready), self.money_here(*resting)) {
            (Ok(ready), Ok(resting)) => PurseFault::new(
                code,
                text!(
                    "{ready} can be spent now, {resting} more after a rest: withdraw more, wait, or pay with --hurry (the bank may then tell by the time that it was you)",
                    ready = ready,
                    resting = resting
                ),
            ),
            _ => refused.into(),
        }
    }

    fn cash_terms(&self, terms: &CashTerms, request: Option<&PaymentRequest>) -> Result<PayTerms> {
        let now = self.now().seconds();
        let until = now.saturating_add(LOCKED_SECONDS);
        let mut pay = match request {
            Some(request) => {
                let found = self.purse()?.terms_of(request, terms.amount_minor, until, now);
                found.map_err(PurseFault::from)?
            }
            None => {
                let amount = terms.amount_minor;
                let amount = amount.with_context(|| text!("say how much to pay"))?;
                let holdings = self.purse()?.holdings(now).into_iter();
                let best = holdings.max_by_key(|holding| (holding.ready, holding.resting));
                let best = best.with_context(|| text!("the wallet has no notes"))?;
                match &terms.key {
                    Some(key) => {
                        let key = Point::from_hex(key).map_err(PurseFault::from)?;
                        PayTerms::to_key(best.mint, amount, key, until)
                    }
                    None => PayTerms::to_bearer(best.mint, amount),
                }
            }
        };
        pay.offline |= terms.offline;
        pay.hurry = terms.hurry;
        Ok(pay)
    }

    /// Sends a payment where its request says; the token, if it says nothing that can be done here.
    async fn send_payment(
        &mut self,
        id: OperationId,
        request: &PaymentRequest,
    ) -> Result<Option<String>> {
        let handing = self.purse()?.handing(id);
        let handing = handing.with_context(|| text!("the payment is not ready"))?;
        request.check(&handing.payment)?;
        let Some(way) = request.transports.iter().find(|way| way.kind == "post") else {
            return Ok(Some(handing.text()?));
        };
        Endpoint::parse(&way.target)?;
        let json = [("content-type".to_owned(), "application/json".to_owned())];
        let content = serde_json::to_vec(&handing.payment)?;
        match self.exchange_named("POST", &way.target, &json, content).await {
            Ok(Exchanged { status: 200..=299, .. }) => Ok(None),
            // It can be handed over in another way, or taken back.
            _ => Ok(Some(handing.text()?)),
        }
    }

    /// The token of a payment that was made ready, as often as need be.
    ///
    /// # Errors
    /// If there is none under way with this number.
    pub fn cash_token(&self, number: u64) -> Result<String> {
        let handing = self.purse()?.handing(OperationId(number));
        Ok(handing.with_context(|| text!("the payment is not ready"))?.text()?)
    }

    /// Receives a token and changes its notes at once for own ones. How much that is, in minor units.
    ///
    /// # Errors
    /// Whatever the purse or the mint refused.
    pub async fn receive_cash(&mut self, token: &str, preimage: Option<[u8; 32]>) -> Result<u64> {
        let mut token = Token::parse(token).map_err(PurseFault::from)?;
        let bank = self.bank_of(&token.mint)?;
        token.mint = self.learn_mint(&bank).await?;
        let (seed, now) = (self.cash_seed()?, self.now().seconds());
        let id = self.with_purse(|purse| purse.receive(&seed, &token, preimage, now))?;
        match self.go_on(id).await? {
            Progress::Done(Outcome::Received(amount)) => Ok(amount),
            _ => bail!(text!("the mint is still about it: `yufu wallet cash settle` goes on")),
        }
    }

    /// Redeems notes to the acting account.
    ///
    /// # Errors
    /// Whatever the purse or the mint refused.
    pub async fn redeem_cash(&mut self, minor: u64) -> Result<()> {
        self.follow_mints()?;
        let account = self.acting()?.account.clone();
        let now = self.now().seconds();
        let holdings = self.purse()?.holdings(now).into_iter();
        let best = holdings.max_by_key(|holding| holding.ready.saturating_add(holding.resting));
        let mint = best.with_context(|| text!("the wallet has no notes"))?.mint;
        self.learn_mint(&self.bank_of(&mint)?).await?;
        let id = self.with_purse(|purse| purse.redeem(&mint, minor, &account, now))?;
        self.go_on(id).await?;
        Ok(())
    }
}

/// Whether a bank refused something by a rule, so that nothing came of it.
fn is_refused(error: &Error) -> bool {
    let refusal = error.downcast_ref::<ClientError>();
    matches!(refusal, Some(ClientError::Refused(problem)) if problem.status == 422)
}
