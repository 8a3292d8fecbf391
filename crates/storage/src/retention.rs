//! Which segments may go: by log start, by size, by time (Kafka's `UnifiedLog.deleteOldSegments`).

use std::io;
use std::sync::Arc;

use crate::log_appender::{LogAppender, LogStartError};
use crate::log_config::LogConfig;
use crate::log_segment::LogSegment;
use crate::segment_list::SegmentList;
use crate::unified_log::UnifiedLog;

/// What a retention pass removed from one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Segments.
    pub segments: usize,
    /// Bytes of their `.log` files.
    pub bytes: u64,
}

impl UnifiedLog {
    /// True if [`LogAppender::delete_old_segments`] would remove something now. Takes no lock that a write holds.
    ///
    /// # Errors
    /// If the disk fails: an index may have to be read.
    pub fn retention_due(&self, now_ms: i64) -> io::Result<bool> {
        Ok(expired_prefix(self, &self.segments.load(), now_ms)? > 0)
    }
}

impl LogAppender {
    /// Removes the oldest segments as far as the topic's retention asks for, never past the high watermark. If all expired, a
    /// new segment is rolled first. The log start follows. Blocks on the disk.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn delete_old_segments(&mut self, now_ms: i64) -> io::Result<Removed> {
        let log = Arc::clone(self.log());
        let segments = log.segments.load_full();
        let count = expired_prefix(&log, &segments, now_ms)?;
        if count == 0 {
            return Ok(Removed::default());
        }
        if count == segments.len() {
            // nothing of the old segments needs to reach the disk, but the new one's name must before theirs are gone
            let _unneeded = self.roll(now_ms)?;
            log.env.disk().sync_dir(&log.dir())?;
        }
        let doomed: Vec<Arc<LogSegment>> = segments.iter().take(count).cloned().collect();
        let kept = log.segments.load_full();
        let first_kept =
            kept.at(count).expect("a segment was rolled if all were to go").base_offset();
        match self.increment_log_start_offset(first_kept) {
            Ok(_) => {}
            Err(LogStartError::Io(error)) => return Err(error),
            Err(error @ LogStartError::AboveHighWatermark { .. }) => {
                return Err(io::Error::other(error));
            }
        }
        self.delete_segments(&doomed, now_ms)?;
        let bytes = doomed.iter().map(|segment| segment.size_bytes()).sum();
        Ok(Removed { segments: count, bytes })
    }
}

/// How many of the oldest segments may go.
fn expired_prefix(log: &UnifiedLog, segments: &SegmentList, now_ms: i64) -> io::Result<usize> {
    let config = log.config();
    let mut count = below_log_start(log, segments);
    if config.delete {
        count = over_size(log, segments, &config, count);
        count = over_age(log, segments, &config, count, now_ms)?;
    }
    Ok(count)
}

/// Whether a segment may be looked at: all of it is committed, and it is not the empty active one.
fn removable(log: &UnifiedLog, segments: &SegmentList, at: usize) -> bool {
    let Some(segment) = segments.at(at) else { return false };
    match segments.at(at + 1) {
        Some(next) => log.high_watermark() >= next.base_offset(),
        None => segment.size_bytes() > 0 && log.high_watermark() >= log.log_end_offset(),
    }
}

fn below_log_start(log: &UnifiedLog, segments: &SegmentList) -> usize {
    let log_start = log.log_start_offset();
    let mut count = 0;
    while removable(log, segments, count)
        && segments.at(count + 1).is_some_and(|next| next.base_offset() <= log_start)
    {
        count += 1;
    }
    count
}

fn over_size(log: &UnifiedLog, segments: &SegmentList, config: &LogConfig, from: usize) -> usize {
    let Ok(retention_bytes) = u64::try_from(config.retention_bytes) else { return from };
    let total: u64 = segments.iter().skip(from).map(|segment| segment.size_bytes()).sum();
    let Some(mut excess) = total.checked_sub(retention_bytes) else { return from };
    let mut count = from;
    while removable(log, segments, count) {
        let size = segments.at(count).map_or(0, |segment| segment.size_bytes());
        match excess.checked_sub(size) {
            Some(rest) => excess = rest,
            None => break,
        }
        count += 1;
    }
    count
}

fn over_age(
    log: &UnifiedLog,
    segments: &SegmentList,
    config: &LogConfig,
    from: usize,
    now_ms: i64,
) -> io::Result<usize> {
    let mut count = from;
    while config.retention_ms >= 0 && removable(log, segments, count) {
        let Some(segment) = segments.at(count) else { break };
        if now_ms.saturating_sub(segment.largest_timestamp()?) <= config.retention_ms {
            break;
        }
        count += 1;
    }
    Ok(count)
}
