//! What is asked of an append and what it answers.

use klamm_record::{LeaderEpoch, Offset, ProducerId, ValidBatch};

use crate::producer_state::{Origin, ProducerStateError};

/// One batch to append, and its answer.
#[derive(Debug)]
pub struct AppendItem {
    /// The batch; base offset and leader epoch are patched in its header.
    pub batch: ValidBatch,
    /// Who wrote it.
    pub origin: Origin,
    /// Epoch of the leader that appends. For [`Origin::Replication`] the epoch this replica follows under: batches of a
    /// higher one are skipped.
    pub leader_epoch: LeaderEpoch,
    /// The answer. An item that already has one is passed over, so that a call can be repeated after a roll.
    pub result: Option<Result<AppendInfo, AppendError>>,
}

impl AppendItem {
    /// An item without an answer.
    pub fn new(batch: ValidBatch, origin: Origin, leader_epoch: LeaderEpoch) -> Self {
        Self { batch, origin, leader_epoch, result: None }
    }
}

/// Where a batch went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendInfo {
    /// Offset of its first record.
    pub base_offset: Offset,
    /// Offset of its last record (inclusive).
    pub last_offset: Offset,
    /// Largest timestamp of the batch, Unix ms; −1 if it has none. For a duplicate that of the original.
    pub max_timestamp_ms: i64,
    /// First offset of the log at the time of the append.
    pub log_start_offset: Offset,
    /// True if the batch was there already: the offsets are those it got then, and nothing was written.
    pub duplicate: bool,
}

/// How far an append came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Every item has its answer.
    Done,
    /// The items before `at` have their answers. Call [`super::LogAppender::roll`], then append again.
    NeedsRoll {
        /// Index of the first item that did not fit.
        at: usize,
    },
}

/// Why a batch was not appended. Nothing of it is in the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The idempotence or transaction rules forbid it.
    #[error(transparent)]
    Producer(#[from] ProducerStateError),
    /// Larger than `segment.bytes`, so that it fits no segment.
    #[error(
        "Message batch size is {batch_bytes} bytes in append, which exceeds the maximum configured segment size of {segment_bytes}."
    )]
    BatchTooLarge {
        /// Size of the batch.
        batch_bytes: u64,
        /// The limit.
        segment_bytes: u64,
    },
    /// A replicated batch begins below the log end.
    #[error(
        "Unexpected offset in append: first offset {base_offset} is less than the next offset {next_offset}"
    )]
    UnexpectedOffset {
        /// As the leader sent it.
        base_offset: Offset,
        /// Where the log goes on.
        next_offset: Offset,
    },
    /// A replicated batch carries a later epoch than the one this replica follows under.
    #[error("leader epoch {batch_epoch} of the batch is above the current one, {current_epoch}")]
    HigherLeaderEpoch {
        /// In the batch.
        batch_epoch: LeaderEpoch,
        /// Of this replica.
        current_epoch: LeaderEpoch,
    },
    /// A control batch without a readable marker.
    #[error("control batch of producer {producer_id} holds no end-of-transaction marker")]
    BadMarker {
        /// Whose transaction it should end.
        producer_id: ProducerId,
    },
    /// The write failed; the log was cut back to its former end.
    #[error("writing to the log failed: {0}")]
    Io(IoFault),
    /// The log or its directory failed before; nothing is written any more.
    #[error("the log is offline: {0}")]
    Offline(String),
}

/// An I/O error that several items share.
#[derive(Debug, Clone)]
pub struct IoFault {
    /// Its kind, for those who treat a full disk in a different way.
    pub kind: std::io::ErrorKind,
    /// As the system says it.
    pub message: String,
}

impl From<&std::io::Error> for IoFault {
    fn from(error: &std::io::Error) -> Self {
        Self { kind: error.kind(), message: error.to_string() }
    }
}

impl From<std::io::Error> for IoFault {
    fn from(error: std::io::Error) -> Self {
        Self::from(&error)
    }
}

impl std::fmt::Display for IoFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
