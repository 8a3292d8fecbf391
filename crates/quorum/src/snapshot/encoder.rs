//! `SnapshotEncoder`: the bytes of a snapshot, piece by piece.

use bytes::Bytes;
use klamm_metadata::MetadataVersion;
use klamm_metadata::records::MetadataRecord;
use klamm_record::{LeaderEpoch, Offset};

use crate::batch_encoding::{
    BatchKind, BatchStamp, EncodingError, RawRecord, encode_batch, encode_record,
};
use crate::control_records::ControlRecord;
use crate::voters::{KRAFT_VERSION_STATIC, QuorumMembership};

/// Metadata records in one batch of a snapshot (Kafka's `SnapshotEmitter` takes as many).
const RECORDS_PER_BATCH: usize = 1024;

/// What stands at the beginning of a snapshot.
#[derive(Debug, Clone)]
pub struct SnapshotHeader {
    /// Epoch of the last record that the snapshot covers.
    pub epoch: LeaderEpoch,
    /// Append time of the last batch that it covers, Unix milliseconds.
    pub last_contained_log_time_ms: i64,
    /// The quorum as of the snapshot's end.
    pub membership: QuorumMembership,
    /// Timestamp of all batches, Unix milliseconds.
    pub now_ms: i64,
}

/// Turns a header and metadata records into the bytes of a snapshot (Kafka's `RecordsSnapshotWriter`).
#[derive(Debug)]
pub struct SnapshotEncoder {
    header: SnapshotHeader,
    next_offset: Offset,
}

impl SnapshotEncoder {
    /// Begins a snapshot; the bytes are its first batch.
    pub fn begin(header: SnapshotHeader) -> (Self, Bytes) {
        let mut control = vec![ControlRecord::SnapshotHeader {
            last_contained_log_time_ms: header.last_contained_log_time_ms,
        }];
        if header.membership.kraft_version > KRAFT_VERSION_STATIC {
            control.push(ControlRecord::KRaftVersion(header.membership.kraft_version));
            if !header.membership.voters.is_empty() {
                control.push(ControlRecord::Voters(header.membership.voters.clone()));
            }
        }
        let mut encoder = Self { header, next_offset: Offset::ZERO };
        let raw: Vec<RawRecord> = control.iter().map(ControlRecord::encode).collect();
        let bytes = encoder.batch(BatchKind::Control, &raw);
        (encoder, bytes)
    }

    /// The batch of the next records, at most 1024 of `records`; and the records that are left.
    ///
    /// # Errors
    /// If a record cannot be said at `version`.
    pub fn records<'a>(
        &mut self,
        records: &'a [MetadataRecord],
        version: MetadataVersion,
    ) -> Result<(Bytes, &'a [MetadataRecord]), EncodingError> {
        let (now, later) = records.split_at(records.len().min(RECORDS_PER_BATCH));
        let raw = now
            .iter()
            .map(|record| Ok(RawRecord { key: None, value: encode_record(record, version)? }))
            .collect::<Result<Vec<_>, EncodingError>>()?;
        Ok((self.batch(BatchKind::Data, &raw), later))
    }

    /// Ends the snapshot; the bytes are its last batch.
    pub fn finish(mut self) -> Bytes {
        self.batch(BatchKind::Control, &[ControlRecord::SnapshotFooter.encode()])
    }

    fn batch(&mut self, kind: BatchKind, records: &[RawRecord]) -> Bytes {
        let stamp = BatchStamp {
            kind,
            base_offset: self.next_offset,
            epoch: self.header.epoch,
            now_ms: self.header.now_ms,
        };
        let count = i64::try_from(records.len()).expect("a batch holds at most 1024 records");
        self.next_offset += count;
        encode_batch(stamp, records)
    }
}
