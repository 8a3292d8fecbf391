//! Tests of the snapshot format and of its damage.

use super::*;

fn entry(txn: Option<i64>) -> ProducerStateEntry {
    let mut entry = ProducerStateEntry::EMPTY;
    entry.producer_epoch = 3;
    entry.coordinator_epoch = 7;
    entry.current_txn_first_offset = txn.map(Offset);
    for n in 1..=7 {
        let batch = BatchMetadata {
            last_sequence: n * 10 - 1,
            offset_delta: 9,
            last_offset: Offset(100 + i64::from(n) * 10),
            timestamp_ms: 1_000_000 + i64::from(n),
        };
        entry.add_batch(3, batch);
    }
    entry
}

#[test]
fn keeps_the_last_batch_of_each_producer() {
    let (open, mut marker_only) = (entry(Some(100)), ProducerStateEntry::EMPTY);
    marker_only.producer_epoch = 1;
    marker_only.last_timestamp_ms = 5;
    let producers = [(ProducerId(1), &open), (ProducerId(i64::MAX), &marker_only)];
    let bytes = encode(producers.into_iter());
    assert_eq!(bytes.len(), 10 + 2 * ENTRY_BYTES);
    let read = parse(&bytes).expect("sound");
    assert_eq!(read[0].0, ProducerId(1));
    assert_eq!(read[0].1.batches(), &open.batches()[4..]);
    assert_eq!(read[0].1.current_txn_first_offset, Some(Offset(100)));
    assert_eq!(read[1], (ProducerId(i64::MAX), marker_only));
    assert_eq!(encode(read.iter().map(|(id, entry)| (*id, entry))), bytes);
}

#[test]
fn no_producers_is_a_snapshot_too() {
    let bytes = encode(std::iter::empty::<(ProducerId, &ProducerStateEntry)>());
    assert_eq!(bytes, [0, 1, 0x48, 0x67, 0x4b, 0xc7, 0, 0, 0, 0]);
    assert_eq!(parse(&bytes), Ok(Vec::new()));
}

#[test]
fn damage_is_named() {
    let whole = encode([(ProducerId(1), &entry(None))].into_iter());
    for cut in 0..10 {
        assert!(matches!(parse(&whole[..cut]), Err(CorruptSnapshot::Truncated { .. })));
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        assert!(parse(&bytes).is_err(), "a flipped bit in byte {at} passes");
    }
    let with_crc = |mut bytes: Vec<u8>| {
        let crc = crc32c::crc32c(&bytes[CRC_START..]);
        bytes[2..CRC_START].copy_from_slice(&crc.to_be_bytes());
        parse(&bytes)
    };
    let count = |count: i32| {
        let mut bytes = whole.clone();
        bytes[6..10].copy_from_slice(&count.to_be_bytes());
        with_crc(bytes)
    };
    for claimed in [2, i32::MAX, -1, i32::MIN] {
        assert!(matches!(count(claimed), Err(CorruptSnapshot::Truncated { .. })), "{claimed}");
    }
    assert_eq!(count(0), Err(CorruptSnapshot::Trailing { bytes: 46 }));
    assert_eq!(with_crc([&whole[..], &[0]].concat()), Err(CorruptSnapshot::Trailing { bytes: 1 }));
}
