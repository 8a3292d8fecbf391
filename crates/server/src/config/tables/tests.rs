//! The tables against themselves.

use std::collections::BTreeSet;

use klamm_record::config::{ConfigKey, DynamicMode};

use super::{TABLES, keys};

#[test]
fn every_table_is_sound() {
    for table in TABLES {
        table.check_table().unwrap();
    }
}

#[test]
fn no_key_is_in_two_tables() {
    let mut seen = BTreeSet::new();
    for key in keys() {
        assert!(seen.insert(key.name), "{} is declared twice", key.name);
    }
}

/// Replication quotas are in no table of Kafka's; it takes them at run time alone.
const DYNAMIC_ONLY: [&str; 3] = [
    "leader.replication.throttled.rate",
    "follower.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];

/// `broker_configs.txt` is what Apache Kafka 4.3.1 prints of its own table: name, type, default,
/// importance, valid values, internal, and its update mode.
#[test]
fn names_types_defaults_bounds_importance_and_update_modes_are_kafkas() {
    let expected = include_str!("../../../testdata/kafka-4.3.1/broker_configs.txt");
    let expected: BTreeSet<&str> = expected.lines().collect();
    let ours: Vec<String> = keys().filter(|key| !is_not_in_the_table(key.name)).map(line).collect();
    let ours: BTreeSet<&str> = ours.iter().map(String::as_str).collect();
    let missing: Vec<_> = expected.difference(&ours).collect();
    let extra: Vec<_> = ours.difference(&expected).collect();
    assert!(missing.is_empty() && extra.is_empty(), "Kafka: {missing:#?}\nwe: {extra:#?}");
}

fn is_not_in_the_table(name: &str) -> bool {
    name.starts_with("klamm.") || DYNAMIC_ONLY.contains(&name)
}

fn line(key: &ConfigKey) -> String {
    let kind = format!("{:?}", key.kind).to_uppercase();
    let default = match key.default_as_value() {
        None => "REQUIRED".to_owned(),
        Some(value) => value.to_text().unwrap_or_else(|| "null".to_owned()),
    };
    let importance = format!("{:?}", key.importance).to_uppercase();
    let mode = match key.dynamic {
        DynamicMode::ReadOnly => "read-only",
        DynamicMode::PerBroker => "per-broker",
        DynamicMode::ClusterWide => "cluster-wide",
    };
    let (name, internal) = (key.name, key.internal);
    format!("{name}|{kind}|{default}|{importance}|{}|{internal}|{mode}", key.validator)
}
