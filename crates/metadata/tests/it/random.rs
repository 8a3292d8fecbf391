//! Random histories: image by deltas, image by snapshot and controller agree, and no partition ever breaks a rule.

use crate::harness::{Cluster, SESSION_MS};
use crate::topics::{create, topic};
use klamm_metadata::records::{
    AccessControlEntryRecord, ClientQuotaRecord, DelegationTokenRecord, EntityData, MetadataRecord,
    RemoveAccessControlEntryRecord, RemoveDelegationTokenRecord, RemoveUserScramCredentialRecord,
    UserScramCredentialRecord,
};
use klamm_metadata::{Controller, ControllerResult, MetadataDelta, MetadataImage, NO_LEADER};
use klamm_protocol::Str;
use klamm_protocol::messages::alter_partition_request::{
    AlterPartitionRequest, BrokerState, PartitionData, TopicData,
};
use klamm_protocol::messages::create_partitions_request::{
    CreatePartitionsRequest, CreatePartitionsTopic,
};
use klamm_protocol::messages::delete_topics_request::DeleteTopicsRequest;
use klamm_protocol::messages::incremental_alter_configs_request as configs;
use klamm_record::{Offset, Uuid};
use proptest::prelude::*;
use std::collections::BTreeMap;

const NAMES: [&str; 4] = ["orders", "bills", "a.b", "c_d"];

#[derive(Debug, Clone)]
enum Step {
    Register { broker: i32, clean: bool },
    Heartbeat { broker: i32, fence: bool, shut_down: bool },
    SilenceOf { broker: i32 },
    Create { name: usize, partitions: i32, replicas: i16 },
    Delete { name: usize },
    Grow { name: usize, count: i32 },
    Configure { name: usize, min_isr: Option<i32> },
    Propose { at: usize, isr: u8 },
    Balance,
    Store { kind: u8, key: u8, remove: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let broker = 1..4_i32;
    prop_oneof![
        2 => (broker.clone(), any::<bool>()).prop_map(|(broker, clean)| Step::Register { broker, clean }),
        6 => (broker.clone(), prop::bool::weighted(0.3), prop::bool::weighted(0.2))
            .prop_map(|(broker, fence, shut_down)| Step::Heartbeat { broker, fence, shut_down }),
        1 => broker.prop_map(|broker| Step::SilenceOf { broker }),
        3 => (0..4_usize, -1..4_i32, -1..4_i16)
            .prop_map(|(name, partitions, replicas)| Step::Create { name, partitions, replicas }),
        1 => (0..4_usize).prop_map(|name| Step::Delete { name }),
        1 => (0..4_usize, 0..6_i32).prop_map(|(name, count)| Step::Grow { name, count }),
        1 => (0..4_usize, prop::option::of(1..4_i32))
            .prop_map(|(name, min_isr)| Step::Configure { name, min_isr }),
        3 => (any::<usize>(), any::<u8>()).prop_map(|(at, isr)| Step::Propose { at, isr }),
        1 => Just(Step::Balance),
        3 => (0..4_u8, 0..3_u8, any::<bool>())
            .prop_map(|(kind, key, remove)| Step::Store { kind, key, remove }),
    ]
}

fn take(cluster: &mut Cluster, step: &Step) {
    match *step {
        Step::Register { broker, clean } => {
            let incarnation = cluster.end_offset() as u64 + 100;
            let mut request = Cluster::registration(broker, incarnation);
            if clean {
                request.previous_broker_epoch = cluster.epoch_of(broker);
            }
            cluster.register(&request);
        }
        Step::Heartbeat { broker, fence, shut_down } => {
            cluster.heartbeat(broker, |request| {
                (request.want_fence, request.want_shut_down) = (fence, shut_down);
            });
        }
        Step::SilenceOf { broker } => {
            for other in (1..4).filter(|other| *other != broker) {
                cluster.now_ms += SESSION_MS / 2 + 1;
                cluster.heartbeat(other, |_| {});
            }
            loop {
                let ctx = cluster.ctx();
                let result = cluster.controller.fence_stale_broker(&ctx);
                if !cluster.append(result) {
                    break;
                }
            }
        }
        Step::Create { name, partitions, replicas } => {
            create(cluster, vec![topic(NAMES[name], partitions, replicas)]);
        }
        Step::Delete { name } => {
            let topic_names = vec![Str::from(NAMES[name])];
            let request = DeleteTopicsRequest { topic_names, ..DeleteTopicsRequest::default() };
            let result = cluster.controller.delete_topics(&request);
            cluster.append(result);
        }
        Step::Grow { name, count } => {
            let topic =
                CreatePartitionsTopic { name: Str::from(NAMES[name]), count, assignments: None };
            let request = CreatePartitionsRequest {
                topics: vec![topic],
                ..CreatePartitionsRequest::default()
            };
            let ctx = cluster.ctx();
            let result = cluster.controller.create_partitions(&ctx, &request);
            cluster.append(result);
        }
        Step::Configure { name, min_isr } => configure(cluster, NAMES[name], min_isr),
        Step::Propose { at, isr } => propose(cluster, at, isr),
        Step::Balance => {
            let result = cluster.controller.balance_leaders();
            cluster.append(result);
        }
        Step::Store { kind, key, remove } => {
            let records = store(cluster, kind, key, remove).into_iter().collect();
            cluster.append(ControllerResult::of(records, ()));
        }
    }
}

fn configure(cluster: &mut Cluster, name: &str, min_isr: Option<i32>) {
    let config = configs::AlterableConfig {
        name: Str::from("min.insync.replicas"),
        config_operation: i8::from(min_isr.is_none()),
        value: min_isr.map(|value| Str::from(value.to_string())),
    };
    let resource = configs::AlterConfigsResource {
        resource_type: 2,
        resource_name: Str::from(name),
        configs: vec![config],
    };
    let request =
        configs::IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let result = cluster.controller.incremental_alter_configs(&request);
    cluster.append(result);
}

fn propose(cluster: &mut Cluster, at: usize, isr: u8) {
    let topics: Vec<_> = cluster.image.topics.iter_by_name().cloned().collect();
    if topics.is_empty() {
        return;
    }
    let topic = &topics[at % topics.len()];
    let index = (at % topic.partitions.len()) as i32;
    let partition = &topic.partitions[&index];
    let chosen = partition.replicas.iter().filter(|id| isr & (1 << id.0) != 0);
    let data = PartitionData {
        partition_index: index,
        leader_epoch: partition.leader_epoch.0,
        partition_epoch: partition.partition_epoch,
        new_isr_with_epochs: chosen
            .map(|id| BrokerState { broker_id: id.0, broker_epoch: cluster.epoch_of(id.0) })
            .collect(),
        ..PartitionData::default()
    };
    let request = AlterPartitionRequest {
        broker_id: partition.leader.0,
        broker_epoch: cluster.epoch_of(partition.leader.0),
        topics: vec![TopicData { topic_id: topic.id.0, partitions: vec![data] }],
    };
    let result = cluster.controller.alter_partition(3, &request);
    cluster.append(result);
}

/// Records of the areas that no operation writes yet.
fn store(cluster: &Cluster, kind: u8, key: u8, remove: bool) -> Option<MetadataRecord> {
    let text = Str::from(format!("k{key}"));
    let id = Uuid::from_parts(77, u64::from(key) + 1);
    Some(match (kind, remove) {
        (0, _) => MetadataRecord::ClientQuota(ClientQuotaRecord {
            entity: vec![EntityData { entity_type: Str::from("user"), entity_name: Some(text) }],
            key: Str::from("producer_byte_rate"),
            value: f64::from(key),
            remove,
        }),
        (1, false) => MetadataRecord::AccessControlEntry(AccessControlEntryRecord {
            id,
            resource_name: text,
            ..AccessControlEntryRecord::default()
        }),
        (1, true) if !cluster.image.acls.acls.contains_key(&id) => return None,
        (1, true) => {
            MetadataRecord::RemoveAccessControlEntry(RemoveAccessControlEntryRecord { id })
        }
        (2, false) => MetadataRecord::UserScramCredential(UserScramCredentialRecord {
            name: text,
            mechanism: 1,
            ..UserScramCredentialRecord::default()
        }),
        (2, true) => MetadataRecord::RemoveUserScramCredential(RemoveUserScramCredentialRecord {
            name: text,
            mechanism: 1,
        }),
        (_, false) => MetadataRecord::DelegationToken(DelegationTokenRecord {
            token_id: text,
            ..DelegationTokenRecord::default()
        }),
        (_, true) => {
            MetadataRecord::RemoveDelegationToken(RemoveDelegationTokenRecord { token_id: text })
        }
    })
}

fn check_partitions(before: &MetadataImage, after: &MetadataImage) {
    let mut epochs = BTreeMap::new();
    for topic in before.topics.by_id().values() {
        for (index, partition) in &topic.partitions {
            epochs.insert((topic.id, *index), (partition.leader_epoch, partition.leader));
        }
    }
    for topic in after.topics.by_id().values() {
        assert!(topic.partitions.keys().copied().eq(0..topic.partitions.len() as i32));
        for (index, partition) in &topic.partitions {
            let at = format!("{}-{index}: {partition:?}", topic.name);
            let replica = |id| partition.replicas.contains(id);
            assert!(partition.isr.iter().all(replica) && partition.elr.iter().all(replica), "{at}");
            assert!(!partition.isr.iter().any(|id| partition.elr.contains(id)), "{at}");
            assert_eq!(partition.replicas.len(), partition.directories.len(), "{at}");
            if partition.leader != NO_LEADER {
                assert!(partition.isr.contains(&partition.leader), "{at}");
                assert!(after.cluster.is_active(partition.leader), "{at}");
            }
            if let Some((epoch, leader)) = epochs.get(&(topic.id, *index)) {
                assert!(partition.leader_epoch >= *epoch, "{at}");
                assert!(partition.leader == *leader || partition.leader_epoch > *epoch, "{at}");
            }
        }
    }
}

fn check_snapshot(cluster: &Cluster) {
    let version = cluster.image.features.metadata_version.expect("a level is finalized");
    let records = cluster.image.to_records(version);
    let mut fresh = MetadataDelta::new(&MetadataImage::empty());
    let mut over = MetadataDelta::from_snapshot(&cluster.image);
    for record in &records {
        fresh.replay(record).unwrap();
        over.replay(record).unwrap();
    }
    assert_eq!(fresh.apply(cluster.image.provenance), cluster.image);
    assert_eq!(over.apply(cluster.image.provenance), cluster.image);
    assert!(over.topics().is_empty() && over.configs().is_empty() && over.cluster().is_empty());
    let mut controller = Controller::new(cluster.controller.config().clone());
    controller.load_snapshot(&records, Offset(cluster.end_offset())).unwrap();
    assert_eq!(controller.image(), cluster.controller.image());
    assert_eq!(controller.are_leaders_imbalanced(), cluster.controller.are_leaders_imbalanced());
    assert_eq!(
        controller.are_partitions_leaderless(),
        cluster.controller.are_partitions_leaderless()
    );
}

/// A snapshot says what to forget, too.
#[test]
fn a_snapshot_forgets() {
    let mut cluster = Cluster::with_brokers(&[1]);
    create(&mut cluster, vec![topic("orders", 2, 1)]);
    let empty = Cluster::new();
    let mut delta = MetadataDelta::from_snapshot(&cluster.image);
    for record in empty.image.to_records(empty.image.features.metadata_version.unwrap()) {
        delta.replay(&record).unwrap();
    }
    assert_eq!(delta.topics().deleted.len(), 1);
    assert_eq!(delta.topics().local_changes(klamm_record::BrokerId(1)).deletes.len(), 2);
    assert_eq!(delta.cluster().changed_brokers.values().filter(|it| it.is_none()).count(), 1);
    assert!(delta.configs().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn images_agree_and_partitions_keep_the_rules(steps in prop::collection::vec(step(), 1..60)) {
        let mut cluster = Cluster::new();
        for id in 1..4 {
            cluster.start_broker(id);
        }
        for step in &steps {
            let before = cluster.image.clone();
            take(&mut cluster, step);
            check_partitions(&before, &cluster.image);
        }
        check_snapshot(&cluster);
    }
}

/// What an aborted metadata transaction said was never said (KIP-868).
#[test]
fn an_aborted_transaction_leaves_no_trace() {
    let mut cluster = Cluster::with_brokers(&[1]);
    let before = cluster.image.clone();
    let ctx = cluster.ctx();
    let request = klamm_protocol::messages::create_topics_request::CreateTopicsRequest {
        topics: vec![topic("orders", 2, 1)],
        ..Default::default()
    };
    let mut records = vec![MetadataRecord::BeginTransaction(Default::default())];
    records.extend(cluster.controller.create_topics(&ctx, &request, |_| true).records);
    let mut delta = MetadataDelta::new(&before);
    let mut offset = ctx.next_write_offset;
    for record in &records {
        delta.replay(record).unwrap();
        cluster.controller.replay(record, offset).unwrap();
        offset += 1;
    }
    assert!(delta.in_transaction() && cluster.controller.in_transaction());
    assert!(cluster.controller.image().topics.id_of("orders").is_some());
    let abort = cluster.controller.activation_records(&[]).unwrap().records;
    assert!(matches!(abort[..], [MetadataRecord::AbortTransaction(_)]));
    delta.replay(&abort[0]).unwrap();
    cluster.controller.replay(&abort[0], offset).unwrap();
    assert!(!delta.in_transaction() && delta.is_empty() && delta.topics().is_empty());
    assert_eq!(cluster.controller.image(), &before);
}
