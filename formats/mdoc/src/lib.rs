//! ISO mdoc (ISO/IEC 18013-5:2021) as values: CBOR and COSE, issued documents, requests and
//! responses, transcripts, and the encrypted session of two devices. SHA-256, P-256 and ES256 only.
//! Pure: salts, times and keys are arguments.
#![doc = ""]
#![doc = include_str!("../README.md")]

pub mod cbor;
pub mod cose;
mod date;
mod device_auth;
mod engagement;
mod held;
#[cfg(test)]
mod hex;
mod issue;
mod issuer_signed;
mod json;
mod mso;
mod request;
mod response;
mod session;
mod transcript;

pub use device_auth::{DeviceAuthError, DeviceSigned};
pub use engagement::{DeviceEngagement, EngagementError, RetrievalMethod};
pub use held::{IssuedMdoc, IssuedMdocError, ShowError};
pub use issue::{MdocIssuance, MdocIssueError, SALT};
pub use issuer_signed::{IssuerSigned, IssuerSignedError, IssuerSignedItem};
pub use json::{element_path, elements_of, from_json, own_claims, to_json};
pub use mso::{MdocTimeError, MdocValidity, MobileSecurityObject};
pub use request::{DeviceRequest, DocumentRequest, ItemsRequest, ReaderError};
pub use response::{DeviceResponse, Document, MdocError, MdocExpected, VerifiedMdoc};
pub use session::{
    SessionCipher, SessionData, SessionError, SessionEstablishment, SessionStatus, Side,
};
pub use transcript::{Handover, SessionTranscript};
