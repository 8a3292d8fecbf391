//! Rolling: closing the active segment and beginning a new one at the log end.

use std::io;
use std::sync::Arc;

use super::LogAppender;
use crate::log_file_names::LogFileKind;
use crate::log_segment::{LogSegment, SegmentOptions};
use crate::unified_log::{FlushPlan, OffsetMetadata};

impl LogAppender {
    /// Closes the active segment (last time index entry, indexes written), snapshots the producers at the new base offset, and
    /// begins a new segment. Returns what is to be synced so that the recovery point can follow; appends may go on meanwhile.
    /// Does nothing to an empty active segment. Blocks on the disk.
    ///
    /// # Errors
    /// If the disk fails; the log then goes on in the old segment.
    pub fn roll(&mut self, now_ms: i64) -> io::Result<FlushPlan> {
        let log = Arc::clone(&self.log);
        let end = log.log_end_metadata();
        let base_offset = self.roll_to.take().map_or(end.offset, |wanted| wanted.max(end.offset));
        let segments = log.segments.load_full();
        let active = segments.active();
        if active.base_offset() == base_offset {
            return log.flush_plan(base_offset);
        }
        self.dirty = true;
        let dir = log.dir();
        active.on_become_inactive()?;
        if log.recovery_point() >= end.offset {
            // all records are synced already: recovery would not look at this segment any more
            for index in active.index_files()? {
                index.sync_blocking()?;
            }
        }
        let snapshot = self.snapshot_producers_at(base_offset)?;
        remove_if_there(
            log.disk(),
            &dir.join(LogFileKind::TransactionIndex.file_name(base_offset)),
        )?;
        let options = SegmentOptions::new(&log.config(), &log.env, now_ms);
        let segment = LogSegment::create(log.disk(), &dir, base_offset, options)?;
        log.segments.store(Arc::new(segments.with(Arc::new(segment))));
        let rolled = OffsetMetadata { offset: end.offset, segment_base: base_offset, position: 0 };
        log.end.store(Arc::new(rolled));
        if log.high_watermark() == end.offset {
            log.set_high_watermark(end.offset);
        }
        active.drop_index_memory();
        tracing::debug!(partition = %log.topic_partition(), base_offset = base_offset.0, "rolled a new segment");
        let mut plan = log.flush_plan(end.offset)?;
        plan.files.extend(snapshot);
        Ok(plan)
    }
}

pub(crate) fn remove_if_there(disk: &klamm_env::Disk, path: &std::path::Path) -> io::Result<()> {
    match disk.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
