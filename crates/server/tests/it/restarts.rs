//! What a stop in order leaves, and what a start makes of it.

use klamm_protocol::ErrorCode;
use klamm_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use klamm_sim::requests::LATEST;

use crate::node::{Node, batch, code, names_in, read, values};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_topics_records_and_raises_leader_epochs() {
    let mut node = Node::start(&[]).await;
    let configs = [("retention.ms", "-1"), ("compression.type", "lz4")];
    let topic = node.topic("t", &configs).await;
    let mut epoch = -1;
    for round in 0..3 {
        let mut client = node.client().await;
        let described = client.describe_topic("t").await.unwrap();
        assert_eq!(described.topic_id, topic.id);
        let partition = &described.partitions[0];
        assert_eq!(code(partition.error_code), ErrorCode::None);
        assert!(partition.leader_epoch > epoch, "{} after {epoch}", partition.leader_epoch);
        epoch = partition.leader_epoch;
        let answer = client.produce(&topic, 0, batch(&[&format!("round {round}")])).await.unwrap();
        assert_eq!((code(answer.error_code), answer.base_offset), (ErrorCode::None, round));
        let found = read(&mut client, &topic, 0).await;
        assert_eq!(found.last().unwrap().header.partition_leader_epoch.0, epoch);
        drop(client);
        node = node.restart().await;
    }
    let mut client = node.client().await;
    let found = read(&mut client, &topic, 0).await;
    assert_eq!(values(&found), ["round 0", "round 1", "round 2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_writes_the_clean_marker_and_a_start_removes_it() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    node.client().await.produce(&topic, 0, batch(&["a"])).await.unwrap();
    let marker = ".kafka_cleanshutdown".to_owned();
    assert!(!names_in(&node.data()).contains(&marker));
    let data = node.data();
    let dir = node.stop().await;
    let names = names_in(&data);
    assert!(names.contains(&marker), "{names:?}");
    for name in ["meta.properties", "recovery-point-offset-checkpoint", "t-0"] {
        assert!(names.contains(&name.to_owned()), "{name} is not in {names:?}");
    }
    drop(dir);
    let node = Node::start(&[]).await;
    let node = node.restart().await;
    assert!(!names_in(&node.data()).contains(&marker));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_topic_stays_deleted_and_its_name_is_free() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    client.produce(&topic, 0, batch(&["a"])).await.unwrap();
    let request = DeleteTopicsRequest {
        topics: vec![DeleteTopicState { name: Some("t".into()), ..DeleteTopicState::default() }],
        timeout_ms: 30_000,
        ..DeleteTopicsRequest::default()
    };
    let answer = client.call(6, &request).await.unwrap();
    assert_eq!(code(answer.responses[0].error_code), ErrorCode::None);
    drop(client);
    let node = node.restart().await;
    let mut client = node.client().await;
    let gone = client.describe_topic("t").await.unwrap();
    assert_eq!(code(gone.error_code), ErrorCode::UnknownTopicOrPartition);
    let again = node.topic("t", &[]).await;
    assert_ne!(again.id, topic.id);
    assert_eq!(client.list_offset(&again, 0, LATEST).await.unwrap().offset, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_free_as_soon_as_its_topic_is_deleted() {
    let node = Node::start(&[]).await;
    let mut client = node.client().await;
    for round in 0..20 {
        let topic = node.topic("t", &[]).await;
        let answer = client.produce(&topic, 0, batch(&["a"])).await.unwrap();
        let answer = (code(answer.error_code), answer.base_offset);
        assert_eq!(answer, (ErrorCode::None, 0), "round {round}");
        let by_id = DeleteTopicState { name: None, topic_id: topic.id };
        let request = DeleteTopicsRequest {
            topics: vec![by_id],
            timeout_ms: 30_000,
            ..DeleteTopicsRequest::default()
        };
        let answer = client.call(6, &request).await.unwrap();
        assert_eq!(code(answer.responses[0].error_code), ErrorCode::None, "round {round}");
    }
}
