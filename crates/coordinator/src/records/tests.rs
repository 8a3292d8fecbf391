//! Records that Kafka's own classes wrote (`testdata/records.txt`: coordinator, name, record type, bytes).

use klamm_protocol::codec::Bytes;
use klamm_protocol::{EncodeError, RecordError};

use super::group::{GroupRecordKey, GroupRecordValue};
use super::share::{ShareRecordKey, ShareRecordValue};
use super::transaction::{TransactionRecordKey, TransactionRecordValue};

type RoundTrip = Result<Result<Bytes, EncodeError>, RecordError>;

#[test]
fn records_of_kafka_come_back_as_they_were() {
    let mut read = 0;
    for line in include_str!("../../testdata/records.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        let words: Vec<_> = line.split(' ').collect();
        let [coordinator, name, record_type, hex] = words[..] else { panic!("{line}") };
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits"))
            .collect();
        let bytes = Bytes::from(bytes);
        let back = if name.ends_with("Key") {
            key(coordinator, bytes.clone())
        } else {
            let version = i16::from_be_bytes([bytes[0], bytes[1]]);
            let record_type = record_type.parse().expect("a record type");
            value(coordinator, record_type, (version, bytes.clone()))
        };
        assert_eq!(back, Ok(Ok(bytes)), "{name}");
        read += 1;
    }
    assert!(read > 50, "{read} records");
}

fn key(coordinator: &str, bytes: Bytes) -> RoundTrip {
    Ok(match coordinator {
        "group" => GroupRecordKey::decode(bytes)?.encode(),
        "transaction" => TransactionRecordKey::decode(bytes)?.encode(),
        _ => ShareRecordKey::decode(bytes)?.encode(),
    })
}

fn value(coordinator: &str, record_type: i16, (version, bytes): (i16, Bytes)) -> RoundTrip {
    Ok(match coordinator {
        "group" => GroupRecordValue::decode(record_type, bytes)?.encode(version),
        "transaction" => TransactionRecordValue::decode(record_type, bytes)?.encode(version),
        _ => ShareRecordValue::decode(record_type, bytes)?.encode(version),
    })
}

#[test]
fn records_from_a_newer_release_are_refused() {
    let key = GroupRecordKey::decode(Bytes::from_static(&[0, 99, 0, 0]));
    assert_eq!(key, Err(RecordError::UnknownType(99)));
    let value = GroupRecordValue::decode(1, Bytes::from_static(&[0, 9]));
    assert!(matches!(value, Err(RecordError::Fields(_))));
}
