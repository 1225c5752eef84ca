//! Credential formats: SD-JWT VC (RFC 9901 and draft-ietf-oauth-sd-jwt-vc), SHA-256 and
//! ES256 only. Issue, check and store, disclose chosen claims, bind to a verifier, verify.
//! Pure: salts and times are arguments.
#![doc = include_str!("../README.md")]

mod disclosure;
mod issue;
mod key_binding;
mod presentation;
mod process;
mod sd_jwt;
mod subject;
mod types;

pub use issue::{Issuance, IssueError};
pub use key_binding::{BindError, KeyBinding, transaction_data_hash};
pub use presentation::{Expected, Presentation, PresentationError, Presented, verify_presentation};
pub use process::REGISTERED;
pub use sd_jwt::{DiscloseError, Disclosed, IssuedCredential, SdJwt, SdJwtError};
pub use subject::{Confirmation, Credential, StatusReference};
pub use types::{
    ClaimDisplay, ClaimMetadata, ExtendError, Extends, Integrity, IntegrityError, Locale,
    MAX_CHAIN, MAX_TYPE_METADATA, Rendering, ResolvedType, SelectiveDisclosure, TypeChain,
    TypeCheckError, TypeDisplay, TypeMetadata, TypeMetadataError, is_shown,
};
pub use yufu_jose::{ClaimPath, PathStep};

/// The `typ` of an SD-JWT VC, and its format name in OpenID4VC.
pub const SD_JWT_VC: &str = "dc+sd-jwt";

/// The `typ` of a key binding JWT (RFC 9901 section 4.3).
pub const KEY_BINDING: &str = "kb+jwt";
