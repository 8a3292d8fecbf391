//! Tests of batches: builder, records, walker, control records.

use proptest::prelude::*;

use super::*;
use crate::codec::{Compression, DecompressBuf, Stream};
use crate::{LeaderEpoch, Offset, ProducerId};

type Text = Option<Vec<u8>>;
type Entry = (i64, Text, Text, Vec<(Vec<u8>, Text)>);

fn build(options: BatchOptions, entries: &[Entry]) -> bytes::Bytes {
    let mut builder = BatchBuilder::new(options);
    for (timestamp, key, value, headers) in entries {
        let headers: Vec<Header<'_>> =
            headers.iter().map(|(key, value)| Header { key, value: value.as_deref() }).collect();
        let before = builder.size_bytes();
        let growth = builder.record_bytes(*timestamp, key.as_deref(), value.as_deref(), &headers);
        builder.append(*timestamp, key.as_deref(), value.as_deref(), &headers);
        assert_eq!(builder.size_bytes() - before, growth);
    }
    builder.build().expect("memory")
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let text = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40));
    let headers =
        proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..9), text()), 0..3);
    proptest::collection::vec((0..1_i64 << 42, text(), text(), headers), 1..20)
}

proptest! {
    #[test]
    fn what_is_built_is_read(entries in entries(), codec in 0_u8..5) {
        let codec = Codec::from_id(codec).expect("0 to 4");
        let options = BatchOptions { compression: Compression::new(codec), base_offset: Offset(7), ..Default::default() };
        let bytes = build(options, &entries);
        let (batch, size) = Batch::parse(&bytes).expect("sound");
        prop_assert_eq!(size, bytes.len());
        batch.verify_crc().expect("sound");
        let mut scratch = DecompressBuf::new();
        let read: Vec<Entry> = batch.records(&mut scratch, 1 << 20).expect("sound").map(|record| {
            let record = record.expect("sound");
            let headers = record.headers().map(|h| (h.key.to_vec(), h.value.map(<[u8]>::to_vec)));
            let timestamp = batch.header.base_timestamp_ms + record.timestamp_delta;
            (timestamp, record.key.map(<[u8]>::to_vec), record.value.map(<[u8]>::to_vec), headers.collect())
        }).collect();
        prop_assert_eq!(&read, &entries);
        prop_assert_eq!(batch.header.max_timestamp_ms, entries.iter().map(|e| e.0).max().expect("one"));
        prop_assert_eq!(batch.header.last_offset(), Offset(6 + entries.len() as i64));
    }

    #[test]
    fn walking_in_pieces_agrees_with_parsing(entries in entries(), piece in 1_usize..30, at in any::<prop::sample::Index>(), flip: u8) {
        let bytes = build(BatchOptions::default(), &entries);
        let mut body = bytes[HEADER_BYTES..].to_vec();
        let at = at.index(body.len());
        body[at] ^= flip; // 0 leaves it sound
        // snappy blocks are the chunks that the walker sees
        let mut blocks = Vec::new();
        crate::codec::test_snappy_blocks(&body, piece, &mut blocks);

        let mut scratch = DecompressBuf::new();
        let mut stream = Stream::new(Codec::Snappy, &blocks, 1 << 20, &mut scratch);
        let mut walker = Walker::new(&mut stream);
        let mut rest = &body[..];
        while !rest.is_empty() {
            let walked = walker.next_record();
            match Record::parse(rest) {
                Err(_) => {
                    prop_assert!(walked.is_err());
                    return Ok(());
                }
                Ok((record, after)) => {
                    prop_assert_eq!(walked, Ok(RecordFacts {
                        offset_delta: record.offset_delta,
                        timestamp_delta: record.timestamp_delta,
                        key_bytes: record.key.map_or(-1, |key| key.len() as i32),
                        value_bytes: record.value.map_or(-1, |value| value.len() as i32),
                    }));
                    rest = after;
                }
            }
        }
        prop_assert_eq!(walker.at_end(), Ok(true));
    }

    #[test]
    fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Record::parse(&noise);
        let _ = ValidBatch::trusted(noise.clone().into());
        let mut framed = noise.clone();
        if framed.len() > 61 {
            framed[16] = 2;
            let length = (framed.len() - 12) as i32;
            framed[8..12].copy_from_slice(&length.to_be_bytes());
            for batch in Batches::new(&framed) {
                let batch = batch.expect("framed");
                let mut scratch = DecompressBuf::new();
                if let Ok(records) = batch.records(&mut scratch, 10_000) {
                    for record in records.flatten() {
                        let _ = record.headers().count();
                    }
                };
            }
        }
    }
}

#[test]
fn batches_lie_back_to_back_and_a_partial_one_is_left() {
    let one = build(BatchOptions::default(), &[(1, None, Some(b"a".to_vec()), vec![])]);
    let bytes = [&one[..], &one[..], &one[..30]].concat();
    let mut batches = Batches::new(&bytes);
    assert_eq!(batches.by_ref().filter(Result::is_ok).count(), 2);
    assert_eq!(batches.rest().len(), 30);
    let mut wrong = Batches::new(&[0; 61]);
    assert!(matches!(wrong.next(), Some(Err(BatchError::LengthTooSmall { .. }))));
    assert!(wrong.next().is_none());
}

#[test]
fn a_count_that_lies_is_told() {
    let entries = [(1, None, None, vec![]), (2, None, None, vec![])];
    let bytes = build(BatchOptions::default(), &entries);
    let read = |count| {
        let (mut batch, _) = Batch::parse(&bytes).expect("sound");
        batch.header.record_count = count;
        let mut scratch = DecompressBuf::new();
        let records = batch.records(&mut scratch, 100).expect("not compressed");
        records.map(|record| record.map(|_| ())).collect::<Result<Vec<()>, BatchError>>()
    };
    assert_eq!(read(2), Ok(vec![(), ()]));
    assert_eq!(read(1), Err(BatchError::RecordsRemaining));
    assert_eq!(read(i32::MAX), Err(BatchError::RecordsMissing { declared: i32::MAX, found: 2 }));
    assert_eq!(read(-1), Ok(vec![]));
}

#[test]
fn compaction_leaves_gaps_and_a_horizon() {
    let options = BatchOptions {
        delete_horizon_ms: Some(5_000),
        base_offset: Offset(10),
        ..Default::default()
    };
    let mut builder = BatchBuilder::new(options);
    builder.append_at(3, 1_000, (Some(b"k"), None), &[]);
    builder.set_last_offset_delta(9);
    let bytes = builder.build().expect("memory");
    let (batch, _) = Batch::parse(&bytes).expect("sound");
    assert_eq!(batch.header.delete_horizon_ms(), Some(5_000));
    assert_eq!((batch.header.last_offset(), batch.header.record_count), (Offset(19), 1));
    let mut scratch = DecompressBuf::new();
    let mut records = batch.records(&mut scratch, 100).expect("not compressed");
    let record = records.next().expect("one").expect("sound");
    assert_eq!((record.offset_delta, 5_000 + record.timestamp_delta), (3, 1_000));
}

#[test]
fn trusted_batches_are_exactly_one() {
    let bytes = build(BatchOptions::default(), &[(1, None, None, vec![])]);
    let valid = ValidBatch::trusted(bytes.clone()).expect("sound");
    assert_eq!(valid.to_bytes(), bytes);
    assert_eq!(valid.body.as_ptr(), bytes[HEADER_BYTES..].as_ptr(), "not copied");
    let longer = [&bytes[..], &[0]].concat();
    assert!(ValidBatch::trusted(longer.into()).is_err());
    assert!(ValidBatch::trusted(bytes.slice(..bytes.len() - 1)).is_err());
    let mut wrong = bytes.to_vec();
    wrong[62] ^= 1;
    assert!(matches!(ValidBatch::trusted(wrong.into()), Err(BatchError::CrcMismatch { .. })));
}

#[test]
fn the_crc_follows_a_changed_header() {
    let bytes = build(BatchOptions::default(), &[(1, None, Some(vec![7; 1000]), vec![])]);
    let mut valid = ValidBatch::trusted(bytes).expect("sound");
    let before = valid.header;
    valid.header.max_timestamp_ms = 99;
    valid.header.attributes = before.attributes.transactional();
    valid.header.crc = before.crc_after_change(&valid.header);
    assert_eq!(valid.header.crc, valid.header.crc_with_body(crc32c::crc32c(&valid.body)));
    assert!(ValidBatch::trusted(valid.to_bytes()).is_ok());
}

#[test]
fn transaction_markers() {
    let marker = EndTxnMarker { commit: false, coordinator_epoch: 12 };
    let bytes = marker.build_batch(ProducerId(5), 3, 1_000).expect("memory");
    let (batch, _) = Batch::parse(&bytes).expect("sound");
    let header = batch.header;
    assert!(header.is_control() && header.is_transactional());
    assert_eq!(
        (header.producer_id, header.producer_epoch, header.base_sequence),
        (ProducerId(5), 3, -1)
    );
    assert_eq!(header.partition_leader_epoch, LeaderEpoch::NONE);
    let mut scratch = DecompressBuf::new();
    let record =
        batch.records(&mut scratch, 100).expect("sound").next().expect("one").expect("sound");
    let (key, value) = (record.key.expect("set"), record.value.expect("set"));
    assert_eq!(EndTxnMarker::decode(key, value), Ok(Some(marker)));
    for id in -1..9 {
        assert_eq!(ControlType::from_id(id).id(), id);
        assert_eq!(
            ControlType::decode_key(&ControlType::from_id(id).encode_key()),
            Ok(ControlType::from_id(id))
        );
    }
    assert_eq!(EndTxnMarker::decode(&ControlType::LeaderChange.encode_key(), &[]), Ok(None));
    assert!(EndTxnMarker::decode(key, &value[..5]).is_err());
    assert!(ControlType::decode_key(&[0, 0, 0]).is_err());
}
