//! A batch that has been checked and is ready to be appended.

use bytes::{Bytes, BytesMut};

use super::header::HEADER_BYTES;
use super::{BatchError, BatchHeader};

/// One batch that passed its checks. The header is owned, because base offset, leader epoch and timestamps are patched in it;
/// the body is a view of the bytes as they were received, never copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidBatch {
    /// The header; `crc` always matches.
    pub header: BatchHeader,
    /// The records as stored, compressed or not.
    pub body: Bytes,
    /// Largest timestamp of the batch, Unix ms; −1 if none.
    pub max_timestamp_ms: i64,
    /// Offset of the first record that has it, minus the base offset. Where records were not walked, that of the last record.
    pub offset_delta_of_max_timestamp: i32,
}

impl ValidBatch {
    /// Takes over one batch from a source that checks its own records: coordinators, the metadata log, a leader.
    ///
    /// # Errors
    /// If the bytes are not exactly one batch, or the CRC does not match.
    pub fn trusted(bytes: Bytes) -> Result<Self, BatchError> {
        let header = BatchHeader::decode(&bytes)?;
        let size = header.size_bytes();
        if bytes.len() < size {
            return Err(BatchError::Truncated { needed: size, available: bytes.len() });
        }
        if bytes.len() > size {
            return Err(BatchError::RecordsRemaining);
        }
        let body = bytes.slice(HEADER_BYTES..);
        let computed = crc32c::crc32c_append(header.crc_of_header(), &body);
        if computed != header.crc {
            return Err(BatchError::CrcMismatch { stored: header.crc, computed });
        }
        Ok(Self::new(header, body))
    }

    pub(crate) fn new(header: BatchHeader, body: Bytes) -> Self {
        Self {
            header,
            body,
            max_timestamp_ms: header.max_timestamp_ms,
            offset_delta_of_max_timestamp: header.last_offset_delta,
        }
    }

    /// Size of the whole batch in bytes.
    pub fn size_bytes(&self) -> usize {
        HEADER_BYTES + self.body.len()
    }

    /// Header and body in one piece; copies the body, so not for the hot path.
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.size_bytes());
        bytes.extend_from_slice(&self.header.encode());
        bytes.extend_from_slice(&self.body);
        bytes.freeze()
    }
}
