//! A directory that Apache Kafka 4.3.1 wrote opens on the same path as our own.

use std::path::Path;

use klamm_env::Env;
use klamm_env::sim::Sim;
use klamm_quorum::MetadataLogConfig;

use crate::node::{DIR, LOG_DIR, Node, dump};

/// Files of a node that ran twice, dynamic quorum; written by Apache Kafka 4.3.1.
const FILES: [(&str, &[u8]); 7] = [
    ("meta.properties", include_bytes!("../../testdata/kafka-4.3.1/meta.properties")),
    ("bootstrap.checkpoint", include_bytes!("../../testdata/kafka-4.3.1/bootstrap.checkpoint")),
    (
        "__cluster_metadata-0/00000000000000000000-0000000000.checkpoint",
        include_bytes!(
            "../../testdata/kafka-4.3.1/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"
        ),
    ),
    (
        "__cluster_metadata-0/00000000000000000000.log",
        include_bytes!("../../testdata/kafka-4.3.1/__cluster_metadata-0/00000000000000000000.log"),
    ),
    (
        "__cluster_metadata-0/leader-epoch-checkpoint",
        include_bytes!("../../testdata/kafka-4.3.1/__cluster_metadata-0/leader-epoch-checkpoint"),
    ),
    (
        "__cluster_metadata-0/partition.metadata",
        include_bytes!("../../testdata/kafka-4.3.1/__cluster_metadata-0/partition.metadata"),
    ),
    (
        "__cluster_metadata-0/quorum-state",
        include_bytes!("../../testdata/kafka-4.3.1/__cluster_metadata-0/quorum-state"),
    ),
];

fn unpack(env: &Env) {
    env.disk().create_dir_all(Path::new(LOG_DIR)).expect("made");
    for (name, bytes) in FILES {
        env.disk().write_atomic(&Path::new(DIR).join(name), bytes).expect("written");
    }
}

#[test]
fn topics_configs_and_epochs_are_kept() {
    Sim::new(4).run(|env| async move {
        unpack(&env);
        let node = Node::start_with(&env, MetadataLogConfig::default()).await.expect("opens");
        assert_eq!(node.dirs.newly_formatted.len(), 0);
        let image = node.controller.image();
        let topic = image.topics.topic_by_name("orders").expect("Kafka made it").clone();
        assert_eq!(topic.id.0.to_string(), "My6ECqNPQveFiB9O-Q7YRQ");
        assert_eq!(topic.partitions.len(), 2);
        let configs = image.configs.of_topic("orders");
        assert_eq!(configs.get("retention.ms").map(AsRef::as_ref), Some("1000000"));
        let kafka_epoch = topic.partitions[&0].leader_epoch;
        let broker = image.cluster.brokers.values().next().expect("broker 1").clone();
        let lifecycle = node.register(broker.epoch).await;
        lifecycle.unfence().await.expect("unfenced");
        let image = node.controller.image();
        let partition = image.topics.partition(topic.id, 0).expect("still there");
        assert_eq!(partition.leader.0, 1);
        assert!(partition.leader_epoch > kafka_epoch);
        node.controller.close().await;
        let text = dump(&env, &format!("{LOG_DIR}/00000000000000000000.log"));
        assert_eq!(text.matches("LeaderChange").count(), 5, "four of Kafka's and ours");
        assert_eq!(text.matches("Voters(").count(), 1, "the voters stand in the log already");
    });
}
