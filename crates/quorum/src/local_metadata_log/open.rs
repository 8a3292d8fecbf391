//! Opening: recover the log, replay the newest snapshot and what follows it, begin a new epoch.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use klamm_env::{Disk, Env};
use klamm_metadata::{MetadataProvenance, ReplayError};
use klamm_record::{BrokerId, LeaderEpoch, Offset, TopicId, TopicPartition, Uuid};
use klamm_storage::log_config::LogConfigError;
use klamm_storage::log_manager::DeletionQueue;
use klamm_storage::producer_state::ProducerStateConfig;
use klamm_storage::{
    LoadArgs, LoadMode, LoadedLog, LogAppender, LogConfig, LogDirState, ReadArgs, ReadBound,
    ReadError, UnifiedLog, log_loader, partition_metadata_file,
};

use super::snapshots::{Snapshots, path_of};
use super::{LocalMetadataLog, LogVisitor, METADATA_LOG_DIR, METADATA_TOPIC};
use crate::batch_encoding::{BATCH_BYTES_MAX, BatchKind, BatchStamp, RawRecord, encode_batch};
use crate::batch_reading::{BatchContents, BatchReadError, FileBatches};
use crate::config::MetadataLogConfig;
use crate::control_records::ControlRecord;
use crate::metadata_log::MetadataLogError;
use crate::offset_and_epoch::OffsetAndEpoch;
use crate::quorum_state::{QuorumState, QuorumStateError, QuorumStateLayout};
use crate::snapshot::{SnapshotError, read_snapshot};
use crate::voters::{KRAFT_VERSION_STATIC, QuorumMembership};

/// Bytes of the log that are looked at in one step when it is replayed.
const READ_BYTES: u64 = 64 << 20;

/// Where the log is and whose it is.
#[derive(Clone)]
pub struct OpenArgs {
    /// The outside world.
    pub env: Env,
    /// `metadata.log.dir`: the directory that holds `__cluster_metadata-0`.
    pub metadata_dir: PathBuf,
    /// This node.
    pub node_id: BrokerId,
    /// The configuration.
    pub config: MetadataLogConfig,
}

/// Why the log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk failed.
    #[error("opening the metadata log failed: {0}")]
    Log(String),
    /// The election state cannot be read.
    #[error(transparent)]
    QuorumState(#[from] QuorumStateError),
    /// No snapshot that can be read covers what the log no longer has.
    #[error(
        "the metadata log begins at offset {log_start}, and no snapshot covers what was before: {reason}"
    )]
    NoSnapshot {
        /// First offset of the log.
        log_start: Offset,
        /// What is wrong with the newest.
        reason: String,
    },
    /// A batch of the log cannot be read.
    #[error("the metadata log cannot be read at offset {offset}: {source}")]
    Batch {
        /// Where.
        offset: Offset,
        /// What is wrong.
        source: BatchReadError,
    },
    /// A record of the log does not fit the ones before it.
    #[error("the metadata log contradicts itself at offset {offset}: {source}")]
    Replay {
        /// Where.
        offset: Offset,
        /// What is wrong.
        source: ReplayError,
    },
    /// The directory belongs to another topic.
    #[error(
        "partition.metadata of the metadata log names topic {found}, not {}",
        Uuid::METADATA_TOPIC
    )]
    TopicId {
        /// What it says.
        found: TopicId,
    },
    /// Others vote too.
    #[error("the metadata log has the voters {voters:?}: node {node_id} alone cannot decide")]
    OtherVoters {
        /// Who votes.
        voters: Vec<i32>,
        /// This node.
        node_id: BrokerId,
    },
    /// The new epoch could not be written.
    #[error(transparent)]
    Append(#[from] MetadataLogError),
}

impl LocalMetadataLog {
    /// Opens the log, shows `visitor` all that it says, and begins a new epoch in which this node leads. `visitor` comes back
    /// with it. The LeaderChange record is the last thing shown to it.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing of the log is given up then.
    pub async fn open<V: LogVisitor + Send + 'static>(
        args: OpenArgs,
        mut visitor: V,
    ) -> Result<(Self, V), OpenError> {
        let now_ms = args.env.clock().now_ms();
        let env = args.env.clone();
        let opened = env.offload("open-metadata-log", move || {
            replay(&args, &mut visitor, now_ms).map(|replayed| (args, visitor, replayed))
        });
        let (args, visitor, replayed) = opened.await?;
        let epoch = next_epoch(&args, &replayed)?;
        let mut log = Self {
            dir: args.metadata_dir.join(METADATA_LOG_DIR),
            env: args.env,
            node_id: args.node_id,
            config: args.config,
            epoch,
            membership: replayed.membership,
            snapshots: replayed.snapshots,
            log: replayed.log,
            appender: Some(replayed.appender),
            deletions: replayed.deletions,
            bytes_behind_snapshot: replayed.bytes_behind_snapshot,
        };
        let mut visitor = visitor;
        log.begin_epoch(&mut visitor, now_ms).await?;
        log.clean(now_ms).await?;
        Ok((log, visitor))
    }

    /// Notes the epoch in `quorum-state`, then in the log.
    async fn begin_epoch(
        &mut self,
        visitor: &mut impl LogVisitor,
        now_ms: i64,
    ) -> Result<(), OpenError> {
        let voters = self.membership.voter_ids(self.node_id);
        if !self.membership.is_single(self.node_id) {
            let voters = voters.iter().map(|voter| voter.0).collect();
            return Err(OpenError::OtherVoters { voters, node_id: self.node_id });
        }
        let layout = match self.membership.kraft_version {
            KRAFT_VERSION_STATIC => QuorumStateLayout::V0 { voters: voters.clone() },
            _ => QuorumStateLayout::V1,
        };
        let state = QuorumState::leading(self.node_id, self.epoch, layout);
        let (disk, dir) = (self.env.disk().clone(), self.dir.clone());
        let written = self.env.offload("write-quorum-state", move || state.write(&disk, &dir));
        written.await.map_err(|error| OpenError::Log(error.to_string()))?;
        let epoch = self.epoch;
        let assigned = self.with_appender("begin-metadata-epoch", move |appender| {
            appender.assign_leader_epoch(epoch)
        });
        assigned.await?;
        let mut records = vec![ControlRecord::LeaderChange {
            leader: self.node_id,
            voters: voters.clone(),
            granting: voters,
        }];
        let dynamic = self.membership.kraft_version > KRAFT_VERSION_STATIC;
        let first = self.log.log_end_offset();
        if dynamic && self.membership.offset == Offset::NONE {
            // Only the format step's snapshot says it: from now on the log does (Kafka's `LeaderState`).
            records.push(ControlRecord::KRaftVersion(self.membership.kraft_version));
            records.push(ControlRecord::Voters(self.membership.voters.clone()));
            self.membership.offset = first + 2;
        }
        let count = i64::try_from(records.len()).expect("three at most");
        self.append_bytes(vec![control_batch(&records, now_ms)], now_ms).await?;
        visitor.end_batch(MetadataProvenance {
            last_contained_offset: first + (count - 1),
            last_contained_epoch: self.epoch,
            last_contained_log_time_ms: now_ms,
        });
        Ok(())
    }
}

fn control_batch(records: &[ControlRecord], now_ms: i64) -> Bytes {
    let raw: Vec<RawRecord> = records.iter().map(ControlRecord::encode).collect();
    encode_batch(BatchStamp::unplaced(BatchKind::Control, now_ms), &raw)
}

/// One above every epoch that was ever seen here.
fn next_epoch(args: &OpenArgs, replayed: &Replayed) -> Result<LeaderEpoch, OpenError> {
    let dir = args.metadata_dir.join(METADATA_LOG_DIR);
    let voted = QuorumState::read(args.env.disk(), &dir)?.map_or(0, |state| state.leader_epoch.0);
    let written = replayed.log.latest_epoch().map_or(0, |epoch| epoch.0);
    let snapshot = replayed.snapshots.latest().map_or(0, |id| id.epoch.0);
    Ok(LeaderEpoch(voted.max(written).max(snapshot) + 1))
}

struct Replayed {
    log: Arc<UnifiedLog>,
    appender: LogAppender,
    deletions: Arc<DeletionQueue>,
    snapshots: Snapshots,
    membership: QuorumMembership,
    bytes_behind_snapshot: u64,
}

fn replay(
    args: &OpenArgs,
    visitor: &mut dyn LogVisitor,
    now_ms: i64,
) -> Result<Replayed, OpenError> {
    let dir = args.metadata_dir.join(METADATA_LOG_DIR);
    let disk = args.env.disk();
    let failed = |error: &dyn std::fmt::Display| OpenError::Log(error.to_string());
    let deletions = Arc::new(DeletionQueue::default());
    let LoadedLog { log, mut appender, .. } = open_log(args, &dir, Arc::clone(&deletions))?;
    let mut snapshots =
        Snapshots::recover(disk, &dir, log.log_start_offset()).map_err(|error| failed(&error))?;
    let mut membership = load_snapshot(disk, &dir, &log, &mut snapshots, visitor)?;
    if let Some(id) = snapshots.latest()
        && id.offset > log.log_end_offset()
    {
        // The snapshot came from another node, and the log did not follow.
        let emptied = appender.truncate_fully_and_start_at(id.offset, None, now_ms);
        // this log has no recovery point: it is scanned from its beginning at every start
        let _ = emptied.map_err(|error| failed(&error))?;
    }
    let from = snapshots.latest().map_or(log.log_start_offset(), |id| id.offset);
    let bytes_behind_snapshot = replay_log(&log, from, &mut membership, visitor)?;
    log.set_high_watermark(log.log_end_offset());
    Ok(Replayed { log, appender, deletions, snapshots, membership, bytes_behind_snapshot })
}

/// Shows the newest snapshot that can be read, and drops newer ones that cannot.
fn load_snapshot(
    disk: &Disk,
    dir: &Path,
    log: &UnifiedLog,
    snapshots: &mut Snapshots,
    visitor: &mut dyn LogVisitor,
) -> Result<QuorumMembership, OpenError> {
    let log_start = log.log_start_offset();
    let mut trouble = "there is none".to_owned();
    while let Some(id) = snapshots.latest() {
        match read_one(disk, dir, id, visitor) {
            Ok(membership) => return Ok(membership),
            Err(error) => {
                tracing::error!(snapshot = ?id, error = %error, "snapshot cannot be used");
                trouble = error.to_string();
                snapshots.remove(id);
            }
        }
    }
    if log_start > Offset::ZERO {
        return Err(OpenError::NoSnapshot { log_start, reason: trouble });
    }
    visitor.begin_snapshot(MetadataProvenance::EMPTY);
    Ok(QuorumMembership::default())
}

fn read_one(
    disk: &Disk,
    dir: &Path,
    id: OffsetAndEpoch,
    visitor: &mut dyn LogVisitor,
) -> Result<QuorumMembership, SnapshotError> {
    visitor.begin_snapshot(MetadataProvenance {
        last_contained_offset: id.offset - 1,
        last_contained_epoch: id.epoch,
        last_contained_log_time_ms: -1,
    });
    let summary = read_snapshot(disk, &path_of(dir, id), visitor)?;
    if id != OffsetAndEpoch::BOOTSTRAP {
        visitor.end_batch(MetadataProvenance {
            last_contained_offset: id.offset - 1,
            last_contained_epoch: id.epoch,
            last_contained_log_time_ms: summary.last_contained_log_time_ms,
        });
    }
    Ok(QuorumMembership { offset: id.offset - 1, ..summary.membership })
}

fn replay_log(
    log: &UnifiedLog,
    from: Offset,
    membership: &mut QuorumMembership,
    visitor: &mut dyn LogVisitor,
) -> Result<u64, OpenError> {
    let mut next = from;
    let mut bytes = 0;
    while next < log.log_end_offset() {
        let args = ReadArgs {
            offset: next,
            max_bytes: READ_BYTES,
            at_least_one: true,
            bound: ReadBound::LogEnd,
        };
        let read = log.read(args).map_err(|error: ReadError| OpenError::Log(error.to_string()))?;
        let slice = read.slice;
        let before = next;
        let mut batches =
            FileBatches::new(slice.file.clone(), slice.position, slice.position + slice.length);
        loop {
            let batch = match batches.next_batch() {
                Ok(Some(batch)) => batch,
                Ok(None) => break,
                // A slice may end within a batch; the next one begins with it.
                Err(BatchReadError::CutOff { .. }) if next > before => break,
                Err(source) => return Err(OpenError::Batch { offset: next, source }),
            };
            let header = batch.header;
            if header.last_offset() < next {
                continue;
            }
            bytes += header.size_bytes() as u64;
            show(batch.contents, header.base_offset, membership, visitor)?;
            next = header.next_offset();
            visitor.end_batch(MetadataProvenance {
                last_contained_offset: header.last_offset(),
                last_contained_epoch: header.partition_leader_epoch,
                last_contained_log_time_ms: header.max_timestamp_ms,
            });
        }
        if next == before {
            return Err(OpenError::Log(format!("offset {next} of the metadata log is missing")));
        }
    }
    Ok(bytes)
}

fn show(
    contents: BatchContents,
    base: Offset,
    membership: &mut QuorumMembership,
    visitor: &mut dyn LogVisitor,
) -> Result<(), OpenError> {
    match contents {
        BatchContents::Data(records) => {
            for (delta, record) in (0..).zip(records) {
                let offset = base + delta;
                visitor
                    .log_record(record, offset)
                    .map_err(|source| OpenError::Replay { offset, source })?;
            }
        }
        BatchContents::Control(records) => {
            for (delta, record) in (0..).zip(records) {
                match record {
                    ControlRecord::KRaftVersion(level) => membership.kraft_version = level,
                    ControlRecord::Voters(voters) => membership.voters = voters,
                    _ => continue,
                }
                membership.offset = base + delta;
            }
        }
    }
    Ok(())
}

/// Opens the log itself. It is scanned from its beginning at every start, as Kafka does: it is read whole anyway.
fn open_log(
    args: &OpenArgs,
    dir: &Path,
    deletions: Arc<DeletionQueue>,
) -> Result<LoadedLog, OpenError> {
    let disk = args.env.disk();
    let failed = |error: &dyn std::fmt::Display| OpenError::Log(error.to_string());
    let topic_id = TopicId(Uuid::METADATA_TOPIC);
    disk.create_dir_all(dir).map_err(|error| failed(&error))?;
    match partition_metadata_file::read(disk, dir).map_err(|error| failed(&error))? {
        Some(found) if found != topic_id => return Err(OpenError::TopicId { found }),
        Some(_) => {}
        None => {
            partition_metadata_file::write(disk, dir, topic_id).map_err(|error| failed(&error))?;
        }
    }
    let config = log_config(&args.config).map_err(|error| failed(&error))?;
    let loaded = log_loader::load(LoadArgs {
        env: args.env.clone(),
        dir: dir.to_owned(),
        topic_partition: TopicPartition::new(METADATA_TOPIC, 0),
        topic_id: Some(topic_id),
        config: Arc::new(config),
        log_start_offset: Offset::ZERO,
        recovery_point: Offset::ZERO,
        high_watermark: Offset::ZERO,
        mode: LoadMode::Unclean,
        producer_state: ProducerStateConfig::default(),
        dir_state: Arc::new(LogDirState::new(args.metadata_dir.clone())),
        deletions,
        flush_seconds: None,
    });
    loaded.map_err(|error| failed(&error))
}

/// No retention but what snapshots allow, and batches as large as the controller makes them (`KafkaRaftLog.createLog`).
fn log_config(config: &MetadataLogConfig) -> Result<LogConfig, LogConfigError> {
    let segment_bytes = config.segment_bytes.to_string();
    let segment_ms = config.segment_ms.to_string();
    let max_message_bytes = BATCH_BYTES_MAX.to_string();
    LogConfig::from_values(|key| match key {
        "segment.bytes" => Some(segment_bytes.as_str()),
        "segment.ms" => Some(segment_ms.as_str()),
        "max.message.bytes" => Some(max_message_bytes.as_str()),
        "retention.ms" | "retention.bytes" => Some("-1"),
        _ => None,
    })
}
