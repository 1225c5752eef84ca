//! What lets strangers trust each other: the trust list, registration certificates, token
//! status lists, and the receipts both sides keep. Pure: time is an argument.
#![doc = include_str!("../README.md")]

mod enrolment;
mod good_paths;
mod issuing;
mod localized;
mod receipt;
mod recognition;
mod registration;
mod revocations;
mod status_list;
mod status_list_cwt;
mod succession;
mod trust_list;

pub use enrolment::{Anchor, ENROLMENT, EnrolledKey, Enrolment, EnrolmentError};
pub use good_paths::GoodPaths;
pub use localized::Localized;
pub use receipt::{DisclosedNames, RECEIPT, Receipt, ReceiptError, ReceiptKind, request_digest};
pub use recognition::{Origin, RecognisedList};
pub use registration::{
    Basis, OverAsking, REGISTRATION_CERTIFICATE, RegisteredClaim, RegisteredCredential,
    RegisteredMeta, RegistrationCertificate, RegistrationError, names_resident,
};
pub use revocations::Revocations;
pub use status_list::{
    MAX_STATUS_TOKEN, STATUS_LIST, STATUS_LIST_MEDIA_TYPE, Status, StatusBits, StatusList,
    StatusListError, StatusListToken, StatusRangeError,
};
pub use status_list_cwt::STATUS_LIST_CWT_MEDIA_TYPE;
pub use succession::{NEXT_KEY, NextKey, Succession, TrustPin};
pub use trust_list::{
    DirectoryEntry, Role, TRUST_LIST, TrustEntry, TrustError, TrustList, TrustListError,
    TrustedParty,
};
pub use yufu_credential::StatusReference;

/// Seconds by which the clocks of two institutions may differ.
pub const LEEWAY_SECONDS: u64 = 60;
