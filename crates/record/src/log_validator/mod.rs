//! Checks one batch that a client sent, as Kafka's `LogValidator`, `ProduceRequest.validateRecords` and
//! `UnifiedLog.analyzeAndValidateRecords` check it, and makes it ready to be appended.
//!
//! Uncompressed records are walked in place; compressed ones are decompressed through reused memory and thrown away. The body is
//! copied only where it has to become another one: `compression.type` asks for another codec, or the offsets inside are wrong.
//!
//! Deviations from Kafka: a batch flagged `LogAppendTime` is always refused (Kafka lets it pass on a `CreateTime` topic if its time
//! fits); wrong inner offsets are repaired in uncompressed batches too (Kafka repairs compressed ones and stores the others as
//! they are); a record whose size disagrees with its fields is refused in compressed batches too; the decompressed size has a limit.

mod config;
mod error;
mod rebuild;
mod walk;

pub use config::{TopicCompression, ValidationConfig, decompressed_bytes_max};
pub use error::{RecordError, RecordFault, ValidationError};

use bytes::Bytes;

use crate::batch::{
    Batch, BatchError, BatchHeader, Codec, HEADER_BYTES, MAGIC_V2, TimestampType, ValidBatch,
};
use walk::Walked;

/// Length field up to and with the magic: what Kafka wants to see before it calls something a batch.
const MAGIC_END: usize = 17;
/// Kafka's smallest length field, that of the oldest format.
const LENGTH_MIN: i32 = 14;

/// Checks `bytes`, the records of one partition in a Produce request, against the topic's rules. `now_ms` is the wall clock in Unix
/// ms. The batch that comes back has the received body (not copied) unless it had to be rebuilt; offset and leader epoch are for the
/// log to set.
///
/// # Errors
/// If anything is wrong with the batch; then nothing of it may be appended. The zstd rule of Produce below version 7 is the
/// server's.
pub fn validate(
    bytes: Bytes,
    config: &ValidationConfig,
    now_ms: i64,
) -> Result<ValidBatch, ValidationError> {
    let header = one_batch(&bytes)?;
    let size = header.size_bytes();
    if header.base_offset.0 != 0 {
        return Err(ValidationError::BaseOffset { offset: header.base_offset.0 });
    }
    if size > config.max_message_bytes {
        return Err(too_large(size, config));
    }
    let (batch, _) = Batch::parse(&bytes).map_err(ValidationError::Corrupt)?;
    batch.verify_crc().map_err(ValidationError::Corrupt)?;
    check_header(&header)?;
    let id = header.attributes.codec_id();
    let codec = header.codec().ok_or(ValidationError::UnsupportedCodec { id })?;
    let walked = walk::walk(&batch, codec, config, now_ms)?;

    let target = match config.compression {
        TopicCompression::Producer => codec,
        TopicCompression::Fixed(compression) => compression.codec,
    };
    let valid = if !walked.offsets_in_order {
        rebuild::renumber(&batch, codec, config)?
    } else if target != codec {
        rebuild::recompress(&batch, codec, config)?
    } else {
        ValidBatch::new(header, bytes.slice(HEADER_BYTES..size))
    };
    if valid.size_bytes() > config.max_message_bytes {
        return Err(too_large(valid.size_bytes(), config));
    }
    Ok(stamp(valid, &walked, config.timestamp_type, now_ms))
}

/// The header of the only batch in `bytes`. A partial batch behind it is cut off, as Kafka does.
fn one_batch(bytes: &[u8]) -> Result<BatchHeader, ValidationError> {
    let size = whole_batch(bytes)?.ok_or(ValidationError::NoBatch)?;
    let magic = bytes.get(MAGIC_END - 1).map_or(MAGIC_V2, |&magic| magic as i8);
    if magic != MAGIC_V2 {
        return Err(ValidationError::OldMagic { magic });
    }
    if whole_batch(&bytes[size..])?.is_some() {
        return Err(ValidationError::MoreThanOneBatch);
    }
    BatchHeader::decode(bytes).map_err(ValidationError::Corrupt)
}

/// Size of the batch at the start of `bytes`, of whatever format; none if it is not all there.
fn whole_batch(bytes: &[u8]) -> Result<Option<usize>, ValidationError> {
    let Some(&[_, _, _, _, _, _, _, _, a, b, c, d, _, _, _, _, magic]) = bytes.first_chunk() else {
        return Ok(None);
    };
    let length = i32::from_be_bytes([a, b, c, d]);
    if length < LENGTH_MIN {
        return Err(ValidationError::Corrupt(BatchError::LengthTooSmall { length }));
    }
    if !(0..=MAGIC_V2).contains(&(magic as i8)) {
        let magic = magic as i8;
        return Err(ValidationError::Corrupt(BatchError::UnsupportedMagic { magic }));
    }
    let size = 12 + length as usize;
    Ok((size <= bytes.len()).then_some(size))
}

/// What Kafka asks of the header of a client's batch.
fn check_header(header: &BatchHeader) -> Result<(), ValidationError> {
    let last_offset = header.last_offset().0;
    let range = (header.base_offset.0, last_offset);
    let count_from_offsets = last_offset - header.base_offset.0 + 1;
    if count_from_offsets <= 0 {
        return Err(ValidationError::OffsetRange { range });
    }
    let count = header.record_count;
    if count <= 0 {
        return Err(ValidationError::RecordCount { count });
    }
    if count_from_offsets != i64::from(count) {
        return Err(ValidationError::CountAndRange { range, count });
    }
    if header.is_control() {
        return Err(ValidationError::ControlBatch);
    }
    if header.has_producer_id() && header.base_sequence < 0 {
        return Err(ValidationError::Sequence {
            sequence: header.base_sequence,
            producer_id: header.producer_id.0,
        });
    }
    Ok(())
}

fn too_large(size: usize, config: &ValidationConfig) -> ValidationError {
    ValidationError::TooLarge { size, max: config.max_message_bytes }
}

/// Sets timestamp type and maximum timestamp; the CRC follows the changed header without a second look at the body.
fn stamp(
    mut valid: ValidBatch,
    walked: &Walked,
    timestamp_type: TimestampType,
    now_ms: i64,
) -> ValidBatch {
    let (max_timestamp_ms, offset_delta) = match timestamp_type {
        TimestampType::CreateTime => (walked.max_timestamp_ms, walked.offset_delta_of_max),
        TimestampType::LogAppendTime => (now_ms, 0),
    };
    let before = valid.header;
    valid.header.attributes = before.attributes.with_timestamp_type(timestamp_type);
    valid.header.max_timestamp_ms = max_timestamp_ms;
    if valid.header != before {
        valid.header.crc = before.crc_after_change(&valid.header);
    }
    valid.max_timestamp_ms = max_timestamp_ms;
    valid.offset_delta_of_max_timestamp = offset_delta;
    valid
}

/// The codec that the batch in `bytes` names, for rules that depend on the version of the request; none if there is none.
pub fn codec_of(bytes: &[u8]) -> Option<Codec> {
    BatchHeader::decode(bytes).ok().and_then(|header| header.codec())
}

#[cfg(test)]
mod tests;
