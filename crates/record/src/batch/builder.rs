//! Makes batches: for producers, coordinators, the metadata log, compaction and tests.

use bytes::Bytes;

use super::header::{CRC_START, HEADER_BYTES, LENGTH_PREFIX_BYTES};
use super::record::NewRecord;
use super::{Attributes, BatchHeader, Header, TimestampType};
use crate::codec::{self, Compression, EncodeError};
use crate::{LeaderEpoch, Offset, ProducerId};

/// What a batch is besides its records. `Default`: a plain batch at offset 0, not compressed, without a producer id.
#[derive(Debug, Clone, Copy)]
pub struct BatchOptions {
    /// How the records are compressed.
    pub compression: Compression,
    /// Offset of the first record.
    pub base_offset: Offset,
    /// Epoch of the leader; −1 for "to be set by the leader".
    pub leader_epoch: LeaderEpoch,
    /// −1 without idempotence.
    pub producer_id: ProducerId,
    /// −1 without idempotence.
    pub producer_epoch: i16,
    /// −1 without idempotence and for control batches.
    pub base_sequence: i32,
    /// Part of a transaction.
    pub transactional: bool,
    /// Holds a control record.
    pub control: bool,
    /// Under `LogAppendTime`, the append time in Unix ms: it becomes the maximum timestamp.
    pub log_append_time_ms: Option<i64>,
    /// Unix ms from which on tombstones may go (KIP-534): it becomes the base timestamp.
    pub delete_horizon_ms: Option<i64>,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            compression: Compression::NONE,
            base_offset: Offset::ZERO,
            leader_epoch: LeaderEpoch::NONE,
            producer_id: ProducerId::NONE,
            producer_epoch: -1,
            base_sequence: -1,
            transactional: false,
            control: false,
            log_append_time_ms: None,
            delete_horizon_ms: None,
        }
    }
}

/// Collects records, then makes one batch of them.
#[derive(Debug)]
pub struct BatchBuilder {
    options: BatchOptions,
    /// Room for the header, then the records.
    bytes: Vec<u8>,
    base_timestamp_ms: i64,
    max_timestamp_ms: i64,
    last_offset_delta: i32,
    count: i32,
}

impl BatchBuilder {
    /// A batch without records.
    pub fn new(options: BatchOptions) -> Self {
        Self {
            options,
            bytes: vec![0; HEADER_BYTES],
            base_timestamp_ms: options.delete_horizon_ms.unwrap_or(-1),
            max_timestamp_ms: -1,
            last_offset_delta: -1,
            count: 0,
        }
    }

    /// Appends a record at the next offset.
    pub fn append(
        &mut self,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) {
        self.append_at(self.last_offset_delta + 1, timestamp_ms, (key, value), headers);
    }

    /// Appends a record `offset_delta` after the base offset: as compaction does, which leaves gaps. Deltas must grow.
    pub fn append_at(
        &mut self,
        offset_delta: i32,
        timestamp_ms: i64,
        (key, value): (Option<&[u8]>, Option<&[u8]>),
        headers: &[Header<'_>],
    ) {
        assert!(offset_delta > self.last_offset_delta, "offsets grow within a batch");
        if self.count == 0 && self.options.delete_horizon_ms.is_none() {
            self.base_timestamp_ms = timestamp_ms;
        }
        let timestamp_delta = timestamp_ms.wrapping_sub(self.base_timestamp_ms);
        NewRecord { offset_delta, timestamp_delta, key, value, headers }.put(&mut self.bytes);
        self.max_timestamp_ms = self.max_timestamp_ms.max(timestamp_ms);
        self.last_offset_delta = offset_delta;
        self.count += 1;
    }

    /// Bytes that the record would add to `size_bytes`.
    pub fn record_bytes(
        &self,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) -> usize {
        let offset_delta = self.last_offset_delta + 1;
        let base = if self.count == 0 { timestamp_ms } else { self.base_timestamp_ms };
        let timestamp_delta = timestamp_ms.wrapping_sub(base);
        NewRecord { offset_delta, timestamp_delta, key, value, headers }.size_bytes()
    }

    /// Size of the batch so far in bytes, before compression.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Records so far.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// True before the first record.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Keeps the last offset of the batch at `delta`, though its last records are gone (compaction).
    pub fn set_last_offset_delta(&mut self, delta: i32) {
        assert!(delta >= self.last_offset_delta, "the last offset is not before the last record");
        self.last_offset_delta = delta;
    }

    /// Makes the batch.
    ///
    /// # Errors
    /// If the codec's library fails, which it does for want of memory only.
    pub fn build(self) -> Result<Bytes, EncodeError> {
        let options = self.options;
        let mut bytes = if options.compression == Compression::NONE {
            self.bytes
        } else {
            let header = vec![0; HEADER_BYTES];
            codec::compress(options.compression, &self.bytes[HEADER_BYTES..], header)?
        };
        let mut attributes = Attributes::default().with_codec(options.compression.codec);
        if options.transactional {
            attributes = attributes.transactional();
        }
        if options.control {
            attributes = attributes.control();
        }
        if options.delete_horizon_ms.is_some() {
            attributes = attributes.delete_horizon();
        }
        if options.log_append_time_ms.is_some() {
            attributes = attributes.with_timestamp_type(TimestampType::LogAppendTime);
        }
        let length = i32::try_from(bytes.len() - LENGTH_PREFIX_BYTES);
        let mut header = BatchHeader {
            base_offset: options.base_offset,
            batch_length: length.expect("a batch is below 2 GiB"),
            partition_leader_epoch: options.leader_epoch,
            crc: 0,
            attributes,
            last_offset_delta: self.last_offset_delta,
            base_timestamp_ms: self.base_timestamp_ms,
            max_timestamp_ms: options.log_append_time_ms.unwrap_or(self.max_timestamp_ms),
            producer_id: options.producer_id,
            producer_epoch: options.producer_epoch,
            base_sequence: options.base_sequence,
            record_count: self.count,
        };
        bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
        header.crc = crc32c::crc32c(&bytes[CRC_START..]);
        bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
        Ok(Bytes::from(bytes))
    }
}
