//! Why a client's batch is refused. Meaning only: which of Kafka's error codes it becomes is the server's choice (each variant says
//! which exception Kafka throws).

use std::fmt;

use crate::TopicPartition;
use crate::batch::BatchError;

/// Most records that an error lists; Kafka lists all.
pub(super) const RECORD_ERRORS_MAX: usize = 1_000;

/// A batch that must not be appended. `Display` leaves out the partition; [`ValidationError::message`] names it as Kafka does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValidationError {
    /// There is no whole batch (`InvalidRecordException`).
    NoBatch,
    /// There is a second batch (`InvalidRecordException`).
    MoreThanOneBatch,
    /// A batch of format 0 or 1 (`InvalidRecordException`).
    OldMagic {
        /// 0 or 1.
        magic: i8,
    },
    /// Length, magic or CRC are wrong, or the compressed stream is damaged (`CorruptRecordException`).
    Corrupt(BatchError),
    /// Larger than `max.message.bytes` (`RecordTooLargeException`).
    TooLarge {
        /// Of the batch, in bytes.
        size: usize,
        /// Allowed.
        max: usize,
    },
    /// Decompressed, the records are larger than we allow; Kafka has no such limit (answer as for `TooLarge`).
    DecompressedTooLarge {
        /// Allowed, in bytes.
        limit: usize,
    },
    /// The codec id names no codec (`UnsupportedCompressionTypeException`).
    UnsupportedCodec {
        /// 5 to 7.
        id: u8,
    },
    /// The base offset is not 0 (`InvalidRecordException`).
    BaseOffset {
        /// As sent.
        offset: i64,
    },
    /// The last offset lies before the base offset (`InvalidRecordException`).
    OffsetRange {
        /// Base and last offset.
        range: (i64, i64),
    },
    /// The header counts no records (`InvalidRecordException`).
    RecordCount {
        /// As sent.
        count: i32,
    },
    /// Offsets and count disagree (`InvalidRecordException`).
    CountAndRange {
        /// Base and last offset.
        range: (i64, i64),
        /// As sent.
        count: i32,
    },
    /// The control flag is set (`InvalidRecordException`).
    ControlBatch,
    /// A producer id without a sequence (`InvalidRecordException`).
    Sequence {
        /// As sent.
        sequence: i32,
        /// As sent.
        producer_id: i64,
    },
    /// The records do not parse, or are more or fewer than the header says (`InvalidRecordException`).
    Records(BatchError),
    /// Some records lack a key (`InvalidRecordException` with record errors).
    InvalidRecords {
        /// The first 1,000 of them.
        records: Vec<RecordError>,
        /// How many there are.
        count: usize,
    },
    /// Some records have a timestamp that is not allowed (`InvalidTimestampException` with record errors); others may lack a key.
    InvalidTimestamp {
        /// The first 1,000 of them.
        records: Vec<RecordError>,
    },
    /// Compressing anew failed for want of memory.
    Recompress(String),
}

/// A record that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordError {
    /// Index in the batch, from 0.
    pub index: i32,
    /// What is wrong with it.
    pub fault: RecordFault,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFault {
    /// A compacted topic wants keys (`INVALID_RECORD`).
    KeyMissing,
    /// Too old or too new (`INVALID_TIMESTAMP`). All in Unix ms, bounds inclusive.
    #[expect(missing_docs, reason = "said above")]
    Timestamp { offset: i64, timestamp_ms: i64, min_ms: i64, max_ms: i64 },
    /// The batch is flagged `LogAppendTime`, which is for the broker to set (`INVALID_TIMESTAMP`).
    #[expect(missing_docs, reason = "what Kafka prints of the record")]
    TimestampType { offset: i64, timestamp_ms: i64, key_bytes: i32, value_bytes: i32 },
}

impl ValidationError {
    /// What was wrong with the records, inside a body that has passed its CRC.
    pub(super) fn from_records(error: BatchError) -> Self {
        match error {
            BatchError::DecompressedTooLarge { limit } => Self::DecompressedTooLarge { limit },
            BatchError::Decompress(_) => Self::Corrupt(error),
            _ => Self::Records(error),
        }
    }

    /// Kafka's message, with the partition named where Kafka names it.
    pub fn message(&self, topic_partition: &TopicPartition) -> String {
        Message { error: self, partition: Some(topic_partition) }.to_string()
    }

    /// The records that are refused one by one; empty if the batch as a whole is.
    pub fn records(&self) -> &[RecordError] {
        match self {
            Self::InvalidRecords { records, .. } | Self::InvalidTimestamp { records } => records,
            _ => &[],
        }
    }
}

impl std::error::Error for ValidationError {}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Message { error: self, partition: None }.fmt(f)
    }
}

impl RecordError {
    /// Kafka's message.
    pub fn message(&self, topic_partition: &TopicPartition) -> String {
        self.text(Some(topic_partition))
    }

    fn text(&self, partition: Option<&TopicPartition>) -> String {
        match self.fault {
            RecordFault::KeyMissing => {
                format!("Compacted topic cannot accept message without key{}", In(partition))
            }
            RecordFault::Timestamp { offset, timestamp_ms, min_ms, max_ms } => format!(
                "Timestamp {timestamp_ms} of message with offset {offset} is out of range. The timestamp \
                 should be within [{min_ms}, {max_ms}]"
            ),
            RecordFault::TimestampType { offset, timestamp_ms, key_bytes, value_bytes } => {
                let (key, value) = (key_bytes.max(0), value_bytes.max(0));
                format!(
                    "Invalid timestamp type in message DefaultRecord(offset={offset}, \
                     timestamp={timestamp_ms}, key={key} bytes, value={value} bytes). Producer should not \
                     set timestamp type to LogAppendTime."
                )
            }
        }
    }
}

/// ` in topic partition X`, or nothing.
struct In<'a>(Option<&'a TopicPartition>);

impl fmt::Display for In<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |partition| write!(f, " in topic partition {partition}"))
    }
}

struct Message<'a> {
    error: &'a ValidationError,
    partition: Option<&'a TopicPartition>,
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = In(self.partition);
        match self.error {
            ValidationError::NoBatch => {
                f.write_str("Produce requests must have at least one record batch per partition")
            }
            ValidationError::MoreThanOneBatch => f.write_str(
                "Produce requests are only allowed to contain exactly one record batch per partition",
            ),
            ValidationError::OldMagic { .. } => f.write_str(
                "Produce requests are only allowed to contain record batches with magic version 2",
            ),
            ValidationError::Corrupt(error) => write!(f, "{error}{place}"),
            ValidationError::TooLarge { size, max } => write!(
                f,
                "The record batch size is {size} bytes which exceeds the maximum configured value of {max}{place}"
            ),
            ValidationError::DecompressedTooLarge { limit } => write!(
                f,
                "The records take more than {limit} bytes when decompressed, which is not allowed{place}"
            ),
            ValidationError::UnsupportedCodec { id } => {
                write!(f, "Unknown compression type id: {id}")
            }
            ValidationError::BaseOffset { offset } => write!(
                f,
                "The baseOffset of the record batch in the append should be 0, but it is {offset}{place}"
            ),
            ValidationError::OffsetRange { range: (base, last) } => {
                write!(f, "Batch has an invalid offset range: [{base}, {last}]{place}")
            }
            ValidationError::RecordCount { count } => {
                write!(f, "Invalid reported count for record batch: {count}{place}")
            }
            ValidationError::CountAndRange { range: (base, last), count } => write!(
                f,
                "Inconsistent batch offset range [{base}, {last}] and count of records {count}{place}"
            ),
            ValidationError::ControlBatch => {
                write!(f, "Clients are not allowed to write control records{place}")
            }
            ValidationError::Sequence { sequence, producer_id } => write!(
                f,
                "Invalid sequence number {sequence} in record batch with producerId {producer_id}{place}"
            ),
            ValidationError::Records(error) => write!(f, "{error}"),
            ValidationError::InvalidTimestamp { .. } => {
                f.write_str("One or more records have been rejected due to invalid timestamp")
            }
            ValidationError::InvalidRecords { records, count } => {
                self.write_invalid_records(records, *count, f)
            }
            ValidationError::Recompress(reason) => write!(f, "{reason}{place}"),
        }
    }
}

impl Message<'_> {
    fn write_invalid_records(
        &self,
        records: &[RecordError],
        count: usize,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        let shown: Vec<String> = records
            .iter()
            .take(3)
            .map(|r| {
                format!("RecordError(batchIndex={}, message='{}')", r.index, r.text(self.partition))
            })
            .collect();
        write!(
            f,
            "One or more records have been rejected due to {count} record errors in total, and only \
             showing the first three errors at most: [{}]",
            shown.join(", ")
        )
    }
}
