//! Who reads personal data, and why.

use serde_json::{Map, Value};
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

impl Access {
    /// What this reads of `claims`: those that it names. Of its fields those stay that are there, so that what is recorded is what
    /// was read, and not what was asked for.
    pub fn read(&mut self, claims: &mut Map<String, Value>) {
        claims.retain(|name, _| self.fields.contains(name));
        self.fields.retain(|name| claims.contains_key(name));
    }
}
