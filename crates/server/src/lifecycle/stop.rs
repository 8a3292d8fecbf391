//! The stop, in the order of the start reversed.

use super::Lifecycle;

impl Lifecycle {
    /// Gives up leaderships, so that clients hear of it while they are still answered.
    pub async fn controlled_shutdown(&self) {
        if let Err(error) = self.broker.controlled_shutdown().await {
            tracing::warn!(%error, "the controlled shutdown was not granted");
        }
    }

    /// Closes replicas, logs, controller, and writes the markers of a clean stop last of all.
    pub async fn stop(self) {
        self.replica_manager.shutdown().await;
        self.controller.close().await;
        self.controller_scope.cancel();
        self.controller_scope.join().await;
        self.scope.cancel();
        self.scope.join().await;
        let log_manager = self.log_manager;
        let broker_epoch = self.broker.broker_epoch();
        let report =
            self.env.offload("stop logs", move || log_manager.shutdown(broker_epoch)).await;
        for dir in &report.unclean_dirs {
            tracing::warn!(dir = %dir.display(), "the next start recovers this log directory");
        }
    }

    /// Completes when the metadata log has failed, with the reason: the node cannot go on then.
    pub async fn failed(&self) -> String {
        self.controller.failed().await.to_string()
    }
}
