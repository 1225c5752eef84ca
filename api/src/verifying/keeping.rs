//! Answers on their way into the records.

use super::outcome::Outcome;
use crate::http::Problem;
use yufu_verifications::Verifications;

/// A party's records.
pub(super) struct Keeping(Verifications);

impl Keeping {
    pub(super) const fn new(records: Verifications) -> Self {
        Self(records)
    }

    pub(super) const fn records(&self) -> &Verifications {
        &self.0
    }

    /// Keeps an outcome; it is durable when this returns.
    pub(super) async fn keep(&self, outcome: Outcome) -> Result<(), Problem> {
        self.0.keep(outcome.verification, outcome.to_seal).await.map_err(Problem::internal)
    }
}
