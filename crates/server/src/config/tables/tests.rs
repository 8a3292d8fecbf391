//! The tables against themselves.

use std::collections::BTreeSet;

use klamm_record::config::{ConfigKey, DynamicMode, Effect};
use klamm_storage::log_config::TOPIC_CONFIGS;

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

/// What users read about every key.
const DOCUMENTATION: &str = include_str!("../../../../../docs/operations/configuration.md");

/// The page from one heading up to the next of the same or a higher rank.
fn section(heading: &str) -> &'static str {
    let (_, rest) = DOCUMENTATION.split_once(heading).expect("the page has this heading");
    let end = rest.find("\n## ").unwrap_or(rest.len());
    &rest[..end]
}

/// Every config named in a paragraph that begins with a bold reason.
fn listed(section: &'static str) -> BTreeSet<&'static str> {
    let paragraphs = section.split("\n\n").filter_map(|it| it.trim().strip_prefix("**"));
    let lists = paragraphs.map(|it| it.split_once(":**").expect("the reason ends so").1);
    lists.flat_map(|list| list.split('`').skip(1).step_by(2)).collect()
}

/// The rows of every table whose first column is one config.
fn rows(section: &'static str) -> BTreeSet<&'static str> {
    section.lines().filter(|line| line.starts_with("| `")).collect()
}

fn row(key: &ConfigKey) -> String {
    let text = key.default_as_value().map(|value| value.to_text());
    let default = match text {
        None => "required".to_owned(),
        Some(None) => String::new(),
        Some(Some(text)) if text.is_empty() => "empty".to_owned(),
        Some(Some(text)) if text == i64::MAX.to_string() || text == i32::MAX.to_string() => {
            "no bound".to_owned()
        }
        Some(Some(_)) if key.name == "listener.security.protocol.map" => {
            "each protocol's name stands for itself".to_owned()
        }
        Some(Some(text)) => format!("`{text}`"),
    };
    let doc = key.doc().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    format!("| `{}` | {default} | {} |", key.name, doc.trim_end_matches('.'))
}

/// `None` for a key that acts; else whether its effect is still to come.
fn is_to_come(key: &ConfigKey) -> Option<bool> {
    match key.effect {
        Effect::Active => None,
        Effect::Later(reason) => Some(reason.contains("comes ")),
    }
}

#[track_caller]
fn assert_same(documented: &BTreeSet<&str>, tables: Vec<String>) {
    let tables: BTreeSet<&str> = tables.iter().map(String::as_str).collect();
    let missing: Vec<_> = tables.difference(documented).collect();
    let extra: Vec<_> = documented.difference(&tables).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing: {missing:#?}\nextra: {extra:#?}");
}

#[test]
fn the_documentation_has_every_broker_config_that_acts() {
    let acting = keys().filter(|key| is_to_come(key).is_none() && !key.internal);
    assert_same(&rows(section("\n## Keys that act")), acting.map(row).collect());
}

#[test]
fn the_documentation_tells_which_broker_configs_do_not_act_yet_or_ever() {
    let named = |to_come: bool| -> Vec<String> {
        let keys = keys().filter(|key| is_to_come(key) == Some(to_come));
        keys.map(|key| key.name.to_owned()).collect()
    };
    assert_same(&listed(section("\n## Broker configs without effect yet")), named(true));
    assert_same(&listed(section("\n## Broker configs that will not act")), named(false));
}

#[test]
fn the_documentation_has_every_topic_config() {
    let (acting, later) = section("\n## Topic configs")
        .split_once("Stored, checked and described")
        .expect("two tables");
    let keys = TOPIC_CONFIGS.keys.iter();
    let active = keys.clone().filter(|key| is_to_come(key).is_none() && !key.internal);
    assert_same(&rows(acting), active.map(row).collect());
    let names = rows(later).into_iter().filter_map(|line| line.split('|').nth(1));
    let names = names.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let inactive = keys.filter(|key| is_to_come(key).is_some() && !key.internal);
    assert_same(&names, inactive.map(|key| key.name.to_owned()).collect());
}
