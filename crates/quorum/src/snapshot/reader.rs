//! Reading a snapshot, batch by batch, checking that it is whole.

use std::io;
use std::path::{Path, PathBuf};

use klamm_env::{Disk, OpenMode};
use klamm_metadata::ReplayError;
use klamm_metadata::records::MetadataRecord;

use crate::batch_reading::{BatchContents, BatchReadError, FileBatches};
use crate::control_records::ControlRecord;
use crate::voters::QuorumMembership;

/// Takes in what a snapshot says.
pub trait SnapshotVisitor {
    /// One metadata record.
    ///
    /// # Errors
    /// If it does not fit the ones before.
    fn record(&mut self, record: MetadataRecord) -> Result<(), ReplayError>;
}

/// What a snapshot says beside its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// Append time of the last batch that it covers, Unix milliseconds.
    pub last_contained_log_time_ms: i64,
    /// The quorum as of its end; the offset is not known from the file.
    pub membership: QuorumMembership,
    /// Size of the file.
    pub size_bytes: u64,
}

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The disk failed.
    #[error("reading {path} failed: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A batch is damaged.
    #[error("{path} is damaged: {source}")]
    Batch {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: BatchReadError,
    },
    /// The first record is no header, or the last no footer.
    #[error("{path} is no complete snapshot: {reason}")]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// What is missing.
        reason: &'static str,
    },
    /// A record does not fit the ones before it.
    #[error("{path} contradicts itself: {source}")]
    Replay {
        /// The file.
        path: PathBuf,
        /// The record.
        source: ReplayError,
    },
}

/// Reads the snapshot at `path` (Kafka's `RecordsSnapshotReader`). Blocks; run it offloaded.
///
/// # Errors
/// If it is not a whole snapshot; what `visitor` took until then is to be thrown away.
pub fn read_snapshot(
    disk: &Disk,
    path: &Path,
    visitor: &mut dyn SnapshotVisitor,
) -> Result<SnapshotSummary, SnapshotError> {
    let io_error = |source| SnapshotError::Io { path: path.to_owned(), source };
    let incomplete = |reason| SnapshotError::Incomplete { path: path.to_owned(), reason };
    let file = disk.open(path, OpenMode::Read).map_err(io_error)?;
    let size_bytes = file.len().map_err(io_error)?;
    let mut batches = FileBatches::new(file, 0, size_bytes);
    let mut header = None;
    let mut membership = QuorumMembership::default();
    let mut footer = false;
    while let Some(batch) = batches
        .next_batch()
        .map_err(|source| SnapshotError::Batch { path: path.to_owned(), source })?
    {
        if footer {
            return Err(incomplete("something follows the footer"));
        }
        match batch.contents {
            BatchContents::Control(records) => {
                for record in records {
                    match record {
                        ControlRecord::SnapshotHeader { last_contained_log_time_ms } => {
                            header = Some(last_contained_log_time_ms);
                        }
                        ControlRecord::SnapshotFooter => footer = true,
                        ControlRecord::KRaftVersion(level) => membership.kraft_version = level,
                        ControlRecord::Voters(voters) => membership.voters = voters,
                        ControlRecord::LeaderChange { .. } | ControlRecord::Unknown(_) => {}
                    }
                }
            }
            BatchContents::Data(records) => {
                for record in records {
                    visitor.record(record).map_err(|source| SnapshotError::Replay {
                        path: path.to_owned(),
                        source,
                    })?;
                }
            }
        }
        if header.is_none() {
            return Err(incomplete("it does not begin with a header"));
        }
    }
    if !footer {
        return Err(incomplete("it does not end with a footer"));
    }
    let last_contained_log_time_ms = header.ok_or_else(|| incomplete("it is empty"))?;
    Ok(SnapshotSummary { last_contained_log_time_ms, membership, size_bytes })
}
