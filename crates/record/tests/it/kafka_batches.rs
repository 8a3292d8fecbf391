//! Reads what Kafka's client wrote, and writes the same bytes where no codec stands between.

use bytes::Bytes;
use klamm_record::codec::{Compression, DecompressBuf};
use klamm_record::log_validator::{TopicCompression, ValidationConfig, validate};
use klamm_record::{
    Batch, BatchBuilder, BatchOptions, Codec, ControlType, EndTxnMarker, Header, LeaderEpoch,
    Offset, ProducerId, TimestampType, ValidBatch,
};

const START_MS: i64 = 1_700_000_000_000;

macro_rules! fixture {
    ($name:literal) => {
        Bytes::from_static(include_bytes!(concat!("../../testdata/", $name, ".bin")))
    };
}

/// Timestamp, key, value, and the byte in the headers.
type Entry = (i64, Option<String>, Option<String>, Option<u8>);

fn expected(index: i64) -> Entry {
    let key = (index % 3 != 0).then(|| format!("key-{index}"));
    let value = (index % 5 != 0).then(|| format!("value {index} ").repeat(4 * index as usize));
    (START_MS + index * 37 % 100, key, value, (index % 4 == 0).then_some(index as u8))
}

fn text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8(bytes.to_vec()).expect("text"))
}

fn read(bytes: &[u8]) -> Vec<(i32, Entry)> {
    let (batch, size) = Batch::parse(bytes).expect("a batch");
    assert_eq!(size, bytes.len());
    batch.verify_crc().expect("the CRC matches");
    let mut scratch = DecompressBuf::new();
    let records = batch.records(&mut scratch, 1 << 20).expect("the codec is known");
    records
        .map(|record| {
            let record = record.expect("a record");
            let timestamp = batch.header.base_timestamp_ms + record.timestamp_delta;
            let headers: Vec<Header<'_>> = record.headers().collect();
            let byte = match headers[..] {
                [] => None,
                [
                    Header { key: b"h\xc3\xa4", value: Some(&[byte]) },
                    Header { key: b"null", value: None },
                ] => Some(byte),
                _ => panic!("other headers: {headers:?}"),
            };
            (record.offset_delta, (timestamp, text(record.key), text(record.value), byte))
        })
        .collect()
}

fn assert_records(bytes: &[u8], count: i64) {
    let all: Vec<(i32, Entry)> = (0..count).map(|i| (i as i32, expected(i))).collect();
    assert_eq!(read(bytes), all);
}

fn build(options: BatchOptions, indexes: impl IntoIterator<Item = i64>, last: i32) -> Bytes {
    let mut builder = BatchBuilder::new(options);
    for index in indexes {
        let (timestamp, key, value, byte) = expected(index);
        let bytes = byte.map(|byte| [byte]);
        let headers = bytes.as_ref().map(|byte| {
            [
                Header { key: "hä".as_bytes(), value: Some(byte) },
                Header { key: b"null", value: None },
            ]
        });
        let fields = (key.as_deref().map(str::as_bytes), value.as_deref().map(str::as_bytes));
        builder.append_at(index as i32, timestamp, fields, headers.as_ref().map_or(&[][..], |h| h));
    }
    builder.set_last_offset_delta(last);
    builder.build().expect("memory")
}

fn codecs() -> [(Codec, Bytes); 6] {
    [
        (Codec::Gzip, fixture!("gzip")),
        (Codec::Snappy, fixture!("snappy")),
        (Codec::Lz4, fixture!("lz4")),
        (Codec::Zstd, fixture!("zstd")),
        (Codec::Lz4, fixture!("lz4-level-17")),
        (Codec::Zstd, fixture!("zstd-level-22")),
    ]
}

#[test]
fn every_codec_is_read() {
    assert_records(&fixture!("none"), 12);
    for (codec, bytes) in codecs() {
        assert_eq!(Batch::parse(&bytes).expect("a batch").0.header.codec(), Some(codec));
        assert_records(&bytes, 80);
    }
}

#[test]
fn every_codec_passes_the_checks_and_is_recompressed() {
    let config = ValidationConfig::default();
    for (codec, bytes) in codecs().into_iter().chain([(Codec::None, fixture!("none"))]) {
        let valid = validate(bytes.clone(), &config, START_MS).expect("sound");
        assert_eq!(valid.to_bytes(), bytes, "{codec}");
        for to in Codec::ALL {
            let compression = TopicCompression::Fixed(Compression::new(to));
            let config = ValidationConfig { compression, ..config };
            let valid = validate(bytes.clone(), &config, START_MS).expect("sound");
            assert_records(&valid.to_bytes(), i64::from(valid.header.record_count));
        }
    }
}

#[test]
fn uncompressed_batches_are_written_alike() {
    assert_eq!(build(BatchOptions::default(), 0..12, 11), fixture!("none"));
    let idempotent = BatchOptions {
        producer_id: ProducerId(4000),
        producer_epoch: 7,
        base_sequence: 42,
        ..BatchOptions::default()
    };
    assert_eq!(build(idempotent, 0..5, 4), fixture!("idempotent"));
    let append_time = BatchOptions {
        base_offset: Offset(500),
        log_append_time_ms: Some(START_MS + 12_345),
        ..BatchOptions::default()
    };
    assert_eq!(build(append_time, 0..4, 3), fixture!("log-append-time"));
    let horizon = BatchOptions {
        base_offset: Offset(600),
        delete_horizon_ms: Some(1_700_086_401_000),
        ..BatchOptions::default()
    };
    let kept = (0..9).filter(|index| index % 3 != 0);
    assert_eq!(build(horizon, kept, 11), fixture!("delete-horizon"));
}

#[test]
fn headers_are_read() {
    let header = |bytes: &[u8]| Batch::parse(bytes).expect("a batch").0.header;
    let transactional = fixture!("transactional");
    let read = header(&transactional);
    assert!(read.is_transactional() && !read.is_control());
    assert_eq!((read.base_offset, read.last_offset()), (Offset(100), Offset(105)));
    assert_eq!((read.producer_id, read.producer_epoch), (ProducerId(4001), 3));
    assert_eq!((read.base_sequence, read.last_sequence()), (i32::MAX - 1, 3));
    assert_eq!(read.partition_leader_epoch, LeaderEpoch(9));
    assert_records(&transactional, 6);

    let append_time = header(&fixture!("log-append-time"));
    assert_eq!(append_time.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!(append_time.max_timestamp_ms, START_MS + 12_345);
    let horizon = header(&fixture!("delete-horizon"));
    assert_eq!(horizon.delete_horizon_ms(), Some(1_700_086_401_000));
    assert_eq!((horizon.record_count, horizon.last_offset()), (6, Offset(611)));
}

#[test]
fn control_batches_are_read_and_written_alike() {
    for (bytes, offset, commit, coordinator_epoch) in
        [(fixture!("commit-marker"), 200, true, 15), (fixture!("abort-marker"), 201, false, 16)]
    {
        let marker = EndTxnMarker { commit, coordinator_epoch };
        let built = marker.build_batch(ProducerId(4001), 3, START_MS).expect("memory");
        let mut valid = ValidBatch::trusted(built).expect("sound");
        valid.header.base_offset = Offset(offset);
        valid.header.partition_leader_epoch = LeaderEpoch(9);
        assert_eq!(valid.to_bytes(), bytes);
        let (batch, _) = Batch::parse(&bytes).expect("a batch");
        let mut scratch = DecompressBuf::new();
        let mut records = batch.records(&mut scratch, 1000).expect("not compressed");
        let record = records.next().expect("one").expect("sound");
        let (key, value) = (record.key.expect("set"), record.value.expect("set"));
        assert_eq!(EndTxnMarker::decode(key, value), Ok(Some(marker)));
    }
    let bytes = fixture!("leader-change");
    let (batch, _) = Batch::parse(&bytes).expect("a batch");
    batch.verify_crc().expect("the CRC matches");
    assert!(batch.header.is_control());
    let mut scratch = DecompressBuf::new();
    let record = batch.records(&mut scratch, 1000).expect("plain").next().expect("one");
    let record = record.expect("sound");
    assert_eq!(ControlType::decode_key(record.key.expect("set")), Ok(ControlType::LeaderChange));
    let options = BatchOptions {
        base_offset: Offset(300),
        leader_epoch: LeaderEpoch(5),
        ..BatchOptions::default()
    };
    let value = record.value.expect("set");
    let built = ControlType::LeaderChange.build_batch(options, START_MS, value).expect("memory");
    assert_eq!(built, bytes);
}
