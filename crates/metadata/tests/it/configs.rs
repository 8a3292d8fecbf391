//! AlterConfigs, IncrementalAlterConfigs, and how configurations are described.

use crate::harness::{Cluster, error};
use crate::schema::schema;
use crate::topics::{create, topic};
use expect_test::expect_file;
use klamm_metadata::config_resolution::{
    BrokerLayers, DescribedConfig, describe_broker, describe_default_broker, describe_topic,
    effective_topic_values,
};
use klamm_metadata::image::{ConfigResource, ResourceType};
use klamm_protocol::Str;
use klamm_protocol::messages::alter_configs_request as legacy;
use klamm_protocol::messages::incremental_alter_configs_request as incremental;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

fn change(cluster: &mut Cluster, kind: i8, name: &str, ops: &[(i8, &str, Option<&str>)]) {
    let configs = ops.iter().map(|(op, name, value)| incremental::AlterableConfig {
        name: Str::from(*name),
        config_operation: *op,
        value: value.map(Str::from),
    });
    let resource = incremental::AlterConfigsResource {
        resource_type: kind,
        resource_name: Str::from(name),
        configs: configs.collect(),
    };
    let request = incremental::IncrementalAlterConfigsRequest {
        resources: vec![resource],
        validate_only: false,
    };
    let result = cluster.controller.incremental_alter_configs(&request);
    for it in cluster.append(result).responses {
        cluster.say(format!("  -> {}", error(it.error_code, &it.error_message)));
    }
}

fn set(cluster: &mut Cluster, kind: i8, name: &str, config: &str, value: &str) {
    change(cluster, kind, name, &[(SET, config, Some(value))]);
}

fn replace(cluster: &mut Cluster, kind: i8, name: &str, configs: &[(&str, Option<&str>)]) {
    let configs = configs.iter().map(|(name, value)| legacy::AlterableConfig {
        name: Str::from(*name),
        value: value.map(Str::from),
    });
    let resource = legacy::AlterConfigsResource {
        resource_type: kind,
        resource_name: Str::from(name),
        configs: configs.collect(),
    };
    let request = legacy::AlterConfigsRequest { resources: vec![resource], validate_only: false };
    let result = cluster.controller.alter_configs(&request);
    for it in cluster.append(result).responses {
        cluster.say(format!("  -> {}", error(it.error_code, &it.error_message)));
    }
}

#[test]
fn alter_configs() {
    let mut cluster = Cluster::with_brokers(&[1, 2]);
    create(&mut cluster, vec![topic("orders", 1, 1)]);
    cluster.title("set, set again, append, subtract, delete");
    set(&mut cluster, TOPIC, "orders", "retention.ms", "1000");
    set(&mut cluster, TOPIC, "orders", "retention.ms", "1000");
    change(&mut cluster, TOPIC, "orders", &[(APPEND, "cleanup.policy", Some("compact"))]);
    change(&mut cluster, TOPIC, "orders", &[(SUBTRACT, "cleanup.policy", Some("delete"))]);
    change(&mut cluster, TOPIC, "orders", &[(DELETE, "retention.ms", None)]);
    cluster.title("the old way: what is not named goes");
    replace(&mut cluster, TOPIC, "orders", &[("segment.bytes", Some("2000000"))]);
    cluster.title("topic errors");
    set(&mut cluster, TOPIC, "missing", "retention.ms", "1");
    set(&mut cluster, TOPIC, "", "retention.ms", "1");
    set(&mut cluster, TOPIC, "a b", "retention.ms", "1");
    set(&mut cluster, TOPIC, "orders", "no.such.config", "1");
    set(&mut cluster, TOPIC, "orders", "segment.bytes", "5");
    set(&mut cluster, TOPIC, "orders", "segment.bytes", &"9".repeat(32_768));
    change(&mut cluster, TOPIC, "orders", &[(SET, "retention.ms", None)]);
    change(&mut cluster, TOPIC, "orders", &[(APPEND, "retention.ms", Some("1"))]);
    change(&mut cluster, TOPIC, "orders", &[(9, "retention.ms", Some("1"))]);
    let twice = (SET, "retention.ms", Some("1"));
    change(&mut cluster, TOPIC, "orders", &[twice, twice]);
    replace(&mut cluster, TOPIC, "orders", &[("retention.ms", None)]);
    cluster.title("brokers");
    set(&mut cluster, BROKER, "", "log.cleaner.threads", "2");
    set(&mut cluster, BROKER, "1", "log.cleaner.threads", "3");
    set(&mut cluster, BROKER, "1", "some.plugin.config", "x");
    set(&mut cluster, BROKER, "", "advertised.listeners", "x");
    set(&mut cluster, BROKER, "1", "node.id", "2");
    set(&mut cluster, BROKER, "1", "log.cleaner.threads", "-1");
    set(&mut cluster, BROKER, "7", "log.cleaner.threads", "1");
    set(&mut cluster, BROKER, "x", "log.cleaner.threads", "1");
    set(&mut cluster, BROKER, "-1", "log.cleaner.threads", "1");
    cluster.title("min.insync.replicas with ELR");
    set(&mut cluster, BROKER, "1", "min.insync.replicas", "2");
    change(&mut cluster, BROKER, "", &[(DELETE, "min.insync.replicas", None)]);
    set(&mut cluster, BROKER, "", "min.insync.replicas", "2");
    set(&mut cluster, TOPIC, "orders", "min.insync.replicas", "2");
    cluster.title("other resources");
    set(&mut cluster, GROUP, "g", "consumer.session.timeout.ms", "50000");
    set(&mut cluster, GROUP, "g", "nothing", "1");
    set(&mut cluster, GROUP, "", "consumer.session.timeout.ms", "1");
    set(&mut cluster, CLIENT_METRICS, "m", "interval.ms", "1000");
    set(&mut cluster, CLIENT_METRICS, "m", "nothing", "1000");
    set(&mut cluster, BROKER_LOGGER, "1", "root", "DEBUG");
    set(&mut cluster, 3, "x", "y", "z");
    expect_file!["../../testdata/alter_configs.txt"].assert_eq(&cluster.out);
}

#[test]
fn a_resource_named_twice_is_refused_and_the_other_one_altered() {
    let mut cluster = Cluster::with_brokers(&[1]);
    create(&mut cluster, vec![topic("orders", 1, 1), topic("bills", 1, 1)]);
    let resource = |name: &str| incremental::AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: Str::from(name),
        configs: vec![incremental::AlterableConfig {
            name: Str::from("retention.ms"),
            config_operation: SET,
            value: Some(Str::from("5")),
        }],
    };
    let request = incremental::IncrementalAlterConfigsRequest {
        resources: vec![resource("orders"), resource("bills"), resource("orders")],
        validate_only: false,
    };
    let result = cluster.controller.incremental_alter_configs(&request);
    assert_eq!(result.records.len(), 1);
    let codes: Vec<i16> = cluster.append(result).responses.iter().map(|it| it.error_code).collect();
    assert_eq!(codes, [42, 0, 42]);
}

fn describe(cluster: &mut Cluster, described: Vec<DescribedConfig>) {
    for it in described {
        let value = it.value.as_deref().unwrap_or("(null)");
        let synonyms: Vec<String> = it
            .synonyms
            .iter()
            .map(|it| {
                format!("{:?}:{}={}", it.source, it.name, it.value.as_deref().unwrap_or("(null)"))
            })
            .collect();
        cluster.say(format!(
            "  {}={value} {:?} sensitive {} read-only {} {{{}}}",
            it.name,
            it.source,
            it.is_sensitive,
            it.is_read_only,
            synonyms.join(", ")
        ));
    }
}

#[test]
fn describe_configs() {
    let mut cluster = Cluster::with_brokers(&[1]);
    create(&mut cluster, vec![topic("orders", 1, 1)]);
    set(&mut cluster, TOPIC, "orders", "segment.bytes", "2000000");
    set(&mut cluster, BROKER, "", "log.segment.bytes", "3000000");
    set(&mut cluster, BROKER, "1", "log.segment.bytes", "4000000");
    set(&mut cluster, BROKER, "1", "ssl.key.password", "secret");
    set(&mut cluster, BROKER, "1", "some.plugin.config", "x");
    cluster.out.clear();
    let configs = cluster.image.configs.clone();
    let layers = BrokerLayers {
        dynamic_broker: configs.of(&ConfigResource::new(ResourceType::Broker, "1")),
        dynamic_default: configs.of(&ConfigResource::default_broker()),
        static_broker: cluster.controller.config().static_configs.clone(),
    };
    let topic = configs.of_topic("orders");
    cluster.title("topic");
    describe(&mut cluster, describe_topic(&schema(), &layers, &topic));
    cluster.title("broker");
    describe(&mut cluster, describe_broker(&schema(), &layers));
    cluster.title("all brokers");
    describe(&mut cluster, describe_default_broker(&schema(), &layers));
    cluster.title("what counts for a log");
    for (name, value) in effective_topic_values(&schema(), &layers, &topic) {
        cluster.say(format!("  {name}={value}"));
    }
    expect_file!["../../testdata/describe_configs.txt"].assert_eq(&cluster.out);
}
