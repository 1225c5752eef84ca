//! All accounts in the order they were opened, in chunks that are never moved: adding one to ten
//! million copies none.

use crate::account::Account;
use crate::ledger::Slot;

/// Accounts in a chunk: 2^12, about half a megabyte.
const CHUNK_BITS: u32 = 12;
const CHUNK: usize = 1 << CHUNK_BITS;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accounts<C> {
    chunks: Vec<Vec<Account<C>>>,
    len: usize,
}

impl<C> Accounts<C> {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, account: Account<C>) {
        if self.chunks.last().is_none_or(|last| last.len() >= CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(last) = self.chunks.last_mut() {
            last.push(account);
            self.len = self.len.saturating_add(1);
        }
    }

    /// All, in the order they were opened.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Account<C>> {
        self.chunks.iter().flatten()
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "INVARIANT: slots are made only with their account, and accounts are never removed"
    )]
    pub(crate) fn at(&self, slot: Slot) -> &Account<C> {
        let place = slot.place();
        &self.chunks[place >> CHUNK_BITS][place & (CHUNK - 1)]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "INVARIANT: slots are made only with their account, and accounts are never removed"
    )]
    pub(crate) fn at_mut(&mut self, slot: Slot) -> &mut Account<C> {
        let place = slot.place();
        &mut self.chunks[place >> CHUNK_BITS][place & (CHUNK - 1)]
    }
}
