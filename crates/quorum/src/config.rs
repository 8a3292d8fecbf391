//! Configuration of the metadata log.

use std::time::Duration;

/// Effective values, in units that the names say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataLogConfig {
    /// `metadata.log.segment.bytes`.
    pub segment_bytes: i32,
    /// `metadata.log.segment.ms`.
    pub segment_ms: i64,
    /// `metadata.max.retention.bytes`: log and snapshots together; negative for no bound.
    pub retention_bytes: i64,
    /// `metadata.max.retention.ms`; negative for no bound.
    pub retention_ms: i64,
    /// `metadata.log.max.record.bytes.between.snapshots`.
    pub snapshot_bytes: u64,
    /// `metadata.log.max.snapshot.interval.ms`; `None` for no snapshots by time.
    pub snapshot_interval: Option<Duration>,
}

impl Default for MetadataLogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 604_800_000,
            retention_bytes: 100 << 20,
            retention_ms: 604_800_000,
            snapshot_bytes: 20 << 20,
            snapshot_interval: Some(Duration::from_secs(3600)),
        }
    }
}
