//! Channels that carry the messages of a session between two devices side by side (ISO 18013-5, 8.3.3
//! leaves the way open): whole messages, in order, of bounded size, within a time.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod memory;
mod tcp;

pub use memory::{Memory, pair};
pub use tcp::{Listening, Tcp};

use std::future::Future;
use std::time::Duration;

/// The largest message that is carried, in bytes: a portrait fits.
pub const MAX_MESSAGE: usize = 1024 * 1024;

/// One end of a channel.
pub trait Channel: Send {
    /// Sends a message.
    ///
    /// # Errors
    /// [`ChannelError`].
    fn send(&mut self, message: &[u8]) -> impl Future<Output = Result<(), ChannelError>> + Send;

    /// The next message, waited for at most `within`.
    ///
    /// # Errors
    /// [`ChannelError`].
    fn receive(
        &mut self,
        within: Duration,
    ) -> impl Future<Output = Result<Vec<u8>, ChannelError>> + Send;
}

/// Why a message was not carried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// Larger than is carried.
    #[error("a message of {0} bytes: at most {MAX_MESSAGE} are carried")]
    TooLong(usize),
    /// Nothing came in time.
    #[error("the other device said nothing for {} s: begin again with a new code", .0.as_secs())]
    Timeout(Duration),
    /// The other end is gone.
    #[error("the other device is gone: begin again with a new code")]
    Closed,
    /// The network failed.
    #[error("the other device cannot be reached: {0}")]
    Network(String),
}
