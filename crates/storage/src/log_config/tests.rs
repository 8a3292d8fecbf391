//! Tests of the config tables and of the typed form: soundness, synonyms, Kafka's wording.

use std::collections::BTreeMap;

use klamm_record::config::{ConfigDef, Effect};
use klamm_record::{Codec, TimestampType};

use super::*;

fn config(values: &[(&str, &str)]) -> Result<LogConfig, LogConfigError> {
    let values: BTreeMap<&str, &str> = values.iter().copied().collect();
    LogConfig::from_values(|name| values.get(name).copied())
}

#[test]
fn tables_are_sound() {
    for (table, count) in
        [(&TOPIC_CONFIGS, 34), (&LOG_BROKER_CONFIGS, 34), (&COMPACTION_CONFIGS, 11)]
    {
        table.check_table().expect("the table is sound");
        assert_eq!(table.keys.len(), count);
    }
}

#[test]
fn broker_defaults_agree_with_topic_defaults() {
    let broker = |name: &str| {
        [&LOG_BROKER_CONFIGS, &COMPACTION_CONFIGS]
            .into_iter()
            .find_map(|table: &ConfigDef| table.get(name))
    };
    for key in TOPIC_CONFIGS.keys {
        let text = |name: &str| -> Option<String> { broker(name)?.default_as_value()?.to_text() };
        let Some((synonym, default)) = key.synonyms.iter().find_map(|s| Some((s, text(s.name)?)))
        else {
            continue;
        };
        let own = key.default_as_value().expect("topic configs have defaults");
        assert_eq!(key.parse(&synonym.convert(&default)), Ok(own), "{}", key.name);
    }
}

#[test]
fn defaults_are_kafkas() {
    let config = LogConfig::default();
    assert_eq!((config.segment_bytes, config.segment_index_bytes), (1 << 30, 10 << 20));
    assert_eq!((config.retention_ms, config.retention_bytes), (604_800_000, -1));
    assert_eq!((config.compact, config.delete), (false, true));
    assert_eq!(config.compression, BrokerCompression::Producer);
    assert_eq!(config.message_timestamp_type, TimestampType::CreateTime);
    assert_eq!(config.max_segment_ms(), 604_800_000);
}

#[test]
fn synonyms_give_way_to_topic_configs_and_finer_units() {
    let set = config(&[
        ("log.retention.hours", "1"),
        ("log.retention.minutes", "2"),
        ("log.roll.hours", "3"),
    ]);
    let set = set.expect("allowed");
    assert_eq!((set.retention_ms, set.segment_ms), (120_000, 10_800_000));
    let set = config(&[("log.retention.ms", "5"), ("retention.ms", "-1")]).expect("allowed");
    assert_eq!(set.retention_ms, -1);
    assert_eq!(config(&[("log.retention.hours", "-1")]).map(|c| c.retention_ms), Ok(-1));
}

#[test]
fn values_are_typed() {
    let set = config(&[
        ("cleanup.policy", "compact, delete"),
        ("compression.type", "gzip"),
        ("internal.segment.bytes", "1000"),
        ("segment.bytes", "2000000"),
        ("max.compaction.lag.ms", "7"),
        ("message.timestamp.type", "LogAppendTime"),
    ])
    .expect("allowed");
    assert!(set.compact && set.delete);
    assert_eq!(set.compression, BrokerCompression::Codec { codec: Codec::Gzip, level: None });
    assert_eq!((set.segment_bytes, set.max_segment_ms()), (1000, 7));
    assert_eq!(set.message_timestamp_type, TimestampType::LogAppendTime);
    let set = config(&[("cleanup.policy", ""), ("compression.type", "zstd")]).expect("allowed");
    assert!(!set.compact && !set.delete);
    assert_eq!(set.compression, BrokerCompression::Codec { codec: Codec::Zstd, level: Some(3) });
}

#[test]
fn wrong_values_are_refused_in_kafkas_words() {
    let cases = [
        (
            "segment.bytes",
            "1000",
            "Invalid value 1000 for configuration segment.bytes: Value must be at least 1048576",
        ),
        (
            "retention.ms",
            "-2",
            "Invalid value -2 for configuration retention.ms: Value must be at least -1",
        ),
        (
            "retention.ms",
            "x",
            "Invalid value x for configuration retention.ms: Not a number of type LONG",
        ),
        (
            "compression.gzip.level",
            "0",
            "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1",
        ),
        (
            "min.cleanable.dirty.ratio",
            "1.5",
            "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
        ),
        (
            "compression.type",
            "brotli",
            "Invalid value brotli for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer",
        ),
        (
            "leader.replication.throttled.replicas",
            "1:x",
            "Invalid value [1:x] for configuration leader.replication.throttled.replicas: \
             leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: \
             [partitionId]:[brokerId],[partitionId]:[brokerId],...",
        ),
    ];
    for (name, value, expected) in cases {
        let error = TOPIC_CONFIGS.parse(name, value).expect_err(name);
        assert_eq!(error.to_string(), expected);
    }
    for value in ["*", "", "0:1,2:3"] {
        assert!(TOPIC_CONFIGS.parse("follower.replication.throttled.replicas", value).is_ok());
    }
    let error = config(&[("min.compaction.lag.ms", "5"), ("max.compaction.lag.ms", "4")]);
    assert_eq!(
        error.expect_err("they conflict").to_string(),
        "conflict topic config setting min.compaction.lag.ms (5) > max.compaction.lag.ms (4)"
    );
}

#[test]
fn what_comes_later_says_so() {
    let later: Vec<&str> = TOPIC_CONFIGS
        .keys
        .iter()
        .filter(|key| matches!(key.effect, Effect::Later(_)))
        .map(|key| key.name)
        .collect();
    for name in ["flush.messages", "cleanup.policy", "remote.storage.enable"] {
        assert!(later.contains(&name), "{name}");
    }
    assert!(!later.contains(&"retention.ms"));
}
