//! The `.snapshot` file: what is known of each producer up to an offset (schema `ProducerSnapshot`).

use klamm_record::{Offset, ProducerId};

use crate::producer_state::{BatchMetadata, ProducerStateEntry};

/// The version that is written and read.
const VERSION: i16 = 1;
/// Version, CRC and entry count.
const HEADER_BYTES: usize = 10;
/// The CRC covers everything from here on.
const CRC_START: usize = 6;
/// Bytes of one producer.
pub const ENTRY_BYTES: usize = 46;

/// What is wrong with a snapshot; it is deleted and the next older one taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorruptSnapshot {
    /// Shorter than its header or than its entries.
    #[error("snapshot of {bytes} bytes is too short for {entries} entries")]
    Truncated {
        /// Length of the file.
        bytes: usize,
        /// Entries that it should hold.
        entries: i32,
    },
    /// A version that is not known.
    #[error("snapshot contained an unknown file version {version}")]
    Version {
        /// The version.
        version: i16,
    },
    /// Bytes have changed.
    #[error("snapshot is corrupt: stored CRC {stored:#010x}, computed {computed:#010x}")]
    Crc {
        /// In the file.
        stored: u32,
        /// Over the content.
        computed: u32,
    },
    /// More bytes than entries.
    #[error("snapshot has {bytes} bytes behind its last entry")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

/// Writes a snapshot. Only the last batch of each producer is kept in it, as in Kafka.
pub fn encode<'a>(
    producers: impl ExactSizeIterator<Item = (ProducerId, &'a ProducerStateEntry)>,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + producers.len() * ENTRY_BYTES);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    let count = i32::try_from(producers.len()).expect("producers fit in memory, so in 31 bits");
    bytes.extend_from_slice(&count.to_be_bytes());
    for (producer_id, entry) in producers {
        let batch = entry.last_batch();
        bytes.extend_from_slice(&producer_id.0.to_be_bytes());
        bytes.extend_from_slice(&entry.producer_epoch.to_be_bytes());
        bytes.extend_from_slice(&entry.last_sequence().to_be_bytes());
        bytes.extend_from_slice(&entry.last_data_offset().0.to_be_bytes());
        bytes.extend_from_slice(&batch.map_or(0, |batch| batch.offset_delta).to_be_bytes());
        bytes.extend_from_slice(&entry.last_timestamp_ms.to_be_bytes());
        bytes.extend_from_slice(&entry.coordinator_epoch.to_be_bytes());
        let txn = entry.current_txn_first_offset.map_or(-1, |offset| offset.0);
        bytes.extend_from_slice(&txn.to_be_bytes());
    }
    let crc = crc32c::crc32c(&bytes[CRC_START..]);
    bytes[2..CRC_START].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// Reads a snapshot.
///
/// # Errors
/// If the file is not whole, not of version 1, or its CRC is wrong.
pub fn parse(bytes: &[u8]) -> Result<Vec<(ProducerId, ProducerStateEntry)>, CorruptSnapshot> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(CorruptSnapshot::Truncated { bytes: bytes.len(), entries: 0 });
    };
    let [v0, v1, c0, c1, c2, c3, n0, n1, n2, n3] = *header;
    let version = i16::from_be_bytes([v0, v1]);
    if version != VERSION {
        return Err(CorruptSnapshot::Version { version });
    }
    let stored = u32::from_be_bytes([c0, c1, c2, c3]);
    let computed = crc32c::crc32c(&bytes[CRC_START..]);
    if stored != computed {
        return Err(CorruptSnapshot::Crc { stored, computed });
    }
    let entries = i32::from_be_bytes([n0, n1, n2, n3]);
    let (chunks, cut) = rest.as_chunks::<ENTRY_BYTES>();
    if usize::try_from(entries).ok().is_none_or(|entries| entries > chunks.len()) {
        return Err(CorruptSnapshot::Truncated { bytes: bytes.len(), entries });
    }
    let behind = rest.len() - entries as usize * ENTRY_BYTES;
    if behind > 0 {
        return Err(CorruptSnapshot::Trailing { bytes: behind.max(cut.len()) });
    }
    Ok(chunks.iter().map(decode_entry).collect())
}

fn decode_entry(bytes: &[u8; ENTRY_BYTES]) -> (ProducerId, ProducerStateEntry) {
    let long = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let int = |at: usize| i32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let producer_epoch = i16::from_be_bytes([bytes[8], bytes[9]]);
    let mut entry = ProducerStateEntry::EMPTY;
    entry.producer_epoch = producer_epoch;
    entry.coordinator_epoch = int(34);
    entry.last_timestamp_ms = long(26);
    entry.current_txn_first_offset = Some(Offset(long(38))).filter(|offset| offset.0 >= 0);
    let (last_sequence, last_offset, offset_delta) = (int(10), Offset(long(14)), int(22));
    if last_offset.0 >= 0 {
        let timestamp_ms = entry.last_timestamp_ms;
        let batch = BatchMetadata { last_sequence, offset_delta, last_offset, timestamp_ms };
        entry.add_batch(producer_epoch, batch);
    }
    (ProducerId(long(0)), entry)
}

#[cfg(test)]
mod tests;
