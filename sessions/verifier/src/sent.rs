//! What was sent: for answers of another form than OpenID4VP's, which are bound to the same signed request.

use crate::Requested;

impl Requested {
    /// The signed request that was given out last; none if nobody has fetched it.
    #[must_use]
    pub fn sent(&self) -> Option<&str> {
        self.sent.as_deref()
    }
}
