//! Produce in its versions, with its acks, and what topics do to batches.

use bytes::Bytes;
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::produce_request::ProduceRequest;
use klamm_record::{Codec, TimestampType};
use klamm_sim::batches;
use klamm_sim::requests::{self, LATEST, Topic};

use crate::node::{Node, batch, code, read, records, sent_ms, values};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_stores_the_batch_as_it_came() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    for version in 3..=13 {
        for acks in [-1, 1] {
            let sent = batch(&["a", "b"]);
            let request = requests::produce(&topic, 0, (acks, 5_000), sent.clone());
            let answer = client.call::<ProduceRequest>(version, &request).await.unwrap();
            let answer = requests::only_produced(answer);
            assert_eq!(code(answer.error_code), ErrorCode::None, "v{version} acks {acks}");
            assert_eq!(answer.log_append_time_ms, -1);
            let found = read(&mut client, &topic, answer.base_offset).await;
            assert_eq!(found[0].header.base_offset.0, answer.base_offset);
            assert_eq!(found[0].bytes[16..], sent[16..], "v{version}");
        }
    }
    assert_eq!(client.list_offset(&topic, 0, LATEST).await.unwrap().offset, 44);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acks_0_has_no_answer_and_a_failure_closes_the_connection() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    let request = requests::produce(&topic, 0, (0, 5_000), batch(&["a"]));
    client.send_unanswered(13, &request).await.unwrap();
    // the answer to this one comes next, and requests are worked off in order
    assert_eq!(client.list_offset(&topic, 0, LATEST).await.unwrap().offset, 1);
    let nowhere = requests::produce(&topic, 7, (0, 5_000), batch(&["a"]));
    client.send_unanswered(13, &nowhere).await.unwrap();
    client.closed().await.unwrap();
    node.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_codec_is_stored_as_it_came_and_zstd_needs_version_7() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let sent = batches::build(&records(&["one", "two", "three"]), codec, None);
        for (version, expected) in [
            (
                6,
                if codec == Codec::Zstd {
                    ErrorCode::UnsupportedCompressionType
                } else {
                    ErrorCode::None
                },
            ),
            (7, ErrorCode::None),
        ] {
            let request = requests::produce(&topic, 0, (-1, 5_000), sent.clone());
            let answer = client.call::<ProduceRequest>(version, &request).await.unwrap();
            let answer = requests::only_produced(answer);
            assert_eq!(code(answer.error_code), expected, "{codec:?} v{version}");
            if expected == ErrorCode::None {
                let found = read(&mut client, &topic, answer.base_offset).await;
                assert_eq!(found[0].bytes[16..], sent[16..], "{codec:?}");
                assert_eq!(values(&found), ["one", "two", "three"]);
            }
        }
    }
}

async fn produced(configs: &[(&str, &str)], sent: Bytes) -> (i64, batches::FoundBatch) {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", configs).await;
    let mut client = node.client().await;
    let answer = client.produce(&topic, 0, sent).await.unwrap();
    assert_eq!(code(answer.error_code), ErrorCode::None, "{answer:?}");
    let found = read(&mut client, &topic, 0).await;
    (answer.log_append_time_ms, found[0].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compression_type_compresses_again() {
    for (name, codec) in
        [("zstd", Codec::Zstd), ("gzip", Codec::Gzip), ("uncompressed", Codec::None)]
    {
        let sent = batches::build(&records(&["one", "two"]), Codec::Lz4, None);
        let (_, found) = produced(&[("compression.type", name)], sent).await;
        assert_eq!(found.header.codec(), Some(codec));
        assert_eq!(values(&[found]), ["one", "two"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_append_time_replaces_the_producers() {
    let configs = [("message.timestamp.type", "LogAppendTime")];
    let (append_time_ms, found) = produced(&configs, batch(&["a", "b"])).await;
    assert!(append_time_ms > 0 && append_time_ms != sent_ms());
    assert_eq!(found.header.attributes.timestamp_type(), TimestampType::LogAppendTime);
    assert!(found.records.iter().all(|it| it.timestamp_ms == append_time_ms));
    let (append_time_ms, found) = produced(&[], batch(&["a", "b"])).await;
    assert_eq!(append_time_ms, -1);
    assert_eq!(found.records[1].timestamp_ms, sent_ms() + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_stored_is_told_by_kafkas_codes() {
    let node = Node::start(&[]).await;
    let small = node.topic("small", &[("max.message.bytes", "200")]).await;
    let early = node.topic("early", &[("message.timestamp.before.max.ms", "1000")]).await;
    let compacted = node.topic("compacted", &[("cleanup.policy", "compact")]).await;
    let unknown = Topic { name: "nobody".to_owned(), id: klamm_record::Uuid([9; 16]) };
    let mut client = node.client().await;
    let large = "x".repeat(200);
    let mut keyless = klamm_record::BatchBuilder::new(klamm_record::BatchOptions::default());
    keyless.append(sent_ms(), None, Some(b"v"), &[]);
    let keyless = keyless.build().unwrap();
    let old = batches::build(
        &[batches::NewRecord { timestamp_ms: 1, ..records(&["old"])[0].clone() }],
        Codec::None,
        None,
    );
    let cases = [
        ("too large", &small, 13, -1, batch(&[&large]), ErrorCode::MessageTooLarge),
        ("too old", &early, 13, -1, old, ErrorCode::InvalidTimestamp),
        ("no key", &compacted, 13, -1, keyless, ErrorCode::InvalidRecord),
        ("acks", &small, 13, 2, batch(&["a"]), ErrorCode::InvalidRequiredAcks),
        ("unknown id", &unknown, 13, -1, batch(&["a"]), ErrorCode::UnknownTopicId),
        ("unknown name", &unknown, 12, -1, batch(&["a"]), ErrorCode::UnknownTopicOrPartition),
        ("no batch", &small, 13, -1, Bytes::new(), ErrorCode::InvalidRecord),
    ];
    for (what, topic, version, acks, bytes, expected) in cases {
        let request = requests::produce(topic, 0, (acks, 5_000), bytes);
        let answer = client.call::<ProduceRequest>(version, &request).await.unwrap();
        let answer = requests::only_produced(answer);
        assert_eq!(code(answer.error_code), expected, "{what}: {answer:?}");
        assert_eq!(answer.base_offset, -1, "{what}");
    }
    let described = client.describe_topic("nobody").await.unwrap();
    assert_eq!(code(described.error_code), ErrorCode::UnknownTopicOrPartition, "not created");
    node.assert_alive().await;
}
