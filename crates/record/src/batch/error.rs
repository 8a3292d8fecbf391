//! What can be wrong with the bytes of a batch.

use crate::varint::VarintError;

/// The bytes are no sound batch. None of these says "wait for more": a reader of a stream looks at `LENGTH_PREFIX_BYTES`
/// and [`super::BatchHeader::peek_size`] first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Fewer bytes than the header or the batch's own length asks for.
    #[error("batch is cut short: {needed} bytes needed, {available} at hand")]
    Truncated {
        /// Bytes asked for.
        needed: usize,
        /// Bytes there are.
        available: usize,
    },
    /// The batch's length is below that of its header.
    #[error("batch length {length} is below the smallest possible one")]
    LengthTooSmall {
        /// The length field, which counts the bytes after itself.
        length: i32,
    },
    /// Not format v2.
    #[error("batch has magic {magic}, only 2 is supported")]
    UnsupportedMagic {
        /// The magic byte.
        magic: i8,
    },
    /// The checksum does not match.
    #[error("Record is corrupt (stored crc = {stored}, computed crc = {computed})")]
    CrcMismatch {
        /// As in the header.
        stored: u32,
        /// As of the bytes.
        computed: u32,
    },
    /// The codec id names no codec.
    #[error("Unknown compression type id: {id}")]
    UnknownCodec {
        /// Bits 0 to 2 of the attributes.
        id: u8,
    },
    /// A record's own length does not fit its content or the batch.
    #[error("Invalid record size: expected {expected} bytes in record payload, but found {found}")]
    RecordSize {
        /// As the record says.
        expected: i64,
        /// As there are.
        found: i64,
    },
    /// A field of a record makes no sense.
    #[error("Found invalid record structure: {0}")]
    RecordStructure(&'static str),
    /// More or fewer records than the header says.
    #[error("Incorrect declared batch size, records still remaining in file")]
    RecordsRemaining,
    /// The records end before the header's count is reached.
    #[error(
        "Found invalid record count {declared} in magic v2 batch: the records end after {found}"
    )]
    RecordsMissing {
        /// As the header says.
        declared: i32,
        /// As there are.
        found: i32,
    },
    /// The compressed stream is damaged.
    #[error("Failed to decompress record stream: {0}")]
    Decompress(String),
    /// Decompressing was stopped at the limit.
    #[error("records are larger than the limit of {limit} bytes when decompressed")]
    DecompressedTooLarge {
        /// In bytes.
        limit: usize,
    },
}

impl From<VarintError> for BatchError {
    fn from(error: VarintError) -> Self {
        match error {
            VarintError::Truncated => Self::RecordStructure("a number is cut short"),
            VarintError::TooLong => Self::RecordStructure("a number is too long"),
        }
    }
}
