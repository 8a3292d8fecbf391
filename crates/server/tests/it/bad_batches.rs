//! Batches that lie.

use bytes::Bytes;
use klamm_protocol::ErrorCode;
use klamm_record::batch::HEADER_BYTES;
use klamm_record::{BatchHeader, Codec};
use klamm_sim::batches::{self, NewRecord};
use klamm_sim::requests::LATEST;

use crate::node::{Node, batch, code, records};

/// Where the CRC begins to cover a batch.
const CRC_FROM: usize = 21;

/// A batch with another header, whose CRC is right again.
fn with_header(batch: &Bytes, change: impl FnOnce(&mut BatchHeader)) -> Bytes {
    let mut header = BatchHeader::decode(batch).unwrap();
    change(&mut header);
    let mut bytes = batch.to_vec();
    bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
    header.crc = crc32c::crc32c(&bytes[CRC_FROM..]);
    bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
    Bytes::from(bytes)
}

fn with_byte(batch: &Bytes, at: usize, byte: u8) -> Bytes {
    let mut bytes = batch.to_vec();
    bytes[at] = byte;
    Bytes::from(bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_lie_are_refused_and_leave_nothing() {
    let node = Node::start(&[]).await;
    let topic = node.topic("t", &[]).await;
    let mut client = node.client().await;
    let sound = batch(&["one", "two"]);
    let zeros =
        NewRecord { value: Some(Bytes::from(vec![0; 40 << 20])), ..records(&["x"])[0].clone() };
    let bomb = batches::build(&vec![zeros; 4], Codec::Gzip, None);
    assert!(bomb.len() < 900_000, "{} bytes", bomb.len());
    let cases: Vec<(&str, Bytes, ErrorCode)> = vec![
        ("a wrong crc", with_byte(&sound, 30, 9), ErrorCode::CorruptMessage),
        ("a flipped value", with_byte(&sound, sound.len() - 2, 0xff), ErrorCode::CorruptMessage),
        ("cut short: no whole batch", sound.slice(..sound.len() - 3), ErrorCode::InvalidRecord),
        ("a header alone", sound.slice(..HEADER_BYTES), ErrorCode::InvalidRecord),
        ("magic 1", with_byte(&sound, 16, 1), ErrorCode::InvalidRecord),
        ("magic 7", with_byte(&sound, 16, 7), ErrorCode::CorruptMessage),
        (
            "more records than there are",
            with_header(&sound, |it| (it.record_count, it.last_offset_delta) = (3, 2)),
            ErrorCode::InvalidRecord,
        ),
        (
            "fewer records than there are",
            with_header(&sound, |it| (it.record_count, it.last_offset_delta) = (1, 0)),
            ErrorCode::InvalidRecord,
        ),
        (
            "two billion records",
            with_header(&sound, |it| {
                (it.record_count, it.last_offset_delta) = (i32::MAX, i32::MAX - 1);
            }),
            ErrorCode::InvalidRecord,
        ),
        (
            "count and offsets that disagree",
            with_header(&sound, |it| it.last_offset_delta = 5),
            ErrorCode::InvalidRecord,
        ),
        ("no records", with_header(&sound, |it| it.record_count = 0), ErrorCode::InvalidRecord),
        (
            "a base offset",
            with_header(&sound, |it| it.base_offset = klamm_record::Offset(5)),
            ErrorCode::InvalidRecord,
        ),
        (
            "a control batch",
            with_header(&sound, |it| it.attributes = it.attributes.control()),
            ErrorCode::InvalidRecord,
        ),
        ("two batches", Bytes::from([&sound[..], &sound[..]].concat()), ErrorCode::InvalidRecord),
        (
            "a codec that the records are not in",
            with_header(&sound, |it| it.attributes = it.attributes.with_codec(Codec::Gzip)),
            ErrorCode::CorruptMessage,
        ),
    ];
    for (what, bytes, expected) in cases {
        let answer = client.produce(&topic, 0, bytes).await.unwrap();
        assert_eq!(code(answer.error_code), expected, "{what}: {:?}", answer.error_message);
        assert!(answer.error_message.is_some(), "{what}");
    }
    let answer = client.produce(&topic, 0, bomb).await.unwrap();
    println!("the bomb: {} {:?}", code(answer.error_code), answer.error_message);
    assert_eq!(code(answer.error_code), ErrorCode::MessageTooLarge);
    assert_eq!(client.list_offset(&topic, 0, LATEST).await.unwrap().offset, 0);
    node.assert_alive().await;
}
