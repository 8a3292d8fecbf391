//! What this crate counts.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Metrics of the replica manager; none has a label, so their number is fixed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    /// Partitions with a replica here (Kafka's `PartitionCount`).
    pub partitions: Gauge<i64, AtomicI64>,
    /// Partitions led here (Kafka's `LeaderCount`).
    pub leaders: Gauge<i64, AtomicI64>,
    /// Fetches that had to wait for bytes.
    pub delayed_fetches: Counter,
    /// Fetched stretches that were not in the page cache.
    pub cold_reads: Counter,
}

impl Metrics {
    pub fn register(registry: &mut Registry) -> Arc<Metrics> {
        let metrics = Metrics::default();
        let registry = registry.sub_registry_with_prefix("klamm_replica");
        registry.register(
            "partitions",
            "Partitions with a replica on this node",
            metrics.partitions.clone(),
        );
        registry.register("leaders", "Partitions that this node leads", metrics.leaders.clone());
        registry.register(
            "delayed_fetches",
            "Fetches that waited for more bytes",
            metrics.delayed_fetches.clone(),
        );
        registry.register(
            "cold_reads",
            "Fetched stretches that were not in the page cache",
            metrics.cold_reads.clone(),
        );
        Arc::new(metrics)
    }
}
