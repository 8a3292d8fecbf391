//! The config tables beside those of Apache Kafka 4.3.1, as its own classes print them.
//!
//! `configs.txt` has one line a config: table (`T` is `LogConfig.configKeys`, `B` `LogConfig.SERVER_CONFIG_DEF`, `C` `CleanerConfig`), name,
//! type, default, importance, valid values, internal; and a line `D` for each of them that may change at run time.

use klamm_record::config::{ConfigDef, DynamicMode};
use klamm_storage::log_config::{COMPACTION_CONFIGS, LOG_BROKER_CONFIGS, TOPIC_CONFIGS};

fn lines(table: &str, configs: &ConfigDef) -> Vec<String> {
    let mut keys: Vec<_> = configs.keys.iter().collect();
    keys.sort_by_key(|key| key.name);
    let lines = keys.iter().map(|key| {
        let kind = format!("{:?}", key.kind).to_uppercase();
        let default = match key.default_as_value() {
            None => "REQUIRED".to_owned(),
            Some(value) => value.to_text().unwrap_or_else(|| "null".to_owned()),
        };
        let importance = format!("{:?}", key.importance).to_uppercase();
        let (name, internal) = (key.name, key.internal);
        format!("{table}|{name}|{kind}|{default}|{importance}|{}|{internal}", key.validator)
    });
    lines.collect()
}

fn dynamic_lines() -> Vec<String> {
    let mut lines: Vec<_> = LOG_BROKER_CONFIGS
        .keys
        .iter()
        .chain(COMPACTION_CONFIGS.keys)
        .filter(|key| key.dynamic != DynamicMode::ReadOnly)
        .map(|key| format!("D|{}", key.name))
        .collect();
    lines.sort();
    lines
}

#[test]
fn names_types_defaults_bounds_and_importance_are_kafkas() {
    let expected = include_str!("../../testdata/kafka-4.3.1/configs.txt");
    for (table, ours) in [
        ("T|", lines("T", &TOPIC_CONFIGS)),
        ("B|", lines("B", &LOG_BROKER_CONFIGS)),
        ("C|", lines("C", &COMPACTION_CONFIGS)),
        ("D|", dynamic_lines()),
    ] {
        let expected: Vec<&str> = expected.lines().filter(|line| line.starts_with(table)).collect();
        assert_eq!(ours, expected);
    }
}
