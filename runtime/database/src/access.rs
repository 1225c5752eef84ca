//! Who reads personal data, and why.

use yufu_base::Timestamp;

/// A read of personal data that was shown to an institution. It is recorded in the transaction that reads, and the person can
/// see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The reading person or process.
    pub actor: String,
    /// What for.
    pub purpose: String,
    /// Which claims, by name; for evidence its name.
    pub fields: Vec<String>,
    /// When.
    pub at: Timestamp,
}
