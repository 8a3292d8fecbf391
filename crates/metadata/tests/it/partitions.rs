//! Leaders, ISR and ELR as brokers come and go.

use crate::harness::{Cluster, SESSION_MS};
use crate::topics::{assigned, configured, create};
use expect_test::expect_file;
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::alter_partition_request::{
    AlterPartitionRequest, BrokerState, PartitionData, TopicData,
};
use klamm_protocol::messages::assign_replicas_to_dirs_request as dirs;
use klamm_record::Uuid;

fn fence(cluster: &mut Cluster, id: i32) {
    cluster.heartbeat(id, |request| request.want_fence = true);
    cluster.say_partitions();
}

fn unfence(cluster: &mut Cluster, id: i32) {
    cluster.heartbeat(id, |_| {});
    cluster.say_partitions();
}

/// The present leader of partition 0 proposes an ISR.
fn propose(cluster: &mut Cluster, isr: &[i32], change: impl Fn(&mut AlterPartitionRequest)) {
    let topic = cluster.image.topics.iter_by_name().next().unwrap().clone();
    let partition = topic.partitions[&0].clone();
    let states = isr.iter().map(|id| BrokerState { broker_id: *id, broker_epoch: -1 });
    let data = PartitionData {
        partition_index: 0,
        leader_epoch: partition.leader_epoch.0,
        partition_epoch: partition.partition_epoch,
        new_isr_with_epochs: states.collect(),
        ..PartitionData::default()
    };
    let mut request = AlterPartitionRequest {
        broker_id: partition.leader.0,
        broker_epoch: cluster.epoch_of(partition.leader.0),
        topics: vec![TopicData { topic_id: topic.id.0, partitions: vec![data] }],
    };
    change(&mut request);
    let result = cluster.controller.alter_partition(3, &request);
    let response = cluster.append(result);
    let code =
        response.topics.first().map_or(response.error_code, |it| it.partitions[0].error_code);
    cluster.say(format!("  -> {}", ErrorCode::from_code(code)));
}

#[test]
fn eligible_leader_replicas() {
    let mut cluster = Cluster::with_brokers(&[1, 2, 3]);
    let topic = assigned("orders", &[(0, &[1, 2, 3])]);
    create(&mut cluster, vec![configured(topic, &[("min.insync.replicas", Some("2"))])]);
    cluster.title("above the minimum a leaving member is forgotten");
    fence(&mut cluster, 1);
    cluster.title("below it it stays eligible");
    fence(&mut cluster, 2);
    cluster.title("and with all gone the last leader is known");
    fence(&mut cluster, 3);
    cluster.title("an eligible replica may lead");
    unfence(&mut cluster, 2);
    cluster.title("the ISR grows again to the minimum, and nobody need be eligible");
    unfence(&mut cluster, 3);
    propose(&mut cluster, &[2, 3], |_| {});
    cluster.say_partitions();
    cluster.title("back without a clean stop: out of ISR and ELR");
    fence(&mut cluster, 2);
    cluster.now_ms += SESSION_MS + 1;
    cluster.register(&Cluster::registration(2, 77));
    cluster.say_partitions();
    cluster.title("the last member comes back without a clean stop, and is led by because it is the last known");
    cluster.register(&Cluster::registration(3, 78));
    cluster.say_partitions();
    unfence(&mut cluster, 3);
    expect_file!["../../testdata/eligible_leader_replicas.txt"].assert_eq(&cluster.out);
}

#[test]
fn unclean_and_preferred_elections() {
    let mut cluster = Cluster::with_brokers(&[1, 2]);
    let topic = assigned("orders", &[(0, &[1, 2])]);
    let unclean = [("unclean.leader.election.enable", Some("true"))];
    create(&mut cluster, vec![configured(topic, &unclean)]);
    cluster.title("2 falls out of the ISR, then 1 goes");
    propose(&mut cluster, &[1], |_| {});
    fence(&mut cluster, 1);
    cluster.title("1 is back, 2 still leads");
    unfence(&mut cluster, 1);
    cluster.title("recovered, and then together");
    propose(&mut cluster, &[2], |_| {});
    propose(&mut cluster, &[2, 1], |_| {});
    cluster.title("preferred leader");
    let result = cluster.controller.balance_leaders();
    cluster.append(result);
    cluster.say_partitions();
    assert!(!cluster.controller.are_leaders_imbalanced());
    expect_file!["../../testdata/elections.txt"].assert_eq(&cluster.out);
}

#[test]
fn alter_partition_errors() {
    let mut cluster = Cluster::with_brokers(&[1, 2, 3]);
    create(&mut cluster, vec![assigned("orders", &[(0, &[1, 2])])]);
    fence(&mut cluster, 2);
    cluster.out.clear();
    let one = |change: fn(&mut PartitionData)| {
        move |request: &mut AlterPartitionRequest| change(&mut request.topics[0].partitions[0])
    };
    propose(&mut cluster, &[1], one(|data| data.leader_epoch += 1));
    propose(&mut cluster, &[1], one(|data| data.partition_epoch += 1));
    propose(&mut cluster, &[1], one(|data| data.leader_epoch -= 1));
    propose(&mut cluster, &[1], one(|data| data.partition_epoch -= 1));
    propose(&mut cluster, &[1], one(|data| data.partition_index = 5));
    propose(&mut cluster, &[1, 2], |_| {});
    propose(&mut cluster, &[1, 3], |_| {});
    propose(&mut cluster, &[1, 1], |_| {});
    propose(&mut cluster, &[], |_| {});
    propose(&mut cluster, &[1], one(|data| data.leader_recovery_state = 1));
    propose(&mut cluster, &[1], |request| request.topics[0].topic_id = Uuid::from_parts(5, 5));
    propose(&mut cluster, &[1], |request| request.broker_epoch += 1);
    let epoch = cluster.epoch_of(3);
    propose(&mut cluster, &[1], |request| (request.broker_id, request.broker_epoch) = (3, epoch));
    propose(&mut cluster, &[1], |_| {});
    expect_file!["../../testdata/alter_partition_errors.txt"].assert_eq(&cluster.out);
}

#[test]
fn directories() {
    let mut cluster = Cluster::new();
    let both = [Uuid::from_parts(50, 1), Uuid::from_parts(50, 2)];
    let mut request = Cluster::registration(1, 1);
    request.log_dirs = both.to_vec();
    cluster.register(&request);
    cluster.heartbeat(1, |_| {});
    cluster.start_broker(2);
    create(&mut cluster, vec![assigned("orders", &[(0, &[1, 2])])]);
    cluster.out.clear();
    cluster.title("the broker says where the replica lies");
    let topic_id = cluster.image.topics.id_of("orders").unwrap().0;
    let assign = |cluster: &mut Cluster, partition_index| {
        let partitions = vec![dirs::PartitionData { partition_index }];
        let topics = vec![dirs::TopicData { topic_id, partitions }];
        let request = dirs::AssignReplicasToDirsRequest {
            broker_id: 1,
            broker_epoch: cluster.epoch_of(1),
            directories: vec![dirs::DirectoryData { id: both[0], topics }],
        };
        let result = cluster.controller.assign_replicas_to_dirs(&request);
        let response = cluster.append(result);
        let code = response.directories[0].topics[0].partitions[0].error_code;
        cluster.say(format!("  -> {}", ErrorCode::from_code(code)));
    };
    assign(&mut cluster, 0);
    assign(&mut cluster, 1);
    cluster.title("that directory goes offline");
    cluster.heartbeat(1, |request| request.offline_log_dirs = vec![both[0]]);
    cluster.say_partitions();
    cluster.title("the other one takes nothing new");
    cluster.heartbeat(1, |request| request.cordoned_log_dirs = Some(vec![both[1]]));
    create(
        &mut cluster,
        vec![assigned("late", &[(0, &[1])]), crate::topics::topic("placed", 1, 2)],
    );
    expect_file!["../../testdata/directories.txt"].assert_eq(&cluster.out);
}
