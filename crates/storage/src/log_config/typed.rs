//! The effective configuration of one log, typed.

use klamm_record::codec::Compression;
use klamm_record::config::{ConfigError, ConfigValue};
use klamm_record::log_validator::{TopicCompression, ValidationConfig, decompressed_bytes_max};
use klamm_record::{Codec, TimestampType};

use super::TOPIC_CONFIGS;

/// Values that are allowed one by one, but do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogConfigError {
    /// A value that is not allowed.
    #[error(transparent)]
    Value(#[from] ConfigError),
    /// Records would have to be compacted before they may be.
    #[error(
        "conflict topic config setting min.compaction.lag.ms ({min_ms}) > max.compaction.lag.ms ({max_ms})"
    )]
    CompactionLag {
        /// `min.compaction.lag.ms`.
        min_ms: i64,
        /// `max.compaction.lag.ms`.
        max_ms: i64,
    },
}

/// What the broker does with the codec of incoming batches (`compression.type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerCompression {
    /// Batches are stored as they came.
    Producer,
    /// Batches are stored with this codec.
    Codec {
        /// The codec.
        codec: Codec,
        /// Its level; none where the codec has none, or its own default is asked for.
        level: Option<i32>,
    },
}

/// The effective configuration of one log (Kafka's `LogConfig`). Sizes are in bytes; −1 means no limit where it is allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct LogConfig {
    /// `internal.segment.bytes`, else `segment.bytes`.
    pub segment_bytes: u32,
    /// `segment.ms`.
    pub segment_ms: i64,
    /// `segment.jitter.ms`.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`.
    pub segment_index_bytes: u32,
    /// `flush.messages`.
    pub flush_messages: i64,
    /// `flush.ms`.
    pub flush_ms: i64,
    /// `retention.bytes`; −1 for no limit.
    pub retention_bytes: i64,
    /// `retention.ms`; −1 for no limit.
    pub retention_ms: i64,
    /// `max.message.bytes`.
    pub max_message_bytes: u32,
    /// `index.interval.bytes`.
    pub index_interval_bytes: u32,
    /// `delete.retention.ms`.
    pub delete_retention_ms: i64,
    /// `min.compaction.lag.ms`.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`.
    pub max_compaction_lag_ms: i64,
    /// `file.delete.delay.ms`.
    pub file_delete_delay_ms: i64,
    /// `min.cleanable.dirty.ratio`.
    pub min_cleanable_dirty_ratio: f64,
    /// Whether `cleanup.policy` holds `compact`.
    pub compact: bool,
    /// Whether `cleanup.policy` holds `delete`.
    pub delete: bool,
    /// `unclean.leader.election.enable`.
    pub unclean_leader_election_enable: bool,
    /// `min.insync.replicas`.
    pub min_insync_replicas: u32,
    /// `compression.type` and its level.
    pub compression: BrokerCompression,
    /// `preallocate`.
    pub preallocate: bool,
    /// `message.timestamp.type`.
    pub message_timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`.
    pub message_timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub message_timestamp_after_max_ms: i64,
    /// `remote.storage.enable`.
    pub remote_storage_enable: bool,
}

impl LogConfig {
    /// Builds from the texts that are set. `set` is asked for a topic config's name first, then for its broker synonyms, finest
    /// unit first; where nothing is set, the default holds.
    ///
    /// # Errors
    /// If a value is not allowed, or values do not fit together.
    pub fn from_values<'a>(set: impl Fn(&str) -> Option<&'a str>) -> Result<Self, LogConfigError> {
        let values = Values { set };
        let segment_bytes = match values.get("internal.segment.bytes")?.as_i64() {
            Some(bytes) => u32::try_from(bytes).unwrap_or(0),
            None => values.size("segment.bytes")?,
        };
        let policies = values.get("cleanup.policy")?;
        let policies = policies.as_list().unwrap_or_default();
        let has = |policy: &str| policies.iter().any(|p| p.eq_ignore_ascii_case(policy));
        let timestamp_type = values.get("message.timestamp.type")?;
        let append_time = TimestampType::LogAppendTime;
        let config = Self {
            segment_bytes,
            segment_ms: values.long("segment.ms")?,
            segment_jitter_ms: values.long("segment.jitter.ms")?,
            segment_index_bytes: values.size("segment.index.bytes")?,
            flush_messages: values.long("flush.messages")?,
            flush_ms: values.long("flush.ms")?,
            retention_bytes: values.long("retention.bytes")?,
            retention_ms: values.long("retention.ms")?,
            max_message_bytes: values.size("max.message.bytes")?,
            index_interval_bytes: values.size("index.interval.bytes")?,
            delete_retention_ms: values.long("delete.retention.ms")?,
            min_compaction_lag_ms: values.long("min.compaction.lag.ms")?,
            max_compaction_lag_ms: values.long("max.compaction.lag.ms")?,
            file_delete_delay_ms: values.long("file.delete.delay.ms")?,
            min_cleanable_dirty_ratio: values
                .get("min.cleanable.dirty.ratio")?
                .as_f64()
                .unwrap_or_default(),
            compact: has("compact"),
            delete: has("delete"),
            unclean_leader_election_enable: values.flag("unclean.leader.election.enable")?,
            min_insync_replicas: values.size("min.insync.replicas")?,
            compression: values.compression()?,
            preallocate: values.flag("preallocate")?,
            message_timestamp_type: if timestamp_type.as_str() == Some(append_time.name()) {
                append_time
            } else {
                TimestampType::CreateTime
            },
            message_timestamp_before_max_ms: values.long("message.timestamp.before.max.ms")?,
            message_timestamp_after_max_ms: values.long("message.timestamp.after.max.ms")?,
            remote_storage_enable: values.flag("remote.storage.enable")?,
        };
        config.check()
    }

    /// The age at which a segment rolls: `segment.ms`, but a compacted log rolls early enough for `max.compaction.lag.ms`.
    pub fn max_segment_ms(&self) -> i64 {
        if self.compact && self.max_compaction_lag_ms > 0 {
            self.max_compaction_lag_ms.min(self.segment_ms)
        } else {
            self.segment_ms
        }
    }

    /// The rules that a producer's batch is checked against.
    pub fn validation(&self) -> ValidationConfig {
        let max_message_bytes = usize::try_from(self.max_message_bytes).unwrap_or(usize::MAX);
        ValidationConfig {
            max_message_bytes,
            timestamp_type: self.message_timestamp_type,
            before_max_ms: self.message_timestamp_before_max_ms,
            after_max_ms: self.message_timestamp_after_max_ms,
            compression: match self.compression {
                BrokerCompression::Producer => TopicCompression::Producer,
                BrokerCompression::Codec { codec, level } => TopicCompression::Fixed(match level {
                    Some(level) => Compression { codec, level },
                    None => Compression::new(codec),
                }),
            },
            compacted: self.compact,
            decompressed_bytes_max: decompressed_bytes_max(max_message_bytes),
        }
    }

    fn check(self) -> Result<Self, LogConfigError> {
        let (min_ms, max_ms) = (self.min_compaction_lag_ms, self.max_compaction_lag_ms);
        if min_ms > max_ms {
            return Err(LogConfigError::CompactionLag { min_ms, max_ms });
        }
        Ok(self)
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self::from_values(|_| None).expect("the defaults are allowed")
    }
}

struct Values<F> {
    set: F,
}

impl<'a, F: Fn(&str) -> Option<&'a str>> Values<F> {
    fn get(&self, name: &str) -> Result<ConfigValue, ConfigError> {
        TOPIC_CONFIGS.resolve(name, &self.set)
    }

    fn long(&self, name: &str) -> Result<i64, ConfigError> {
        let value = self.get(name)?;
        value.as_i64().ok_or_else(|| ConfigError::invalid(name, &value, "Value must be non-null"))
    }

    fn size(&self, name: &str) -> Result<u32, ConfigError> {
        let value = self.long(name)?;
        u32::try_from(value)
            .map_err(|_| ConfigError::invalid(name, value, "Value must be at least 0"))
    }

    fn flag(&self, name: &str) -> Result<bool, ConfigError> {
        let value = self.get(name)?;
        value.as_bool().ok_or_else(|| ConfigError::invalid(name, &value, "Value must be non-null"))
    }

    fn compression(&self) -> Result<BrokerCompression, ConfigError> {
        let name = self.get("compression.type")?;
        let codec = match name.as_str() {
            Some("uncompressed") => Codec::None,
            Some("gzip") => Codec::Gzip,
            Some("snappy") => Codec::Snappy,
            Some("lz4") => Codec::Lz4,
            Some("zstd") => Codec::Zstd,
            _ => return Ok(BrokerCompression::Producer),
        };
        let level = match codec {
            Codec::None | Codec::Snappy => None,
            Codec::Gzip => self.get("compression.gzip.level")?.as_i32().filter(|level| *level >= 0),
            Codec::Lz4 => self.get("compression.lz4.level")?.as_i32(),
            Codec::Zstd => self.get("compression.zstd.level")?.as_i32(),
        };
        Ok(BrokerCompression::Codec { codec, level })
    }
}
