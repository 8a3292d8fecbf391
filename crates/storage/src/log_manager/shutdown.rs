//! A clean stop: checkpoints, and last the marker that spares the next start a scan.

use std::path::PathBuf;

use klamm_record::TopicPartition;

use super::{LogManager, Status};
use crate::clean_shutdown_file;
use crate::log_loader::LoadMode;

/// What a stop left behind.
#[derive(Debug, Clone, Default)]
pub struct ShutdownReport {
    /// Directories that got the marker of a clean stop.
    pub clean_dirs: Vec<PathBuf>,
    /// Directories that did not: offline, or with a log that was not closed.
    pub unclean_dirs: Vec<PathBuf>,
}

impl LogManager {
    /// Closes the logs that nobody asked for since they were recovered, writes all checkpoints, and marks each log dir as
    /// cleanly stopped whose open logs were all closed ([`crate::log_appender::LogAppender::close`]) by their owners.
    /// `broker_epoch` goes into the marker (KIP-966). Blocks on the disk.
    pub fn shutdown(&self, broker_epoch: i64) -> ShutdownReport {
        self.close_parked();
        self.checkpoint_recovery_points();
        self.checkpoint_log_start_offsets();
        self.checkpoint_high_watermarks();
        let mut report = ShutdownReport::default();
        for dir in 0..self.dirs.len() {
            let path = self.dir_path(dir).to_path_buf();
            if self.may_mark_clean(dir) && self.write_marker(dir, broker_epoch) {
                report.clean_dirs.push(path);
            } else {
                tracing::warn!(dir = %path.display(), "log directory is not marked as cleanly stopped");
                report.unclean_dirs.push(path);
            }
        }
        report
    }

    fn close_parked(&self) {
        let parked: Vec<TopicPartition> = {
            let logs = self.logs.lock();
            let is_parked = |status: &Status| matches!(status, Status::Parked(_));
            let found = logs.iter().filter(|(_, known)| is_parked(&known.status));
            found.map(|(topic_partition, _)| topic_partition.clone()).collect()
        };
        for topic_partition in parked {
            let closed = self.open_log(&topic_partition, None).map_err(|error| error.to_string());
            let closed = closed
                .and_then(|mut loaded| loaded.appender.close().map_err(|error| error.to_string()));
            if let Err(error) = closed {
                tracing::error!(partition = %topic_partition, error, "cannot close the log");
            }
        }
    }

    fn may_mark_clean(&self, dir: usize) -> bool {
        let logs = self.logs.lock();
        !self.dirs[dir].state.is_offline()
            && logs.values().filter(|known| known.dir == dir).all(|known| match &known.status {
                Status::Unopened => known.mode == LoadMode::Clean,
                Status::Open(log) => log.is_closed(),
                Status::Busy | Status::Parked(_) => false,
            })
    }

    fn write_marker(&self, dir: usize, broker_epoch: i64) -> bool {
        match clean_shutdown_file::write(self.env.disk(), self.dir_path(dir), broker_epoch) {
            Ok(()) => true,
            Err(error) => {
                self.dirs[dir]
                    .state
                    .fail(&format!("cannot write the clean shutdown marker: {error}"));
                false
            }
        }
    }
}
