//! The 61 bytes before the records of a batch, decoded.

use bytes::BufMut;

use super::{Attributes, BatchError, Codec, TimestampType};
use crate::{LeaderEpoch, Offset, ProducerId};

/// Size of a v2 batch header, in bytes.
pub const HEADER_BYTES: usize = 61;
/// Base offset and length field: the length counts the bytes after these 12.
pub const LENGTH_PREFIX_BYTES: usize = 12;
/// The only format written since Kafka 0.11.
pub const MAGIC_V2: i8 = 2;
/// The CRC covers everything from this byte on.
pub(crate) const CRC_START: usize = 21;
const MAGIC_AT: usize = 16;

/// Header of a v2 batch. Magic is not kept: a header always has magic 2. Offset, leader epoch and length lie outside the
/// CRC and may be patched freely; whoever patches another field owes a new `crc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record (kept when compaction removes it).
    pub base_offset: Offset,
    /// Bytes of the batch after this field, i.e. without the first 12.
    pub batch_length: i32,
    /// Epoch of the leader that appended the batch.
    pub partition_leader_epoch: LeaderEpoch,
    /// CRC-32C over byte 21 to the end.
    pub crc: u32,
    /// Codec, timestamp type and flags.
    pub attributes: Attributes,
    /// Last offset minus base offset (kept when compaction removes the last record).
    pub last_offset_delta: i32,
    /// Unix ms that the records' deltas count from; the delete horizon if that flag is set.
    pub base_timestamp_ms: i64,
    /// Largest timestamp, Unix ms; the append time under `LogAppendTime`; −1 if none.
    pub max_timestamp_ms: i64,
    /// −1 without idempotence.
    pub producer_id: ProducerId,
    /// −1 without idempotence.
    pub producer_epoch: i16,
    /// Sequence of the first record, 0 to `i32::MAX`; −1 without idempotence and in control batches.
    pub base_sequence: i32,
    /// Records in the batch; may be 0 after compaction.
    pub record_count: i32,
}

impl BatchHeader {
    /// Size of the batch that `bytes` start with, from its length field alone; none below 12 bytes.
    ///
    /// # Errors
    /// If the length field is below the smallest possible one.
    pub fn peek_size(bytes: &[u8]) -> Result<Option<usize>, BatchError> {
        let Some(prefix) = bytes.first_chunk::<LENGTH_PREFIX_BYTES>() else { return Ok(None) };
        let length = i32::from_be_bytes(field(prefix, 8));
        match usize::try_from(length) {
            Ok(size) if size >= HEADER_BYTES - LENGTH_PREFIX_BYTES => {
                Ok(Some(size + LENGTH_PREFIX_BYTES))
            }
            _ => Err(BatchError::LengthTooSmall { length }),
        }
    }

    /// Decodes the header at the start of `bytes`, which need not hold the records.
    ///
    /// # Errors
    /// If there are fewer than 61 bytes, the magic is not 2, or the length is below that of a header. The magic is looked at
    /// first, so that an old format is called by its name.
    pub fn decode(bytes: &[u8]) -> Result<Self, BatchError> {
        if let Some(&magic) = bytes.get(MAGIC_AT)
            && magic as i8 != MAGIC_V2
        {
            return Err(BatchError::UnsupportedMagic { magic: magic as i8 });
        }
        let Some(b) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(BatchError::Truncated { needed: HEADER_BYTES, available: bytes.len() });
        };
        let header = Self {
            base_offset: Offset(i64::from_be_bytes(field(b, 0))),
            batch_length: i32::from_be_bytes(field(b, 8)),
            partition_leader_epoch: LeaderEpoch(i32::from_be_bytes(field(b, 12))),
            crc: u32::from_be_bytes(field(b, 17)),
            attributes: Attributes(i16::from_be_bytes(field(b, 21))),
            last_offset_delta: i32::from_be_bytes(field(b, 23)),
            base_timestamp_ms: i64::from_be_bytes(field(b, 27)),
            max_timestamp_ms: i64::from_be_bytes(field(b, 35)),
            producer_id: ProducerId(i64::from_be_bytes(field(b, 43))),
            producer_epoch: i16::from_be_bytes(field(b, 51)),
            base_sequence: i32::from_be_bytes(field(b, 53)),
            record_count: i32::from_be_bytes(field(b, 57)),
        };
        if header.batch_length < (HEADER_BYTES - LENGTH_PREFIX_BYTES) as i32 {
            return Err(BatchError::LengthTooSmall { length: header.batch_length });
        }
        Ok(header)
    }

    /// The 61 bytes of this header.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut out = &mut bytes[..];
        out.put_i64(self.base_offset.0);
        out.put_i32(self.batch_length);
        out.put_i32(self.partition_leader_epoch.0);
        out.put_i8(MAGIC_V2);
        out.put_u32(self.crc);
        out.put_i16(self.attributes.0);
        out.put_i32(self.last_offset_delta);
        out.put_i64(self.base_timestamp_ms);
        out.put_i64(self.max_timestamp_ms);
        out.put_i64(self.producer_id.0);
        out.put_i16(self.producer_epoch);
        out.put_i32(self.base_sequence);
        out.put_i32(self.record_count);
        bytes
    }

    /// CRC-32C of the part of this header that the batch's CRC covers; the body's bytes follow.
    pub(crate) fn crc_of_header(&self) -> u32 {
        crc32c::crc32c(&self.encode()[CRC_START..])
    }

    /// CRC-32C of the whole batch, when the CRC of its body alone is `body_crc`.
    pub fn crc_with_body(&self, body_crc: u32) -> u32 {
        crc32c::crc32c_combine(self.crc_of_header(), body_crc, self.body_bytes())
    }

    /// CRC of the batch after its header, this one, has become `changed`; the body is the same and is not needed. CRCs are linear:
    /// what the header's change does to the CRC of the header is carried over the length of the body.
    pub fn crc_after_change(&self, changed: &Self) -> u32 {
        let difference = self.crc_of_header() ^ changed.crc_of_header();
        self.crc ^ crc32c::crc32c_combine(difference, 0, self.body_bytes())
    }

    /// Size of the whole batch in bytes, header and length prefix included.
    pub fn size_bytes(&self) -> usize {
        LENGTH_PREFIX_BYTES + self.batch_length as usize
    }

    /// Size of the records in bytes, as stored.
    pub fn body_bytes(&self) -> usize {
        self.size_bytes() - HEADER_BYTES
    }

    /// Offset of the last record (inclusive).
    pub fn last_offset(&self) -> Offset {
        Offset(self.base_offset.0.wrapping_add(i64::from(self.last_offset_delta)))
    }

    /// Offset that follows the batch.
    pub fn next_offset(&self) -> Offset {
        Offset(self.last_offset().0.wrapping_add(1))
    }

    /// The codec; none if the id names none.
    pub fn codec(&self) -> Option<Codec> {
        self.attributes.codec()
    }

    /// Who set the timestamps.
    pub fn timestamp_type(&self) -> TimestampType {
        self.attributes.timestamp_type()
    }

    /// True if the batch holds a control record.
    pub fn is_control(&self) -> bool {
        self.attributes.is_control()
    }

    /// True if the batch belongs to a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes.is_transactional()
    }

    /// True if an idempotent or transactional producer wrote it.
    pub fn has_producer_id(&self) -> bool {
        self.producer_id.0 > ProducerId::NONE.0
    }

    /// Sequence of the last record; −1 without one. Sequences wrap from `i32::MAX` to 0.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return -1;
        }
        increment_sequence(self.base_sequence, self.last_offset_delta)
    }

    /// Unix ms from which on tombstones in this batch may go (KIP-534); none if not set yet.
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        self.attributes.has_delete_horizon().then_some(self.base_timestamp_ms)
    }
}

/// `sequence` plus `count`, wrapping from `i32::MAX` to 0 (Kafka's `DefaultRecordBatch.incrementSequence`).
pub fn increment_sequence(sequence: i32, count: i32) -> i32 {
    if sequence > i32::MAX.wrapping_sub(count) && count >= 0 {
        count - (i32::MAX - sequence) - 1
    } else {
        sequence.wrapping_add(count)
    }
}

fn field<const N: usize, const WIDTH: usize>(bytes: &[u8; N], at: usize) -> [u8; WIDTH] {
    let mut out = [0; WIDTH];
    out.copy_from_slice(&bytes[at..at + WIDTH]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> BatchHeader {
        BatchHeader {
            base_offset: Offset(77),
            batch_length: 100,
            partition_leader_epoch: LeaderEpoch(3),
            crc: 0xdead_beef,
            attributes: Attributes::default().with_codec(Codec::Zstd).transactional(),
            last_offset_delta: 4,
            base_timestamp_ms: 1_000,
            max_timestamp_ms: 2_000,
            producer_id: ProducerId(9),
            producer_epoch: 1,
            base_sequence: i32::MAX - 1,
            record_count: 5,
        }
    }

    #[test]
    fn round_trips() {
        let bytes = header().encode();
        assert_eq!(BatchHeader::decode(&bytes), Ok(header()));
        assert_eq!(BatchHeader::peek_size(&bytes), Ok(Some(112)));
        assert_eq!(BatchHeader::peek_size(&bytes[..11]), Ok(None));
    }

    #[test]
    fn derived_values() {
        let header = header();
        assert_eq!((header.last_offset(), header.next_offset()), (Offset(81), Offset(82)));
        assert_eq!((header.size_bytes(), header.body_bytes()), (112, 51));
        assert_eq!(header.last_sequence(), 2, "sequences wrap to 0");
        assert_eq!(header.codec(), Some(Codec::Zstd));
        assert!(header.is_transactional() && !header.is_control());
        assert_eq!(header.delete_horizon_ms(), None);
    }

    #[test]
    fn refuses_what_is_no_header() {
        let mut bytes = header().encode();
        assert_eq!(
            BatchHeader::decode(&bytes[..60]),
            Err(BatchError::Truncated { needed: 61, available: 60 })
        );
        bytes[MAGIC_AT] = 1;
        assert_eq!(BatchHeader::decode(&bytes), Err(BatchError::UnsupportedMagic { magic: 1 }));
        bytes[MAGIC_AT] = 2;
        bytes[8..12].copy_from_slice(&48_i32.to_be_bytes());
        assert_eq!(BatchHeader::decode(&bytes), Err(BatchError::LengthTooSmall { length: 48 }));
        bytes[8] = 0xff;
        assert!(BatchHeader::peek_size(&bytes).is_err());
    }
}
