//! Framed records that Kafka's own classes wrote (`testdata/records.txt`: name, bytes).

use klamm_protocol::RecordError;
use klamm_protocol::codec::Bytes;

use super::*;

#[test]
fn records_of_kafka_come_back_as_they_were() {
    let mut read = 0;
    for line in include_str!("../../testdata/records.txt").lines() {
        let Some((name, hex)) = line.split_once(' ').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits"))
            .collect();
        let bytes = Bytes::from(bytes);
        let (record, version) = MetadataRecord::decode_versioned(bytes.clone()).expect(name);
        assert_eq!(record.name(), name);
        assert!(record.versions().contains(version));
        assert_eq!(record.encode(version), Ok(bytes), "{name}");
        read += 1;
    }
    assert!(read > 30, "{read} records");
}

#[test]
fn frames_from_a_newer_release_are_refused() {
    let decode = |bytes: &'static [u8]| MetadataRecord::decode(Bytes::from_static(bytes));
    assert_eq!(decode(&[2, 20, 0, 0]), Err(RecordError::UnknownFrame(2)));
    assert_eq!(decode(&[1, 100, 0, 0]), Err(RecordError::UnknownType(100)));
    assert_eq!(decode(&[1, 0xff, 0xff, 3, 0]), Err(RecordError::InvalidNumber(0xffff)));
    assert!(matches!(decode(&[1, 20, 1, 0]), Err(RecordError::Fields(_))));
    assert_eq!(decode(&[1, 20, 0, 0, 0]), Err(RecordError::TrailingBytes(1)));
    assert_eq!(decode(&[1, 20, 0, 0]), Ok(NoOpRecord::default().into()));
}
