//! What runs beside everything else: checkpoints and unlinking.

use std::sync::Arc;
use std::time::Duration;

use klamm_env::TaskScope;

use super::LogManager;

/// How often the background work runs.
#[derive(Debug, Clone, Copy)]
pub struct BackgroundIntervals {
    /// `log.flush.offset.checkpoint.interval.ms`.
    pub recovery_point: Duration,
    /// `log.flush.start.offset.checkpoint.interval.ms`.
    pub log_start_offset: Duration,
    /// `replica.high.watermark.checkpoint.interval.ms`.
    pub high_watermark: Duration,
    /// How often is looked for files to unlink and for index pages to write.
    pub deletion: Duration,
}

impl Default for BackgroundIntervals {
    fn default() -> Self {
        Self {
            recovery_point: Duration::from_secs(60),
            log_start_offset: Duration::from_secs(60),
            high_watermark: Duration::from_secs(5),
            deletion: Duration::from_secs(5),
        }
    }
}

impl LogManager {
    /// Starts the background work in `scope`; it ends when the scope is cancelled. Checkpoints are written once more by
    /// [`LogManager::shutdown`].
    pub fn spawn_background(self: &Arc<Self>, scope: &TaskScope, every: BackgroundIntervals) {
        self.repeat(scope, "recovery-point-checkpoint", every.recovery_point, |manager| {
            manager.checkpoint_recovery_points();
        });
        self.repeat(scope, "log-start-offset-checkpoint", every.log_start_offset, |manager| {
            manager.checkpoint_log_start_offsets();
        });
        self.repeat(scope, "high-watermark-checkpoint", every.high_watermark, |manager| {
            manager.checkpoint_high_watermarks();
            manager.update_metrics();
        });
        self.repeat(scope, "delete-logs", every.deletion, |manager| {
            manager.unlink_due();
            manager.write_index_tails();
        });
    }

    /// Writes index entries that fill a page or more, so that memory does not grow with the active segments (not synced: after
    /// a crash they are rebuilt), and lets idle logs give back memory and descriptors. Blocks on the disk.
    pub fn write_index_tails(&self) {
        for log in self.open_logs() {
            if let Err(error) = log.write_index_tail() {
                tracing::warn!(partition = %log.topic_partition(), %error, "cannot write an index");
            }
            log.rest_if_idle();
        }
    }

    /// Unlinks the files and directories whose time has come. Blocks on the disk.
    pub fn unlink_due(&self) -> usize {
        self.deletions.unlink_due(self.env.disk(), self.env.clock().now_ms())
    }

    fn repeat(
        self: &Arc<Self>,
        scope: &TaskScope,
        name: &'static str,
        every: Duration,
        work: fn(&Self),
    ) {
        let manager = Arc::clone(self);
        let cancelled = scope.clone();
        scope.spawn(name, async move {
            let env = manager.env.clone();
            while env.clock().timeout(every, cancelled.cancelled()).await.is_err() {
                let manager = Arc::clone(&manager);
                env.offload(name, move || work(&manager)).await;
            }
        });
    }
}
