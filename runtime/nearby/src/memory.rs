//! Two ends within one process.

use crate::{Channel, ChannelError, MAX_MESSAGE};
use std::time::Duration;
use tokio::sync::mpsc;

/// Messages that wait at an end.
const WAITING: usize = 4;

/// One end of a channel within one process.
#[derive(Debug)]
pub struct Memory {
    out: mpsc::Sender<Vec<u8>>,
    inward: mpsc::Receiver<Vec<u8>>,
}

/// Two ends of a channel.
#[must_use]
pub fn pair() -> (Memory, Memory) {
    let (to_second, from_first) = mpsc::channel(WAITING);
    let (to_first, from_second) = mpsc::channel(WAITING);
    let first = Memory { out: to_second, inward: from_second };
    (first, Memory { out: to_first, inward: from_first })
}

impl Channel for Memory {
    async fn send(&mut self, message: &[u8]) -> Result<(), ChannelError> {
        if message.len() > MAX_MESSAGE {
            return Err(ChannelError::TooLong(message.len()));
        }
        self.out.send(message.to_vec()).await.map_err(|_| ChannelError::Closed)
    }

    async fn receive(&mut self, within: Duration) -> Result<Vec<u8>, ChannelError> {
        let next = tokio::time::timeout(within, self.inward.recv()).await;
        next.map_err(|_| ChannelError::Timeout(within))?.ok_or(ChannelError::Closed)
    }
}
