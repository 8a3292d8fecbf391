//! Idempotent producers: nothing twice, nothing out of order, nothing from a past life.

use klamm_protocol::ErrorCode;
use klamm_protocol::messages::init_producer_id_request::InitProducerIdRequest;
use klamm_sim::client::Client;
use klamm_sim::requests::{self, LATEST};

use crate::node::{Node, code, read, sequenced, values};

async fn producer_id(client: &mut Client) -> (i64, i16) {
    let request = requests::init_producer_id();
    let answer = client.call::<InitProducerIdRequest>(5, &request).await.unwrap();
    assert_eq!(code(answer.error_code), ErrorCode::None);
    (answer.producer_id, answer.producer_epoch)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn producer_ids_are_new_in_every_version_and_after_a_restart() {
    let node = Node::start(&[]).await;
    let mut client = node.client().await;
    let mut known = Vec::new();
    for version in 0..=5 {
        let request = requests::init_producer_id();
        let answer = client.call::<InitProducerIdRequest>(version, &request).await.unwrap();
        assert_eq!(code(answer.error_code), ErrorCode::None, "v{version}");
        assert_eq!(answer.producer_epoch, 0);
        known.push(answer.producer_id);
    }
    drop(client);
    let node = node.restart().await;
    known.push(producer_id(&mut node.client().await).await.0);
    assert!(known.windows(2).all(|pair| pair[0] < pair[1]), "{known:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_five_batches_are_answered_again_and_nothing_else() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    let (id, epoch) = producer_id(&mut client).await;
    for base in 0..6 {
        let sent = sequenced(&["x"], id, epoch, base);
        let answer = client.produce(&topic, 0, sent).await.unwrap();
        assert_eq!((code(answer.error_code), answer.base_offset), (ErrorCode::None, base.into()));
    }
    for base in 1..6 {
        let again = sequenced(&["x"], id, epoch, base);
        let answer = client.produce(&topic, 0, again).await.unwrap();
        assert_eq!((code(answer.error_code), answer.base_offset), (ErrorCode::None, base.into()));
    }
    for (what, base) in [("too old to be known", 0), ("a gap", 7), ("far ahead", 100)] {
        let answer = client.produce(&topic, 0, sequenced(&["x"], id, epoch, base)).await.unwrap();
        assert_eq!(code(answer.error_code), ErrorCode::OutOfOrderSequenceNumber, "{what}");
        assert_eq!(answer.base_offset, -1);
    }
    assert_eq!(client.list_offset(&topic, 0, LATEST).await.unwrap().offset, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_past_epoch_is_fenced_and_a_new_one_begins_at_0() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    let (id, _) = producer_id(&mut client).await;
    let cases = [
        (1, 0, ErrorCode::None),
        (0, 1, ErrorCode::InvalidProducerEpoch),
        (2, 5, ErrorCode::OutOfOrderSequenceNumber),
        (2, 0, ErrorCode::None),
        (1, 1, ErrorCode::InvalidProducerEpoch),
        (2, 1, ErrorCode::None),
    ];
    for (epoch, base, expected) in cases {
        let answer = client.produce(&topic, 0, sequenced(&["x"], id, epoch, base)).await.unwrap();
        assert_eq!(code(answer.error_code), expected, "epoch {epoch}, sequence {base}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_producer_did_is_known_after_a_restart() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    let (id, epoch) = producer_id(&mut client).await;
    for (value, base) in [("a", 0), ("b", 1)] {
        client.produce(&topic, 0, sequenced(&[value], id, epoch, base)).await.unwrap();
    }
    drop(client);
    let node = node.restart().await;
    let mut client = node.client().await;
    let again = client.produce(&topic, 0, sequenced(&["b"], id, epoch, 1)).await.unwrap();
    assert_eq!((code(again.error_code), again.base_offset), (ErrorCode::None, 1));
    let gap = client.produce(&topic, 0, sequenced(&["d"], id, epoch, 3)).await.unwrap();
    assert_eq!(code(gap.error_code), ErrorCode::OutOfOrderSequenceNumber);
    let next = client.produce(&topic, 0, sequenced(&["c"], id, epoch, 2)).await.unwrap();
    assert_eq!((code(next.error_code), next.base_offset), (ErrorCode::None, 2));
    assert_eq!(values(&read(&mut client, &topic, 0).await), ["a", "b", "c"]);
}
