//! The high watermark: how far every in-sync replica has come, and who waits for it.

use klamm_record::Offset;
use klamm_storage::UnifiedLog;
use tokio::sync::Notify;
use tokio::time::Instant;

use klamm_env::Clock;

use crate::partition::Leadership;

/// Waits for acks of a partition.
#[derive(Debug, Default)]
pub(crate) struct HighWatermarkWaits {
    moved: Notify,
}

impl HighWatermarkWaits {
    /// Wakes all waits; each looks for itself whether it is satisfied.
    pub fn wake(&self) {
        self.moved.notify_waiters();
    }

    /// True once the high watermark reaches `offset`; false when the deadline comes first, or when `gone` says that it never
    /// will.
    pub async fn reached(
        &self,
        clock: &Clock,
        deadline: Instant,
        log: &UnifiedLog,
        offset: Offset,
    ) -> bool {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            if log.high_watermark() >= offset {
                return true;
            }
            tokio::select! {
                biased;
                () = &mut moved => {}
                () = clock.sleep_until(deadline) => return log.high_watermark() >= offset,
            }
        }
    }
}

/// Moves the high watermark to the smallest log end of the in-sync replicas; true if it moved. With this node as the only
/// replica that is our own log end (Kafka's `Partition.maybeIncrementLeaderHW`).
pub(crate) fn advance(log: &UnifiedLog, leadership: &Leadership) -> bool {
    if !leadership.is_alone() {
        return false;
    }
    log.maybe_increment_high_watermark(log.log_end_offset()).is_some()
}
