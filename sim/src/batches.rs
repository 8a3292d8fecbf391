//! Batches as producers send them and consumers find them.

use bytes::Bytes;
use klamm_record::codec::DecompressBuf;
use klamm_record::{
    Batch, BatchBuilder, BatchHeader, BatchOptions, Batches, Codec, Compression, ProducerId,
};

/// More than any batch here holds.
const BATCH_BYTES_MAX: usize = 64 << 20;

/// Who sends a batch, and as the how-manyth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// From InitProducerId.
    pub producer_id: i64,
    /// From InitProducerId.
    pub epoch: i16,
    /// Of the first record.
    pub base: i32,
}

/// One record to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// Unix ms.
    pub timestamp_ms: i64,
    /// Never null here.
    pub key: Bytes,
    /// None for null.
    pub value: Option<Bytes>,
}

/// One record as found in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRecord {
    /// Where.
    pub offset: i64,
    /// Unix ms.
    pub timestamp_ms: i64,
    /// Empty for null.
    pub key: Bytes,
    /// None for null.
    pub value: Option<Bytes>,
}

/// One batch as found in a log.
#[derive(Debug, Clone)]
pub struct FoundBatch {
    /// As stored.
    pub header: BatchHeader,
    /// All of its bytes.
    pub bytes: Bytes,
    /// Control records too.
    pub records: Vec<FoundRecord>,
}

/// A batch of these records.
pub fn build(records: &[NewRecord], codec: Codec, sequence: Option<Sequence>) -> Bytes {
    let compression = Compression::new(codec);
    let mut options = BatchOptions { compression, ..BatchOptions::default() };
    if let Some(sequence) = sequence {
        options.producer_id = ProducerId(sequence.producer_id);
        options.producer_epoch = sequence.epoch;
        options.base_sequence = sequence.base;
    }
    let mut builder = BatchBuilder::new(options);
    for record in records {
        builder.append(record.timestamp_ms, Some(&record.key), record.value.as_deref(), &[]);
    }
    builder.build().expect("compressing in memory cannot fail")
}

/// All whole batches in the bytes of a fetch response; a partial one at the end is left out, as Kafka's consumer does.
///
/// # Errors
/// With what is wrong, if a batch is damaged.
pub fn parse(bytes: &Bytes) -> Result<Vec<FoundBatch>, String> {
    let mut found = Vec::new();
    let mut scratch = DecompressBuf::default();
    for batch in Batches::new(bytes) {
        let batch = batch.map_err(|error| error.to_string())?;
        batch.verify_crc().map_err(|error| error.to_string())?;
        let records = records(&batch, &mut scratch)?;
        let bytes = bytes.slice_ref(batch.as_bytes());
        found.push(FoundBatch { header: batch.header, bytes, records });
    }
    Ok(found)
}

fn records(batch: &Batch<'_>, scratch: &mut DecompressBuf) -> Result<Vec<FoundRecord>, String> {
    let header = batch.header;
    let append_time =
        header.attributes.timestamp_type() == klamm_record::TimestampType::LogAppendTime;
    let records = batch.records(scratch, BATCH_BYTES_MAX).map_err(|error| error.to_string())?;
    let found = records.map(|record| {
        let record = record.map_err(|error| error.to_string())?;
        let timestamp_ms = if append_time {
            header.max_timestamp_ms
        } else {
            header.base_timestamp_ms + record.timestamp_delta
        };
        Ok(FoundRecord {
            offset: header.base_offset.0 + i64::from(record.offset_delta),
            timestamp_ms,
            key: Bytes::copy_from_slice(record.key.unwrap_or_default()),
            value: record.value.map(Bytes::copy_from_slice),
        })
    });
    found.collect()
}
