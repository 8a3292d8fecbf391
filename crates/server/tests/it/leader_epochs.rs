//! Leader epochs in requests: what was before a restart, and what is not yet, is told apart.

use klamm_protocol::ErrorCode;
use klamm_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use klamm_sim::requests::{self, LATEST, Topic};

use crate::node::{Node, batch, code};

/// A topic with two records from before a restart and one from after it; the epochs of both times.
async fn restarted() -> (Node, Topic, i32, i32) {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    client.produce(&topic, 0, batch(&["a", "b"])).await.unwrap();
    let before = client.describe_topic("t").await.unwrap().partitions[0].leader_epoch;
    drop(client);
    let node = node.restart().await;
    let mut client = node.client().await;
    client.produce(&topic, 0, batch(&["c"])).await.unwrap();
    let after = client.describe_topic("t").await.unwrap().partitions[0].leader_epoch;
    assert!(before < after);
    (node, topic, before, after)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_past_epoch_is_fenced_and_a_future_one_unknown() {
    let (node, topic, before, after) = restarted().await;
    let mut client = node.client().await;
    for (epoch, expected) in [
        (before, ErrorCode::FencedLeaderEpoch),
        (after, ErrorCode::None),
        (after + 1, ErrorCode::UnknownLeaderEpoch),
        (-1, ErrorCode::None),
    ] {
        let mut fetch = requests::fetch(&[(&topic, 0, 0)], 0);
        fetch.topics[0].partitions[0].current_leader_epoch = epoch;
        let answer = client.call(17, &fetch).await.unwrap();
        let found = requests::fetched(&answer, &topic, 0).unwrap();
        assert_eq!(code(found.error_code), expected, "Fetch with {epoch}");
        let mut list = requests::list_offsets(&topic, 0, LATEST);
        list.topics[0].partitions[0].current_leader_epoch = epoch;
        let answer = client.call(8, &list).await.unwrap();
        let found = &answer.topics[0].partitions[0];
        assert_eq!(code(found.error_code), expected, "ListOffsets with {epoch}");
        if expected == ErrorCode::None {
            assert_eq!((found.offset, found.leader_epoch), (3, after));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_ends_where_the_next_begins() {
    let (node, topic, before, after) = restarted().await;
    let mut client = node.client().await;
    for version in 2..=4 {
        for (asked, epoch, end_offset) in
            [(before, before, 2), (after, after, 3), (after + 1, -1, -1)]
        {
            let partition = OffsetForLeaderPartition {
                partition: 0,
                current_leader_epoch: -1,
                leader_epoch: asked,
            };
            let request = OffsetForLeaderEpochRequest {
                replica_id: -2,
                topics: vec![OffsetForLeaderTopic {
                    topic: topic.name.as_str().into(),
                    partitions: vec![partition],
                }],
            };
            let answer = client.call(version, &request).await.unwrap();
            let found = &answer.topics[0].partitions[0];
            assert_eq!(code(found.error_code), ErrorCode::None, "v{version} {asked}");
            assert_eq!((found.leader_epoch, found.end_offset), (epoch, end_offset), "{asked}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_read_under_another_history_is_told_where_it_parts() {
    let (node, topic, before, after) = restarted().await;
    let mut client = node.client().await;
    let mut fetch = requests::fetch(&[(&topic, 0, 3)], 0);
    let partition = &mut fetch.topics[0].partitions[0];
    (partition.current_leader_epoch, partition.last_fetched_epoch) = (after, before);
    let answer = client.call(17, &fetch).await.unwrap();
    let found = requests::fetched(&answer, &topic, 0).unwrap();
    assert_eq!(code(found.error_code), ErrorCode::None);
    let parts = &found.diverging_epoch;
    assert_eq!((parts.epoch, parts.end_offset), (before, 2));
}
