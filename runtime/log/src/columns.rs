//! Numbers and digests as the databases hold them, and back.

use crate::LogError;
use yufu_base::Digest;

pub(crate) fn digest(seq: u64, chain: &[u8]) -> Result<Digest, LogError> {
    let malformed = |_| {
        LogError::Malformed(format!(
            "record {seq} has a chain value of {} bytes, not 32",
            chain.len()
        ))
    };
    chain.try_into().map(Digest).map_err(malformed)
}

pub(crate) fn signed(number: u64) -> Result<i64, LogError> {
    i64::try_from(number).map_err(|_| LogError::Malformed(format!("{number} is out of range")))
}

pub(crate) fn unsigned(number: i64) -> Result<u64, LogError> {
    u64::try_from(number).map_err(|_| LogError::Malformed(format!("{number} is out of range")))
}
