//! `MetadataLog`: the replicated log of metadata records, as the controller sees it.

use std::future::Future;
use std::io;
use std::sync::Arc;

use klamm_metadata::MetadataImage;
use klamm_record::{LeaderEpoch, Offset};

use crate::batch_encoding::PreparedBatch;
use crate::offset_and_epoch::OffsetAndEpoch;
use crate::snapshot::SnapshotWriteError;

/// The log of metadata records (Kafka's `RaftClient`, from the leader's side).
///
/// One owner appends; what an append returned for is committed and survives. On one node the log itself is
/// the implementation; several controllers get one over openraft, and one that follows another quorum is thought of.
pub trait MetadataLog: Send + 'static {
    /// The epoch in which this node leads.
    fn leader_epoch(&self) -> LeaderEpoch;

    /// Offset of the next record.
    fn end_offset(&self) -> Offset;

    /// Appends batches in order and waits until all of them are committed.
    ///
    /// Not cancel safe: run it to its end.
    ///
    /// # Errors
    /// None of the batches counts as committed then. See [`MetadataLogError::is_fatal`] for what follows.
    fn append(
        &mut self,
        batches: &[PreparedBatch],
        now_ms: i64,
    ) -> impl Future<Output = Result<(), MetadataLogError>> + Send;

    /// Writes a snapshot of `image`, which must be as of the end of a committed batch. Appends may go on meanwhile.
    fn write_snapshot(
        &self,
        image: Arc<MetadataImage>,
        now_ms: i64,
    ) -> impl Future<Output = Result<OffsetAndEpoch, SnapshotWriteError>> + Send + 'static;

    /// Notes that a snapshot is there, and removes what it makes superfluous under the retention limits.
    ///
    /// # Errors
    /// If the disk fails; always fatal.
    fn snapshot_written(
        &mut self,
        id: OffsetAndEpoch,
        now_ms: i64,
    ) -> impl Future<Output = Result<(), MetadataLogError>> + Send;

    /// Brings everything to the disk and closes the files.
    ///
    /// # Errors
    /// If the disk fails.
    fn close(self, now_ms: i64) -> impl Future<Output = Result<(), MetadataLogError>> + Send;
}

/// Why the log did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MetadataLogError {
    /// There is no room on the disk. Nothing was appended; it may be tried again.
    #[error("no space left for the metadata log: {0}")]
    DiskFull(String),
    /// The log cannot be trusted with anything any more.
    #[error("the metadata log failed: {0}")]
    Failed(String),
}

impl MetadataLogError {
    /// Whether the node must stop: it could not tell any longer what is committed.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    pub(crate) fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    pub(crate) fn from_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull(error.to_string())
            }
            _ => Self::Failed(error.to_string()),
        }
    }
}
