//! Creating and deleting topics, adding partitions.

use crate::harness::{Cluster, error};
use expect_test::expect_file;
use klamm_protocol::Str;
use klamm_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use klamm_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use klamm_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use klamm_record::Uuid;

pub fn topic(name: &str, num_partitions: i32, replication_factor: i16) -> CreatableTopic {
    CreatableTopic {
        name: Str::from(name),
        num_partitions,
        replication_factor,
        ..CreatableTopic::default()
    }
}

pub fn assigned(name: &str, assignments: &[(i32, &[i32])]) -> CreatableTopic {
    let assignments =
        assignments.iter().map(|(partition_index, broker_ids)| CreatableReplicaAssignment {
            partition_index: *partition_index,
            broker_ids: broker_ids.to_vec(),
        });
    CreatableTopic { assignments: assignments.collect(), ..topic(name, -1, -1) }
}

pub fn configured(mut topic: CreatableTopic, configs: &[(&str, Option<&str>)]) -> CreatableTopic {
    let configs = configs.iter().map(|(name, value)| CreatableTopicConfig {
        name: Str::from(*name),
        value: value.map(Str::from),
    });
    topic.configs = configs.collect();
    topic
}

pub fn create(cluster: &mut Cluster, topics: Vec<CreatableTopic>) {
    let request = CreateTopicsRequest { topics, ..CreateTopicsRequest::default() };
    create_as_asked(cluster, &request);
}

fn create_as_asked(cluster: &mut Cluster, request: &CreateTopicsRequest) {
    let ctx = cluster.ctx();
    let result = cluster.controller.create_topics(&ctx, request, |_| false);
    let response = cluster.append(result);
    for topic in response.topics {
        let name = if topic.name.len() > 40 { "(a long name)" } else { &*topic.name };
        cluster.say(format!("  -> {name}: {}", error(topic.error_code, &topic.error_message)));
    }
}

fn add(cluster: &mut Cluster, name: &str, count: i32, assignments: Option<&[&[i32]]>) {
    let assignments = assignments.map(|all| {
        let all = all.iter();
        all.map(|ids| CreatePartitionsAssignment { broker_ids: ids.to_vec() }).collect()
    });
    let topics = vec![CreatePartitionsTopic { name: Str::from(name), count, assignments }];
    let request = CreatePartitionsRequest { topics, ..CreatePartitionsRequest::default() };
    let ctx = cluster.ctx();
    let result = cluster.controller.create_partitions(&ctx, &request);
    for topic in cluster.append(result).results {
        let line =
            format!("  -> {}: {}", topic.name, error(topic.error_code, &topic.error_message));
        cluster.say(line);
    }
}

#[test]
fn create_topics() {
    let mut cluster = Cluster::with_brokers(&[1, 2, 3]);
    cluster.title("two partitions, two replicas");
    create(&mut cluster, vec![topic("orders", 2, 2)]);
    cluster.title("defaults, and a configuration");
    create(&mut cluster, vec![configured(topic("a.b", -1, -1), &[("retention.ms", Some("1000"))])]);
    cluster.title("by hand");
    create(&mut cluster, vec![assigned("manual", &[(1, &[2, 1]), (0, &[3, 2])])]);
    cluster.title("names");
    for name in ["", ".", "..", "a b", &"x".repeat(250)] {
        create(&mut cluster, vec![topic(name, 1, 1)]);
    }
    cluster.out = cluster.out.replace(&"x".repeat(250), "(a long name)");
    create(
        &mut cluster,
        vec![topic("orders", 1, 1), topic("a_b", 1, 1), topic("__cluster_metadata", 1, 1)],
    );
    create(&mut cluster, vec![topic("twice", 1, 1), topic("once", 1, 1), topic("twice", 1, 1)]);
    cluster.title("counts");
    for (partitions, replicas) in [(0, 1), (-2, 1), (1, 0), (1, -2), (1, 4), (10_001, 1)] {
        create(&mut cluster, vec![topic("counts", partitions, replicas)]);
    }
    cluster.title("bad assignments");
    create(&mut cluster, vec![assigned("bad", &[(0, &[])])]);
    create(&mut cluster, vec![assigned("bad", &[(0, &[1, 9])])]);
    create(&mut cluster, vec![assigned("bad", &[(0, &[1, 1])])]);
    create(&mut cluster, vec![assigned("bad", &[(0, &[1, 2]), (1, &[1])])]);
    create(&mut cluster, vec![assigned("bad", &[(0, &[1]), (0, &[2])])]);
    create(&mut cluster, vec![assigned("bad", &[(0, &[1]), (2, &[2])])]);
    let both = CreatableTopic { num_partitions: 1, ..assigned("bad", &[(0, &[1])]) };
    create(&mut cluster, vec![both]);
    let both = CreatableTopic { replication_factor: 1, ..assigned("bad", &[(0, &[1])]) };
    create(&mut cluster, vec![both]);
    cluster.title("bad configurations");
    for config in [
        ("nothing", Some("1")),
        ("retention.ms", Some("x")),
        ("retention.ms", None),
        ("min.compaction.lag.ms", Some("9223372036854775807")),
        ("remote.storage.enable", Some("true")),
    ] {
        let other = ("max.compaction.lag.ms", Some("5"));
        let configs =
            if config.0 == "min.compaction.lag.ms" { vec![config, other] } else { vec![config] };
        create(&mut cluster, vec![configured(topic("bad", 1, 1), &configs)]);
    }
    cluster.title("only validated");
    let request = CreateTopicsRequest {
        topics: vec![topic("dry", 1, 1), topic("orders", 1, 1)],
        validate_only: true,
        ..CreateTopicsRequest::default()
    };
    create_as_asked(&mut cluster, &request);
    cluster.title("nobody there");
    for id in [1, 2, 3] {
        cluster.heartbeat(id, |request| request.want_fence = true);
    }
    cluster.out.truncate(cluster.out.find("# nobody there").unwrap());
    cluster.say("# nobody there");
    create(&mut cluster, vec![topic("late", 1, 1), assigned("late2", &[(0, &[1])])]);
    expect_file!["../../testdata/create_topics.txt"].assert_eq(&cluster.out);
}

#[test]
fn create_partitions() {
    let mut cluster = Cluster::with_brokers(&[1, 2]);
    create(&mut cluster, vec![topic("orders", 1, 2)]);
    cluster.title("more");
    add(&mut cluster, "orders", 3, None);
    cluster.title("by hand");
    add(&mut cluster, "orders", 4, Some(&[&[2, 1]]));
    cluster.title("errors");
    add(&mut cluster, "orders", 4, None);
    add(&mut cluster, "orders", 2, None);
    add(&mut cluster, "missing", 2, None);
    add(&mut cluster, "orders", 6, Some(&[&[2, 1]]));
    add(&mut cluster, "orders", 5, Some(&[&[2]]));
    add(&mut cluster, "orders", 5, Some(&[&[2, 7]]));
    add(&mut cluster, "orders", 100_000, None);
    expect_file!["../../testdata/create_partitions.txt"].assert_eq(&cluster.out);
}

#[test]
fn delete_topics() {
    let mut cluster = Cluster::with_brokers(&[1]);
    let named = ["one", "two", "three", "four.x"];
    create(&mut cluster, named.iter().map(|name| topic(name, 1, 1)).collect());
    cluster.out.clear();
    let id = |cluster: &Cluster, name: &str| cluster.image.topics.id_of(name).unwrap().0;
    let by_id = |topic_id| DeleteTopicState { name: None, topic_id };
    let by_name =
        |name: &str| DeleteTopicState { name: Some(Str::from(name)), topic_id: Uuid::ZERO };
    let (two, three) = (id(&cluster, "two"), id(&cluster, "three"));
    let unknown = Uuid::from_parts(9, 9);
    let both = DeleteTopicState { name: Some(Str::from("one")), topic_id: unknown };
    let cases = vec![
        ("by name and by id", vec![by_name("one"), by_id(two), by_name("four.x")]),
        ("unknown", vec![by_name("one"), by_id(two), by_id(unknown)]),
        ("twice", vec![by_name("three"), by_name("three"), by_id(unknown), by_id(unknown)]),
        ("name and id of the same", vec![by_name("three"), by_id(three)]),
        ("both and neither", vec![both, by_id(Uuid::ZERO)]),
    ];
    for (title, topics) in cases {
        cluster.title(title);
        let request = DeleteTopicsRequest { topics, ..DeleteTopicsRequest::default() };
        let result = cluster.controller.delete_topics(&request);
        for topic in cluster.append(result).responses {
            let name = topic.name.as_deref().unwrap_or("(by id)");
            let line = format!("  -> {name}: {}", error(topic.error_code, &topic.error_message));
            cluster.say(line);
        }
    }
    cluster.title("a deleted name is free again, and so is what it collided with");
    create(&mut cluster, vec![topic("one", 1, 1), topic("four_x", 1, 1)]);
    expect_file!["../../testdata/delete_topics.txt"].assert_eq(&cluster.out);
}

#[test]
fn ten_thousand_records_are_the_most() {
    let mut cluster = Cluster::with_brokers(&[1]);
    let ctx = cluster.ctx();
    let request = CreateTopicsRequest {
        topics: vec![topic("big", 10_000, 1)],
        ..CreateTopicsRequest::default()
    };
    let result = cluster.controller.create_topics(&ctx, &request, |_| true);
    assert!(result.records.is_empty());
    let message = result.response.topics[0].error_message.as_deref();
    assert_eq!(message, Some("Unable to perform excessively large batch operation."));
}
