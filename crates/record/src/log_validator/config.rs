//! The rules of a topic that its records are checked against.

use crate::batch::TimestampType;
use crate::codec::Compression;

/// The effective configs of one topic, as far as they matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidationConfig {
    /// `max.message.bytes`: largest batch, as sent and as stored.
    pub max_message_bytes: usize,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`: how far in the past, inclusive.
    pub before_max_ms: i64,
    /// `message.timestamp.after.max.ms`: how far in the future, inclusive.
    pub after_max_ms: i64,
    /// `compression.type` and its level.
    pub compression: TopicCompression,
    /// `cleanup.policy` contains `compact`: every record needs a key.
    pub compacted: bool,
    /// Most bytes that compressed records may become; see [`decompressed_bytes_max`].
    pub decompressed_bytes_max: usize,
}

/// What `compression.type` of a topic asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicCompression {
    /// Keep what the producer chose.
    Producer,
    /// Compress with this, `Compression::NONE` for `uncompressed`, unless the codec is this already.
    Fixed(Compression),
}

impl Default for ValidationConfig {
    /// Kafka's defaults.
    fn default() -> Self {
        let max_message_bytes = 1_048_588;
        Self {
            max_message_bytes,
            timestamp_type: TimestampType::CreateTime,
            before_max_ms: i64::MAX,
            after_max_ms: 3_600_000,
            compression: TopicCompression::Producer,
            compacted: false,
            decompressed_bytes_max: decompressed_bytes_max(max_message_bytes),
        }
    }
}

/// How much the records of a batch may become when decompressed, in bytes: 64 times the largest batch, between 128 MiB and 2 GiB. Kafka has
/// no limit; this one costs time, not memory.
pub fn decompressed_bytes_max(max_message_bytes: usize) -> usize {
    max_message_bytes.saturating_mul(64).clamp(128 << 20, i32::MAX as usize)
}
