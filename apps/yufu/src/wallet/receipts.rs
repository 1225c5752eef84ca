//! Verifying the counterparties' receipts again, offline: with the certificates of the last trust list.

use super::history::{Entry, Event};
use super::holder::Holder;
use serde::Serialize;
use yufu_base::Timestamp;
use yufu_jose::{ChainError, JwsError, Unverified, decode_base64url, encode_base64url, sha256};
use yufu_openid4vc::presentation::REQUEST_TYPE;
use yufu_trust::{Receipt, ReceiptError, ReceiptKind, request_digest};

/// What became of one receipt.
#[derive(Debug, Serialize)]
pub struct CheckedReceipt {
    /// The entry's number in the history, from 1.
    pub entry: usize,
    /// To whom something was shown.
    pub party: String,
    /// Whether the other side's receipt proves what the history says.
    pub holds: bool,
    /// Why not.
    pub fault: Option<String>,
}

/// Why a receipt does not prove what the history says. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// The other side signed none.
    #[error("the other side signed no receipt")]
    Missing,
    /// The request is not signed, or altered.
    #[error("the request: {0}")]
    Request(#[from] JwsError),
    /// The request was not signed by a certified party.
    #[error("the request: {0}; fetch the trust list anew by any online command")]
    Chain(#[from] ChainError),
    /// The wallet's own receipt belongs to another request.
    #[error("the wallet's own note belongs to another request")]
    OwnOtherRequest,
    /// The other side's receipt does not hold.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// It says something else than the wallet noted.
    #[error("the other side's receipt says something else than the wallet noted: report it")]
    Different,
}

impl Holder {
    /// Who certified parties, by the lists seen last.
    pub(super) fn receipt_anchors(&self) -> Vec<Vec<u8>> {
        let contents = &self.file.contents;
        let abroad = contents.foreign.values().flat_map(|list| &list.access_anchors);
        let anchors = contents.access_anchors.iter().chain(abroad);
        anchors.filter_map(|text| decode_base64url(text).ok()).collect()
    }

    /// Verifies every receipt in the history.
    #[must_use]
    pub fn check_receipts(&self) -> Vec<CheckedReceipt> {
        let anchors = self.receipt_anchors();
        let mut checked = Vec::new();
        for (index, entry) in self.history().iter().enumerate() {
            let Event::Disclosed { party, .. } = &entry.event else { continue };
            let fault = check(entry, &anchors).err();
            checked.push(CheckedReceipt {
                entry: index.saturating_add(1),
                party: party.clone(),
                holds: fault.is_none(),
                fault: fault.map(|fault| fault.to_string()),
            });
        }
        checked
    }
}

/// The request was signed by a party that `anchors` certified at the time, and the same key signed a
/// receipt for this request that names the claims that the wallet noted.
pub(super) fn check(entry: &Entry, anchors: &[Vec<u8>]) -> Result<(), ReceiptFault> {
    let Event::Disclosed { receipt, signed_receipt, request, .. } = &entry.event else {
        return Ok(());
    };
    let signed = signed_receipt.as_ref().ok_or(ReceiptFault::Missing)?;
    let Ok(token) = Unverified::parse(request) else {
        // Side by side there is no signed request, but a conversation that the receipt commits to.
        return check_near(entry, (receipt, signed, request), anchors);
    };
    let token = token.expect_type(REQUEST_TYPE)?;
    let leaf = token.header().chain()?.verify(anchors, Timestamp::from_seconds(entry.at))?;
    token.verify(&leaf.public_key)?;
    if receipt.request_digest != request_digest(request) {
        return Err(ReceiptFault::OwnOtherRequest);
    }
    let theirs = Receipt::verify(signed, &leaf.public_key, ReceiptKind::Accepted, request)?;
    if theirs.party == receipt.party && theirs.disclosed == receipt.disclosed {
        Ok(())
    } else {
        Err(ReceiptFault::Different)
    }
}

/// The receipt of a reader side by side: its own chain says who signed it, and the wallet noted who asked.
fn check_near(
    entry: &Entry,
    (own, signed, conversation): (&Receipt, &str, &str),
    anchors: &[Vec<u8>],
) -> Result<(), ReceiptFault> {
    let chain = Unverified::parse(signed)?.header().chain()?;
    let leaf = chain.verify(anchors, Timestamp::from_seconds(entry.at))?;
    let theirs = Receipt::verify(signed, &leaf.public_key, ReceiptKind::Accepted, conversation)?;
    let reader = format!("x509_hash:{}", encode_base64url(sha256(&leaf.der)));
    if theirs.party == own.party && reader == own.party && theirs.disclosed == own.disclosed {
        Ok(())
    } else {
        Err(ReceiptFault::Different)
    }
}
