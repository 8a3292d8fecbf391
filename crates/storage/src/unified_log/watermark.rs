//! High watermark, last stable offset, and their places in the files.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use klamm_record::Offset;

use super::{HighWatermark, OffsetMetadata, ReadBound, UnifiedLog};

impl UnifiedLog {
    /// Offset up to which (exclusive) records are committed.
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark.load().offset
    }

    /// Sets the high watermark, clamped to log start and log end, and returns what it is now. It may move back: after a
    /// truncation it does. Kafka's `updateHighWatermark`.
    pub fn set_high_watermark(&self, offset: Offset) -> Offset {
        let end = self.log_end_metadata();
        let offset = offset.max(self.log_start_offset()).min(end.offset);
        let metadata = (offset == end.offset).then_some(end);
        self.high_watermark.store(Arc::new(HighWatermark { offset, metadata }));
        if self.first_unstable_offset.load(Ordering::Acquire) != i64::MAX {
            self.producers.lock().on_high_watermark_updated(offset);
            self.refresh_first_unstable_offset();
        }
        offset
    }

    /// Moves the high watermark back before records are removed, so that no reader is sent to them.
    pub(crate) fn lower_high_watermark(&self, offset: Offset) {
        if self.high_watermark() > offset {
            self.high_watermark.store(Arc::new(HighWatermark { offset, metadata: None }));
        }
    }

    /// Moves the high watermark forward to `offset` and returns the former one; none if it was there already or beyond.
    ///
    /// # Panics
    /// If `offset` is above the log end: no replica can have confirmed what was not written.
    pub fn maybe_increment_high_watermark(&self, offset: Offset) -> Option<Offset> {
        let end = self.log_end_offset();
        assert!(
            offset <= end,
            "high watermark {offset} of {:?} above log end {end}",
            self.topic_partition
        );
        let old = self.high_watermark();
        (old < offset).then(|| {
            self.set_high_watermark(offset);
            old
        })
    }

    /// Offset up to which (exclusive) every transaction is decided: where `read_committed` ends.
    pub fn last_stable_offset(&self) -> Offset {
        let unstable = Offset(self.first_unstable_offset.load(Ordering::Acquire));
        self.high_watermark().min(unstable)
    }

    /// Takes over what the producer state says about open transactions.
    pub(crate) fn refresh_first_unstable_offset(&self) {
        let first = self.producers.lock().first_unstable_offset();
        let first = first.map_or(i64::MAX, |offset| offset.max(self.log_start_offset()).0);
        self.first_unstable_offset.store(first, Ordering::Release);
    }

    /// The place that a read with this bound must not pass.
    pub fn bound_metadata(&self, bound: ReadBound) -> io::Result<OffsetMetadata> {
        match bound {
            ReadBound::LogEnd => Ok(self.log_end_metadata()),
            ReadBound::HighWatermark => self.high_watermark_metadata(),
            ReadBound::LastStable => {
                let unstable = Offset(self.first_unstable_offset.load(Ordering::Acquire));
                let high_watermark = self.high_watermark_metadata()?;
                if unstable < high_watermark.offset {
                    self.offset_metadata(unstable)
                } else {
                    Ok(high_watermark)
                }
            }
        }
    }

    fn high_watermark_metadata(&self) -> io::Result<OffsetMetadata> {
        let current = self.high_watermark.load();
        if let Some(metadata) = current.metadata {
            return Ok(metadata);
        }
        let metadata = self.offset_metadata(current.offset)?;
        let resolved = HighWatermark { offset: current.offset, metadata: Some(metadata) };
        self.high_watermark.compare_and_swap(&current, Arc::new(resolved));
        Ok(metadata)
    }

    /// Where the batch that holds `offset` begins, or the first one after it; the log end if there is none.
    pub fn offset_metadata(&self, offset: Offset) -> io::Result<OffsetMetadata> {
        let end = self.log_end_metadata();
        if offset >= end.offset {
            return Ok(end);
        }
        let segments = self.segments.load();
        let first = segments.floor_at(offset).unwrap_or(0);
        for segment in segments.iter().skip(first) {
            if let Some(found) = segment.translate(offset)? {
                let segment_base = segment.base_offset();
                return Ok(OffsetMetadata { offset, segment_base, position: found.position });
            }
        }
        Ok(OffsetMetadata { offset, ..end })
    }
}
