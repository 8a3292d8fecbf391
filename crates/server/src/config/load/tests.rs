//! Files and command lines, and what they become.

use expect_test::expect;

use super::*;

fn from_file(text: &str) -> ConfigSources {
    ConfigSources {
        file: Some(("server.properties".to_owned(), text.to_owned())),
        hostname: Some("this-machine".to_owned()),
        ..ConfigSources::default()
    }
}

/// The smallest file that Kafka starts with, and more.
fn file(more: &str) -> ConfigSources {
    from_file(&format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.listener.names=CONTROLLER\n\
         controller.quorum.bootstrap.servers=localhost:9093\n{}\n{more}",
        if more.lines().any(|line| line.starts_with("listeners=")) {
            ""
        } else {
            "listeners=PLAINTEXT://:9092,CONTROLLER://:9093"
        }
    ))
}

fn set(overrides: &[(&str, &str)]) -> ConfigSources {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    ConfigSources { overrides: overrides.iter().map(owned).collect(), ..ConfigSources::default() }
}

fn texts(endpoints: &[crate::config::Endpoint]) -> Vec<String> {
    endpoints.iter().map(ToString::to_string).collect()
}

fn problems(sources: ConfigSources) -> String {
    sources.load().expect_err("it is wrong").to_string()
}

#[test]
fn without_a_file_it_is_kafkas_shipped_single_node() {
    let config = ConfigSources::default().load().unwrap();
    assert_eq!(texts(&config.listeners.broker), ["PLAINTEXT://127.0.0.1:9092"]);
    assert_eq!(texts(&config.listeners.advertised), ["PLAINTEXT://127.0.0.1:9092"]);
    assert_eq!(texts(&config.listeners.controller), ["CONTROLLER://127.0.0.1:9093"]);
    assert_eq!(config.log_dirs, [PathBuf::from("./klamm-data")]);
    assert_eq!(config.metadata_log_dir, PathBuf::from("./klamm-data"));
    assert_eq!(config.http_listener.as_deref(), Some("127.0.0.1:9080"));
    assert_eq!(config.get("offsets.topic.replication.factor").as_i64(), Some(1));
    assert_eq!(config.int("transaction.state.log.min.isr"), 1);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn with_a_file_unset_keys_have_kafkas_code_defaults() {
    let config = file("log.dirs=/a, /b").load().unwrap();
    assert_eq!(config.get("offsets.topic.replication.factor").as_i64(), Some(3));
    assert_eq!(config.log_dirs, [PathBuf::from("/a"), PathBuf::from("/b")]);
    assert_eq!(texts(&config.listeners.broker), ["PLAINTEXT://:9092"]);
    assert_eq!(texts(&config.listeners.advertised), ["PLAINTEXT://this-machine:9092"]);
    assert_eq!(config.source("log.dirs"), ConfigSource::File);
    assert_eq!(config.set_text("log.dirs"), Some("/a, /b"));
    assert_eq!(config.set_text("num.partitions"), None);
}

#[test]
fn the_command_line_goes_before_the_file() {
    let sources = ConfigSources {
        overrides: vec![("num.partitions".to_owned(), "7".to_owned())],
        data: Some("/d".to_owned()),
        listen: Some("127.0.0.1:0".to_owned()),
        http: Some("none".to_owned()),
        ..file("num.partitions=3\nlog.dirs=/a\nadvertised.listeners=PLAINTEXT://far:9092")
    };
    let config = sources.load().unwrap();
    assert_eq!(config.int("num.partitions"), 7);
    assert_eq!(config.log_dirs, [PathBuf::from("/d")]);
    assert_eq!(texts(&config.listeners.broker), ["PLAINTEXT://127.0.0.1:0"]);
    assert_eq!(texts(&config.listeners.advertised), ["PLAINTEXT://127.0.0.1:0"]);
    assert_eq!(config.http_listener, None);
}

#[test]
fn listening_on_all_interfaces_keeps_what_is_advertised() {
    let sources = ConfigSources {
        listen: Some("0.0.0.0:9092".to_owned()),
        ..set(&[("advertised.listeners", "PLAINTEXT://far:9092")])
    };
    let config = sources.load().unwrap();
    assert_eq!(texts(&config.listeners.broker), ["PLAINTEXT://0.0.0.0:9092"]);
    assert_eq!(texts(&config.listeners.advertised), ["PLAINTEXT://far:9092"]);
}

#[test]
fn unknown_keys_and_keys_without_effect_are_named_once_each() {
    let config = file("zookeeper.connect=x\nmy.key=1\nnum.io.threads=8\noffsets.retention.minutes=1\nnum.network.threads=3")
        .load()
        .unwrap();
    expect![[r#"
        unknown configs, ignored: my.key, zookeeper.connect
        configs without effect in this version: offsets.retention.minutes (comes with consumer groups); num.io.threads, num.network.threads (sets nothing here: Klamm works without it)"#]]
    .assert_eq(&config.warnings.join("\n"));
}

#[test]
fn several_listeners_with_names_of_their_own() {
    let config = file(
        "listeners=CLIENT://0.0.0.0:9092,INTERNAL://127.0.0.1:9094,CONTROLLER://:9093\n\
         advertised.listeners=CLIENT://broker.example:19092,INTERNAL://127.0.0.1:9094\n\
         listener.security.protocol.map=CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         inter.broker.listener.name=INTERNAL\n\
         listener.name.client.max.connections=10",
    )
    .load()
    .unwrap();
    assert_eq!(
        texts(&config.listeners.advertised),
        ["CLIENT://broker.example:19092", "INTERNAL://127.0.0.1:9094"]
    );
    assert_eq!(config.listeners.inter_broker.as_str(), "INTERNAL");
    let client = &config.listeners.broker[0].listener;
    assert_eq!(config.network.quotas.max_on_listener(client), 10);
    assert!(config.network.quotas.is_protected(&config.listeners.inter_broker));
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn listener_rules_are_kafkas() {
    expect![[r#"
        Invalid value A://:1 for configuration listeners: listener.security.protocol.map names no protocol for A"#]]
    .assert_eq(&problems(file("listeners=A://:1,CONTROLLER://:9093")));
    expect![[r#"
        Invalid value PLAINTEXT:9092 for configuration listeners: `PLAINTEXT:9092` is not of the form NAME://host:port, like PLAINTEXT://localhost:9092"#]]
    .assert_eq(&problems(file("listeners=PLAINTEXT:9092,CONTROLLER://:9093")));
    expect![[r#"
        Invalid value PLAINTEXT://:9092,CONTROLLER://:9092 for configuration listeners: each listener must have a different port, unless one of the two has an IPv4 address and the other an IPv6 address"#]]
    .assert_eq(&problems(file("listeners=PLAINTEXT://:9092,CONTROLLER://:9092")));
    expect![[r#"
        Invalid value SSL://:9092 for configuration listeners: SSL listeners come with security in a later release; only PLAINTEXT can be served
        inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid options based on currently configured listeners are SSL"#]]
    .assert_eq(&problems(file(
        "listeners=SSL://:9092,CONTROLLER://:9093\n\
         listener.security.protocol.map=SSL:SSL,CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    )));
    expect![[r#"
        Invalid value PLAINTEXT://0.0.0.0:9092 for configuration advertised.listeners: it cannot use the nonroutable meta-address 0.0.0.0; use an address that clients can reach"#]]
    .assert_eq(&problems(file("advertised.listeners=PLAINTEXT://0.0.0.0:9092\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093")));
    expect![[r#"
        advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found OTHER,PLAINTEXT. The valid options based on the current configuration are PLAINTEXT"#]]
    .assert_eq(&problems(file(
        "listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
         advertised.listeners=PLAINTEXT://a:1,OTHER://b:2\n\
         listener.security.protocol.map=OTHER:PLAINTEXT,CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    )));
    expect![[r#"
        controller.listener.names must only contain values appearing in the 'listeners' configuration when running the KRaft controller role"#]]
    .assert_eq(&problems(file("listeners=PLAINTEXT://:9092")));
}

#[test]
fn a_wildcard_that_cannot_be_named_is_refused_with_a_hint() {
    let sources = ConfigSources { hostname: None, ..file("") };
    expect![[r#"
        Invalid value PLAINTEXT://:9092 for configuration listeners: it listens on all interfaces, and this machine's own name cannot be resolved, so clients cannot be told where to go; set advertised.listeners, for example advertised.listeners=PLAINTEXT://localhost:9092"#]]
    .assert_eq(&problems(sources));
}

#[test]
fn roles_ids_and_voters_are_checked() {
    expect![[r#"
        Missing required configuration "process.roles" which has no default value.
        Missing required configuration "node.id" which has no default value.
        Missing required configuration "controller.listener.names" which has no default value."#]]
    .assert_eq(&problems(from_file("num.partitions=1")));
    expect![[r#"
        Invalid value broker for configuration process.roles: this version runs one node that is both, broker,controller; separate brokers and controllers come with replication"#]]
    .assert_eq(&problems(set(&[("process.roles", "broker")])));
    expect![[r#"
        Invalid value 2 for configuration broker.id: it must be equal to node.id (1), of which it is the older name"#]]
    .assert_eq(&problems(set(&[("broker.id", "2")])));
    expect![[r#"
        If process.roles contains the 'controller' role, the node id 1 must be included in the set of voters controller.quorum.voters=[3]"#]]
    .assert_eq(&problems(set(&[("controller.quorum.voters", "3@localhost:9093")])));
    expect![[r#"
        Invalid value 1@a:9093,2@b:9093 for configuration controller.quorum.voters: this version has one controller; several come with a later release"#]]
    .assert_eq(&problems(set(&[("controller.quorum.voters", "1@a:9093,2@b:9093")])));
    assert_eq!(file("broker.id=1").load().unwrap().node_id, BrokerId(1));
}

#[test]
fn bounds_between_keys_are_checked() {
    expect![[r#"
        Invalid value 1000 for configuration queued.max.request.bytes: it must be -1 or at least socket.request.max.bytes (104857600)"#]]
    .assert_eq(&problems(set(&[("queued.max.request.bytes", "1000")])));
    expect![[r#"
        Invalid value 0 for configuration max.connections.per.ip: zero is allowed only if max.connections.per.ip.overrides is set"#]]
    .assert_eq(&problems(set(&[("max.connections.per.ip", "0")])));
    expect![[r#"
        Invalid value 127.0.0.1 for configuration max.connections.per.ip.overrides: each entry has the form host:count, with a host that can be resolved"#]]
    .assert_eq(&problems(set(&[("max.connections.per.ip.overrides", "127.0.0.1")])));
    let config =
        set(&[("max.connections.per.ip.overrides", "127.0.0.1:3,[::1]:4")]).load().unwrap();
    let quotas = &config.network.quotas;
    assert_eq!(quotas.max_per_address("::ffff:127.0.0.1".parse().unwrap()), 3);
    assert_eq!(quotas.max_per_address("::1".parse().unwrap()), 4);
    assert_eq!(quotas.max_per_address("10.0.0.1".parse().unwrap()), i32::MAX as u32);
}

#[test]
fn kafkas_own_file_is_read_as_it_is() {
    let config = from_file(
        "process.roles=broker,controller\nnode.id=1\n\
         controller.quorum.bootstrap.servers=localhost:9093\n\
         listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
         inter.broker.listener.name=PLAINTEXT\n\
         advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\n\
         num.network.threads=3\nlog.dirs=/tmp/kraft-combined-logs\nlog.retention.hours=168\n",
    )
    .load()
    .unwrap();
    assert_eq!(texts(&config.listeners.advertised), ["PLAINTEXT://localhost:9092"]);
}
