//! Offsets by time and by leader epoch.

use std::sync::Arc;

use klamm_record::{LeaderEpoch, Offset, TopicPartition};
use klamm_storage::{ListedOffset, OffsetSpec};

use crate::error::PartitionError;
use crate::partition::{Leadership, Partition};
use crate::read::Isolation;

/// What ListOffsets asks of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetQuery {
    /// Which offset.
    pub spec: OffsetSpec,
    /// For whom; this decides how far the search goes and who may answer.
    pub asker: OffsetAsker,
    /// The leader epoch that the client knows; −1 for no check.
    pub current_leader_epoch: LeaderEpoch,
}

/// Who asks for an offset (the replica id of ListOffsets).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetAsker {
    /// A client (−1): up to what it may read, from the leader alone.
    Consumer(Isolation),
    /// A follower: up to the log end, from the leader alone.
    Follower,
    /// A tool that compares replicas (−2): up to the log end, from any replica.
    Debugger,
}

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

impl ListedPartition {
    /// No record fits.
    pub const NOTHING: ListedPartition =
        ListedPartition { timestamp_ms: -1, offset: Offset::NONE, leader_epoch: LeaderEpoch::NONE };
}

impl From<ListedOffset> for ListedPartition {
    fn from(listed: ListedOffset) -> Self {
        ListedPartition {
            timestamp_ms: listed.timestamp_ms,
            offset: listed.offset,
            leader_epoch: listed.leader_epoch.unwrap_or(LeaderEpoch::NONE),
        }
    }
}

/// Why an offset cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListOffsetError {
    /// The partition cannot serve.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// A new leader does not know yet how far its predecessor's records are committed (KIP-207).
    #[error(
        "the high watermark {high_watermark} of {topic_partition} has not reached the start {epoch_start} of leader epoch {leader_epoch} yet"
    )]
    NotAvailable {
        /// Which partition.
        topic_partition: TopicPartition,
        /// How far records are known to be committed.
        high_watermark: Offset,
        /// Where the leader's epoch begins.
        epoch_start: Offset,
        /// The leader's epoch.
        leader_epoch: LeaderEpoch,
    },
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
    /// Finds an offset by time, never beyond what the asker may see (Kafka's `Partition.fetchOffsetForTimestamp`). Cancel safe.
    ///
    /// # Errors
    /// As [`ListOffsetError`] says.
    pub async fn list_offset(
        self: &Arc<Self>,
        query: OffsetQuery,
    ) -> Result<ListedPartition, ListOffsetError> {
        let leadership = match query.asker {
            OffsetAsker::Debugger => self.check_epoch(query.current_leader_epoch)?,
            _ => self.check_leader(query.current_leader_epoch)?,
        };
        let log = self.log().await?;
        let bound = match query.asker {
            OffsetAsker::Follower | OffsetAsker::Debugger => log.log_end_offset(),
            OffsetAsker::Consumer(Isolation::ReadUncommitted) => log.high_watermark(),
            OffsetAsker::Consumer(Isolation::ReadCommitted) => log.last_stable_offset(),
        };
        let lagging = match query.asker {
            OffsetAsker::Consumer(_) => self.lagging(&log, &leadership),
            _ => None,
        };
        let found = match (query.spec, &lagging) {
            (OffsetSpec::Latest, Some(error)) => return Err(error.clone()),
            (OffsetSpec::Latest, None) => {
                let leader_epoch = leadership.leader_epoch;
                return Ok(ListedPartition { timestamp_ms: -1, offset: bound, leader_epoch });
            }
            (OffsetSpec::Earliest | OffsetSpec::EarliestLocal, _) => {
                let found = self.search(&log, query.spec).await?;
                return Ok(found.map_or(ListedPartition::NOTHING, ListedPartition::from));
            }
            _ => self.search(&log, query.spec).await?,
        };
        match found {
            Some(listed) if listed.offset < bound => Ok(ListedPartition::from(listed)),
            // A record beyond the bound is not there yet for this client.
            _ => lagging.map_or(Ok(ListedPartition::NOTHING), Err),
        }
    }

    /// A fresh leader whose high watermark lies below the start of its own epoch cannot tell what is committed.
    fn lagging(
        &self,
        log: &klamm_storage::UnifiedLog,
        leadership: &Leadership,
    ) -> Option<ListOffsetError> {
        let high_watermark = log.high_watermark();
        let epoch_start = log.epoch_start_offset(leadership.leader_epoch)?;
        (epoch_start > high_watermark).then(|| ListOffsetError::NotAvailable {
            topic_partition: self.topic_partition().clone(),
            high_watermark,
            epoch_start,
            leader_epoch: leadership.leader_epoch,
        })
    }

    /// Looks at the disk only where records must be searched.
    async fn search(
        &self,
        log: &Arc<klamm_storage::UnifiedLog>,
        spec: OffsetSpec,
    ) -> Result<Option<ListedOffset>, PartitionError> {
        let found = match spec {
            OffsetSpec::Timestamp(_) | OffsetSpec::MaxTimestamp => {
                let searched = Arc::clone(log);
                let search = move || searched.offset_for_timestamp(spec);
                self.env().offload("list offsets", search).await
            }
            _ => log.offset_for_timestamp(spec),
        };
        found.map_err(|error| self.offline(error.to_string()))
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
        self.check_leader(current_leader_epoch)?;
        let log = self.log().await?;
        let (leader_epoch, end_offset) =
            log.offset_for_leader_epoch(epoch).unwrap_or((LeaderEpoch::NONE, Offset::NONE));
        Ok(EpochEnd { leader_epoch, end_offset })
    }
}
