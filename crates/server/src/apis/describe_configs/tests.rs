//! DescribeConfigs, resource by resource, as golden text.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use klamm_metadata::image::ConfigMap;
use klamm_metadata::records::MetadataRecord;
use klamm_record::config::Synonym;

use super::*;
use crate::apis::test_image::{config, image, topic};

klamm_record::config_def! {
    /// Topic configs of the test.
    static TOPICS;
    /// How long.
    "retention.ms": long = 604_800_000, synonyms(&[Synonym::same("log.retention.ms")]);
    /// How large.
    "segment.bytes": int = 1024, synonyms(&[Synonym::same("log.segment.bytes")]);
}

klamm_record::config_def! {
    /// Broker configs of the test.
    static BROKERS;
    /// How long.
    "log.retention.ms": long, null_default(), cluster_wide();
    /// How large.
    "log.segment.bytes": int = 1024, cluster_wide();
    /// Who.
    "node.id": int = 1;
    /// A secret.
    "ssl.key.password": password, null_default(), per_broker();
}

klamm_record::config_def! {
    /// Group configs of the test.
    static GROUPS;
    /// How long.
    "consumer.session.timeout.ms": int = 45_000;
}

klamm_record::config_def! {
    /// Client metrics configs of the test.
    static CLIENT_METRICS;
    /// How often.
    "interval.ms": int = 300_000;
}

static SCHEMA: ConfigSchema = ConfigSchema {
    topics: &TOPICS,
    brokers: &BROKERS,
    groups: &GROUPS,
    client_metrics: &CLIENT_METRICS,
};

fn records() -> Vec<MetadataRecord> {
    let mut records = topic("flights", 1, 1);
    records.push(config(2, "flights", "retention.ms", "1000"));
    records.push(config(4, "", "log.segment.bytes", "2048"));
    records.push(config(4, "1", "ssl.key.password", "secret"));
    records
}

fn check(resource_type: i8, name: &str, keys: Option<&[&str]>, expected: Expect) {
    let image = image(&records());
    let set = |name| image.configs.of(&ConfigResource::new(ResourceType::Broker, name));
    let description = Description {
        image: &image,
        schema: SCHEMA,
        layers: BrokerLayers {
            dynamic_broker: set("1"),
            dynamic_default: set(""),
            static_broker: ConfigMap::unit(Arc::from("log.retention.ms"), Arc::from("5000")),
        },
        node: BrokerId(1),
        with_synonyms: true,
        with_documentation: false,
    };
    let resource = DescribeConfigsResource {
        resource_type,
        resource_name: Str::from(name),
        configuration_keys: keys.map(|keys| keys.iter().map(|key| Str::from(*key)).collect()),
    };
    let mut text = String::new();
    match description.of(&resource) {
        Err(error) => writeln!(text, "{} {:?}", error.code, error.message).unwrap(),
        Ok(result) => {
            for it in result.configs {
                let value = it.value.as_deref().unwrap_or("null");
                write!(text, "{}={value} source {}", it.name, it.config_source).unwrap();
                write!(text, "{}", if it.read_only { " read-only" } else { "" }).unwrap();
                write!(text, "{}", if it.is_sensitive { " sensitive" } else { "" }).unwrap();
                for synonym in &it.synonyms {
                    let value = synonym.value.as_deref().unwrap_or("null");
                    write!(text, "; {}={value} {}", synonym.name, synonym.source).unwrap();
                }
                text.push('\n');
            }
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn a_topic() {
    check(
        2,
        "flights",
        None,
        expect![[r#"
        retention.ms=1000 source 1; retention.ms=1000 1; log.retention.ms=5000 4
        segment.bytes=2048 source 3; log.segment.bytes=2048 3; log.segment.bytes=1024 5
    "#]],
    );
    check(
        2,
        "flights",
        Some(&["segment.bytes", "nothing"]),
        expect![[r#"
        segment.bytes=2048 source 3; log.segment.bytes=2048 3; log.segment.bytes=1024 5
    "#]],
    );
    check(
        2,
        "nowhere",
        None,
        expect![[r#"
        UNKNOWN_TOPIC_OR_PARTITION None
    "#]],
    );
    check(
        2,
        "no/where",
        None,
        expect![[r#"
        INVALID_TOPIC_EXCEPTION Some("Topic name is invalid: 'no/where' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'")
    "#]],
    );
}

#[test]
fn brokers() {
    check(
        4,
        "1",
        None,
        expect![[r#"
        log.retention.ms=5000 source 4; log.retention.ms=5000 4
        log.segment.bytes=2048 source 3; log.segment.bytes=2048 3; log.segment.bytes=1024 5
        node.id=1 source 5 read-only; node.id=1 5
        ssl.key.password=null source 2 sensitive; ssl.key.password=null 2
    "#]],
    );
    check(
        4,
        "",
        None,
        expect![[r#"
        log.segment.bytes=2048 source 3; log.segment.bytes=2048 3
    "#]],
    );
    check(
        4,
        "2",
        None,
        expect![[r#"
        INVALID_REQUEST Some("Unexpected broker id, expected 1 or empty string, but received 2")
    "#]],
    );
    check(
        4,
        "x",
        None,
        expect![[r#"
        INVALID_REQUEST Some("Broker id must be an integer, but it is: x")
    "#]],
    );
}

#[test]
fn loggers() {
    check(8, "1", None, expect![[r#""#]]);
    check(
        8,
        "2",
        None,
        expect![[r#"
        INVALID_REQUEST Some("Unexpected broker id, expected 1 but received 2")
    "#]],
    );
    check(
        8,
        "",
        None,
        expect![[r#"
        INVALID_REQUEST Some("Broker id must not be empty")
    "#]],
    );
}

#[test]
fn groups_and_subscriptions_have_defaults_without_being_there() {
    check(
        32,
        "g",
        None,
        expect![[r#"
        consumer.session.timeout.ms=45000 source 5; consumer.session.timeout.ms=45000 5
    "#]],
    );
    check(
        32,
        "",
        None,
        expect![[r#"
        INVALID_REQUEST Some("Group name must not be empty")
    "#]],
    );
    check(
        16,
        "m",
        None,
        expect![[r#"
        interval.ms=300000 source 5
    "#]],
    );
    check(
        16,
        "",
        None,
        expect![[r#"
        INVALID_REQUEST Some("Client metrics subscription name must not be empty")
    "#]],
    );
}

#[test]
fn documentation_is_given_on_demand() {
    let config = describe_topic(&SCHEMA, &BrokerLayers::default(), &ConfigMap::new()).remove(0);
    let image = image(&[]);
    let mut description = Description {
        image: &image,
        schema: SCHEMA,
        layers: BrokerLayers::default(),
        node: BrokerId(1),
        with_synonyms: false,
        with_documentation: true,
    };
    let entry = description.entry(config.clone());
    assert_eq!(entry.documentation.as_deref(), Some("How long."));
    assert!(entry.synonyms.is_empty());
    description.with_documentation = false;
    assert_eq!(description.entry(config).documentation, None);
}
