//! One partition's log as everybody may see it: offsets, reads, look-ups. All of it without a lock that a write could hold.
//!
//! Owns: the segment list, log end, high watermark, log start, recovery point; and, shared with the one
//! [`crate::log_appender::LogAppender`] that writes, producer state and leader epochs behind short locks that are never held
//! across a write to the log.
//!
//! Invariant: log start ≤ last stable offset ≤ high watermark ≤ log end. A position that a read is bounded by was the start
//! of a batch or the end of the file when it was taken.
//!
//! Does not know: who leads, who replicates, who waits.

mod epochs;
mod flush;
mod offset_metadata;
mod read;
mod timestamps;
mod watermark;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use klamm_env::{Disk, Env};
use klamm_record::{Offset, ProducerId, TopicId, TopicPartition};
use parking_lot::{Mutex, RwLock};
use prometheus_client::metrics::histogram::Histogram;

pub use flush::FlushPlan;
pub use offset_metadata::OffsetMetadata;
pub use read::{ReadArgs, ReadBound, ReadError, ReadInfo};
pub use timestamps::{ListedOffset, OffsetSpec};

use crate::leader_epoch_cache::LeaderEpochCache;
use crate::log_config::LogConfig;
use crate::log_dir_state::LogDirState;
use crate::producer_state::{ProducerStateEntry, ProducerStateManager};
use crate::segment_list::SegmentList;

/// From how many bytes on index entries are worth a write.
const INDEX_PAGE_BYTES: usize = 4096;

/// The shared side of a partition's log (Kafka's `UnifiedLog` and `LocalLog`).
pub struct UnifiedLog {
    topic_partition: TopicPartition,
    topic_id: ArcSwapOption<TopicId>,
    pub(crate) env: Env,
    dir: Mutex<PathBuf>,
    dir_state: Arc<LogDirState>,
    config: ArcSwap<LogConfig>,
    pub(crate) segments: ArcSwap<SegmentList>,
    pub(crate) end: ArcSwap<OffsetMetadata>,
    high_watermark: ArcSwap<HighWatermark>,
    log_start_offset: AtomicI64,
    recovery_point: AtomicI64,
    truncations: AtomicU64,
    /// First offset of an open transaction, or of one whose marker is not below the high watermark; `i64::MAX` if none.
    first_unstable_offset: AtomicI64,
    pub(crate) producers: Mutex<ProducerStateManager>,
    pub(crate) epochs: RwLock<LeaderEpochCache>,
    /// True while the epochs in memory are not those of the checkpoint.
    epochs_unsaved: AtomicBool,
    closed: AtomicBool,
    /// Log end when it was last looked whether the log is idle.
    seen_end: AtomicI64,
    /// True once an idle log has given back what it held.
    resting: AtomicBool,
    poisoned: ArcSwapOption<String>,
    flush_seconds: Option<Histogram>,
}

/// The high watermark, and its place in the files if that is known.
#[derive(Debug, Clone, Copy)]
struct HighWatermark {
    offset: Offset,
    metadata: Option<OffsetMetadata>,
}

/// What a loader found, from which the log begins.
pub(crate) struct LoadedState {
    pub topic_partition: TopicPartition,
    pub topic_id: Option<TopicId>,
    pub env: Env,
    pub dir: PathBuf,
    pub dir_state: Arc<LogDirState>,
    pub config: Arc<LogConfig>,
    pub segments: SegmentList,
    pub log_end_offset: Offset,
    pub log_start_offset: Offset,
    pub recovery_point: Offset,
    pub high_watermark: Offset,
    pub producers: ProducerStateManager,
    pub epochs: LeaderEpochCache,
    pub flush_seconds: Option<Histogram>,
}

impl UnifiedLog {
    pub(crate) fn new(loaded: LoadedState) -> Self {
        let active = loaded.segments.active();
        let end = OffsetMetadata {
            offset: loaded.log_end_offset,
            segment_base: active.base_offset(),
            position: active.size_bytes(),
        };
        let high_watermark = HighWatermark { offset: loaded.log_start_offset, metadata: None };
        let log = Self {
            topic_partition: loaded.topic_partition,
            topic_id: ArcSwapOption::from(loaded.topic_id.map(Arc::new)),
            env: loaded.env,
            dir: Mutex::new(loaded.dir),
            dir_state: loaded.dir_state,
            config: ArcSwap::from(loaded.config),
            segments: ArcSwap::from_pointee(loaded.segments),
            end: ArcSwap::from_pointee(end),
            high_watermark: ArcSwap::from_pointee(high_watermark),
            log_start_offset: AtomicI64::new(loaded.log_start_offset.0),
            recovery_point: AtomicI64::new(loaded.recovery_point.max(loaded.log_start_offset).0),
            truncations: AtomicU64::new(0),
            first_unstable_offset: AtomicI64::new(i64::MAX),
            producers: Mutex::new(loaded.producers),
            epochs: RwLock::new(loaded.epochs),
            epochs_unsaved: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            seen_end: AtomicI64::new(-1),
            resting: AtomicBool::new(false),
            poisoned: ArcSwapOption::empty(),
            flush_seconds: loaded.flush_seconds,
        };
        log.set_high_watermark(loaded.high_watermark);
        log.refresh_first_unstable_offset();
        log
    }

    /// Whose log this is.
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.topic_partition
    }

    /// The topic's id, as `partition.metadata` has it.
    pub fn topic_id(&self) -> Option<TopicId> {
        self.topic_id.load().as_deref().copied()
    }

    /// The replica's directory; another one after it was renamed for deletion.
    pub fn dir(&self) -> PathBuf {
        self.dir.lock().clone()
    }

    /// State of the log directory this replica lies in.
    pub fn dir_state(&self) -> &Arc<LogDirState> {
        &self.dir_state
    }

    /// The topic configuration in force.
    pub fn config(&self) -> Arc<LogConfig> {
        self.config.load_full()
    }

    /// Puts a new topic configuration in force; segments rolled from now on follow it.
    pub fn update_config(&self, config: Arc<LogConfig>) {
        self.config.store(config);
    }

    /// Offset that the next record will get.
    pub fn log_end_offset(&self) -> Offset {
        self.end.load().offset
    }

    /// The log end and its place in the active segment.
    pub fn log_end_metadata(&self) -> OffsetMetadata {
        **self.end.load()
    }

    /// First offset that may be read.
    pub fn log_start_offset(&self) -> Offset {
        Offset(self.log_start_offset.load(Ordering::Acquire))
    }

    pub(crate) fn store_log_start_offset(&self, offset: Offset) {
        self.log_start_offset.store(offset.0, Ordering::Release);
        if self.high_watermark() < offset {
            self.set_high_watermark(offset);
        }
        self.recovery_point.fetch_max(offset.0, Ordering::AcqRel);
    }

    /// Sets the log start wherever it is now, for a log that begins anew.
    pub(crate) fn force_log_start_offset(&self, offset: Offset) {
        self.log_start_offset.store(offset.0, Ordering::Release);
    }

    /// Offset below which everything is known to be on the disk (exclusive).
    pub fn recovery_point(&self) -> Offset {
        Offset(self.recovery_point.load(Ordering::Acquire))
    }

    /// The segments as they are now.
    pub fn segments(&self) -> Arc<SegmentList> {
        self.segments.load_full()
    }

    /// Bytes of all `.log` files.
    pub fn size_bytes(&self) -> u64 {
        self.segments.load().size_bytes()
    }

    /// True if there is no record that may be read.
    pub fn is_empty(&self) -> bool {
        self.log_start_offset() == self.log_end_offset()
    }

    /// Producers that this partition remembers (for DescribeProducers).
    pub fn active_producers(&self) -> Vec<(ProducerId, ProducerStateEntry)> {
        let producers = self.producers.lock();
        producers.active_producers().map(|(id, entry)| (id, *entry)).collect()
    }

    /// True once [`crate::log_appender::LogAppender::close`] has flushed everything.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn mark_closed(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Why nothing may be written any more, if so: the log or its directory failed.
    pub fn offline_reason(&self) -> Option<String> {
        self.poisoned.load().as_deref().cloned().or_else(|| self.dir_state.offline_reason())
    }

    /// No append succeeds from now on.
    pub(crate) fn poison(&self, reason: String) {
        tracing::error!(partition = %self.topic_partition, reason, "log is offline");
        self.poisoned.store(Some(Arc::new(reason)));
    }

    pub(crate) fn disk(&self) -> &Disk {
        self.env.disk()
    }

    /// Gives back the memory of all indexes; they are read again when they are needed.
    pub fn drop_caches(&self) {
        for segment in self.segments.load().iter() {
            segment.drop_caches();
        }
    }

    /// Writes the active segment's index entries if they fill a page.
    pub(crate) fn write_index_tail(&self) -> std::io::Result<()> {
        let segments = self.segments.load_full();
        let active = segments.active();
        let unwritten =
            active.offset_index().unwritten_bytes() + active.time_index().unwritten_bytes();
        if unwritten < INDEX_PAGE_BYTES || self.is_closed() || self.offline_reason().is_some() {
            return Ok(());
        }
        active.write_indexes()
    }

    /// Gives back memory and descriptors once, if nothing was appended since the last call.
    pub(crate) fn rest_if_idle(&self) {
        let end = self.log_end_offset().0;
        if self.seen_end.swap(end, Ordering::AcqRel) != end {
            self.resting.store(false, Ordering::Release);
        } else if !self.resting.swap(true, Ordering::AcqRel) {
            self.drop_caches();
        }
    }

    pub(crate) fn set_dir(&self, dir: PathBuf) {
        for segment in self.segments.load().iter() {
            segment.moved_to_dir(&dir);
        }
        *self.dir.lock() = dir;
    }
}

impl std::fmt::Debug for UnifiedLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnifiedLog")
            .field("topic_partition", &self.topic_partition)
            .field("log_start_offset", &self.log_start_offset().0)
            .field("high_watermark", &self.high_watermark().0)
            .field("log_end_offset", &self.log_end_offset().0)
            .finish_non_exhaustive()
    }
}
