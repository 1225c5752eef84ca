//! OpenID4VP 1.0: from the link to the answer.

pub mod client_id;
mod digital;
mod key_change;
mod link;
mod reply;
mod request_object;
mod response;
mod sign_in;
mod transaction;
mod wallet_metadata;

pub use digital::{DigitalAnswer, DigitalRequest, DigitalRequestError, SIGNED_PROTOCOL};
pub use key_change::{KeyChange, KeyChangeOf};
pub use link::{LinkError, PresentationLink, RequestUriMethod};
pub use reply::{ClientMetadata, Reply, audience_of_origin, web_origin};
pub use request_object::{
    RECEIPT_ADDRESS_FORMAT, REGISTRATION_CERTIFICATE_FORMAT, REQUEST_MEDIA_TYPE, REQUEST_TYPE,
    RequestObject, RequestObjectError, SELF_ISSUED, VerifierInfo,
};
pub use response::{
    AuthorizationErrorCode, AuthorizationErrorResponse, AuthorizationResponse, DirectPost,
    DirectPostError, DirectPostResponse,
};
pub use sign_in::SignIn;
pub use transaction::{
    AccountOpening, EncodedTransaction, Payment, TransactionData, TransactionError,
};
pub use wallet_metadata::{WalletMetadata, WalletMetadataError, WalletTerms};
