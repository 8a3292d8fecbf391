//! `LocalMetadataLog`: the metadata log of a node that is its only controller. It needs no consensus: it is the log itself.
//!
//! `<metadata dir>/__cluster_metadata-0` is Kafka's, file by file. Each start begins a new epoch: `quorum-state` says so
//! first, then a LeaderChange record does. What an append returned for has been synced.
//!
//! Invariant: the log begins at offset 0 or is covered from its start by a snapshot.
//!
//! Does not know: what records mean beyond where they stand.

mod append;
mod open;
mod retention;
mod snapshots;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use klamm_env::Env;
use klamm_metadata::records::MetadataRecord;
use klamm_metadata::{MetadataImage, MetadataProvenance, ReplayError};
use klamm_record::{BrokerId, LeaderEpoch, Offset};
use klamm_storage::log_manager::DeletionQueue;
use klamm_storage::{LogAppender, UnifiedLog};

pub use open::{OpenArgs, OpenError};

use crate::batch_encoding::PreparedBatch;
use crate::config::MetadataLogConfig;
use crate::metadata_log::{MetadataLog, MetadataLogError};
use crate::offset_and_epoch::OffsetAndEpoch;
use crate::snapshot::{SnapshotHeader, SnapshotVisitor, SnapshotWriteError, write_snapshot};
use crate::voters::QuorumMembership;
use snapshots::Snapshots;

/// Name of the topic that the metadata log is.
pub const METADATA_TOPIC: &str = "__cluster_metadata";
/// Name of the metadata log's directory.
pub const METADATA_LOG_DIR: &str = "__cluster_metadata-0";

/// Takes in what the log says when it is opened, in order.
pub trait LogVisitor: SnapshotVisitor {
    /// A snapshot that ends at `end` follows: what was said before does not count.
    fn begin_snapshot(&mut self, end: MetadataProvenance);

    /// One metadata record of the log.
    ///
    /// # Errors
    /// If it does not fit the ones before.
    fn log_record(&mut self, record: MetadataRecord, offset: Offset) -> Result<(), ReplayError>;

    /// The end of a batch, control batches included.
    fn end_batch(&mut self, end: MetadataProvenance);
}

/// The metadata log on the disk of this node (Kafka's `KafkaRaftLog`, led by itself).
pub struct LocalMetadataLog {
    env: Env,
    dir: PathBuf,
    node_id: BrokerId,
    config: MetadataLogConfig,
    epoch: LeaderEpoch,
    membership: QuorumMembership,
    snapshots: Snapshots,
    log: Arc<UnifiedLog>,
    /// Absent only while it is lent to an offloaded step; and for good if that step failed.
    appender: Option<LogAppender>,
    /// Segments that were cut off; nobody reads them any more.
    deletions: Arc<DeletionQueue>,
    /// Bytes of the log that the newest snapshot does not cover, as found when it was opened.
    bytes_behind_snapshot: u64,
}

impl LocalMetadataLog {
    /// Bytes of records behind the newest snapshot when the log was opened.
    pub fn bytes_behind_snapshot(&self) -> u64 {
        self.bytes_behind_snapshot
    }

    /// What the log says of the quorum.
    pub fn membership(&self) -> &QuorumMembership {
        &self.membership
    }

    /// The log, for those who read it.
    pub fn log(&self) -> &Arc<UnifiedLog> {
        &self.log
    }
}

impl MetadataLog for LocalMetadataLog {
    fn leader_epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    fn end_offset(&self) -> Offset {
        self.log.log_end_offset()
    }

    async fn append(
        &mut self,
        batches: &[PreparedBatch],
        now_ms: i64,
    ) -> Result<(), MetadataLogError> {
        let batches = batches.iter().map(|batch| batch.bytes.clone()).collect();
        self.append_bytes(batches, now_ms).await
    }

    fn write_snapshot(
        &self,
        image: Arc<MetadataImage>,
        now_ms: i64,
    ) -> impl Future<Output = Result<OffsetAndEpoch, SnapshotWriteError>> + Send + 'static {
        let provenance = image.provenance;
        let id = OffsetAndEpoch {
            offset: provenance.last_contained_offset + 1,
            epoch: provenance.last_contained_epoch,
        };
        let header = SnapshotHeader {
            epoch: id.epoch,
            last_contained_log_time_ms: provenance.last_contained_log_time_ms,
            membership: self.membership.clone(),
            now_ms,
        };
        let (disk, dir) = (self.env.disk().clone(), self.dir.clone());
        self.env.offload("metadata-snapshot", move || {
            let version = image.features.metadata_version_or_minimum();
            let records = image.to_records(version);
            write_snapshot(&disk, &dir, id, header, (&records, version)).map(|_| id)
        })
    }

    async fn snapshot_written(
        &mut self,
        id: OffsetAndEpoch,
        now_ms: i64,
    ) -> Result<(), MetadataLogError> {
        self.snapshots.add(id);
        self.clean(now_ms).await
    }

    async fn close(mut self, _now_ms: i64) -> Result<(), MetadataLogError> {
        self.with_appender("close-metadata-log", |appender| appender.close()).await
    }
}

impl LocalMetadataLog {
    /// Runs a step that may block with the appender, elsewhere.
    async fn with_appender<R: Send + 'static>(
        &mut self,
        name: &'static str,
        step: impl FnOnce(&mut LogAppender) -> std::io::Result<R> + Send + 'static,
    ) -> Result<R, MetadataLogError> {
        let gone = || MetadataLogError::Failed("an earlier step on the log did not end".to_owned());
        let mut appender = self.appender.take().ok_or_else(gone)?;
        let offloaded = self.env.offload(name, move || {
            let result = step(&mut appender);
            (appender, result)
        });
        let (appender, result) = offloaded.await;
        self.appender = Some(appender);
        result.map_err(|error| MetadataLogError::from_io(&error))
    }
}
