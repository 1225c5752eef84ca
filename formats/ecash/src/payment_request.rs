//! A payee's request, shown as a code or sent as a text (NUT-18), and the payment that answers it.

use crate::amount::total;
use crate::cbor::{CborError, list, map, tags, whole};
use crate::encoding::{from_base64, to_padded_base64};
use crate::message::Proof;
use crate::spend::Conditions;
use minicbor::decode::Decoder;
use minicbor::encode::Encoder;
use serde::{Deserialize, Serialize};

const PREFIX: &str = "creqA";
/// The longest request that is looked at.
const LONGEST: usize = 16 * 1024;

/// What a payee asks for. Everything may be left open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentRequest {
    /// What the payment is to name.
    pub id: Option<String>,
    /// How much, in `unit`.
    pub amount: Option<u64>,
    /// In which unit.
    pub unit: Option<String>,
    /// Whether it may be paid once only.
    pub single_use: Option<bool>,
    /// Notes of which mints are taken; of any if none is named.
    pub mints: Vec<String>,
    /// What the payer is shown.
    pub description: Option<String>,
    /// How the notes reach the payee, the best first; by what carried the request if none is named.
    pub transports: Vec<Transport>,
    /// How the notes are to be locked.
    pub lock: Option<RequestedLock>,
    /// Whether the payee has no network, so that the notes are to come with proofs of their signatures (NUT-12). A member of
    /// ours, which other wallets pass over.
    pub offline: bool,
}

/// A way to the payee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transport {
    /// The way, such as `post`.
    pub kind: String,
    /// Where to.
    pub target: String,
    /// More about it.
    pub tags: Vec<Vec<String>>,
}

/// A lock that a payee asks for: members of a secret of NUT-10.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedLock {
    /// The kind.
    pub kind: String,
    /// The key or hash.
    pub data: String,
    /// Tags that must be there.
    pub tags: Vec<Vec<String>>,
}

/// The payment, as it is posted to the payee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What the request named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Words from the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
    /// The mint's address.
    pub mint: String,
    /// What the amounts count.
    pub unit: String,
    /// The notes.
    pub proofs: Vec<Proof>,
}

/// Why a text is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Longer than any that is looked at.
    #[error("a payment request has at most {LONGEST} characters")]
    TooLong,
    /// Not a request of a version known here.
    #[error("a payment request begins with {PREFIX}")]
    Prefix,
    /// Not base64.
    #[error("the payment request is not base64 of the URL alphabet")]
    Base64,
    /// Not the CBOR of a request.
    #[error("the payment request: {0}")]
    Cbor(#[from] CborError),
    /// An amount of nothing in particular.
    #[error("the payment request names an amount without its unit")]
    NoUnit,
}

/// Why a payment is not what was asked for. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// For another request.
    #[error("the payment is for another request: pay this one")]
    Id,
    /// Notes of another mint.
    #[error("notes of {0} are not taken here: pay with notes of the mints that are named")]
    Mint(String),
    /// Another unit.
    #[error("the payment is in another unit than asked for")]
    Unit,
    /// Too little, or too much to count.
    #[error("the payment is not worth what is asked for")]
    Amount,
    /// A note without the lock.
    #[error("note {0} is not locked as asked for")]
    Lock(usize),
}

impl PaymentRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        if text.len() > LONGEST {
            return Err(RequestError::TooLong);
        }
        let text = text.trim();
        let body = text.strip_prefix("cashu:").unwrap_or(text).strip_prefix(PREFIX);
        let bytes = from_base64(body.ok_or(RequestError::Prefix)?).ok_or(RequestError::Base64)?;
        let request = whole(&bytes, read)?;
        if request.amount.is_some() && request.unit.is_none() {
            return Err(RequestError::NoUnit);
        }
        Ok(request)
    }

    /// The request as a text.
    ///
    /// # Errors
    /// [`RequestError::NoUnit`].
    pub fn to_text(&self) -> Result<String, RequestError> {
        if self.amount.is_some() && self.unit.is_none() {
            return Err(RequestError::NoUnit);
        }
        let mut out = Encoder::new(Vec::new());
        self.write(&mut out).map_err(|e| CborError::Form(e.to_string()))?;
        Ok(format!("{PREFIX}{}", to_padded_base64(&out.into_writer())))
    }

    /// Checks that a payment is what was asked for: not that its notes are good.
    ///
    /// # Errors
    /// [`PaymentError`].
    pub fn check(&self, payment: &Payment) -> Result<(), PaymentError> {
        if self.id.is_some() && self.id != payment.id {
            return Err(PaymentError::Id);
        }
        let bare = |address: &str| address.trim_end_matches('/').to_owned();
        if !self.mints.is_empty()
            && !self.mints.iter().any(|mint| bare(mint) == bare(&payment.mint))
        {
            return Err(PaymentError::Mint(payment.mint.clone()));
        }
        if self.unit.as_ref().is_some_and(|unit| *unit != payment.unit) {
            return Err(PaymentError::Unit);
        }
        let worth = total(payment.proofs.iter().map(|proof| proof.amount));
        let worth = worth.map_err(|_| PaymentError::Amount)?;
        if worth == 0 || self.amount.is_some_and(|amount| worth < amount) {
            return Err(PaymentError::Amount);
        }
        let Some(lock) = &self.lock else { return Ok(()) };
        match payment.proofs.iter().position(|proof| !lock.holds(&proof.secret)) {
            Some(note) => Err(PaymentError::Lock(note)),
            None => Ok(()),
        }
    }

    fn write(&self, out: &mut Encoder<Vec<u8>>) -> Written {
        let members = [
            !self.transports.is_empty(),
            self.id.is_some(),
            self.amount.is_some(),
            self.unit.is_some(),
            !self.mints.is_empty(),
            self.description.is_some(),
            self.single_use.is_some(),
            self.lock.is_some(),
            self.offline,
        ];
        out.map(count(members.into_iter().filter(|there| *there).count()))?;
        if !self.transports.is_empty() {
            out.str("t")?.array(count(self.transports.len()))?;
            for transport in &self.transports {
                transport.write(out)?;
            }
        }
        write_text("i", self.id.as_deref(), out)?;
        if let Some(amount) = self.amount {
            out.str("a")?.u64(amount)?;
        }
        write_text("u", self.unit.as_deref(), out)?;
        if !self.mints.is_empty() {
            out.str("m")?.array(count(self.mints.len()))?;
            for mint in &self.mints {
                out.str(mint)?;
            }
        }
        write_text("d", self.description.as_deref(), out)?;
        if let Some(single_use) = self.single_use {
            out.str("s")?.bool(single_use)?;
        }
        if self.offline {
            out.str("offline")?.bool(true)?;
        }
        match &self.lock {
            Some(lock) => {
                out.str("nut10")?.map(if lock.tags.is_empty() { 2 } else { 3 })?;
                out.str("k")?.str(&lock.kind)?.str("d")?.str(&lock.data)?;
                write_tags("t", &lock.tags, out)
            }
            None => Ok(()),
        }
    }
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

impl Transport {
    fn write(&self, out: &mut Encoder<Vec<u8>>) -> Written {
        out.map(if self.tags.is_empty() { 2 } else { 3 })?;
        out.str("t")?.str(&self.kind)?.str("a")?.str(&self.target)?;
        write_tags("g", &self.tags, out)
    }
}

impl RequestedLock {
    /// Whether a secret has this lock, and perhaps more.
    fn holds(&self, secret: &str) -> bool {
        let Ok(Some(conditions)) = Conditions::parse(secret) else { return false };
        let kind = serde_json::to_value(conditions.kind).ok();
        kind.as_ref().and_then(|kind| kind.as_str()) == Some(&self.kind)
            && conditions.data.eq_ignore_ascii_case(&self.data)
            && self.tags.iter().all(|tag| conditions.tags.contains(tag))
    }
}

fn write_text(name: &str, value: Option<&str>, out: &mut Encoder<Vec<u8>>) -> Written {
    match value {
        Some(value) => out.str(name)?.str(value)?.ok(),
        None => Ok(()),
    }
}

fn write_tags(name: &str, tags: &[Vec<String>], out: &mut Encoder<Vec<u8>>) -> Written {
    if tags.is_empty() {
        return Ok(());
    }
    out.str(name)?.array(count(tags.len()))?;
    for tag in tags {
        out.array(count(tag.len()))?;
        for text in tag {
            out.str(text)?;
        }
    }
    Ok(())
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn read(decoder: &mut Decoder<'_>) -> Result<PaymentRequest, CborError> {
    let mut request = PaymentRequest::default();
    map(decoder, |name, decoder| {
        match name {
            "i" => request.id = Some(decoder.str()?.to_owned()),
            "a" => request.amount = Some(decoder.u64()?),
            "u" => request.unit = Some(decoder.str()?.to_owned()),
            "s" => request.single_use = Some(decoder.bool()?),
            "m" => request.mints = list(decoder, |d| Ok(d.str()?.to_owned()))?,
            "d" => request.description = Some(decoder.str()?.to_owned()),
            "t" => request.transports = list(decoder, transport)?,
            "offline" => request.offline = decoder.bool()?,
            "nut10" => {
                let (kind, data, tags) = triple(decoder, ["k", "d", "t"])?;
                request.lock = Some(RequestedLock { kind, data, tags });
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(request)
}

fn transport(decoder: &mut Decoder<'_>) -> Result<Transport, CborError> {
    let (kind, target, tags) = triple(decoder, ["t", "a", "g"])?;
    Ok(Transport { kind, target, tags })
}

/// A map of two texts and tags.
fn triple(
    decoder: &mut Decoder<'_>,
    names: [&'static str; 3],
) -> Result<(String, String, Vec<Vec<String>>), CborError> {
    let [first_name, second_name, tags_name] = names;
    let (mut first, mut second, mut found) = (None, None, Vec::new());
    map(decoder, |name, decoder| {
        if name == first_name {
            first = Some(decoder.str()?.to_owned());
        } else if name == second_name {
            second = Some(decoder.str()?.to_owned());
        } else if name == tags_name {
            found = tags(decoder)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    })?;
    let missing = CborError::Missing;
    Ok((first.ok_or(missing(first_name))?, second.ok_or(missing(second_name))?, found))
}
