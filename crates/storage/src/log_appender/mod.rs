//! The exclusive write side of a partition's log.
//!
//! There is one [`LogAppender`] for each open log; whoever holds it may write. It moves between threads, is never shared, and
//! so needs no lock: what it changes, readers see through the [`UnifiedLog`].
//!
//! Appending runs inline; everything else here may block on the disk and belongs under `Env::offload`.
//!
//! Invariant: behind the log end there are no bytes. A write that fails is cut off again; if that fails too, the log is
//! poisoned and nothing is written any more.

mod append;
mod close;
mod group;
mod item;
mod producers;
mod roll;
mod truncate;

use std::io;
use std::sync::Arc;

use klamm_record::{LeaderEpoch, Offset};

pub use item::{AppendError, AppendInfo, AppendItem, IoFault, Progress};
pub(crate) use roll::remove_if_there;
pub use truncate::{LogStartError, Truncation};

pub use crate::producer_state::Origin;

use crate::log_manager::DeletionQueue;
use crate::log_segment::LogSegment;
use crate::producer_state::ProducerStateConfig;
use crate::unified_log::UnifiedLog;

/// Writes one partition's log (the writing half of Kafka's `UnifiedLog`).
pub struct LogAppender {
    log: Arc<UnifiedLog>,
    deletions: Arc<DeletionQueue>,
    /// Base offset that the next roll must reach: the offset of a replicated batch that asked for it.
    roll_to: Option<Offset>,
    /// True if something was written since the log was opened, so that closing owes a flush.
    dirty: bool,
}

impl LogAppender {
    pub(crate) fn new(log: Arc<UnifiedLog>, deletions: Arc<DeletionQueue>, dirty: bool) -> Self {
        Self { log, deletions, roll_to: None, dirty }
    }

    /// The log that this writes.
    pub fn log(&self) -> &Arc<UnifiedLog> {
        &self.log
    }

    /// Notes that records from the log end on are written under `epoch` (KIP-101). Synced before it returns.
    ///
    /// # Errors
    /// If the checkpoint cannot be written; the epoch is then noted in memory, and the next append tries again.
    pub fn assign_leader_epoch(&mut self, epoch: LeaderEpoch) -> io::Result<()> {
        self.dirty = true;
        self.log.assign_epoch(epoch, self.log.log_end_offset())
    }

    /// Forgets producers that were silent for longer than `producer.id.expiration.ms`, as it is configured now.
    pub fn remove_expired_producers(&mut self, config: ProducerStateConfig, now_ms: i64) {
        let mut producers = self.log.producers.lock();
        producers.set_config(config);
        producers.remove_expired(now_ms);
    }

    /// Takes segments out of the list, renames their files to `.deleted` and has them unlinked later; with them the producer
    /// snapshots at their base offsets. The names are synced one segment after the other, in the order given, so that a power
    /// cut leaves no gap in the log.
    pub(crate) fn delete_segments(
        &self,
        doomed: &[Arc<LogSegment>],
        now_ms: i64,
    ) -> io::Result<()> {
        let log = &self.log;
        let bases: Vec<Offset> = doomed.iter().map(|segment| segment.base_offset()).collect();
        let kept = log.segments.load().filtered(|segment| !bases.contains(&segment.base_offset()));
        log.segments.store(Arc::new(kept));
        let dir = log.dir();
        let due_ms = now_ms.saturating_add(log.config().file_delete_delay_ms);
        for segment in doomed {
            tracing::info!(partition = %log.topic_partition(), ?segment, "deleting segment");
            let mut paths = segment.mark_deleted(log.disk(), &dir)?;
            let snapshot =
                log.producers.lock().mark_snapshot_for_deletion(segment.base_offset())?;
            paths.extend(snapshot);
            self.deletions.push_files(paths, due_ms);
            log.disk().sync_dir(&dir)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for LogAppender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogAppender").field("log", &self.log).finish_non_exhaustive()
    }
}
