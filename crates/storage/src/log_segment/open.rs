//! Making and opening segments.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64};

use klamm_env::{Disk, File, OpenMode};
use klamm_record::Offset;
use parking_lot::Mutex;

use super::{LogSegment, SegmentOptions, Times};
use crate::log_file_names::LogFileKind;
use crate::offset_index::OffsetIndex;
use crate::time_index::TimeIndex;
use crate::transaction_index::TransactionIndex;

impl SegmentOptions {
    /// As the topic's configuration says; the jitter is drawn anew for each segment.
    pub(crate) fn new(
        config: &crate::log_config::LogConfig,
        env: &klamm_env::Env,
        now_ms: i64,
    ) -> Self {
        let jitter_ms = config.segment_jitter_ms.min(config.max_segment_ms());
        let jitter = u64::try_from(jitter_ms).unwrap_or(0);
        let roll_jitter_ms = if jitter == 0 { 0 } else { env.rng().below(jitter) as i64 };
        Self {
            index_interval_bytes: u64::from(config.index_interval_bytes),
            index_bytes_max: config.segment_index_bytes,
            roll_jitter_ms,
            now_ms,
        }
    }
}

impl LogSegment {
    /// Makes the files of a new, empty segment.
    pub(crate) fn create(
        disk: &Disk,
        dir: &Path,
        base_offset: Offset,
        options: SegmentOptions,
    ) -> io::Result<Self> {
        let make = |kind: LogFileKind| {
            disk.open(&dir.join(kind.file_name(base_offset)), OpenMode::Truncate)
        };
        make(LogFileKind::OffsetIndex)?;
        make(LogFileKind::TimeIndex)?;
        let segment = Self::assemble(disk, dir, make(LogFileKind::Log)?, 0, base_offset, options);
        segment.offset_index.assume_empty();
        segment.time_index.assume_empty();
        segment.txn_index.assume_absent();
        Ok(segment)
    }

    /// Opens a segment that is there; its indexes are looked at when they are needed, and made if they are missing. Whether
    /// that needs a rebuild is the loader's to decide.
    pub(crate) fn open(
        disk: &Disk,
        dir: &Path,
        base_offset: Offset,
        options: SegmentOptions,
    ) -> io::Result<Self> {
        let log =
            disk.open(&dir.join(LogFileKind::Log.file_name(base_offset)), OpenMode::ReadWrite)?;
        let size = log.len()?;
        Ok(Self::assemble(disk, dir, log, size, base_offset, options))
    }

    fn assemble(
        disk: &Disk,
        dir: &Path,
        log: File,
        size: u64,
        base_offset: Offset,
        options: SegmentOptions,
    ) -> Self {
        let path = |kind: LogFileKind| dir.join(kind.file_name(base_offset));
        let bytes_max = options.index_bytes_max;
        Self {
            base_offset,
            log,
            size: AtomicU64::new(size),
            offset_index: OffsetIndex::new(
                disk.clone(),
                path(LogFileKind::OffsetIndex),
                base_offset,
                bytes_max,
            ),
            time_index: TimeIndex::new(
                disk.clone(),
                path(LogFileKind::TimeIndex),
                base_offset,
                bytes_max,
            ),
            txn_index: TransactionIndex::new(
                disk.clone(),
                path(LogFileKind::TransactionIndex),
                base_offset,
            ),
            index_interval_bytes: options.index_interval_bytes,
            roll_jitter_ms: options.roll_jitter_ms,
            created_ms: AtomicI64::new(options.now_ms),
            modified_ms: AtomicI64::new(options.now_ms),
            bytes_since_last_index_entry: AtomicU64::new(0),
            times: Mutex::new(Times::default()),
        }
    }
}
