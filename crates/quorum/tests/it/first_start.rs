//! What a node writes at its first start and at a restart, record by record. Apache Kafka 4.3.1 writes the same, but for its
//! NoOp records and their offsets (see docs/internals/metadata-log.md).

use expect_test::expect;
use klamm_env::sim::{CrashKind, Sim};
use klamm_metadata::controller::ControllerResult;
use klamm_metadata::records::{MetadataRecord, PartitionRecord, TopicRecord};
use klamm_record::{TopicId, Uuid};

use crate::node::{DIR, LOG_DIR, Node, dump, dump_log};

#[test]
fn bootstrap_files() {
    Sim::new(1).run(|env| async move {
        Node::start(&env).await;
        expect![[r#"
            0..0 epoch 0 control
              SnapshotHeader { last_contained_log_time_ms: 0 }
            1..6 epoch 0
              FeatureLevel(FeatureLevelRecord { name: "metadata.version", feature_level: 30 })
              FeatureLevel(FeatureLevelRecord { name: "eligible.leader.replicas.version", feature_level: 1 })
              FeatureLevel(FeatureLevelRecord { name: "group.version", feature_level: 1 })
              FeatureLevel(FeatureLevelRecord { name: "share.version", feature_level: 1 })
              FeatureLevel(FeatureLevelRecord { name: "streams.version", feature_level: 1 })
              FeatureLevel(FeatureLevelRecord { name: "transaction.version", feature_level: 2 })
            7..7 epoch 0 control
              SnapshotFooter
        "#]].assert_eq(&dump(&env, &format!("{DIR}/bootstrap.checkpoint")));
        let first = format!("{LOG_DIR}/00000000000000000000-0000000000.checkpoint");
        expect![[r#"
            0..2 epoch 0 control
              SnapshotHeader { last_contained_log_time_ms: 1767225600000 }
              KRaftVersion(1)
              Voters([Voter { id: BrokerId(1), directory_id: 36f2y7_8RbyHLcbo-Krh8Q, endpoints: [VoterEndpoint { listener: "CONTROLLER", host: "127.0.0.1", port: 21093 }], kraft_versions: (0, 1) }])
            3..3 epoch 0 control
              SnapshotFooter
        "#]].assert_eq(&dump(&env, &first));
        let state = env.disk().read(std::path::Path::new(&format!("{LOG_DIR}/quorum-state")), 1000);
        expect![[r#"{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}"#]].assert_eq(&String::from_utf8(state.expect("it is there")).expect("text"));
        let epochs = format!("{LOG_DIR}/leader-epoch-checkpoint");
        let epochs = env.disk().read(std::path::Path::new(&epochs), 1000).expect("it is there");
        expect![[r#"
            0
            1
            1 0
        "#]].assert_eq(&String::from_utf8(epochs).expect("text"));
    });
}

#[test]
fn first_start_clean_stop_and_restart() {
    Sim::new(1).run(|env| async move {
        let mut previous_epoch = -1;
        for _ in 0..2 {
            let node = Node::start(&env).await;
            let broker = node.register(previous_epoch).await;
            broker.unfence().await.expect("unfenced");
            broker.controlled_shutdown().await.expect("let go");
            previous_epoch = broker.broker_epoch();
            node.controller.close().await;
        }
        expect![[r#"
            0..2 epoch 1 control
              LeaderChange { leader: BrokerId(1), voters: [BrokerId(1)], granting: [BrokerId(1)] }
              KRaftVersion(1)
              Voters([Voter { id: BrokerId(1), directory_id: 36f2y7_8RbyHLcbo-Krh8Q, endpoints: [VoterEndpoint { listener: "CONTROLLER", host: "127.0.0.1", port: 21093 }], kraft_versions: (0, 1) }])
            3..11 epoch 1
              BeginTransaction(BeginTransactionRecord { name: Some("Bootstrap records") })
              FeatureLevel(FeatureLevelRecord { name: "metadata.version", feature_level: 30 })
              FeatureLevel(FeatureLevelRecord { name: "eligible.leader.replicas.version", feature_level: 1 })
              FeatureLevel(FeatureLevelRecord { name: "group.version", feature_level: 1 })
              FeatureLevel(FeatureLevelRecord { name: "share.version", feature_level: 1 })
              FeatureLevel(FeatureLevelRecord { name: "streams.version", feature_level: 1 })
              FeatureLevel(FeatureLevelRecord { name: "transaction.version", feature_level: 2 })
              Config(ConfigRecord { resource_type: 4, resource_name: "", name: "min.insync.replicas", value: Some("1") })
              EndTransaction(EndTransactionRecord)
            12..12 epoch 1
              RegisterController(RegisterControllerRecord { controller_id: 1, incarnation_id: ZGaxFUh8T_GTWSpO0fxZ_Q, zk_migration_ready: false, end_points: [ControllerEndpoint { name: "CONTROLLER", host: "127.0.0.1", port: 21093, security_protocol: 0 }], features: [ControllerFeature { name: "eligible.leader.replicas.version", min_supported_version: 0, max_supported_version: 1 }, ControllerFeature { name: "group.version", min_supported_version: 0, max_supported_version: 1 }, ControllerFeature { name: "kraft.version", min_supported_version: 0, max_supported_version: 1 }, ControllerFeature { name: "metadata.version", min_supported_version: 7, max_supported_version: 30 }, ControllerFeature { name: "share.version", min_supported_version: 0, max_supported_version: 1 }, ControllerFeature { name: "streams.version", min_supported_version: 0, max_supported_version: 1 }, ControllerFeature { name: "transaction.version", min_supported_version: 0, max_supported_version: 2 }] })
            13..13 epoch 1
              RegisterBroker(RegisterBrokerRecord { broker_id: 1, is_migrating_zk_broker: false, incarnation_id: xiU6PWxWR26fiAi64LVFhA, broker_epoch: 13, end_points: [BrokerEndpoint { name: "PLAINTEXT", host: "127.0.0.1", port: 21092, security_protocol: 0 }], features: [BrokerFeature { name: "eligible.leader.replicas.version", min_supported_version: 0, max_supported_version: 1 }, BrokerFeature { name: "group.version", min_supported_version: 0, max_supported_version: 1 }, BrokerFeature { name: "kraft.version", min_supported_version: 0, max_supported_version: 1 }, BrokerFeature { name: "metadata.version", min_supported_version: 7, max_supported_version: 30 }, BrokerFeature { name: "share.version", min_supported_version: 0, max_supported_version: 1 }, BrokerFeature { name: "streams.version", min_supported_version: 0, max_supported_version: 1 }, BrokerFeature { name: "transaction.version", min_supported_version: 0, max_supported_version: 2 }], rack: None, fenced: true, in_controlled_shutdown: false, log_dirs: [36f2y7_8RbyHLcbo-Krh8Q], cordoned_log_dirs: None })
            14..15 epoch 1
              BrokerRegistrationChange(BrokerRegistrationChangeRecord { broker_id: 1, broker_epoch: 13, fenced: -1, in_controlled_shutdown: 0, log_dirs: [], cordoned_log_dirs: None })
              BrokerRegistrationChange(BrokerRegistrationChangeRecord { broker_id: 1, broker_epoch: 13, fenced: 0, in_controlled_shutdown: 0, log_dirs: [], cordoned_log_dirs: Some([]) })
            16..16 epoch 1
              BrokerRegistrationChange(BrokerRegistrationChangeRecord { broker_id: 1, broker_epoch: 13, fenced: 1, in_controlled_shutdown: 0, log_dirs: [], cordoned_log_dirs: None })
            17..17 epoch 2 control
              LeaderChange { leader: BrokerId(1), voters: [BrokerId(1)], granting: [BrokerId(1)] }
            18..18 epoch 2
              RegisterController(RegisterControllerRecord { controller_id: 1, incarnation_id: MeKJKL8-R1y2blf9pBdFhg, zk_migration_ready: false, end_points: [ControllerEndpoint { name: "CONTROLLER", host: "127.0.0.1", port: 21093, security_protocol: 0 }], features: [ControllerFeature { name: "eligible.leader.replicas.version", min_supported_version: 0, max_supported_version: 1 }, ControllerFeature { name: "group.version", min_supported_version: 0, max_supported_version: 1 }, ControllerFeature { name: "kraft.version", min_supported_version: 0, max_supported_version: 1 }, ControllerFeature { name: "metadata.version", min_supported_version: 7, max_supported_version: 30 }, ControllerFeature { name: "share.version", min_supported_version: 0, max_supported_version: 1 }, ControllerFeature { name: "streams.version", min_supported_version: 0, max_supported_version: 1 }, ControllerFeature { name: "transaction.version", min_supported_version: 0, max_supported_version: 2 }] })
            19..19 epoch 2
              RegisterBroker(RegisterBrokerRecord { broker_id: 1, is_migrating_zk_broker: false, incarnation_id: xYu-PXTYSVaZKKkdgfViiQ, broker_epoch: 19, end_points: [BrokerEndpoint { name: "PLAINTEXT", host: "127.0.0.1", port: 21092, security_protocol: 0 }], features: [BrokerFeature { name: "eligible.leader.replicas.version", min_supported_version: 0, max_supported_version: 1 }, BrokerFeature { name: "group.version", min_supported_version: 0, max_supported_version: 1 }, BrokerFeature { name: "kraft.version", min_supported_version: 0, max_supported_version: 1 }, BrokerFeature { name: "metadata.version", min_supported_version: 7, max_supported_version: 30 }, BrokerFeature { name: "share.version", min_supported_version: 0, max_supported_version: 1 }, BrokerFeature { name: "streams.version", min_supported_version: 0, max_supported_version: 1 }, BrokerFeature { name: "transaction.version", min_supported_version: 0, max_supported_version: 2 }], rack: None, fenced: true, in_controlled_shutdown: false, log_dirs: [36f2y7_8RbyHLcbo-Krh8Q], cordoned_log_dirs: None })
            20..21 epoch 2
              BrokerRegistrationChange(BrokerRegistrationChangeRecord { broker_id: 1, broker_epoch: 19, fenced: -1, in_controlled_shutdown: 0, log_dirs: [], cordoned_log_dirs: None })
              BrokerRegistrationChange(BrokerRegistrationChangeRecord { broker_id: 1, broker_epoch: 19, fenced: 0, in_controlled_shutdown: 0, log_dirs: [], cordoned_log_dirs: Some([]) })
            22..22 epoch 2
              BrokerRegistrationChange(BrokerRegistrationChangeRecord { broker_id: 1, broker_epoch: 19, fenced: 1, in_controlled_shutdown: 0, log_dirs: [], cordoned_log_dirs: None })
        "#]].assert_eq(&dump_log(&env));
    });
}

const TOPIC: TopicId = TopicId(Uuid([7; 16]));

/// A topic on broker 1, as CreateTopics would have it.
fn topic(directory: Uuid) -> Vec<MetadataRecord> {
    vec![
        MetadataRecord::Topic(TopicRecord { name: "orders".into(), topic_id: TOPIC.0 }),
        MetadataRecord::Partition(PartitionRecord {
            partition_id: 0,
            topic_id: TOPIC.0,
            replicas: vec![1],
            isr: vec![1],
            leader: 1,
            leader_epoch: 0,
            partition_epoch: 0,
            directories: vec![directory],
            ..PartitionRecord::default()
        }),
    ]
}

fn leader_epoch(node: &Node) -> (i32, i32) {
    let image = node.controller.image();
    let partition = image.topics.partition(TOPIC, 0).expect("the topic is there").clone();
    (partition.leader.0, partition.leader_epoch.0)
}

#[test]
fn leader_epochs_rise_with_every_start() {
    let sim = Sim::new(1);
    sim.run(|env| async move {
        let node = Node::start(&env).await;
        let broker = node.register(-1).await;
        broker.unfence().await.expect("unfenced");
        let records = topic(node.dirs.directory_ids[0].1);
        let create = move |_: &mut _, _: &_| ControllerResult::atomic_of(records, ());
        node.controller.run("createTopic", create).await.expect("created");
        assert_eq!(leader_epoch(&node), (1, 0));
        broker.controlled_shutdown().await.expect("let go");
        node.controller.close().await;
    });
    let after_clean_stop = sim.run(|env| async move {
        let node = Node::start(&env).await;
        let image = node.controller.image();
        let epoch = image.cluster.brokers.values().next().expect("broker 1").epoch;
        let broker = node.register(epoch).await;
        assert_eq!(leader_epoch(&node).0, -1, "nobody leads while the broker is fenced");
        broker.unfence().await.expect("unfenced");
        leader_epoch(&node)
    });
    assert_eq!(after_clean_stop.0, 1);
    assert!(after_clean_stop.1 > 0);
    sim.crash("n1", CrashKind::Process);
    let after_kill = sim.run(|env| async move {
        let node = Node::start(&env).await;
        node.register(-1).await.unfence().await.expect("unfenced");
        leader_epoch(&node)
    });
    assert_eq!(after_kill.0, 1);
    assert!(after_kill.1 > after_clean_stop.1);
}
