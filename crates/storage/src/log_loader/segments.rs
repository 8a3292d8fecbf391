//! Loading the segments that are there, and rebuilding those whose indexes are not.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use klamm_record::Offset;

use super::{LoadMode, Loader};
use crate::index_file::IndexCheckError;
use crate::log_file_names::{LogFileKind, LogFileState};
use crate::log_segment::LogSegment;

impl Loader {
    /// Loads segments in ascending order; removes index files without a log.
    pub(super) fn load_segments(&mut self) -> io::Result<()> {
        let names = self.file_names()?;
        let live = || names.iter().filter(|name| name.state == LogFileState::Live);
        let having = |kind| -> BTreeSet<Offset> {
            live().filter(|name| name.kind == kind).map(|name| name.base_offset).collect()
        };
        let (logs, indexes) = (having(LogFileKind::Log), having(LogFileKind::OffsetIndex));
        let time_indexes = having(LogFileKind::TimeIndex);
        for name in live() {
            let is_index = !matches!(name.kind, LogFileKind::Log | LogFileKind::ProducerSnapshot);
            if is_index && !logs.contains(&name.base_offset) {
                tracing::warn!(file = %name, "removing an index without its log");
                self.remove(name)?;
            }
        }
        // these are scanned and rebuilt after all are loaded; before that, what lies ahead of them may be torn
        let to_recover = match self.args.mode {
            LoadMode::Clean => Offset(i64::MAX),
            LoadMode::Unclean => {
                logs.range(..=self.args.recovery_point).next_back().copied().unwrap_or(Offset(0))
            }
        };
        for base_offset in logs {
            let options = self.segment_options();
            let segment = LogSegment::open(self.disk(), &self.args.dir, base_offset, options)?;
            let segment = Arc::new(segment);
            if !time_indexes.contains(&base_offset) {
                segment.time_index().reset()?;
            }
            if base_offset >= to_recover {
                self.segments = self.segments.with(segment);
                continue;
            }
            if let Some(reason) = Self::index_fault(&segment, indexes.contains(&base_offset))? {
                tracing::warn!(partition = %self.args.topic_partition, ?segment, reason, "rebuilding indexes");
                self.recover_segment(&segment)?;
                for index in segment.index_files()? {
                    index.sync_blocking()?;
                }
            }
            self.segments = self.segments.with(segment);
        }
        Ok(())
    }

    /// Why a segment must be rebuilt before it can be used.
    fn index_fault(segment: &LogSegment, has_index: bool) -> io::Result<Option<String>> {
        if !has_index {
            return Ok(Some("the offset index is missing".into()));
        }
        let checks = [
            segment.transaction_index().sanity_check(),
            segment.offset_index().sanity_check(),
            segment.time_index().sanity_check(),
        ];
        for check in checks {
            match check {
                Ok(()) => {}
                Err(IndexCheckError::Damaged(damage)) => return Ok(Some(damage.to_string())),
                Err(IndexCheckError::Io(error)) => return Err(error),
            }
        }
        Ok(None)
    }
}
