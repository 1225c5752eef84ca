//! Why the wallet does not answer a request, told to the person.

use crate::words;
use yufu_wallet::presentation::RequestRefused;

/// The reason in the person's language. English is the session's own.
pub(super) fn said(refused: &RequestRefused) -> String {
    let detail = [("detail", refused.to_string())];
    words::fault(code(refused), &detail).unwrap_or_else(|| refused.to_string())
}

const fn code(refused: &RequestRefused) -> &'static str {
    match refused {
        RequestRefused::Http(_) | RequestRefused::Encrypted(_) => "asking.unreadable",
        RequestRefused::Token(_) | RequestRefused::Request(_) => "asking.malformed",
        RequestRefused::Chain(_) | RequestRefused::Untrusted(_) => "asking.untrusted",
        RequestRefused::Signature(_) => "asking.signature",
        RequestRefused::ClientId { .. }
        | RequestRefused::LinkClientId { .. }
        | RequestRefused::RegistrationClientId { .. } => "asking.other_party",
        RequestRefused::Digital(_) | RequestRefused::OtherWay(_) => "asking.malformed",
        RequestRefused::Origin(_) => "asking.other_page",
        RequestRefused::WalletNonce | RequestRefused::Replayed => "asking.repeated",
        RequestRefused::Time(_) | RequestRefused::PaymentExpired(_) => "asking.expired",
        RequestRefused::NoRegistration | RequestRefused::Registration(_) => "asking.unregistered",
        RequestRefused::ResponseUri(_) => "asking.other_address",
        RequestRefused::OverAsking(_) => "asking.too_much",
        RequestRefused::JoinsSectors => "asking.joins_sectors",
        RequestRefused::NoStatus | RequestRefused::StatusUnknown(_) => "asking.unchecked",
        RequestRefused::Revoked => "asking.revoked",
        RequestRefused::Suspended => "asking.suspended",
    }
}
