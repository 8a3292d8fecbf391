//! Offsets by time and by leader epoch.

use std::sync::Arc;

use klamm_record::{LeaderEpoch, Offset};
use klamm_storage::{ListedOffset, OffsetSpec};

use crate::error::PartitionError;
use crate::partition::Partition;
use crate::read::Isolation;

/// The answer of ListOffsets for one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedPartition {
    /// The record's timestamp, Unix ms; −1 where Kafka gives none.
    pub timestamp_ms: i64,
    /// The offset; −1 if no record fits.
    pub offset: Offset,
    /// Its leader epoch; −1 if unknown.
    pub leader_epoch: LeaderEpoch,
}

/// Where an epoch ends in the leader's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEnd {
    /// The largest known epoch that is not above the one asked for; −1 if none.
    pub leader_epoch: LeaderEpoch,
    /// Its end (exclusive); −1 if none.
    pub end_offset: Offset,
}

impl Partition {
    /// Finds an offset by time, never beyond what a consumer with this isolation may see; none for the isolation means to look
    /// up to the log end, as replicas do (Kafka's `Partition.fetchOffsetForTimestamp`).
    ///
    /// # Errors
    /// If this node does not lead, or the disk fails.
    pub async fn list_offset(
        self: &Arc<Self>,
        spec: OffsetSpec,
        isolation: Option<Isolation>,
        current_leader_epoch: LeaderEpoch,
    ) -> Result<ListedPartition, PartitionError> {
        let log = self.log().await?;
        let leadership = self.check_leader(current_leader_epoch)?;
        let bound = match isolation {
            None => log.log_end_offset(),
            Some(Isolation::ReadUncommitted) => log.high_watermark(),
            Some(Isolation::ReadCommitted) => log.last_stable_offset(),
        };
        if spec == OffsetSpec::Latest {
            let leader_epoch = leadership.leader_epoch;
            return Ok(ListedPartition { timestamp_ms: -1, offset: bound, leader_epoch });
        }
        let env = self.env().clone();
        let searched = Arc::clone(&log);
        let found = env
            .offload("list offsets", move || searched.offset_for_timestamp(spec))
            .await
            .map_err(|error| self.offline(error.to_string()))?;
        let nothing = ListedPartition {
            timestamp_ms: -1,
            offset: Offset::NONE,
            leader_epoch: LeaderEpoch::NONE,
        };
        // A record beyond the bound is not there yet for this consumer; the log start always is.
        let by_record = matches!(spec, OffsetSpec::Timestamp(_) | OffsetSpec::MaxTimestamp);
        Ok(match found {
            Some(ListedOffset { offset, .. }) if by_record && offset >= bound => nothing,
            Some(ListedOffset { timestamp_ms, offset, leader_epoch }) => ListedPartition {
                timestamp_ms,
                offset,
                leader_epoch: leader_epoch.unwrap_or(LeaderEpoch::NONE),
            },
            None => nothing,
        })
    }

    /// Where `epoch` ends in this leader's log (KIP-101, KIP-320).
    ///
    /// # Errors
    /// If this node does not lead or the log cannot be opened.
    pub async fn epoch_end(
        self: &Arc<Self>,
        epoch: LeaderEpoch,
        current_leader_epoch: LeaderEpoch,
    ) -> Result<EpochEnd, PartitionError> {
        let log = self.log().await?;
        self.check_leader(current_leader_epoch)?;
        let (leader_epoch, end_offset) =
            log.offset_for_leader_epoch(epoch).unwrap_or((LeaderEpoch::NONE, Offset::NONE));
        Ok(EpochEnd { leader_epoch, end_offset })
    }
}
