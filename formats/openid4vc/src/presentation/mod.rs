//! OpenID4VP 1.0: from the link to the answer.

pub mod client_id;
mod key_change;
mod link;
mod request_object;
mod response;
mod transaction;

pub use key_change::{KeyChange, KeyChangeOf};
pub use link::{LinkError, PresentationLink, RequestUriMethod};
pub use request_object::{
    ClientMetadata, REGISTRATION_CERTIFICATE_FORMAT, REQUEST_MEDIA_TYPE, REQUEST_TYPE,
    RequestObject, RequestObjectError, SELF_ISSUED, VerifierInfo,
};
pub use response::{
    AuthorizationErrorCode, AuthorizationErrorResponse, AuthorizationResponse, DirectPost,
    DirectPostError, DirectPostResponse,
};
pub use transaction::{
    AccountOpening, EncodedTransaction, Payment, TransactionData, TransactionError,
};
