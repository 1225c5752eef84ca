//! Submissions on their way together: those that become one record, and those whose record is durable.

use crate::Settings;
use crate::handle::{Submission, SubmitError};
use yufu_base::{Stamp, StateMachine};
use yufu_log::Head;

/// Submissions that become one record.
pub(crate) struct Pending<M: StateMachine> {
    pub(crate) submissions: Vec<Submission<M>>,
    /// Their commands.
    pub(crate) count: u32,
    /// The commands' encodings, one after another.
    pub(crate) encoded: Vec<u8>,
}

/// A record that is durable and not yet applied.
pub(crate) struct Durable<M: StateMachine> {
    pub(crate) pending: Pending<M>,
    pub(crate) stamp: Stamp,
    pub(crate) head: Head,
}

impl<M: StateMachine> Pending<M> {
    pub(crate) fn new(mut first: Submission<M>) -> Self {
        let (count, encoded) = (first.count, std::mem::take(&mut first.encoded));
        Self { submissions: vec![first], count, encoded }
    }

    /// One more, or back if it does not fit into a batch with those that are there.
    pub(crate) fn push(
        &mut self,
        next: Submission<M>,
        settings: &Settings,
    ) -> Result<(), Submission<M>> {
        let count = self.count.saturating_add(next.count);
        let bytes = self.encoded.len().saturating_add(next.encoded.len());
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if count > settings.max_batch_commands || bytes > settings.max_batch_bytes {
            return Err(next);
        }
        self.count = count;
        self.encoded.extend_from_slice(&next.encoded);
        self.submissions.push(next);
        Ok(())
    }

    pub(crate) fn refuse(self, error: &SubmitError) {
        for submission in self.submissions {
            submission.answer(Err(error.clone()));
        }
    }
}
