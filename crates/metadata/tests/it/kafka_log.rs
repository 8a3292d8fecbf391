//! Replays a metadata log that Apache Kafka 4.3.1 wrote, and compares with the snapshots that Kafka made of it.

use bytes::Bytes;
use klamm_metadata::records::MetadataRecord;
use klamm_metadata::{MetadataDelta, MetadataImage, MetadataProvenance};
use klamm_record::varint::{read_varint, read_varlong};
use klamm_record::{BatchHeader, Offset};

const LOG: &[u8] = include_bytes!("../../testdata/kafka-4.3.1/00000000000000000000.log");
const BOOTSTRAP: &[u8] = include_bytes!("../../testdata/kafka-4.3.1/bootstrap.checkpoint");
const SNAPSHOT_73: &[u8] =
    include_bytes!("../../testdata/kafka-4.3.1/00000000000000000073-0000000001.checkpoint");
const SNAPSHOT_193: &[u8] =
    include_bytes!("../../testdata/kafka-4.3.1/00000000000000000193-0000000002.checkpoint");

/// Values of all data records with their offsets.
fn data_records(mut bytes: &[u8]) -> Vec<(Offset, Bytes)> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let header = BatchHeader::decode(bytes).expect("a batch header");
        let (batch, rest) = bytes.split_at(header.size_bytes());
        bytes = rest;
        if header.is_control() {
            continue;
        }
        let mut body = &batch[61..];
        for _ in 0..header.record_count {
            let (length, rest) = read_varint(body).unwrap();
            let (record, rest) = rest.split_at(length as usize);
            body = rest;
            let (_, record) = read_varlong(&record[1..]).unwrap();
            let (offset_delta, record) = read_varint(record).unwrap();
            let (key_length, record) = read_varint(record).unwrap();
            assert_eq!(key_length, -1);
            let (length, record) = read_varint(record).unwrap();
            let offset = header.base_offset + i64::from(offset_delta);
            records.push((offset, Bytes::copy_from_slice(&record[..length as usize])));
        }
    }
    records
}

fn replay(records: &[(Offset, Bytes)], end: i64) -> MetadataImage {
    let mut delta = MetadataDelta::new(&MetadataImage::empty());
    for (offset, value) in records.iter().filter(|(offset, _)| offset.0 < end) {
        let (record, version) = MetadataRecord::decode_versioned(value.clone()).unwrap();
        assert_eq!(
            record.encode(version).unwrap(),
            value,
            "record at {offset} is written as Kafka wrote it"
        );
        delta.replay(&record).unwrap();
    }
    assert!(!delta.in_transaction());
    delta.apply(MetadataProvenance::EMPTY)
}

#[test]
fn replays_kafkas_log_and_agrees_with_kafkas_snapshots() {
    let log = data_records(LOG);
    for (snapshot, end) in [(SNAPSHOT_73, 73), (SNAPSHOT_193, 193)] {
        let from_log = replay(&log, end);
        assert_eq!(replay(&data_records(snapshot), i64::MAX), from_log, "snapshot at {end}");
    }
}

/// Each record of a snapshot of ours is, in its version too, one of Kafka's. Kafka goes by hash order where we sort.
#[test]
fn writes_snapshots_as_kafka_does() {
    let snapshot = data_records(SNAPSHOT_193);
    let image = replay(&snapshot, i64::MAX);
    let version = image.features.metadata_version.unwrap();
    let ours = image.to_records(version);
    let sorted = |record: &MetadataRecord| {
        let mut record = record.clone();
        match &mut record {
            MetadataRecord::RegisterBroker(it) => it.features.sort_by(|a, b| a.name.cmp(&b.name)),
            MetadataRecord::RegisterController(it) => {
                it.features.sort_by(|a, b| a.name.cmp(&b.name));
            }
            _ => {}
        }
        record
    };
    let mut kafkas: Vec<(String, i16)> = snapshot
        .iter()
        .map(|(_, value)| MetadataRecord::decode_versioned(value.clone()).unwrap())
        .map(|(record, version)| (format!("{:?}", sorted(&record)), version))
        .collect();
    let mut ours: Vec<(String, i16)> = ours
        .iter()
        .map(|record| (format!("{:?}", sorted(record)), version.record_version(record)))
        .collect();
    kafkas.sort();
    ours.sort();
    assert_eq!(ours, kafkas);
}

#[test]
fn starts_a_cluster_with_kafkas_bootstrap_records() {
    let kafkas: Vec<MetadataRecord> = data_records(BOOTSTRAP)
        .into_iter()
        .map(|(_, value)| MetadataRecord::decode(value).unwrap())
        .collect();
    let version = klamm_metadata::MetadataVersion::LATEST_PRODUCTION;
    assert_eq!(klamm_metadata::controller::bootstrap_records(version), kafkas);
}
