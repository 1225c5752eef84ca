//! The Digital Credentials Query Language (OpenID4VP 1.0, sections 6 and 7): a verifier
//! says which credentials and claims it wants, a wallet finds what it holds of them, and
//! the verifier checks that the answer fits. A [`DcqlQuery`] is always valid and bounded.

mod evaluate;
mod project;
mod query;
mod response;

pub use evaluate::{Candidate, Evaluation, Match, Mismatch, SetChoice, Unsatisfied};
pub use project::project;
pub use query::{
    AKI, ClaimQuery, CredentialQuery, CredentialSetQuery, DcqlError, DcqlQuery, Meta,
    TrustedAuthority,
};
pub use response::{Answer, ResponseMismatch};
pub use yufu_jose::{ClaimPath, PathStep};
