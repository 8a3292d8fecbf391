//! Control records: what transactions and the metadata quorum say in a log beside the data.

use bytes::Bytes;

use super::{BatchBuilder, BatchError, BatchOptions};
use crate::codec::EncodeError;
use crate::{LeaderEpoch, Offset, ProducerId};

/// Kind of a control record (Kafka's `ControlRecordType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlType {
    /// Ends a transaction that failed.
    Abort,
    /// Ends a transaction.
    Commit,
    /// A new leader of the metadata quorum.
    LeaderChange,
    /// Begins a snapshot.
    SnapshotHeader,
    /// Ends a snapshot.
    SnapshotFooter,
    /// `kraft.version`.
    KRaftVersion,
    /// Voters of the metadata quorum.
    KRaftVoters,
    /// Of a later Kafka; to be skipped.
    Unknown(i16),
}

/// Version of the control record key.
const KEY_VERSION: i16 = 0;
const MARKER_VERSION: i16 = 0;

impl ControlType {
    /// Kafka's number.
    pub fn id(self) -> i16 {
        match self {
            Self::Abort => 0,
            Self::Commit => 1,
            Self::LeaderChange => 2,
            Self::SnapshotHeader => 3,
            Self::SnapshotFooter => 4,
            Self::KRaftVersion => 5,
            Self::KRaftVoters => 6,
            Self::Unknown(id) => id,
        }
    }

    /// The kind with Kafka's number `id`.
    pub fn from_id(id: i16) -> Self {
        match id {
            0 => Self::Abort,
            1 => Self::Commit,
            2 => Self::LeaderChange,
            3 => Self::SnapshotHeader,
            4 => Self::SnapshotFooter,
            5 => Self::KRaftVersion,
            6 => Self::KRaftVoters,
            _ => Self::Unknown(id),
        }
    }

    /// Bytes of a control record's key.
    pub fn encode_key(self) -> [u8; 4] {
        let ([a, b], [c, d]) = (KEY_VERSION.to_be_bytes(), self.id().to_be_bytes());
        [a, b, c, d]
    }

    /// Reads a control record's key; later versions of it may be longer.
    ///
    /// # Errors
    /// If there are fewer than 4 bytes, or the version is negative.
    pub fn decode_key(key: &[u8]) -> Result<Self, BatchError> {
        match key {
            [a, b, c, d, ..] if i16::from_be_bytes([*a, *b]) >= 0 => {
                Ok(Self::from_id(i16::from_be_bytes([*c, *d])))
            }
            _ => Err(BatchError::RecordStructure("not the key of a control record")),
        }
    }

    /// Makes a batch of one control record of this kind. `value` begins with its version, as Kafka writes it.
    ///
    /// # Errors
    /// For want of memory only.
    pub fn build_batch(
        self,
        options: BatchOptions,
        timestamp_ms: i64,
        value: &[u8],
    ) -> Result<Bytes, EncodeError> {
        let mut builder = BatchBuilder::new(BatchOptions { control: true, ..options });
        builder.append(timestamp_ms, Some(&self.encode_key()), Some(value), &[]);
        builder.build()
    }
}

/// Ends a transaction in one partition (Kafka's `EndTransactionMarker`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndTxnMarker {
    /// True to commit, false to abort.
    pub commit: bool,
    /// Epoch of the transaction coordinator that wrote it.
    pub coordinator_epoch: i32,
}

impl EndTxnMarker {
    /// Kind of the control record.
    pub fn control_type(self) -> ControlType {
        if self.commit { ControlType::Commit } else { ControlType::Abort }
    }

    /// Bytes of the record's value.
    pub fn encode_value(self) -> [u8; 6] {
        let ([a, b], [c, d, e, f]) =
            (MARKER_VERSION.to_be_bytes(), self.coordinator_epoch.to_be_bytes());
        [a, b, c, d, e, f]
    }

    /// Reads a record; none if it is another control record.
    ///
    /// # Errors
    /// If the key is no control record's, or the value is cut short or of a negative version.
    pub fn decode(key: &[u8], value: &[u8]) -> Result<Option<Self>, BatchError> {
        let commit = match ControlType::decode_key(key)? {
            ControlType::Commit => true,
            ControlType::Abort => false,
            _ => return Ok(None),
        };
        match value {
            [a, b, c, d, e, f, ..] if i16::from_be_bytes([*a, *b]) >= 0 => {
                let coordinator_epoch = i32::from_be_bytes([*c, *d, *e, *f]);
                Ok(Some(Self { commit, coordinator_epoch }))
            }
            _ => Err(BatchError::RecordStructure("not the value of a transaction marker")),
        }
    }

    /// Makes the batch that a transaction coordinator sends to a partition; offset and leader epoch are for the leader to set.
    ///
    /// # Errors
    /// For want of memory only.
    pub fn build_batch(
        self,
        producer_id: ProducerId,
        producer_epoch: i16,
        timestamp_ms: i64,
    ) -> Result<Bytes, EncodeError> {
        let options = BatchOptions {
            producer_id,
            producer_epoch,
            transactional: true,
            base_offset: Offset::ZERO,
            leader_epoch: LeaderEpoch::NONE,
            ..BatchOptions::default()
        };
        self.control_type().build_batch(options, timestamp_ms, &self.encode_value())
    }
}
