//! Metrics of this crate. Labels are log dirs only, so that their number does not grow with partitions.

use std::path::Path;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::LogManager;

type DirLabels = [(&'static str, String); 1];

/// Declared once for a node; clones share the values.
#[derive(Debug, Clone)]
pub struct StorageMetrics {
    /// Seconds that a flush took, of every log that is opened by the manager (`LogFlushRateAndTimeMs`).
    pub(super) flush_seconds: Histogram,
    pub(super) remaining_logs_to_recover: Family<DirLabels, Gauge>,
    size_bytes: Family<DirLabels, Gauge>,
    segments: Family<DirLabels, Gauge>,
    partitions: Family<DirLabels, Gauge>,
    offline: Family<DirLabels, Gauge>,
    waiting_for_deletion: Gauge,
}

impl StorageMetrics {
    /// Declares the metrics under `kafka_log`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            flush_seconds: Histogram::new(exponential_buckets(0.000_1, 2.0, 16)),
            remaining_logs_to_recover: Family::default(),
            size_bytes: Family::default(),
            segments: Family::default(),
            partitions: Family::default(),
            offline: Family::default(),
            waiting_for_deletion: Gauge::default(),
        };
        let log = registry.sub_registry_with_prefix("kafka_log");
        let flush = metrics.flush_seconds.clone();
        log.register_with_unit(
            "flush_time",
            "Time to sync a log to its disk",
            Unit::Seconds,
            flush,
        );
        let remaining = metrics.remaining_logs_to_recover.clone();
        log.register(
            "remaining_logs_to_recover",
            "Logs still to be recovered after an unclean stop",
            remaining,
        );
        let size = metrics.size_bytes.clone();
        log.register_with_unit(
            "size",
            "Bytes of the open logs in a log directory",
            Unit::Bytes,
            size,
        );
        log.register(
            "num_log_segments",
            "Segments of the open logs in a log directory",
            metrics.segments.clone(),
        );
        log.register(
            "partitions",
            "Partitions that have a directory in a log directory",
            metrics.partitions.clone(),
        );
        log.register(
            "log_directory_offline",
            "1 if the log directory has failed",
            metrics.offline.clone(),
        );
        let waiting = metrics.waiting_for_deletion.clone();
        log.register("waiting_for_deletion", "Files and directories renamed for deletion", waiting);
        metrics
    }

    pub(super) fn dir(path: &Path) -> DirLabels {
        [("dir", path.display().to_string())]
    }
}

impl LogManager {
    /// Brings the gauges up to date; runs along with the high watermark checkpoints.
    pub(super) fn update_metrics(&self) {
        let metrics = &self.metrics;
        let logs = self.logs.lock();
        for (at, dir) in self.dirs.iter().enumerate() {
            let labels = StorageMetrics::dir(dir.state.path());
            let (mut bytes, mut segments, mut partitions) = (0, 0, 0);
            for known in logs.values().filter(|known| known.dir == at) {
                partitions += 1;
                if let Some(log) = known.log() {
                    let list = log.segments();
                    bytes += list.size_bytes();
                    segments += list.len();
                }
            }
            metrics.size_bytes.get_or_create(&labels).set(bytes as i64);
            metrics.segments.get_or_create(&labels).set(segments as i64);
            metrics.partitions.get_or_create(&labels).set(partitions);
            metrics.offline.get_or_create(&labels).set(i64::from(dir.state.is_offline()));
        }
        metrics.waiting_for_deletion.set(self.deletions.len() as i64);
    }
}
