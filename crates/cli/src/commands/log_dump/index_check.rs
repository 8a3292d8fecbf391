//! Compares index entries with the `.log` beside them.

use std::io;

use klamm_env::File;
use klamm_record::BatchHeader;
use klamm_record::batch::HEADER_BYTES;
use klamm_storage::offset_index::OffsetPosition;
use klamm_storage::time_index::TimestampOffset;
use klamm_storage::transaction_index::AbortedTxn;

use super::batch_reader::{BatchReader, FoundBatch};

/// What an entry says that the log does not.
#[derive(Debug, thiserror::Error)]
pub enum Mismatch {
    /// Nothing at the position, or no batch.
    #[error("no batch begins at byte {position} of the log: {reason}")]
    NoBatch {
        /// Where the entry points.
        position: u64,
        /// What is there.
        reason: String,
    },
    /// Another batch.
    #[error("the batch at byte {position} of the log holds offsets {base_offset} to {last_offset}")]
    OtherOffsets {
        /// Where the entry points.
        position: u64,
        /// First offset of that batch.
        base_offset: i64,
        /// Last offset of that batch.
        last_offset: i64,
    },
    /// The log ends before the entry's offset, or has a hole there.
    #[error("the log has no batch with this offset")]
    NoSuchOffset,
    /// Another largest timestamp.
    #[error("the largest timestamp up to this offset is {found}")]
    OtherTimestamp {
        /// What the log says.
        found: i64,
    },
    /// No marker of this producer.
    #[error("there is no transaction marker of this producer at the last offset")]
    NoMarker,
    /// The log cannot be read so far.
    #[error("the log cannot be read up to this offset: {0}")]
    Unreadable(String),
}

/// Looks up single batches.
pub struct LogLookup {
    log: File,
}

impl LogLookup {
    /// Over this log.
    pub fn new(log: File) -> LogLookup {
        LogLookup { log }
    }

    /// Checks that a batch begins where the entry says and ends with its offset.
    ///
    /// # Errors
    /// If it does not.
    pub fn check(&self, entry: &OffsetPosition) -> Result<(), Mismatch> {
        let position = u64::from(entry.position);
        let no_batch = |reason: String| Mismatch::NoBatch { position, reason };
        let mut bytes = [0; HEADER_BYTES];
        let read = self.log.read_exact_at(&mut bytes, position);
        read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => no_batch("the log is shorter".to_owned()),
            _ => no_batch(error.to_string()),
        })?;
        let header = BatchHeader::decode(&bytes).map_err(|error| no_batch(error.to_string()))?;
        if header.last_offset() == entry.offset {
            return Ok(());
        }
        let (base_offset, last_offset) = (header.base_offset.0, header.last_offset().0);
        Err(Mismatch::OtherOffsets { position, base_offset, last_offset })
    }
}

/// Walks through the log alongside an index whose offsets rise.
pub struct LogCheck {
    log: Result<BatchReader, String>,
    current: Option<FoundBatch>,
    largest_timestamp: i64,
}

impl LogCheck {
    /// From the start of this log.
    pub fn new(log: File) -> LogCheck {
        let log = BatchReader::new(log).map_err(|error| error.to_string());
        LogCheck { log, current: None, largest_timestamp: -1 }
    }

    /// Checks that the timestamp is the largest up to the entry's offset.
    ///
    /// # Errors
    /// If it is not.
    pub fn check_time(&mut self, entry: &TimestampOffset) -> Result<(), Mismatch> {
        self.advance_to(entry.offset.0)?;
        let found = self.largest_timestamp;
        if found == entry.timestamp_ms { Ok(()) } else { Err(Mismatch::OtherTimestamp { found }) }
    }

    /// Checks that a marker of the producer stands at the transaction's last offset.
    ///
    /// # Errors
    /// If none does.
    pub fn check_aborted(&mut self, entry: &AbortedTxn) -> Result<(), Mismatch> {
        let batch = self.advance_to(entry.last_offset.0)?;
        let is_marker = batch.header.is_control() && batch.header.producer_id == entry.producer_id;
        if is_marker { Ok(()) } else { Err(Mismatch::NoMarker) }
    }

    /// The batch that holds an offset.
    fn advance_to(&mut self, offset: i64) -> Result<FoundBatch, Mismatch> {
        loop {
            if let Some(batch) = self.current
                && batch.header.last_offset().0 >= offset
            {
                let holds = batch.header.base_offset.0 <= offset;
                return if holds { Ok(batch) } else { Err(Mismatch::NoSuchOffset) };
            }
            let log = self.log.as_mut().map_err(|error| Mismatch::Unreadable(error.clone()))?;
            match log.next_batch() {
                Ok(Some(batch)) => {
                    self.largest_timestamp =
                        self.largest_timestamp.max(batch.header.max_timestamp_ms);
                    self.current = Some(batch);
                }
                Ok(None) => return Err(Mismatch::NoSuchOffset),
                Err(fault) => {
                    let reason = fault.to_string();
                    self.log = Err(reason.clone());
                    return Err(Mismatch::Unreadable(reason));
                }
            }
        }
    }
}
