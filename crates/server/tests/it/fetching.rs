//! Fetch in its versions, its limits, its waiting and its sessions; ListOffsets beside it.

use std::time::Duration;

use klamm_protocol::ErrorCode;
use klamm_protocol::messages::fetch_request::{FetchRequest, ForgottenTopic};
use klamm_sim::batches;
use klamm_sim::client::Client;
use klamm_sim::requests::{self, EARLIEST, LATEST, Topic};

use crate::node::{Node, batch, code, read, sent_ms, values};

async fn fetch(client: &mut Client, version: i16, request: &FetchRequest) -> Vec<String> {
    let answer = client.call(version, request).await.unwrap();
    assert_eq!(code(answer.error_code), ErrorCode::None, "v{version}");
    let partitions = answer.responses.iter().flat_map(|it| &it.partitions);
    partitions.flat_map(|it| values(&batches::parse(&requests::records_of(it)).unwrap())).collect()
}

async fn filled(node: &Node, sent: &[&str]) -> Topic {
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    for value in sent {
        let answer = client.produce(&topic, 0, batch(&[value])).await.unwrap();
        assert_eq!(code(answer.error_code), ErrorCode::None);
    }
    topic
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_reads_from_the_offset_on() {
    let node = Node::start(&[]).await;
    let topic = filled(&node, &["a", "b", "c"]).await;
    let mut client = node.client().await;
    for version in 4..=18 {
        let request = requests::fetch(&[(&topic, 0, 1)], 0);
        assert_eq!(fetch(&mut client, version, &request).await, ["b", "c"], "v{version}");
        let at_end = requests::fetch(&[(&topic, 0, 3)], 0);
        assert!(fetch(&mut client, version, &at_end).await.is_empty(), "v{version}");
        for offset in [-1, 4] {
            let outside = requests::fetch(&[(&topic, 0, offset)], 1000);
            let answer = client.call(version, &outside).await.unwrap();
            let found = requests::fetched(&answer, &topic, 0).unwrap();
            assert_eq!(code(found.error_code), ErrorCode::OffsetOutOfRange, "v{version}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_but_one_batch_is_given_however_large() {
    let node = Node::start(&[]).await;
    let long = "x".repeat(1000);
    let topic = filled(&node, &[&long, &long, &long]).await;
    let mut client = node.client().await;
    let mut request = requests::fetch(&[(&topic, 0, 0)], 0);
    request.max_bytes = 1;
    assert_eq!(fetch(&mut client, 17, &request).await.len(), 1);
    request.max_bytes = 1 << 20;
    request.topics[0].partitions[0].partition_max_bytes = 1;
    assert_eq!(fetch(&mut client, 17, &request).await.len(), 1);
    request.topics[0].partitions[0].partition_max_bytes = 2_200;
    assert_eq!(fetch(&mut client, 17, &request).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_that_waits_wakes_on_an_append() {
    let node = Node::start(&[]).await;
    let topic = filled(&node, &["a"]).await;
    let mut consumer = node.client().await;
    // far longer than the client waits for an answer: only the append can bring it
    consumer.send(17, &requests::fetch(&[(&topic, 0, 1)], 600_000)).await.unwrap();
    let mut producer = node.client().await;
    producer.produce(&topic, 0, batch(&["b"])).await.unwrap();
    let answer = consumer.receive::<FetchRequest>(17).await.unwrap();
    let found = requests::fetched(&answer, &topic, 0).unwrap();
    assert_eq!(values(&batches::parse(&requests::records_of(found)).unwrap()), ["b"]);
}

/// As Kafka does: a topic that is not known (yet) does not end the wait for the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_topic_does_not_end_the_wait_for_the_others() {
    let node = Node::start(&[]).await;
    let topic = filled(&node, &["a"]).await;
    let mut request = requests::fetch(&[(&topic, 0, 1)], 600_000);
    let mut unknown = request.topics[0].clone();
    unknown.topic_id = klamm_record::Uuid([7; 16]);
    request.topics.push(unknown);
    let mut consumer = node.client().await;
    consumer.send(17, &request).await.unwrap();
    let mut producer = node.client().await;
    producer.produce(&topic, 0, batch(&["b"])).await.unwrap();
    let answer = consumer.receive::<FetchRequest>(17).await.unwrap();
    let found = requests::fetched(&answer, &topic, 0).unwrap();
    assert_eq!(values(&batches::parse(&requests::records_of(found)).unwrap()), ["b"]);
    let codes: Vec<i16> =
        answer.responses.iter().flat_map(|it| &it.partitions).map(|it| it.error_code).collect();
    assert_eq!(codes, [0, ErrorCode::UnknownTopicId.code()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_without_news_is_answered_when_its_time_is_over() {
    let node = Node::start(&[]).await;
    let topic = filled(&node, &["a"]).await;
    let mut client = node.client().await;
    let began = node.env.clock().now();
    let mut request = requests::fetch(&[(&topic, 0, 0)], 300);
    request.min_bytes = 1 << 20;
    assert_eq!(fetch(&mut client, 17, &request).await, ["a"]);
    assert!(node.env.clock().now() - began >= Duration::from_millis(300));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_tells_only_what_is_new() {
    let node = Node::start(&[]).await;
    let topic = filled(&node, &["a"]).await;
    let mut client = node.client().await;
    let mut request = requests::fetch(&[(&topic, 0, 0)], 0);
    request.session_epoch = 0;
    let first = client.call(17, &request).await.unwrap();
    assert_ne!(first.session_id, 0);
    assert_eq!(first.responses.len(), 1);
    // the consumer moves on, and then asks for nothing in particular
    let mut next = requests::fetch(&[(&topic, 0, 1)], 0);
    (next.session_id, next.session_epoch) = (first.session_id, 1);
    let second = client.call(17, &next).await.unwrap();
    assert!(second.responses.is_empty(), "{second:?}");
    client.produce(&topic, 0, batch(&["b"])).await.unwrap();
    let mut empty = requests::fetch(&[], 0);
    (empty.session_id, empty.session_epoch) = (first.session_id, 2);
    assert_eq!(fetch(&mut client, 17, &empty).await, ["b"]);
    empty.session_epoch = 9;
    let wrong = client.call(17, &empty).await.unwrap();
    assert_eq!(code(wrong.error_code), ErrorCode::InvalidFetchSessionEpoch);
    empty.session_epoch = 3;
    empty.forgotten_topics_data = vec![ForgottenTopic {
        topic: topic.name.as_str().into(),
        topic_id: topic.id,
        partitions: vec![0],
    }];
    assert!(fetch(&mut client, 17, &empty).await.is_empty(), "forgotten");
    (empty.session_id, empty.session_epoch) = (77, 1);
    let unknown = client.call(17, &empty).await.unwrap();
    assert_eq!(code(unknown.error_code), ErrorCode::FetchSessionIdNotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_offsets_knows_the_special_timestamps() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    client.produce(&topic, 0, batch(&["a", "b"])).await.unwrap();
    client.produce(&topic, 0, batch(&["c"])).await.unwrap();
    let cases = [
        ("earliest", EARLIEST, 0),
        ("latest", LATEST, 3),
        ("largest timestamp", -3, 1),
        ("earliest local", -4, 0),
        ("before all", 0, 0),
        ("the second", sent_ms() + 1, 1),
        ("after all", sent_ms() + 2, -1),
    ];
    for (what, timestamp, expected) in cases {
        let found = client.list_offset(&topic, 0, timestamp).await.unwrap();
        assert_eq!(code(found.error_code), ErrorCode::None, "{what}");
        assert_eq!(found.offset, expected, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_records_cannot_be_read_and_stay_deleted() {
    let node = Node::start(&[]).await;
    let topic = filled(&node, &["a", "b", "c"]).await;
    let mut client = node.client().await;
    for (before, expected, low) in
        [(2, ErrorCode::None, 2), (1, ErrorCode::None, 2), (4, ErrorCode::OffsetOutOfRange, -1)]
    {
        let answer = client.call(2, &requests::delete_records(&topic, 0, before)).await.unwrap();
        let answer = &answer.topics[0].partitions[0];
        assert_eq!((code(answer.error_code), answer.low_watermark), (expected, low), "{before}");
    }
    let gone = client.read(&topic, 0, 1).await.unwrap();
    assert_eq!(code(gone.error_code), ErrorCode::OffsetOutOfRange);
    drop(client);
    let node = node.restart().await;
    let mut client = node.client().await;
    assert_eq!(client.list_offset(&topic, 0, EARLIEST).await.unwrap().offset, 2);
    assert_eq!(values(&read(&mut client, &topic, 2).await), ["c"]);
    // -1 is the high watermark
    let answer = client.call(2, &requests::delete_records(&topic, 0, -1)).await.unwrap();
    assert_eq!(answer.topics[0].partitions[0].low_watermark, 3);
}
