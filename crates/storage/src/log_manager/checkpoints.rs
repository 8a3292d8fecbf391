//! The checkpoint files of each log dir.

use std::collections::BTreeMap;

use klamm_record::{Offset, TopicPartition};

use super::{KnownLog, LogManager};
use crate::checkpoint_file::{
    LOG_START_OFFSET_CHECKPOINT, OffsetCheckpointFile, RECOVERY_POINT_CHECKPOINT,
    REPLICATION_OFFSET_CHECKPOINT,
};
use crate::log_appender::Truncation;
use crate::unified_log::UnifiedLog;

/// A checkpoint file and what goes into it.
#[derive(Debug, Clone, Copy)]
enum Checkpoint {
    RecoveryPoint,
    LogStartOffset,
    HighWatermark,
}

impl Checkpoint {
    fn file_name(self) -> &'static str {
        match self {
            Self::RecoveryPoint => RECOVERY_POINT_CHECKPOINT,
            Self::LogStartOffset => LOG_START_OFFSET_CHECKPOINT,
            Self::HighWatermark => REPLICATION_OFFSET_CHECKPOINT,
        }
    }

    /// The entry of a partition. One that was not opened keeps what the file had.
    fn entry(self, known: &KnownLog) -> Option<Offset> {
        match (self, known.log()) {
            (Self::RecoveryPoint, Some(log)) => Some(log.recovery_point()),
            (Self::RecoveryPoint, None) => known.checkpointed.recovery_point,
            (Self::LogStartOffset, Some(log)) => log_start_above_segments(log),
            (Self::LogStartOffset, None) => known.checkpointed.log_start_offset,
            (Self::HighWatermark, Some(log)) => Some(log.high_watermark()),
            (Self::HighWatermark, None) => known.checkpointed.high_watermark,
        }
    }
}

/// Written only where the name of the first segment does not say it.
fn log_start_above_segments(log: &UnifiedLog) -> Option<Offset> {
    let first = log.segments.load().first().map(|segment| segment.base_offset());
    let start = log.log_start_offset();
    first.is_none_or(|first| start > first).then_some(start)
}

impl LogManager {
    /// Writes `recovery-point-offset-checkpoint` in every online log dir. Blocks on the disk. An error takes the log dir
    /// offline.
    pub fn checkpoint_recovery_points(&self) {
        self.checkpoint(Checkpoint::RecoveryPoint);
    }

    /// Writes `recovery-point-offset-checkpoint` of the log dir in which a log was truncated. Blocks on the disk. An error takes
    /// the log dir offline.
    pub fn checkpoint_after(&self, truncation: Truncation) {
        let dirs = 0..self.dirs.len();
        for dir in dirs.filter(|dir| self.dir_path(*dir) == truncation.log_dir) {
            self.checkpoint_dir(dir, Checkpoint::RecoveryPoint);
        }
    }

    /// Writes `log-start-offset-checkpoint` in every online log dir. Blocks on the disk.
    pub fn checkpoint_log_start_offsets(&self) {
        self.checkpoint(Checkpoint::LogStartOffset);
    }

    /// Writes `replication-offset-checkpoint` in every online log dir. Blocks on the disk.
    pub fn checkpoint_high_watermarks(&self) {
        self.checkpoint(Checkpoint::HighWatermark);
    }

    fn checkpoint(&self, which: Checkpoint) {
        for dir in 0..self.dirs.len() {
            self.checkpoint_dir(dir, which);
        }
    }

    fn checkpoint_dir(&self, dir: usize, which: Checkpoint) {
        let log_dir = &self.dirs[dir];
        if log_dir.state.is_offline() {
            return;
        }
        let _one_writer = log_dir.checkpointing.lock();
        let entries: BTreeMap<TopicPartition, Offset> = {
            let logs = self.logs.lock();
            let here = logs.iter().filter(|(_, known)| known.dir == dir);
            here.filter_map(|(partition, known)| Some((partition.clone(), which.entry(known)?)))
                .collect()
        };
        let file = OffsetCheckpointFile::new(log_dir.state.path().join(which.file_name()));
        if let Err(error) = file.write(self.env.disk(), &entries) {
            log_dir.state.fail(&format!("cannot write {}: {error}", which.file_name()));
        }
    }
}
