//! Invoices in the form of Lightning's (BOLT11), for wallets that can fund and redeem in no other way. They are of
//! the regtest network, where no money is: nothing of Bitcoin is behind them. One minor unit stands there as one
//! satoshi.

use aws_lc_rs::hmac;
use bitcoin_hashes::{Hash as _, sha256};
use lightning_invoice::PaymentSecret;
use lightning_invoice::{Bolt11Invoice, Bolt11InvoiceDescriptionRef, Currency, InvoiceBuilder};
use secp256k1_of_invoices::{SECP256K1, SecretKey};
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

const KEY: &[u8] = b"yufu.invoice-key.v1";
const PREIMAGE: &[u8] = b"yufu.invoice-preimage.v1";
const SECRET: &[u8] = b"yufu.invoice-secret.v1";
/// More than an invoice of ours has.
const LONGEST: usize = 2_048;
/// Thousandths of a satoshi to a minor unit.
const THOUSANDTHS: u64 = 1_000;
/// A member that every invoice has to have, and that means nothing here: blocks until a payment lapses.
const BLOCKS: u64 = 18;

/// What an invoice is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvoice {
    /// How much, in minor units.
    pub amount: u64,
    /// What for: says where the money goes.
    pub description: String,
    /// Makes it another invoice than others of the same contents: never used twice.
    pub distinct: [u8; 32],
    /// When it is issued, in Unix seconds.
    pub issued_at: u64,
    /// For how many seconds it may be paid.
    pub valid_seconds: u64,
}

/// An invoice of a mint's own, read and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// How much, in minor units.
    pub amount: u64,
    /// What for.
    pub description: String,
    /// Evidence of its payment: what the payment hash is the hash of. For whoever has paid it.
    pub preimage: [u8; 32],
    /// Until when it may be paid, in Unix seconds.
    pub expires_at: u64,
}

/// Why an invoice was not written, or not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceError {
    /// It is no invoice, or of another network.
    #[error("that is no invoice of this mint's network (lnbcrt...): ask the payee for one")]
    Form,
    /// Another key signed it.
    #[error("another mint issued the invoice: pay it there")]
    OtherMint,
    /// It has no amount, or not one of whole minor units.
    #[error("an invoice is for an amount of whole minor units")]
    Amount,
    /// What it is to say does not fit.
    #[error("an invoice cannot say that: shorten the description")]
    Contents,
}

/// A mint's key for invoices, and what their secrets are made from.
pub struct InvoiceKey {
    secret: SecretKey,
    seed: Zeroizing<[u8; 32]>,
}

impl InvoiceKey {
    /// The key that follows from a seed: the same one after a restore.
    ///
    /// # Errors
    /// [`InvoiceError::Contents`] if the seed gives no key: nobody finds such a seed.
    pub fn derive(seed: &[u8; 32]) -> Result<Self, InvoiceError> {
        let secret = SecretKey::from_slice(&*mac(seed, KEY, &[]));
        let secret = secret.map_err(|_| InvoiceError::Contents)?;
        Ok(Self { secret, seed: Zeroizing::new(*seed) })
    }

    /// Writes an invoice: the same text for the same contents.
    ///
    /// # Errors
    /// [`InvoiceError`].
    pub fn issue(&self, new: &NewInvoice) -> Result<String, InvoiceError> {
        let thousandths = new.amount.checked_mul(THOUSANDTHS).ok_or(InvoiceError::Amount)?;
        let secret = *mac(&self.seed, SECRET, &new.distinct);
        let hash = sha256::Hash::hash(&self.preimage(&secret));
        let invoice = InvoiceBuilder::new(Currency::Regtest)
            .amount_milli_satoshis(thousandths)
            .description(new.description.clone())
            .payment_hash(hash)
            .payment_secret(PaymentSecret(secret))
            .duration_since_epoch(Duration::from_secs(new.issued_at))
            .expiry_time(Duration::from_secs(new.valid_seconds))
            .min_final_cltv_expiry_delta(BLOCKS)
            .build_signed(|digest| SECP256K1.sign_ecdsa_recoverable(digest, &self.secret));
        invoice.map(|invoice| invoice.to_string()).map_err(|_| InvoiceError::Contents)
    }

    /// Reads an invoice that this key signed.
    ///
    /// # Errors
    /// [`InvoiceError`].
    pub fn read(&self, text: &str) -> Result<Invoice, InvoiceError> {
        let (read, amount) = parsed(text)?;
        if read.recover_payee_pub_key() != self.secret.public_key(SECP256K1) {
            return Err(InvoiceError::OtherMint);
        }
        let expires_at = read.expires_at().ok_or(InvoiceError::Form)?.as_secs();
        Ok(Invoice {
            amount,
            description: description(&read)?,
            preimage: self.preimage(&read.payment_secret().0),
            expires_at,
        })
    }

    /// What an invoice says, whoever signed it: how much, in minor units, and what for.
    ///
    /// # Errors
    /// [`InvoiceError`].
    pub fn described(text: &str) -> Result<(u64, String), InvoiceError> {
        let (read, amount) = parsed(text)?;
        Ok((amount, description(&read)?))
    }

    fn preimage(&self, secret: &[u8; 32]) -> [u8; 32] {
        *mac(&self.seed, PREIMAGE, secret)
    }
}

impl fmt::Debug for InvoiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvoiceKey(..)")
    }
}

impl Drop for InvoiceKey {
    fn drop(&mut self) {
        self.secret.non_secure_erase();
    }
}

/// An invoice of the network, and how many minor units it is for.
fn parsed(text: &str) -> Result<(Bolt11Invoice, u64), InvoiceError> {
    if text.len() > LONGEST {
        return Err(InvoiceError::Form);
    }
    let read: Bolt11Invoice = text.parse().map_err(|_| InvoiceError::Form)?;
    if read.currency() != Currency::Regtest {
        return Err(InvoiceError::Form);
    }
    let thousandths = read.amount_milli_satoshis().ok_or(InvoiceError::Amount)?;
    if thousandths.checked_rem(THOUSANDTHS) != Some(0) {
        return Err(InvoiceError::Amount);
    }
    Ok((read, thousandths.div_euclid(THOUSANDTHS)))
}

fn description(read: &Bolt11Invoice) -> Result<String, InvoiceError> {
    match read.description() {
        Bolt11InvoiceDescriptionRef::Direct(text) => Ok(text.as_inner().0.clone()),
        Bolt11InvoiceDescriptionRef::Hash(_) => Err(InvoiceError::Form),
    }
}

fn mac(seed: &[u8; 32], context: &[u8], bytes: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, seed));
    mac.update(context);
    mac.update(bytes);
    let mut out = Zeroizing::new([0; 32]);
    for (to, from) in out.iter_mut().zip(mac.sign().as_ref()) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> NewInvoice {
        NewInvoice {
            amount: 1_800,
            description: "yufu://bank/withdrawals/q".to_owned(),
            distinct: [7; 32],
            issued_at: 1_900_000_000,
            valid_seconds: 3_600,
        }
    }

    #[test]
    fn an_invoice_says_what_was_put_in_and_its_preimage_is_that_of_its_hash() {
        let key = InvoiceKey::derive(&[1; 32]).unwrap();
        let text = key.issue(&new()).unwrap();
        assert!(text.starts_with("lnbcrt18u1"), "{text}");
        assert_eq!(key.issue(&new()).unwrap(), text, "the same text every time");
        let read = key.read(&text).unwrap();
        assert_eq!((read.amount, read.description), (1_800, new().description));
        assert_eq!(read.expires_at, 1_900_003_600);
        let parsed: Bolt11Invoice = text.parse().unwrap();
        assert_eq!(*parsed.payment_hash(), sha256::Hash::hash(&read.preimage));
        let other = key.issue(&NewInvoice { distinct: [8; 32], ..new() }).unwrap();
        assert_ne!(key.read(&other).unwrap().preimage, read.preimage);
    }

    #[test]
    fn an_invoice_of_another_key_altered_or_of_another_network_is_refused() {
        let (key, other) =
            (InvoiceKey::derive(&[1; 32]).unwrap(), InvoiceKey::derive(&[2; 32]).unwrap());
        let text = key.issue(&new()).unwrap();
        assert_eq!(other.read(&text), Err(InvoiceError::OtherMint));
        let (head, tail) = text.split_at(text.len() / 2);
        let changed = if tail.starts_with('q') { 'p' } else { 'q' };
        let altered = format!("{head}{changed}{}", tail.get(1..).unwrap());
        assert_eq!(key.read(&altered), Err(InvoiceError::Form));
        assert_eq!(key.read(&"lnbcrt".repeat(1_000)), Err(InvoiceError::Form));
        assert_eq!(key.issue(&NewInvoice { amount: u64::MAX, ..new() }), Err(InvoiceError::Amount));
        let long = NewInvoice { description: "x".repeat(640), ..new() };
        assert_eq!(key.issue(&long), Err(InvoiceError::Contents));
    }
}
