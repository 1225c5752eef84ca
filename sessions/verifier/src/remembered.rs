//! What follows from a session and costs something to work out: worked out once while the session is in memory.

use std::sync::OnceLock;

/// Something that follows from the session that it is in: no part of what the session says, and worked out anew where the
/// session is read again.
#[derive(Clone, Debug)]
pub(crate) struct Remembered<T>(OnceLock<T>);

impl<T> Remembered<T> {
    /// What follows, as it was worked out before, or as `work` does now.
    pub(crate) fn or_else(&self, work: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(work)
    }
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> PartialEq for Remembered<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Remembered<T> {}
