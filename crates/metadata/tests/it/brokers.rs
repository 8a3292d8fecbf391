//! The life of brokers: registration, fencing, controlled shutdown, unregistering.

use crate::harness::{Cluster, SESSION_MS, error};
use crate::topics::{assigned, create};
use expect_test::expect_file;
use klamm_metadata::MetadataVersion;
use klamm_protocol::Str;
use klamm_protocol::messages::allocate_producer_ids_request::AllocateProducerIdsRequest;
use klamm_protocol::messages::unregister_broker_request::UnregisterBrokerRequest;
use klamm_record::Uuid;

#[test]
fn first_records() {
    let mut out = String::new();
    for level in [30, 21, 7] {
        let version = MetadataVersion::from_feature_level(level).unwrap();
        let mut cluster = Cluster::at(version);
        cluster.start_broker(1);
        out.push_str(&format!("# metadata.version {version}\n{}", cluster.out));
    }
    expect_file!["../../testdata/first_records.txt"].assert_eq(&out);
}

#[test]
fn registration() {
    let mut cluster = Cluster::new();
    cluster.out.clear();
    cluster.title("a broker comes, and is unfenced when it has read its registration");
    let request = Cluster::registration(1, 1);
    cluster.register(&request);
    cluster.heartbeat(1, |request| request.current_metadata_offset -= 1);
    cluster.heartbeat(1, |_| {});
    cluster.title("the same incarnation again");
    cluster.register(&request);
    cluster.title("another incarnation on the controller's own node");
    let mut second = Cluster::registration(1, 2);
    second.previous_broker_epoch = cluster.epoch_of(1);
    cluster.register(&second);
    cluster.title("another incarnation elsewhere while the session lives, and after it");
    cluster.register(&Cluster::registration(3, 1));
    cluster.heartbeat(3, |_| {});
    let mut second = Cluster::registration(3, 2);
    cluster.register(&second);
    cluster.now_ms += SESSION_MS + 1;
    second.previous_broker_epoch = cluster.epoch_of(3);
    cluster.register(&second);
    cluster.title("refused");
    let mut wrong = Cluster::registration(2, 1);
    wrong.cluster_id = Str::from("another");
    cluster.register(&wrong);
    for log_dirs in [
        vec![],
        vec![Uuid::from_parts(0, 2)],
        vec![Uuid::from_parts(7, 7), Uuid::from_parts(7, 7)],
        vec![Uuid::from_parts(1000, 1)],
    ] {
        cluster.register(
            &klamm_protocol::messages::broker_registration_request::BrokerRegistrationRequest {
                log_dirs,
                ..Cluster::registration(2, 1)
            },
        );
    }
    let mut old = Cluster::registration(2, 1);
    old.features.retain(|feature| *feature.name != *"group.version");
    cluster.register(&old);
    old.features.retain(|feature| *feature.name != *"metadata.version");
    cluster.register(&old);
    let mut old = Cluster::registration(2, 1);
    for feature in &mut old.features {
        feature.max_supported_version = feature.max_supported_version.min(29);
    }
    cluster.register(&old);
    cluster.title("heartbeats of strangers");
    cluster.heartbeat(9, |_| {});
    cluster.heartbeat(1, |request| request.broker_epoch += 1);
    expect_file!["../../testdata/broker_registration.txt"].assert_eq(&cluster.out);
}

#[test]
fn controlled_shutdown() {
    let mut cluster = Cluster::with_brokers(&[1, 2]);
    create(&mut cluster, vec![assigned("orders", &[(0, &[1, 2])])]);
    cluster.title("leaderships go first");
    cluster.heartbeat(1, |request| request.want_shut_down = true);
    cluster.say_partitions();
    cluster.title("the other broker has not read so far");
    cluster.heartbeat(1, |request| request.want_shut_down = true);
    cluster.title("now it has");
    cluster.heartbeat(2, |_| {});
    cluster.heartbeat(1, |request| request.want_shut_down = true);
    cluster.say_partitions();
    cluster.title("back after a clean stop");
    let mut request = Cluster::registration(1, 99);
    request.previous_broker_epoch = cluster.epoch_of(1);
    cluster.now_ms += SESSION_MS + 1;
    cluster.register(&request);
    cluster.heartbeat(1, |_| {});
    cluster.say_partitions();
    expect_file!["../../testdata/controlled_shutdown.txt"].assert_eq(&cluster.out);
}

#[test]
fn sessions_run_out() {
    let mut cluster = Cluster::with_brokers(&[1, 2]);
    create(&mut cluster, vec![assigned("orders", &[(0, &[1, 2])])]);
    cluster.title("broker 1 falls silent");
    cluster.now_ms += SESSION_MS;
    cluster.heartbeat(2, |_| {});
    cluster.now_ms += 1;
    for _ in 0..2 {
        let ctx = cluster.ctx();
        let result = cluster.controller.fence_stale_broker(&ctx);
        let found = cluster.append(result);
        cluster.say(format!("  -> {found}"));
    }
    cluster.say_partitions();
    cluster.title("unregistered");
    for id in [1, 9] {
        let request = UnregisterBrokerRequest { broker_id: id };
        let result = cluster.controller.unregister_broker(&request);
        let response = cluster.append(result);
        cluster.say(format!("  -> {}", error(response.error_code, &response.error_message)));
    }
    expect_file!["../../testdata/broker_sessions.txt"].assert_eq(&cluster.out);
}

#[test]
fn producer_ids() {
    let mut cluster = Cluster::with_brokers(&[1]);
    let broker_epoch = cluster.epoch_of(1);
    let mut starts = Vec::new();
    for _ in 0..2 {
        let request = AllocateProducerIdsRequest { broker_id: 1, broker_epoch };
        let result = cluster.controller.allocate_producer_ids(&request);
        let response = cluster.append(result);
        starts.push((response.error_code, response.producer_id_start, response.producer_id_len));
    }
    assert_eq!(starts, [(0, 0, 1000), (0, 1000, 1000)]);
    let request = AllocateProducerIdsRequest { broker_id: 1, broker_epoch: broker_epoch + 1 };
    let result = cluster.controller.allocate_producer_ids(&request);
    assert_eq!((result.records.len(), result.response.error_code), (0, 77));
}

#[test]
fn goes_back_to_what_is_committed() {
    let mut cluster = Cluster::with_brokers(&[1]);
    let before = cluster.controller.image().clone();
    let ctx = cluster.ctx();
    let request = klamm_protocol::messages::create_topics_request::CreateTopicsRequest {
        topics: vec![crate::topics::topic("lost", 1, 1)],
        ..Default::default()
    };
    let result = cluster.controller.create_topics(&ctx, &request, |_| true);
    let offset = ctx.next_write_offset;
    for record in &result.records {
        cluster.controller.replay(record, offset).unwrap();
    }
    cluster.controller.end_append(offset);
    cluster.controller.commit(offset - 1);
    assert!(cluster.controller.image().topics.id_of("lost").is_some());
    assert_eq!(cluster.controller.committed_image(), &before);
    cluster.controller.revert_to_committed();
    assert_eq!(cluster.controller.image(), &before);
}
