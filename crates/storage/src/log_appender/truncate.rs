//! Cutting the log at either end.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use klamm_record::Offset;

use super::LogAppender;
use crate::log_loader::rebuild_producer_state;
use crate::log_segment::{LogSegment, SegmentOptions};
use crate::segment_list::SegmentList;
use crate::unified_log::OffsetMetadata;

/// Why the log start was not moved.
#[derive(Debug, thiserror::Error)]
pub enum LogStartError {
    /// Only what is committed may be given up.
    #[error(
        "Cannot increment the log start offset to {wanted} since it is larger than the high watermark {high_watermark}"
    )]
    AboveHighWatermark {
        /// As asked for.
        wanted: Offset,
        /// As it is.
        high_watermark: Offset,
    },
    /// The disk failed.
    #[error("moving the log start offset failed: {0}")]
    Io(#[from] io::Error),
}

/// What a truncation leaves to do: a checkpoint with the old recovery point would keep a recovery from looking at what is
/// written there next.
#[derive(Debug)]
#[must_use = "before anything is appended, `LogManager::checkpoint_after` has to be called with it"]
pub struct Truncation {
    /// Whether anything was removed.
    pub removed: bool,
    /// The log dir whose recovery points are to be written.
    pub(crate) log_dir: PathBuf,
}

impl LogAppender {
    /// Removes all records from `offset` on. An offset below the first segment empties the log and
    /// starts it there. The high watermark and the recovery point follow down. Blocks on the disk (`UnifiedLog.truncateTo`).
    ///
    /// # Errors
    /// If the disk fails; the log is poisoned if it may be cut halfway.
    pub fn truncate_to(&mut self, offset: Offset, now_ms: i64) -> io::Result<Truncation> {
        let log = Arc::clone(&self.log);
        if offset >= log.log_end_offset() {
            // a leader that wrote nothing may have left an epoch behind that begins at the log end
            log.change_epochs(|epochs| epochs.truncate_from_end(log.log_end_offset()))?;
            return Ok(self.truncation(false));
        }
        if offset < log.high_watermark() {
            tracing::warn!(partition = %log.topic_partition(), offset = offset.0,
                high_watermark = log.high_watermark().0, "truncating below the high watermark");
        }
        self.dirty = true;
        let segments = log.segments.load_full();
        if segments.first().is_some_and(|first| first.base_offset() > offset) {
            return self.truncate_fully_and_start_at(offset, None, now_ms);
        }
        self.poison_on_error("truncating", |this| this.truncate_within(offset, now_ms))?;
        Ok(self.truncation(true))
    }

    fn truncation(&self, removed: bool) -> Truncation {
        Truncation { removed, log_dir: self.log.dir_state().path().to_path_buf() }
    }

    fn truncate_within(&mut self, offset: Offset, now_ms: i64) -> io::Result<()> {
        let log = &self.log;
        if log.high_watermark() > offset {
            self.end_at(offset, None);
        }
        let segments = log.segments.load_full();
        let doomed: Vec<Arc<LogSegment>> = segments
            .iter()
            .rev()
            .filter(|segment| segment.base_offset() > offset)
            .cloned()
            .collect();
        self.delete_segments(&doomed, now_ms)?;
        let segments = log.segments.load_full();
        segments.active().truncate_to(offset, now_ms)?;
        self.end_at(offset, Some(&segments));
        if log.log_start_offset() > offset {
            log.store_log_start_offset(offset);
        }
        log.change_epochs(|epochs| epochs.truncate_from_end(offset))?;
        self.rebuild_producers(&segments, offset, now_ms)?;
        log.set_high_watermark(log.high_watermark());
        Ok(())
    }

    /// Removes everything; the log goes on at `offset`, with its log start there or at `log_start`. Blocks on the disk.
    ///
    /// # Errors
    /// If the disk fails; the log is poisoned then.
    pub fn truncate_fully_and_start_at(
        &mut self,
        offset: Offset,
        log_start: Option<Offset>,
        now_ms: i64,
    ) -> io::Result<Truncation> {
        self.dirty = true;
        self.poison_on_error("emptying", |this| this.start_at(offset, log_start, now_ms))?;
        Ok(self.truncation(true))
    }

    fn start_at(
        &mut self,
        offset: Offset,
        log_start: Option<Offset>,
        now_ms: i64,
    ) -> io::Result<()> {
        let log = &self.log;
        let doomed: Vec<Arc<LogSegment>> = log.segments.load().iter().cloned().collect();
        let dir = log.dir();
        // the old files give up their names first: the new segment may have the same base offset
        let mut paths = Vec::new();
        for segment in &doomed {
            paths.extend(segment.mark_deleted(log.disk(), &dir)?);
        }
        let due_ms = now_ms.saturating_add(log.config().file_delete_delay_ms);
        self.deletions.push_files(paths, due_ms);
        let options = SegmentOptions::new(&log.config(), &log.env, now_ms);
        let segment = Arc::new(LogSegment::create(log.disk(), &dir, offset, options)?);
        let segments = SegmentList::new(vec![segment]);
        log.segments.store(Arc::new(segments.clone()));
        log.change_epochs(|epochs| epochs.clear())?;
        log.producers.lock().truncate_fully_and_start_at(offset)?;
        log.force_log_start_offset(log_start.unwrap_or(offset));
        self.end_at(offset, Some(&segments));
        log.set_high_watermark(offset);
        log.refresh_first_unstable_offset();
        log.disk().sync_dir(&dir)
    }

    /// Puts the log end to `offset`. Without a segment list the place in the file is still to come.
    fn end_at(&self, offset: Offset, segments: Option<&SegmentList>) {
        let log = &self.log;
        log.lower_recovery_point(offset);
        if let Some(segments) = segments {
            let active = segments.active();
            log.end.store(Arc::new(OffsetMetadata {
                offset,
                segment_base: active.base_offset(),
                position: active.size_bytes(),
            }));
        } else {
            log.lower_high_watermark(offset);
        }
    }

    fn rebuild_producers(
        &self,
        segments: &SegmentList,
        end: Offset,
        now_ms: i64,
    ) -> io::Result<()> {
        let log = &self.log;
        let mut producers = log.producers.lock();
        rebuild_producer_state(&mut producers, segments, log.log_start_offset(), end, now_ms)?;
        drop(producers);
        log.refresh_first_unstable_offset();
        Ok(())
    }

    /// Gives up all records below `offset` (DeleteRecords, retention, a follower's leader). True if the log start moved; an
    /// offset at or below it is no error. Segments go with the next retention pass. Blocks on the disk.
    ///
    /// # Errors
    /// If `offset` is above the high watermark, or the disk fails.
    pub fn increment_log_start_offset(&mut self, offset: Offset) -> Result<bool, LogStartError> {
        let log = Arc::clone(&self.log);
        let high_watermark = log.high_watermark();
        if offset > high_watermark {
            return Err(LogStartError::AboveHighWatermark { wanted: offset, high_watermark });
        }
        if offset <= log.log_start_offset() {
            return Ok(false);
        }
        self.dirty = true;
        log.store_log_start_offset(offset);
        tracing::info!(partition = %log.topic_partition(), offset = offset.0, "log start offset moved");
        log.change_epochs(|epochs| epochs.truncate_from_start(offset))?;
        log.producers.lock().on_log_start_offset_incremented(offset);
        log.refresh_first_unstable_offset();
        Ok(true)
    }

    fn poison_on_error(
        &mut self,
        what: &str,
        operation: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        operation(self)
            .inspect_err(|error| self.log.poison(format!("{what} the log failed: {error}")))
    }
}
