//! Opening a replica directory, ours or Kafka's, after a clean stop or a crash (Kafka's `LogLoader`).
//!
//! After a clean stop nothing is scanned. After a crash every segment from the recovery point on is read, checked and indexed
//! anew; at the first unsound batch the log ends. What compaction or deletion left half done is finished or undone.
//!
//! Everything here blocks on the disk and belongs under `Env::offload`.

mod leftovers;
mod producer_state;
mod recent_batches;
mod recovery;
mod segments;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use klamm_env::Env;
use klamm_record::{Offset, TopicId, TopicPartition};
use prometheus_client::metrics::histogram::Histogram;

pub(crate) use producer_state::rebuild_producer_state;

use crate::checkpoint_file::CheckpointReadError;
use crate::leader_epoch_cache::{LeaderEpochCache, LeaderEpochCheckpointFile};
use crate::log_appender::LogAppender;
use crate::log_config::LogConfig;
use crate::log_dir_state::LogDirState;
use crate::log_manager::DeletionQueue;
use crate::log_segment::{LogSegment, SegmentOptions};
use crate::producer_state::{ProducerStateConfig, ProducerStateManager};
use crate::segment_list::SegmentList;
use crate::unified_log::{LoadedState, UnifiedLog};

/// How the directory was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadMode {
    /// Its log dir had the marker of a clean stop: files are taken as they are.
    Clean,
    /// It had none: everything from the recovery point on is checked.
    Unclean,
}

/// What to open.
pub struct LoadArgs {
    /// Clock, disk, randomness.
    pub env: Env,
    /// The replica's directory; made if missing.
    pub dir: PathBuf,
    /// Whose log it is.
    pub topic_partition: TopicPartition,
    /// The topic's id, if it is known to the caller.
    pub topic_id: Option<TopicId>,
    /// The topic configuration.
    pub config: Arc<LogConfig>,
    /// From `log-start-offset-checkpoint`; 0 if it is not there.
    pub log_start_offset: Offset,
    /// From `recovery-point-offset-checkpoint`; 0 if it is not there.
    pub recovery_point: Offset,
    /// From `replication-offset-checkpoint`; 0 if it is not there.
    pub high_watermark: Offset,
    /// How it was left.
    pub mode: LoadMode,
    /// Expiry of producers.
    pub producer_state: ProducerStateConfig,
    /// State of the log dir it lies in.
    pub dir_state: Arc<LogDirState>,
    /// Who unlinks files that are no longer needed.
    pub deletions: Arc<DeletionQueue>,
    /// Where the seconds of its flushes are counted, if anywhere.
    pub flush_seconds: Option<Histogram>,
}

/// An open log and the right to write it.
#[derive(Debug)]
pub struct LoadedLog {
    /// For everybody.
    pub log: Arc<UnifiedLog>,
    /// For one.
    pub appender: LogAppender,
    /// What was done to open it.
    pub report: LoadReport,
}

/// What opening did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoadReport {
    /// Segments there are.
    pub segments: usize,
    /// Segments that were scanned.
    pub recovered_segments: usize,
    /// Bytes that were scanned.
    pub scanned_bytes: u64,
    /// Bytes cut off because they were no sound batches.
    pub truncated_bytes: u64,
    /// Segments removed because they lay behind damage or a gap.
    pub removed_segments: usize,
}

/// Why a directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The disk failed; the log dir is in doubt.
    #[error("loading {}: {source}", dir.display())]
    Io {
        /// The replica's directory.
        dir: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
}

/// Opens a log. See [`LoadArgs`] for where the numbers come from. Blocks on the disk, for long after an unclean stop.
///
/// # Errors
/// If the disk fails. Damage in the files is no error: it is cut off, as far as the rules of recovery allow.
pub fn load(args: LoadArgs) -> Result<LoadedLog, LoadError> {
    let dir = args.dir.clone();
    Loader::new(args).and_then(Loader::load).map_err(|source| LoadError::Io { dir, source })
}

/// The state of a load in progress.
struct Loader {
    args: LoadArgs,
    now_ms: i64,
    segments: SegmentList,
    epochs: LeaderEpochCache,
    report: LoadReport,
}

impl Loader {
    fn new(args: LoadArgs) -> io::Result<Self> {
        let disk = args.env.disk();
        if !disk.exists(&args.dir)? {
            disk.create_dir_all(&args.dir)?;
            if let Some(parent) = args.dir.parent() {
                disk.sync_dir(parent)?;
            }
        }
        let epochs = match LeaderEpochCheckpointFile::read(disk, &args.dir) {
            Ok(epochs) => epochs,
            Err(CheckpointReadError::Io { source, .. }) => return Err(source),
            Err(damaged @ CheckpointReadError::Damaged { .. }) => {
                tracing::error!(error = %damaged, "leader epochs are taken from the batches that are scanned");
                LeaderEpochCache::default()
            }
        };
        let now_ms = args.env.clock().now_ms();
        let (segments, report) = (SegmentList::default(), LoadReport::default());
        Ok(Self { args, now_ms, segments, epochs, report })
    }

    fn load(mut self) -> io::Result<LoadedLog> {
        let epochs_before = self.epochs.clone();
        self.finish_swaps()?;
        self.load_segments()?;
        if self.args.mode == LoadMode::Unclean {
            self.recover_unflushed()?;
        }
        let end = self.settle_log_end()?;
        let recovery_point = match self.args.mode {
            LoadMode::Clean => end,
            LoadMode::Unclean => self.args.recovery_point.min(end),
        };
        let first = self.segments.first().map_or(end, |segment| segment.base_offset());
        let log_start = self.args.log_start_offset.max(first);
        let _ = self.epochs.truncate_from_end(end);
        let _ = self.epochs.truncate_from_start(log_start);
        if self.epochs != epochs_before {
            LeaderEpochCheckpointFile::write(self.disk(), &self.args.dir, &self.epochs)?;
        }
        let producers = self.load_producers(log_start, end)?;
        self.report.segments = self.segments.len();
        if self.report.removed_segments > 0 {
            // or a power cut could bring them back behind what comes next
            self.disk().sync_dir(&self.args.dir)?;
        }
        let dirty = self.args.mode != LoadMode::Clean
            || self.report != LoadReport::clean(self.segments.len());
        let log = Arc::new(UnifiedLog::new(LoadedState {
            topic_partition: self.args.topic_partition,
            topic_id: self.args.topic_id,
            env: self.args.env,
            dir: self.args.dir,
            dir_state: self.args.dir_state,
            config: self.args.config,
            segments: self.segments,
            log_end_offset: end,
            log_start_offset: log_start,
            recovery_point,
            high_watermark: self.args.high_watermark,
            producers,
            epochs: self.epochs,
            flush_seconds: self.args.flush_seconds,
        }));
        let appender = LogAppender::new(Arc::clone(&log), self.args.deletions, dirty);
        Ok(LoadedLog { log, appender, report: self.report })
    }

    fn disk(&self) -> &klamm_env::Disk {
        self.args.env.disk()
    }

    fn segment_options(&self) -> SegmentOptions {
        SegmentOptions::new(&self.args.config, &self.args.env, self.now_ms)
    }

    /// The log end, once segments are loaded and recovered; makes the first segment if there is none.
    fn settle_log_end(&mut self) -> io::Result<Offset> {
        let log_start = self.args.log_start_offset;
        if let Some(last) = self.segments.last() {
            let end = last.read_next_offset()?;
            if end >= log_start {
                return Ok(end);
            }
            tracing::warn!(partition = %self.args.topic_partition, end = end.0, log_start = log_start.0,
                "log end lies below log start: segment files are gone, starting anew at log start");
            self.remove_segments(|_| true)?;
            let _ = self.epochs.clear();
        }
        let segment =
            LogSegment::create(self.disk(), &self.args.dir, log_start, self.segment_options())?;
        self.segments = self.segments.with(Arc::new(segment));
        Ok(log_start)
    }

    /// Takes segments out of the log; their files go later.
    fn remove_segments(&mut self, doomed: impl Fn(&LogSegment) -> bool) -> io::Result<()> {
        let mut paths = Vec::new();
        for segment in self.segments.iter().filter(|segment| doomed(segment)) {
            tracing::warn!(partition = %self.args.topic_partition, ?segment, "removing segment");
            paths.extend(segment.mark_deleted(self.disk(), &self.args.dir)?);
            self.report.removed_segments += 1;
        }
        let due_ms = self.now_ms.saturating_add(self.args.config.file_delete_delay_ms);
        self.args.deletions.push_files(paths, due_ms);
        self.segments = self.segments.filtered(|segment| !doomed(segment));
        Ok(())
    }

    fn load_producers(&self, log_start: Offset, end: Offset) -> io::Result<ProducerStateManager> {
        let (disk, dir) = (self.disk().clone(), self.args.dir.clone());
        let mut producers = ProducerStateManager::new(disk, dir, self.args.producer_state);
        let bases: Vec<Offset> =
            self.segments.iter().map(|segment| segment.base_offset()).collect();
        producers.remove_stray_snapshots(&bases)?;
        let clean = self.args.mode == LoadMode::Clean;
        if clean && producers.latest_snapshot_offset().is_none() {
            producer_state::begin_without_snapshots(&mut producers, &self.segments, end)?;
        } else {
            rebuild_producer_state(&mut producers, &self.segments, log_start, end, self.now_ms)?;
        }
        recent_batches::restore(&mut producers, &self.segments)?;
        Ok(producers)
    }
}

impl LoadReport {
    fn clean(segments: usize) -> Self {
        Self { segments, ..Self::default() }
    }
}
