//! Looks at every record of a batch once.

use super::config::ValidationConfig;
use super::error::{RECORD_ERRORS_MAX, RecordError, RecordFault, ValidationError};
use crate::batch::{Batch, BatchError, Codec, RecordFacts, TimestampType, Walker};
use crate::codec::{DecompressBuf, Stream};

/// What the records of a sound batch told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walked {
    /// Largest timestamp, Unix ms; −1 if none is above.
    pub max_timestamp_ms: i64,
    /// Index of the first record that has it.
    pub offset_delta_of_max: i32,
    /// Offset deltas are 0, 1, 2 and so on.
    pub offsets_in_order: bool,
}

/// Walks over the records of `batch`.
pub(super) fn walk(
    batch: &Batch<'_>,
    codec: Codec,
    config: &ValidationConfig,
    now_ms: i64,
) -> Result<Walked, ValidationError> {
    DecompressBuf::with_pooled(|scratch| {
        let limit = match codec {
            Codec::None => usize::MAX,
            _ => config.decompressed_bytes_max,
        };
        let mut stream = Stream::new(codec, batch.body(), limit, scratch);
        walk_stream(batch, &mut stream, config, now_ms)
    })
}

fn walk_stream(
    batch: &Batch<'_>,
    stream: &mut Stream<'_>,
    config: &ValidationConfig,
    now_ms: i64,
) -> Result<Walked, ValidationError> {
    let header = &batch.header;
    let mut walker = Walker::new(stream);
    let mut walked =
        Walked { max_timestamp_ms: -1, offset_delta_of_max: 0, offsets_in_order: true };
    let mut faults = Faults::default();
    for index in 0..header.record_count {
        if walker.at_end().map_err(ValidationError::from_records)? {
            let missing =
                BatchError::RecordsMissing { declared: header.record_count, found: index };
            return Err(ValidationError::Records(missing));
        }
        let record = walker.next_record().map_err(ValidationError::from_records)?;
        let timestamp_ms = header.base_timestamp_ms.wrapping_add(record.timestamp_delta);
        walked.offsets_in_order &= record.offset_delta == index;
        if timestamp_ms > walked.max_timestamp_ms {
            walked.max_timestamp_ms = timestamp_ms;
            walked.offset_delta_of_max = index;
        }
        if let Some(fault) = check_record(batch, &record, config, now_ms) {
            faults.add(index, fault);
        }
    }
    if !walker.at_end().map_err(ValidationError::from_records)? {
        return Err(ValidationError::Records(BatchError::RecordsRemaining));
    }
    faults.into_result().map(|()| walked)
}

fn check_record(
    batch: &Batch<'_>,
    record: &RecordFacts,
    config: &ValidationConfig,
    now_ms: i64,
) -> Option<RecordFault> {
    if config.compacted && record.key_bytes < 0 {
        return Some(RecordFault::KeyMissing);
    }
    let timestamp_ms = batch.header.base_timestamp_ms.wrapping_add(record.timestamp_delta);
    let offset = i64::from(record.offset_delta);
    if batch.header.timestamp_type() == TimestampType::LogAppendTime {
        let (key_bytes, value_bytes) = (record.key_bytes, record.value_bytes);
        return Some(RecordFault::TimestampType { offset, timestamp_ms, key_bytes, value_bytes });
    }
    if config.timestamp_type == TimestampType::CreateTime && timestamp_ms != -1 {
        let age_ms = now_ms.wrapping_sub(timestamp_ms);
        if age_ms > config.before_max_ms || age_ms.wrapping_neg() > config.after_max_ms {
            return Some(RecordFault::Timestamp {
                offset,
                timestamp_ms,
                min_ms: now_ms.wrapping_sub(config.before_max_ms),
                max_ms: now_ms.wrapping_add(config.after_max_ms),
            });
        }
    }
    None
}

/// Faults of single records: the first ones as they are, the others counted.
#[derive(Default)]
struct Faults {
    records: Vec<RecordError>,
    count: usize,
    of_timestamp: bool,
}

impl Faults {
    fn add(&mut self, index: i32, fault: RecordFault) {
        self.count += 1;
        self.of_timestamp |= !matches!(fault, RecordFault::KeyMissing);
        if self.records.len() < RECORD_ERRORS_MAX {
            self.records.push(RecordError { index, fault });
        }
    }

    fn into_result(self) -> Result<(), ValidationError> {
        let Self { records, count, of_timestamp } = self;
        match (count, of_timestamp) {
            (0, _) => Ok(()),
            (_, true) => Err(ValidationError::InvalidTimestamp { records }),
            (_, false) => Err(ValidationError::InvalidRecords { records, count }),
        }
    }
}
