//! Tests of the checks on a client's batch.

use expect_test::expect;
use proptest::prelude::*;

use super::*;
use crate::batch::{BatchBuilder, BatchOptions};
use crate::codec::{Compression, DecompressBuf};
use crate::{ProducerId, TopicPartition};

const NOW: i64 = 1_000_000_000_000;

fn batch(options: BatchOptions, timestamps: &[i64]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(options);
    for (index, timestamp) in timestamps.iter().enumerate() {
        let value = format!("value {index} {index}");
        builder.append(*timestamp, Some(b"key"), Some(value.as_bytes()), &[]);
    }
    builder.build().expect("memory").to_vec()
}

/// Changes the header and makes the CRC right again.
fn patched(mut bytes: Vec<u8>, change: impl FnOnce(&mut BatchHeader)) -> Bytes {
    let mut header = BatchHeader::decode(&bytes).expect("a batch");
    change(&mut header);
    header.crc = header.crc_with_body(crc32c::crc32c(&bytes[HEADER_BYTES..]));
    bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
    bytes.into()
}

fn refused(bytes: impl Into<Bytes>) -> ValidationError {
    validate(bytes.into(), &ValidationConfig::default(), NOW).expect_err("refused")
}

fn plain(timestamps: &[i64]) -> Vec<u8> {
    batch(BatchOptions::default(), timestamps)
}

fn values(valid: &ValidBatch) -> Vec<(i32, i64, Vec<u8>)> {
    let bytes = valid.to_bytes();
    let (batch, _) = Batch::parse(&bytes).expect("a batch");
    batch.verify_crc().expect("right CRC");
    let mut scratch = DecompressBuf::new();
    let records = batch.records(&mut scratch, 1 << 20).expect("sound");
    records
        .map(|record| {
            let record = record.expect("sound");
            let timestamp = batch.header.base_timestamp_ms + record.timestamp_delta;
            (record.offset_delta, timestamp, record.value.expect("set").to_vec())
        })
        .collect()
}

#[test]
fn a_sound_batch_is_taken_as_it_is() {
    for codec in Codec::ALL {
        let options = BatchOptions { compression: Compression::new(codec), ..Default::default() };
        let bytes = Bytes::from(batch(options, &[NOW, NOW + 5, NOW + 5, NOW - 9]));
        let valid = validate(bytes.clone(), &ValidationConfig::default(), NOW).expect("sound");
        assert_eq!(valid.to_bytes(), bytes);
        assert_eq!(valid.body.as_ptr(), bytes[HEADER_BYTES..].as_ptr(), "not copied");
        assert_eq!((valid.max_timestamp_ms, valid.offset_delta_of_max_timestamp), (NOW + 5, 1));
    }
}

#[test]
fn a_partial_batch_behind_is_cut_off_and_a_whole_one_refused() {
    let one = plain(&[NOW]);
    let mut bytes = one.clone();
    bytes.extend_from_slice(&one[..one.len() - 1]);
    let valid = validate(bytes.into(), &ValidationConfig::default(), NOW).expect("sound");
    assert_eq!(valid.to_bytes(), one);
    assert_eq!(refused([&one[..], &one[..]].concat()), ValidationError::MoreThanOneBatch);
}

#[test]
fn what_is_no_batch() {
    let one = plain(&[NOW]);
    for cut in [0, 5, 12, 16, 17, 61, one.len() - 1] {
        assert_eq!(refused(one[..cut].to_vec()), ValidationError::NoBatch, "{cut}");
    }
    let with = |at: usize, byte: u8| {
        let mut bytes = one.clone();
        bytes[at] = byte;
        refused(bytes)
    };
    assert_eq!(with(16, 1), ValidationError::OldMagic { magic: 1 });
    assert!(matches!(
        with(16, 3),
        ValidationError::Corrupt(BatchError::UnsupportedMagic { magic: 3 })
    ));
    assert!(matches!(with(8, 0xff), ValidationError::Corrupt(BatchError::LengthTooSmall { .. })));
    assert!(matches!(with(11, 20), ValidationError::Corrupt(_)), "shorter than a header");
    assert!(matches!(with(17, 0), ValidationError::Corrupt(BatchError::CrcMismatch { .. })));
    assert!(matches!(
        with(one.len() - 2, b'X'),
        ValidationError::Corrupt(BatchError::CrcMismatch { .. })
    ));
    assert_eq!(with(7, 1), ValidationError::BaseOffset { offset: 1 });
}

#[test]
fn headers_that_lie() {
    let one = || plain(&[NOW, NOW]);
    let with = |change: fn(&mut BatchHeader)| refused(patched(one(), change));
    assert_eq!(with(|h| h.last_offset_delta = -1), ValidationError::OffsetRange { range: (0, -1) });
    assert_eq!(with(|h| h.record_count = 0), ValidationError::RecordCount { count: 0 });
    assert_eq!(with(|h| h.record_count = -3), ValidationError::RecordCount { count: -3 });
    assert_eq!(
        with(|h| h.record_count = 3),
        ValidationError::CountAndRange { range: (0, 1), count: 3 }
    );
    assert_eq!(with(|h| h.attributes = h.attributes.control()), ValidationError::ControlBatch);
    assert_eq!(
        with(|h| h.producer_id = ProducerId(5)),
        ValidationError::Sequence { sequence: -1, producer_id: 5 }
    );
    assert_eq!(with(|h| h.attributes.0 |= 7), ValidationError::UnsupportedCodec { id: 7 });
    assert_eq!(
        with(|h| (h.record_count, h.last_offset_delta) = (1, 0)),
        ValidationError::Records(BatchError::RecordsRemaining)
    );
    assert_eq!(
        with(|h| (h.record_count, h.last_offset_delta) = (i32::MAX, i32::MAX - 1)),
        ValidationError::Records(BatchError::RecordsMissing { declared: i32::MAX, found: 2 })
    );
    assert!(matches!(
        with(|h| h.attributes = h.attributes.with_codec(Codec::Gzip)),
        ValidationError::Corrupt(BatchError::Decompress(_))
    ));
}

#[test]
fn size_limits() {
    let bytes = Bytes::from(plain(&[NOW]));
    let size = bytes.len();
    let with = |max_message_bytes| {
        let config = ValidationConfig { max_message_bytes, ..Default::default() };
        validate(bytes.clone(), &config, NOW).map(|valid| valid.size_bytes())
    };
    assert_eq!(with(size), Ok(size));
    assert_eq!(with(size - 1), Err(ValidationError::TooLarge { size, max: size - 1 }));
}

#[test]
fn a_bomb_is_refused() {
    let mut builder = BatchBuilder::new(BatchOptions {
        compression: Compression::new(Codec::Zstd),
        ..Default::default()
    });
    builder.append(NOW, None, Some(&vec![0; 8 << 20]), &[]);
    let bomb = builder.build().expect("memory");
    assert!(bomb.len() < 10_000);
    let limit = 1 << 20;
    let config = ValidationConfig { decompressed_bytes_max: limit, ..Default::default() };
    let result = validate(bomb.clone(), &config, NOW);
    assert_eq!(result, Err(ValidationError::DecompressedTooLarge { limit }));
    assert!(validate(bomb.clone(), &ValidationConfig::default(), NOW).is_ok());

    // what is small enough when packed may be too large as the topic wants it
    let config = ValidationConfig {
        compression: TopicCompression::Fixed(Compression::NONE),
        ..Default::default()
    };
    assert!(matches!(validate(bomb, &config, NOW), Err(ValidationError::TooLarge { .. })));
}

#[test]
fn timestamps_keys_and_their_messages() {
    let partition = TopicPartition::new("orders", 3);
    let mut text = String::new();
    let mut show = |bytes: Vec<u8>, config: ValidationConfig| {
        let error = validate(bytes.into(), &config, NOW).expect_err("refused");
        text += &format!("{}\n", error.message(&partition));
        for record in error.records() {
            text += &format!("  {}: {}\n", record.index, record.message(&partition));
        }
    };
    let window = ValidationConfig { before_max_ms: 1_000, after_max_ms: 500, ..Default::default() };
    show(plain(&[NOW, NOW - 1_001, NOW - 1_000, NOW + 500, NOW + 501, -1]), window);
    let append_time = BatchOptions { log_append_time_ms: Some(NOW), ..Default::default() };
    show(batch(append_time, &[NOW]), ValidationConfig::default());
    let compacted = ValidationConfig { compacted: true, ..Default::default() };
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.append(NOW, Some(b""), None, &[]);
    for _ in 0..4 {
        builder.append(NOW, None, Some(b"v"), &[]);
    }
    show(builder.build().expect("memory").to_vec(), compacted);
    expect![[r#"
        One or more records have been rejected due to invalid timestamp
          1: Timestamp 999999998999 of message with offset 1 is out of range. The timestamp should be within [999999999000, 1000000000500]
          4: Timestamp 1000000000501 of message with offset 4 is out of range. The timestamp should be within [999999999000, 1000000000500]
        One or more records have been rejected due to invalid timestamp
          0: Invalid timestamp type in message DefaultRecord(offset=0, timestamp=1000000000000, key=3 bytes, value=9 bytes). Producer should not set timestamp type to LogAppendTime.
        One or more records have been rejected due to 4 record errors in total, and only showing the first three errors at most: [RecordError(batchIndex=1, message='Compacted topic cannot accept message without key in topic partition orders-3'), RecordError(batchIndex=2, message='Compacted topic cannot accept message without key in topic partition orders-3'), RecordError(batchIndex=3, message='Compacted topic cannot accept message without key in topic partition orders-3')]
          1: Compacted topic cannot accept message without key in topic partition orders-3
          2: Compacted topic cannot accept message without key in topic partition orders-3
          3: Compacted topic cannot accept message without key in topic partition orders-3
          4: Compacted topic cannot accept message without key in topic partition orders-3
    "#]]
    .assert_eq(&text);
}

#[test]
fn record_errors_are_bounded() {
    let old = vec![5; 3_000];
    let config = ValidationConfig { before_max_ms: 1, ..Default::default() };
    let error = validate(plain(&old).into(), &config, NOW).expect_err("refused");
    assert_eq!(error.records().len(), 1_000);
}

#[test]
fn a_wrong_max_timestamp_is_corrected() {
    for codec in Codec::ALL {
        let options = BatchOptions { compression: Compression::new(codec), ..Default::default() };
        let sound = batch(options, &[NOW, NOW + 7]);
        let bytes = patched(sound.clone(), |h| h.max_timestamp_ms = 3);
        let valid = validate(bytes.clone(), &ValidationConfig::default(), NOW).expect("sound");
        assert_eq!(valid.to_bytes(), sound, "{codec}");
        assert_eq!(valid.body.as_ptr(), bytes[HEADER_BYTES..].as_ptr(), "not copied");
    }
    // what the header claims beyond its records, and what counts without a timestamp
    let valid = validate(plain(&[-1]).into(), &ValidationConfig::default(), NOW).expect("sound");
    assert_eq!(valid.max_timestamp_ms, -1);
}

#[test]
fn log_append_time_is_set() {
    let config = ValidationConfig {
        timestamp_type: TimestampType::LogAppendTime,
        before_max_ms: 0,
        after_max_ms: 0,
        ..Default::default()
    };
    let bytes = Bytes::from(plain(&[5, 9]));
    let valid = validate(bytes.clone(), &config, NOW).expect("record times do not matter");
    assert_eq!(valid.header.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!((valid.header.max_timestamp_ms, valid.max_timestamp_ms), (NOW, NOW));
    assert_eq!(values(&valid).len(), 2);
    assert_eq!(valid.body.as_ptr(), bytes[HEADER_BYTES..].as_ptr(), "not copied");
    let flagged = BatchOptions { log_append_time_ms: Some(NOW), ..Default::default() };
    let result = validate(batch(flagged, &[NOW]).into(), &config, NOW);
    assert!(matches!(result, Err(ValidationError::InvalidTimestamp { .. })));
}

#[test]
fn the_topics_codec_wins() {
    for from in Codec::ALL {
        for to in Codec::ALL {
            let options = BatchOptions {
                compression: Compression::new(from),
                producer_id: ProducerId(5),
                producer_epoch: 1,
                base_sequence: 40,
                transactional: true,
                ..Default::default()
            };
            let bytes = Bytes::from(batch(options, &[NOW, NOW + 3]));
            let compression = TopicCompression::Fixed(Compression::new(to));
            let config = ValidationConfig { compression, ..Default::default() };
            let valid = validate(bytes.clone(), &config, NOW).expect("sound");
            let before = BatchHeader::decode(&bytes).expect("sound");
            assert_eq!(valid.header.codec(), Some(to));
            assert_eq!(valid.header.size_bytes(), valid.size_bytes());
            let expected = BatchHeader {
                attributes: before.attributes.with_codec(to),
                batch_length: valid.header.batch_length,
                crc: valid.header.crc,
                ..before
            };
            assert_eq!(valid.header, expected);
            assert_eq!(
                values(&valid),
                [(0, NOW, b"value 0 0".to_vec()), (1, NOW + 3, b"value 1 1".to_vec())]
            );
        }
    }
}

#[test]
fn wrong_inner_offsets_are_repaired() {
    for codec in Codec::ALL {
        let options = BatchOptions {
            compression: Compression::new(codec),
            producer_id: ProducerId(5),
            producer_epoch: 1,
            base_sequence: 40,
            ..Default::default()
        };
        let mut builder = BatchBuilder::new(options);
        builder.append_at(3, NOW, (Some(b"a"), Some(b"1")), &[]);
        builder.append_at(7, NOW + 1, (Some(b"b"), Some(b"2")), &[]);
        let bytes = patched(builder.build().expect("memory").to_vec(), |h| h.last_offset_delta = 1);
        let valid = validate(bytes, &ValidationConfig::default(), NOW).expect("repaired");
        assert_eq!(values(&valid), [(0, NOW, b"1".to_vec()), (1, NOW + 1, b"2".to_vec())]);
        assert_eq!((valid.header.base_sequence, valid.header.last_sequence()), (40, 41));
        assert_eq!(valid.header.codec(), Some(codec));
    }
}

proptest! {
    #[test]
    fn damage_never_panics_and_never_passes_a_wrong_crc(codec in 0_u8..5, at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let codec = Codec::from_id(codec).expect("0 to 4");
        let options = BatchOptions { compression: Compression::new(codec), ..Default::default() };
        let mut bytes = batch(options, &[NOW, NOW + 1, NOW + 2]);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(valid) = validate(bytes.into(), &ValidationConfig::default(), NOW) {
            // only the leader epoch lies outside the CRC and is not looked at
            prop_assert!((12..16).contains(&at), "byte {at}");
            prop_assert_eq!(values(&valid).len(), 3);
        }
    }

    #[test]
    fn damage_under_a_right_crc_never_panics(codec in 0_u8..5, at in any::<prop::sample::Index>(), flip in 1_u8.., now: i64) {
        let codec = Codec::from_id(codec).expect("0 to 4");
        let options = BatchOptions { compression: Compression::new(codec), ..Default::default() };
        let mut bytes = batch(options, &[NOW, NOW + 1, NOW + 2]);
        let at = 21 + at.index(bytes.len() - 21);
        bytes[at] ^= flip;
        let crc = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        for compression in [TopicCompression::Producer, TopicCompression::Fixed(Compression::new(Codec::Lz4))] {
            let config = ValidationConfig { compression, decompressed_bytes_max: 10_000, ..Default::default() };
            if let Ok(valid) = validate(bytes.clone().into(), &config, now) {
                prop_assert!(ValidBatch::trusted(valid.to_bytes()).is_ok(), "the CRC is right");
                prop_assert_eq!(valid.size_bytes(), valid.header.size_bytes());
            }
        }
    }
}
