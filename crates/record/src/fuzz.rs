//! What the fuzz target `record_batch` does with an input; tests replay what it found through the same function.

use bytes::Bytes;

use crate::batch::{Batch, Batches, Codec, HEADER_BYTES, ValidBatch};
use crate::codec::{Compression, DecompressBuf};
use crate::log_validator::{TopicCompression, ValidationConfig, validate};

const NOW_MS: i64 = 1_700_000_000_000;
const LIMIT_BYTES: usize = 1 << 20;
/// Bytes of `input` that choose what is done with the rest.
const CHOICE_BYTES: usize = 1;

/// Parses, decompresses and validates `input` as record batches: once as it is, once with length and CRC made right so that the
/// checks behind them are reached. The first byte chooses the topic's rules.
///
/// # Panics
/// If a batch that passed the checks is not sound.
pub fn record_batch(input: &[u8]) {
    let Some((&[choice], bytes)) = input.split_first_chunk::<CHOICE_BYTES>() else { return };
    check(bytes, choice);
    let mut repaired = bytes.to_vec();
    if repaired.len() >= HEADER_BYTES {
        let length = (repaired.len() - 12) as i32;
        repaired[..8].fill(0);
        repaired[8..12].copy_from_slice(&length.to_be_bytes());
        repaired[16] = 2;
        let crc = crc32c::crc32c(&repaired[21..]);
        repaired[17..21].copy_from_slice(&crc.to_be_bytes());
        check(&repaired, choice);
    }
}

fn check(bytes: &[u8], choice: u8) {
    DecompressBuf::with_pooled(|scratch| {
        for batch in Batches::new(bytes).map_while(Result::ok) {
            read(&batch, scratch);
        }
    });
    let compression = match Codec::from_id(choice & 7) {
        Some(codec) => TopicCompression::Fixed(Compression::new(codec)),
        None => TopicCompression::Producer,
    };
    let config = ValidationConfig {
        compression,
        compacted: choice & 8 != 0,
        after_max_ms: if choice & 16 == 0 { 3_600_000 } else { i64::MAX },
        decompressed_bytes_max: LIMIT_BYTES,
        ..ValidationConfig::default()
    };
    if let Ok(valid) = validate(Bytes::copy_from_slice(bytes), &config, NOW_MS) {
        let stored = valid.to_bytes();
        assert_eq!(ValidBatch::trusted(stored.clone()).map(|v| v.header), Ok(valid.header));
        let (batch, _) = Batch::parse(&stored).expect("what passed the checks is a batch");
        let read = DecompressBuf::with_pooled(|scratch| read(&batch, scratch));
        assert_eq!(read, Some(valid.header.record_count), "all records can be read");
    }
}

/// Reads the records of `batch`; answers how many there are if all are sound.
fn read(batch: &Batch<'_>, scratch: &mut DecompressBuf) -> Option<i32> {
    let mut count = 0;
    for record in batch.records(scratch, LIMIT_BYTES).ok()? {
        let record = record.ok()?;
        assert_eq!(record.headers().count(), record.headers().len());
        count += 1;
    }
    Some(count)
}
