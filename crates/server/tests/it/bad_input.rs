//! What nobody should send: each gets Kafka's error or a closed connection, and the node lives on.

use klamm_env::Rng;
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::fetch_request::FetchRequest;
use klamm_protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use klamm_protocol::messages::produce_request::ProduceRequest;
use klamm_record::Uuid;
use klamm_sim::client::Client;
use klamm_sim::requests::{self, LATEST, NewTopic};

use crate::node::{Node, batch, code, names_in};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_request_close_the_connection() {
    let node = Node::start(&[]).await;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a length of 2 GB", i32::MAX.to_be_bytes().to_vec()),
        ("a negative length", (-5i32).to_be_bytes().to_vec()),
        ("an empty frame", vec![0; 4]),
        ("a header cut short", vec![0, 0, 0, 5, 0, 3, 0, 12, 0]),
        ("an unknown api", vec![0, 0, 0, 10, 0x70, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff]),
        // Metadata v1 with an array of two billion topics
        ("an array that is not there", {
            let mut bytes = vec![0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff];
            bytes.extend_from_slice(&i32::MAX.to_be_bytes());
            bytes
        }),
        // Metadata v1 with one topic whose name is not there
        (
            "a body cut short",
            vec![0, 0, 0, 16, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 1, 0x40, 0],
        ),
        ("http", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("tls", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
    ];
    for (what, bytes) in cases {
        let mut client = node.client().await;
        client.send_bytes(&bytes).await.unwrap();
        client.closed().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    node.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_bytes_never_do_harm() {
    let node = Node::start(&[]).await;
    let seed = node.env.rng().next_u64();
    println!("seed {seed}");
    let rng = Rng::seeded(seed);
    for _ in 0..200 {
        let mut bytes = vec![0; 4 + rng.below(300) as usize];
        rng.fill(&mut bytes);
        if rng.below(2) == 0 {
            // a sound length and api, so that the bytes reach a decoder
            let length = i32::try_from(bytes.len() - 4).unwrap();
            bytes[..4].copy_from_slice(&length.to_be_bytes());
            if let Some(header) = bytes.get_mut(4..8) {
                header.copy_from_slice(&[0, rng.below(76) as u8, 0, rng.below(14) as u8]);
            }
        }
        let mut client = node.client().await;
        // the node may close before all is sent
        let _ = client.send_bytes(&bytes).await;
    }
    node.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_in_the_middle_of_a_frame_is_forgotten() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    for size in [3, 4, 7, 30, 80] {
        let mut whole = vec![0, 0, 4, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 1, b'x'];
        whole.resize(1024, 7);
        let mut client = node.client().await;
        client.send_bytes(&whole[..size]).await.unwrap();
        drop(client);
    }
    let end = node.client().await.list_offset(&topic, 0, LATEST).await.unwrap();
    assert_eq!(end.offset, 0, "nothing was appended");
    node.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_say_nothing_and_clients_that_stop_reading_hold_up_nobody() {
    let node = Node::start(&[]).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(node.client().await);
    }
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    let large = "x".repeat(900_000);
    for _ in 0..8 {
        let produced = client.produce(&topic, 0, batch(&[&large])).await.unwrap();
        assert_eq!(code(produced.error_code), ErrorCode::None);
    }
    let mut deaf = Vec::new();
    for _ in 0..10 {
        let mut client = node.client().await;
        let from: Vec<_> = (0..8).map(|offset| (&topic, 0, offset)).take(1).collect();
        for _ in 0..20 {
            client.send(17, &requests::fetch(&from, 0)).await.unwrap();
        }
        deaf.push(client);
    }
    node.assert_alive().await;
    drop((silent, deaf));
    node.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_names_and_configs_are_refused_by_kafkas_codes() {
    let node = Node::start(&[]).await;
    let mut client = node.client().await;
    let long = "x".repeat(250);
    let cases = [
        (NewTopic { name: "..", partitions: 1, configs: &[] }, ErrorCode::InvalidTopicException),
        (NewTopic { name: "a/b", partitions: 1, configs: &[] }, ErrorCode::InvalidTopicException),
        (NewTopic { name: "", partitions: 1, configs: &[] }, ErrorCode::InvalidTopicException),
        (NewTopic { name: &long, partitions: 1, configs: &[] }, ErrorCode::InvalidTopicException),
        (NewTopic { name: "zero", partitions: 0, configs: &[] }, ErrorCode::InvalidPartitions),
        (
            NewTopic { name: "t", partitions: 1, configs: &[("no.such.config", "1")] },
            ErrorCode::InvalidConfig,
        ),
        (
            NewTopic { name: "t", partitions: 1, configs: &[("retention.ms", "soon")] },
            ErrorCode::InvalidConfig,
        ),
        (
            NewTopic { name: "t", partitions: 1, configs: &[("segment.bytes", "1")] },
            ErrorCode::InvalidConfig,
        ),
    ];
    for (topic, expected) in cases {
        let created = client.create_topic(topic).await.unwrap();
        assert_eq!(code(created.error_code), expected, "{topic:?}: {:?}", created.error_message);
        assert!(created.error_message.is_some(), "{topic:?}");
    }
    node.topic("twice", &[]).await;
    let again = client.create_topic(NewTopic { name: "twice", partitions: 1, configs: &[] }).await;
    assert_eq!(code(again.unwrap().error_code), ErrorCode::TopicAlreadyExists);
    assert!(names_in(&node.data()).iter().all(|name| !name.starts_with("t-")));
    node.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_topics_are_unknown() {
    let node = Node::start(&[("auto.create.topics.enable", "false")]).await;
    let mut client = node.client().await;
    let topic = |name: &str| MetadataRequestTopic { topic_id: Uuid::ZERO, name: Some(name.into()) };
    let request = MetadataRequest {
        topics: Some(vec![topic("nobody"), topic("a/b")]),
        allow_auto_topic_creation: true,
        ..MetadataRequest::default()
    };
    let answer = client.call(12, &request).await.unwrap();
    let codes: Vec<_> = answer.topics.iter().map(|it| code(it.error_code)).collect();
    assert_eq!(codes, [ErrorCode::UnknownTopicOrPartition, ErrorCode::InvalidTopicException]);
    let nobody = requests::Topic { name: "nobody".to_owned(), id: Uuid([7; 16]) };
    let listed = client.list_offset(&nobody, 0, LATEST).await.unwrap();
    assert_eq!(code(listed.error_code), ErrorCode::UnknownTopicOrPartition);
    for (version, expected) in
        [(12, ErrorCode::UnknownTopicOrPartition), (17, ErrorCode::UnknownTopicId)]
    {
        let request = requests::fetch(&[(&nobody, 0, 0)], 0);
        let answer = client.call::<FetchRequest>(version, &request).await.unwrap();
        let found = requests::fetched(&answer, &nobody, 0).unwrap();
        assert_eq!(code(found.error_code), expected, "v{version}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn negative_times_are_times_that_are_over() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    let mut client: Client = node.client().await;
    let request = requests::produce(&topic, 0, (-1, -1), batch(&["a"]));
    let answer = client.call::<ProduceRequest>(13, &request).await.unwrap();
    let answer = requests::only_produced(answer);
    assert_eq!(code(answer.error_code), ErrorCode::None, "{answer:?}");
    let mut request = requests::fetch(&[(&topic, 0, 1)], -1);
    request.min_bytes = -1;
    request.max_bytes = -1;
    let answer = client.call::<FetchRequest>(17, &request).await.unwrap();
    assert_eq!(code(answer.error_code), ErrorCode::None);
    for timeout_ms in [-1, i32::MIN] {
        let mut request =
            requests::create_topics(NewTopic { name: "x", partitions: 1, configs: &[] });
        request.timeout_ms = timeout_ms;
        let answer = client.call(7, &request).await.unwrap();
        let answer = code(answer.topics[0].error_code);
        let fits = [ErrorCode::None, ErrorCode::RequestTimedOut, ErrorCode::TopicAlreadyExists];
        assert!(fits.contains(&answer), "{answer}");
    }
    node.assert_alive().await;
}
