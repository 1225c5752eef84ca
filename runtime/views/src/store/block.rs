//! Some rows of one record, one after another, with a checksum over them and where they belong.

use crate::error::ViewError;
use crate::row::{Row, RowNumber};
use crate::varint::Reader;
use yufu_base::{Digest, Timestamp};
use yufu_log::Seq;

/// Rows in a block, at most.
const MOST: usize = 32;
/// Of the digest.
const CHECKSUM: usize = 8;
/// Under which the checksum is made: BLAKE3 in derive-key mode, over first row, record, stamp, rows.
const CONTEXT: &str = "yufu.views.block.v1";

/// A block as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The number of its first row.
    pub(crate) first: RowNumber,
    /// The record that its rows are of.
    pub(crate) seq: Seq,
    /// The record's stamp.
    pub(crate) at: Timestamp,
    /// Its rows, and the checksum.
    pub(crate) bytes: Vec<u8>,
}

/// A block that is being filled.
pub(crate) struct BlockBuilder {
    block: Block,
    rows: usize,
}

impl BlockBuilder {
    pub(crate) fn new(first: RowNumber, seq: Seq, at: Timestamp) -> Self {
        let bytes = Vec::with_capacity(MOST.saturating_mul(64));
        Self { block: Block { first, seq, at, bytes }, rows: 0 }
    }

    /// Appends a row; tells whether the block is full with it.
    pub(crate) fn push(&mut self, number: RowNumber, row: &Row) -> bool {
        row.write(number, &mut self.block.bytes);
        self.rows = self.rows.saturating_add(1);
        self.rows >= MOST
    }

    /// `None` if it is empty.
    pub(crate) fn finish(self) -> Option<Block> {
        let Self { mut block, rows } = self;
        let sum = block.checksum(&block.bytes);
        block.bytes.extend(sum);
        (rows > 0).then_some(block)
    }
}

impl Block {
    fn checksum(&self, rows: &[u8]) -> [u8; CHECKSUM] {
        let mut bytes = Vec::with_capacity(rows.len().saturating_add(24));
        bytes.extend(self.first.to_le_bytes());
        bytes.extend(self.seq.get().to_le_bytes());
        bytes.extend(self.at.millis().to_le_bytes());
        bytes.extend(rows);
        let Digest(digest) = Digest::derive(CONTEXT, &bytes);
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// Its rows, the first of which has the number [`Block::first`].
    pub(crate) fn rows(&self) -> Result<Vec<Row>, ViewError> {
        let damaged = || ViewError::Damaged(format!("the block of row {} was altered", self.first));
        let (rows, sum) = self.bytes.split_last_chunk::<CHECKSUM>().ok_or_else(damaged)?;
        if self.checksum(rows) != *sum {
            return Err(damaged());
        }
        let mut reader = Reader::new(rows);
        let mut read = Vec::with_capacity(MOST);
        for number in self.first.. {
            if reader.is_at_end() {
                break;
            }
            read.push(Row::read(number, &mut reader).ok_or_else(damaged)?);
        }
        Ok(read)
    }
}
