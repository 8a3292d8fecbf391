//! What is done every now and then: retention, and forgetting idle producers. (Checkpoints are the log manager's.)

use std::sync::Arc;
use std::time::Duration;

use crate::replica_manager::ReplicaManager;

/// How often each of it is done.
#[derive(Debug, Clone, Copy)]
pub struct HousekeepingIntervals {
    /// `log.retention.check.interval.ms`.
    pub retention: Duration,
    /// `producer.id.expiration.check.interval.ms`.
    pub producer_expiry: Duration,
    /// `log.initial.task.delay.ms`: nothing is done before.
    pub initial_delay: Duration,
}

impl ReplicaManager {
    /// Starts the tasks; they end with the manager's scope.
    pub fn start_housekeeping(self: &Arc<Self>, intervals: HousekeepingIntervals) {
        let HousekeepingIntervals { initial_delay, .. } = intervals;
        self.every("retention", initial_delay, intervals.retention, |it| async move {
            it.retention_pass().await;
        });
        self.every("producer expiry", initial_delay, intervals.producer_expiry, |it| async move {
            it.expire_producers().await;
        });
    }

    fn every<F, W>(
        self: &Arc<Self>,
        name: &'static str,
        delay: Duration,
        interval: Duration,
        work: F,
    ) where
        F: Fn(Arc<Self>) -> W + Send + 'static,
        W: Future<Output = ()> + Send,
    {
        let manager = Arc::clone(self);
        let scope = self.shared.scope.clone();
        self.shared.scope.spawn(name, async move {
            let clock = manager.env().clock().clone();
            let mut pause = delay;
            loop {
                tokio::select! {
                    biased;
                    () = scope.cancelled() => return,
                    () = clock.sleep(pause) => {}
                }
                work(Arc::clone(&manager)).await;
                pause = interval;
            }
        });
    }

    /// Deletes what the topics' retention no longer keeps. Logs that nobody has opened are looked at as well.
    pub async fn retention_pass(&self) {
        for partition in self.partitions() {
            let Ok(log) = partition.log().await else { continue };
            let now_ms = self.env().clock().now_ms();
            let looked_at = Arc::clone(&log);
            let due = self
                .env()
                .offload("retention check", move || looked_at.retention_due(now_ms))
                .await;
            if !matches!(due, Ok(true)) {
                continue;
            }
            match partition.exclusively(move |appender| appender.delete_old_segments(now_ms)).await
            {
                Ok(Ok(_)) => partition.waiters.wake_all(),
                Ok(Err(error)) => {
                    tracing::error!(partition = %partition.topic_partition(), %error, "retention failed");
                }
                Err(_) => {} // closed meanwhile
            }
        }
    }

    async fn expire_producers(&self) {
        let now_ms = self.env().clock().now_ms();
        let config = self.log_manager().producer_state();
        for partition in self.partitions() {
            if partition.opened_log().is_some() {
                // closed meanwhile: nothing to expire
                let _ = partition
                    .exclusively(move |appender| appender.remove_expired_producers(config, now_ms))
                    .await;
            }
        }
    }
}
