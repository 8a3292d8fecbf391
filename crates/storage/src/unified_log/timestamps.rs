//! Offsets by timestamp: what ListOffsets asks for.

use std::io;

use klamm_record::{LeaderEpoch, Offset};

use super::UnifiedLog;

/// Which offset is asked for (the special timestamps of ListOffsets).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    /// −1: the log end. (What a consumer may see of it is the caller's to decide.)
    Latest,
    /// −2: the log start.
    Earliest,
    /// −3: the record with the largest timestamp (KIP-734).
    MaxTimestamp,
    /// −4: the first offset on this disk (KIP-405); without tiered storage the log start.
    EarliestLocal,
    /// −5: the last offset in tiered storage (KIP-1005); none here.
    LatestTiered,
    /// −6: the first offset still to be uploaded (KIP-1023); none here.
    EarliestPendingUpload,
    /// The first record whose timestamp is at or after this one, Unix ms.
    Timestamp(i64),
}

impl OffsetSpec {
    /// Reads the wire's timestamp field; none for a negative number without a meaning.
    pub fn from_wire(timestamp: i64) -> Option<Self> {
        match timestamp {
            -1 => Some(Self::Latest),
            -2 => Some(Self::Earliest),
            -3 => Some(Self::MaxTimestamp),
            -4 => Some(Self::EarliestLocal),
            -5 => Some(Self::LatestTiered),
            -6 => Some(Self::EarliestPendingUpload),
            timestamp if timestamp >= 0 => Some(Self::Timestamp(timestamp)),
            _ => None,
        }
    }
}

/// The answer to an [`OffsetSpec`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedOffset {
    /// The record's own timestamp, Unix ms; −1 where Kafka gives none.
    pub timestamp_ms: i64,
    /// The offset; −1 for "none".
    pub offset: Offset,
    /// Epoch under which the record was written, if known.
    pub leader_epoch: Option<LeaderEpoch>,
}

impl ListedOffset {
    fn bare(offset: Offset, leader_epoch: Option<LeaderEpoch>) -> Self {
        Self { timestamp_ms: -1, offset, leader_epoch }
    }
}

impl UnifiedLog {
    /// Finds an offset by time (Kafka's `UnifiedLog.fetchOffsetByTimestamp`, without tiered storage). None if no record has
    /// such a timestamp. May read and decompress a few batches.
    ///
    /// # Errors
    /// If the disk fails or a batch on it is damaged.
    pub fn offset_for_timestamp(&self, spec: OffsetSpec) -> io::Result<Option<ListedOffset>> {
        match spec {
            OffsetSpec::Earliest | OffsetSpec::EarliestLocal => {
                let start = self.log_start_offset();
                let earliest = self.epochs.read().earliest();
                let epoch =
                    earliest.filter(|entry| entry.start_offset <= start).map(|entry| entry.epoch);
                Ok(Some(ListedOffset::bare(start, epoch)))
            }
            OffsetSpec::Latest => {
                Ok(Some(ListedOffset::bare(self.log_end_offset(), self.latest_epoch())))
            }
            OffsetSpec::LatestTiered | OffsetSpec::EarliestPendingUpload => {
                Ok(Some(ListedOffset::bare(Offset::NONE, Some(LeaderEpoch::NONE))))
            }
            OffsetSpec::MaxTimestamp => self.max_timestamp_offset(),
            OffsetSpec::Timestamp(timestamp_ms) => {
                let start = self.log_start_offset();
                for segment in self.segments.load().iter() {
                    if segment.largest_timestamp()? >= timestamp_ms {
                        return segment.find_offset_by_timestamp(timestamp_ms, start);
                    }
                }
                Ok(None)
            }
        }
    }

    /// The first record that has the largest timestamp of the log (KIP-734); none in an empty log.
    ///
    /// # Errors
    /// If the disk fails or a batch on it is damaged.
    pub fn max_timestamp_offset(&self) -> io::Result<Option<ListedOffset>> {
        let segments = self.segments.load();
        let mut latest = None;
        for segment in segments.iter() {
            let timestamp = segment.max_timestamp_so_far()?.timestamp_ms;
            if latest.is_none_or(|(largest, _)| timestamp > largest) {
                latest = Some((timestamp, segment));
            }
        }
        match latest {
            Some((_, segment)) => segment.offset_of_max_timestamp(),
            None => Ok(None),
        }
    }
}
