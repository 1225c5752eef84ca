//! When a snapshot is due: the appender's side of making them.

use super::Snapshots;
use super::maker::{MakeError, Order};
use crate::batch::{Checkpoint, Header};
use crate::shared::held;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use yufu_log::Head;

/// Where the snapshot of a marked record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// None is being made: the next record may be marked.
    Free,
    /// One is being made.
    Making,
    /// One was made: the next record carries its checkpoint.
    Made(Checkpoint),
}

/// Counts what is appended, marks the record that a snapshot is to be of, and orders it.
pub(crate) struct Schedule {
    every_records: u64,
    every_bytes: u64,
    records: u64,
    bytes: u64,
    slot: Arc<Mutex<Slot>>,
    orders: Sender<Order>,
}

impl Schedule {
    /// `records` of `bytes` in all were appended since the newest snapshot.
    pub(crate) fn new(
        snapshots: &Snapshots,
        (records, bytes): (u64, u64),
        slot: Arc<Mutex<Slot>>,
        orders: Sender<Order>,
    ) -> Self {
        let Snapshots { every_records, every_bytes, .. } = *snapshots;
        Self { every_records, every_bytes, records, bytes, slot, orders }
    }

    /// Whether the next record is to be marked.
    pub(crate) fn is_due(&self) -> bool {
        let enough =
            self.records.saturating_add(1) >= self.every_records || self.bytes >= self.every_bytes;
        enough && *held(&self.slot) == Slot::Free
    }

    /// What the next record is to carry.
    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        match *held(&self.slot) {
            Slot::Made(checkpoint) => Some(checkpoint),
            Slot::Free | Slot::Making => None,
        }
    }

    /// A record of `header` is durable.
    pub(crate) fn appended(&mut self, head: Head, header: &Header, bytes: usize) {
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if header.checkpoint.is_some() {
            *held(&self.slot) = Slot::Free;
        }
        if header.marked {
            (self.records, self.bytes) = (0, 0);
            *held(&self.slot) = Slot::Making;
            // A maker that is gone makes no more; the engine goes on without.
            drop(self.orders.send(Order { head, marked: true, answer: None }));
        }
    }

    /// Orders one of `head`, beside those that are due.
    pub(crate) fn request(&self, head: Head, answer: oneshot::Sender<Result<Head, MakeError>>) {
        drop(self.orders.send(Order { head, marked: false, answer: Some(answer) }));
    }
}
