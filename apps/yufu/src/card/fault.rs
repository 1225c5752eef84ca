//! Why a card is not accepted, told to the person.

use crate::words;
use yufu_card::CardError;

/// The reason in the person's language. English is the session's own.
pub(crate) fn said(error: &CardError) -> String {
    let detail = [("detail", error.to_string())];
    words::fault(error.code(), &detail).unwrap_or_else(|| error.to_string())
}
