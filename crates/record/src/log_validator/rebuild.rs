//! Makes another body for a batch: with another codec, or with the offsets that it should have had.

use bytes::Bytes;

use super::config::{TopicCompression, ValidationConfig};
use super::error::ValidationError;
use crate::batch::{Batch, BatchBuilder, BatchHeader, BatchOptions, Codec, Header, ValidBatch};
use crate::codec::{Compression, DecompressBuf, EncodeError, Encoder, Stream};

/// The same records, byte for byte, compressed as the topic asks. They go from one stream into the other.
pub(super) fn recompress(
    batch: &Batch<'_>,
    codec: Codec,
    config: &ValidationConfig,
) -> Result<ValidBatch, ValidationError> {
    let compression = target(codec, config);
    let mut encoder = Encoder::new(compression, Vec::new())?;
    DecompressBuf::with_pooled(|scratch| {
        let limit = config.decompressed_bytes_max.max(batch.body().len());
        let mut stream = Stream::new(codec, batch.body(), limit, scratch);
        while let Some(chunk) = stream.next_chunk().map_err(ValidationError::from_records)? {
            encoder.write(chunk)?;
        }
        Ok::<(), ValidationError>(())
    })?;
    let body = Bytes::from(encoder.finish()?);
    let mut header = batch.header;
    header.attributes = header.attributes.with_codec(compression.codec);
    header.batch_length = batch_length(&body, config)?;
    header.crc = header.crc_with_body(crc32c::crc32c(&body));
    Ok(ValidBatch::new(header, body))
}

/// The same records with offset deltas 0, 1, 2 and so on.
pub(super) fn renumber(
    batch: &Batch<'_>,
    codec: Codec,
    config: &ValidationConfig,
) -> Result<ValidBatch, ValidationError> {
    let old = &batch.header;
    let mut builder = BatchBuilder::new(BatchOptions {
        compression: target(codec, config),
        ..BatchOptions::default()
    });
    DecompressBuf::with_pooled(|scratch| {
        let limit = config.decompressed_bytes_max;
        let records = batch.records(scratch, limit).map_err(ValidationError::from_records)?;
        let mut headers: Vec<Header<'_>> = Vec::new();
        for record in records {
            let record = record.map_err(ValidationError::from_records)?;
            let timestamp_ms = old.base_timestamp_ms.wrapping_add(record.timestamp_delta);
            headers.clear();
            headers.extend(record.headers());
            builder.append(timestamp_ms, record.key, record.value, &headers);
        }
        Ok::<(), ValidationError>(())
    })?;
    if i32::try_from(builder.size_bytes()).is_err() {
        return Err(ValidationError::DecompressedTooLarge { limit: i32::MAX as usize });
    }
    let bytes = builder.build()?;
    let new = BatchHeader::decode(&bytes).map_err(ValidationError::Corrupt)?;
    let body = bytes.slice(crate::batch::HEADER_BYTES..);
    let mut header = BatchHeader {
        partition_leader_epoch: old.partition_leader_epoch,
        attributes: old.attributes.with_codec(target(codec, config).codec),
        producer_id: old.producer_id,
        producer_epoch: old.producer_epoch,
        base_sequence: old.base_sequence,
        ..new
    };
    header.crc = new.crc_after_change(&header);
    Ok(ValidBatch::new(header, body))
}

fn target(codec: Codec, config: &ValidationConfig) -> Compression {
    match config.compression {
        TopicCompression::Producer => Compression::new(codec),
        TopicCompression::Fixed(compression) => compression,
    }
}

fn batch_length(body: &Bytes, config: &ValidationConfig) -> Result<i32, ValidationError> {
    let size = crate::batch::HEADER_BYTES + body.len();
    i32::try_from(size - crate::batch::LENGTH_PREFIX_BYTES)
        .map_err(|_| ValidationError::TooLarge { size, max: config.max_message_bytes })
}

impl From<EncodeError> for ValidationError {
    fn from(error: EncodeError) -> Self {
        Self::Recompress(error.to_string())
    }
}
