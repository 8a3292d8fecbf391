//! Batches of the metadata log: what goes into one, and how a list of records is cut into several.

use bytes::Bytes;
use klamm_metadata::MetadataVersion;
use klamm_metadata::records::{BeginTransactionRecord, EndTransactionRecord, MetadataRecord};
use klamm_record::{BatchBuilder, BatchOptions, LeaderEpoch, Offset};

/// Records in one batch at most (Kafka's `QuorumController.DEFAULT_MAX_RECORDS_PER_BATCH`).
pub const RECORDS_PER_BATCH_MAX: usize = 10_000;
/// Bytes of one batch at most (`internal.metadata.max.batch.size.in.bytes`, Kafka's `KafkaRaftClient.MAX_BATCH_SIZE_BYTES`).
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One record before it is in a batch.
#[derive(Debug, Clone)]
pub struct RawRecord {
    /// Absent in metadata records, present in control records.
    pub key: Option<Bytes>,
    /// The framed record.
    pub value: Bytes,
}

/// Whether a batch holds metadata or control records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchKind {
    /// Records of the controller.
    Data,
    /// Records of the quorum itself.
    Control,
}

/// One batch as the log will hold it; base offset 0 and epoch 0 until it is placed.
#[derive(Debug, Clone)]
pub struct PreparedBatch {
    /// The batch.
    pub bytes: Bytes,
    /// Its records, in the order of their offsets.
    pub records: Vec<MetadataRecord>,
}

/// Why the records of one operation cannot be written. Nothing of them is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// They must be one batch, are too many for it, and the level knows no transactions.
    #[error(
        "{records} records ({bytes} bytes) are too many for one atomic batch at metadata.version {version}, which knows no \
         transactions"
    )]
    AtomicTooLarge {
        /// How many.
        records: usize,
        /// Their size.
        bytes: usize,
        /// The level.
        version: MetadataVersion,
    },
    /// One record alone is larger than a batch may be.
    #[error("a record of {bytes} bytes is larger than the {BATCH_BYTES_MAX} bytes of a batch")]
    RecordTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A record cannot be said at this level.
    #[error("a record cannot be written at metadata.version {version}: {reason}")]
    Record {
        /// The level.
        version: MetadataVersion,
        /// What is in the way.
        reason: String,
    },
}

/// What a batch says of itself.
#[derive(Debug, Clone, Copy)]
pub struct BatchStamp {
    /// Whether its records are metadata or control records.
    pub kind: BatchKind,
    /// Offset of the first record; 0 where the log assigns it.
    pub base_offset: Offset,
    /// Leader epoch; 0 where the log assigns it.
    pub epoch: LeaderEpoch,
    /// Timestamp of all its records, Unix milliseconds.
    pub now_ms: i64,
}

impl BatchStamp {
    /// A batch that gets offset and epoch when it is appended.
    pub fn unplaced(kind: BatchKind, now_ms: i64) -> Self {
        Self { kind, base_offset: Offset::ZERO, epoch: LeaderEpoch(0), now_ms }
    }
}

/// Encodes one uncompressed batch.
pub fn encode_batch(stamp: BatchStamp, records: &[RawRecord]) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        base_offset: stamp.base_offset,
        leader_epoch: stamp.epoch,
        control: stamp.kind == BatchKind::Control,
        ..BatchOptions::default()
    });
    for record in records {
        builder.append(stamp.now_ms, record.key.as_deref(), Some(&record.value), &[]);
    }
    builder.build().expect("an uncompressed batch needs no codec")
}

/// Cuts the records of one operation into batches that fit.
///
/// What must be written whole and does not fit one batch is bracketed by Begin- and EndTransactionRecord (KIP-868).
///
/// # Errors
/// If the level forbids it; see [`EncodingError`].
pub fn prepare(
    records: Vec<MetadataRecord>,
    atomicity: Atomicity,
    version: MetadataVersion,
    now_ms: i64,
) -> Result<Vec<PreparedBatch>, EncodingError> {
    let encoded = encode_all(records, version)?;
    let bytes: usize = encoded.iter().map(|(_, value)| value.len() + RECORD_OVERHEAD_MAX).sum();
    let fits = encoded.len() <= RECORDS_PER_BATCH_MAX && bytes + HEADER_BYTES <= BATCH_BYTES_MAX;
    if fits || atomicity == Atomicity::Splittable {
        return Ok(cut(encoded, now_ms));
    }
    if !version.is_metadata_transaction_supported() {
        return Err(EncodingError::AtomicTooLarge { records: encoded.len(), bytes, version });
    }
    let begin = MetadataRecord::BeginTransaction(BeginTransactionRecord::default());
    let end = MetadataRecord::EndTransaction(EndTransactionRecord::default());
    let mut bracketed = encode_all(vec![begin], version)?;
    bracketed.extend(encoded);
    bracketed.extend(encode_all(vec![end], version)?);
    Ok(cut(bracketed, now_ms))
}

/// Whether the records of one operation may become visible in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Atomicity {
    /// All or none.
    Atomic,
    /// Each batch on its own.
    Splittable,
}

/// The framed value of one record, in the version that `version` asks for.
///
/// # Errors
/// If the record sets what its version cannot say.
pub fn encode_record(
    record: &MetadataRecord,
    version: MetadataVersion,
) -> Result<Bytes, EncodingError> {
    let value = record
        .encode(version.record_version(record))
        .map_err(|error| EncodingError::Record { version, reason: error.to_string() })?;
    if value.len() + RECORD_OVERHEAD_MAX + HEADER_BYTES > BATCH_BYTES_MAX {
        return Err(EncodingError::RecordTooLarge { bytes: value.len() });
    }
    Ok(value)
}

const HEADER_BYTES: usize = 61;
/// Length, attributes, deltas, key length, value length and header count, none over 5 bytes.
const RECORD_OVERHEAD_MAX: usize = 32;

fn encode_all(
    records: Vec<MetadataRecord>,
    version: MetadataVersion,
) -> Result<Vec<(MetadataRecord, Bytes)>, EncodingError> {
    records
        .into_iter()
        .map(|record| encode_record(&record, version).map(|value| (record, value)))
        .collect()
}

fn cut(encoded: Vec<(MetadataRecord, Bytes)>, now_ms: i64) -> Vec<PreparedBatch> {
    let stamp = BatchStamp::unplaced(BatchKind::Data, now_ms);
    let mut batches = Vec::new();
    let mut records = Vec::new();
    let mut raw: Vec<RawRecord> = Vec::new();
    let mut bytes = HEADER_BYTES;
    for (record, value) in encoded {
        let size = value.len() + RECORD_OVERHEAD_MAX;
        if raw.len() == RECORDS_PER_BATCH_MAX || bytes + size > BATCH_BYTES_MAX {
            let records = std::mem::take(&mut records);
            batches.push(PreparedBatch { bytes: encode_batch(stamp, &raw), records });
            raw.clear();
            bytes = HEADER_BYTES;
        }
        bytes += size;
        raw.push(RawRecord { key: None, value });
        records.push(record);
    }
    if !raw.is_empty() {
        batches.push(PreparedBatch { bytes: encode_batch(stamp, &raw), records });
    }
    batches
}
