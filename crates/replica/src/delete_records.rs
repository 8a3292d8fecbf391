//! DeleteRecords: raises the log start, and waits until every replica has.

use std::sync::Arc;

use klamm_record::{LeaderEpoch, Offset};
use klamm_storage::LogStartError;

use crate::error::PartitionError;
use crate::partition::Partition;

/// Up to where records are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteTo {
    /// Below this offset (exclusive).
    Offset(Offset),
    /// All that are committed (−1 on the wire).
    HighWatermark,
}

/// Why records were not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteRecordsError {
    /// The partition cannot serve.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// Only topics with `cleanup.policy=delete` can give up records from their start.
    #[error("records of {0} cannot be deleted: its cleanup.policy does not contain delete")]
    Policy(String),
    /// Below zero, or above the high watermark.
    #[error("offset {asked} is out of range: records can be deleted up to {high_watermark}")]
    OffsetOutOfRange {
        /// As asked for.
        asked: Offset,
        /// Up to where it is possible.
        high_watermark: Offset,
    },
}

impl Partition {
    /// Raises the log start and returns it (the low watermark of a single replica). An offset below the log start changes
    /// nothing (Kafka's `Partition.deleteRecordsOnLeader`).
    ///
    /// # Errors
    /// As [`DeleteRecordsError`] says.
    pub async fn delete_records(
        self: &Arc<Self>,
        to: DeleteTo,
    ) -> Result<Offset, DeleteRecordsError> {
        let log = self.log().await?;
        self.check_leader(LeaderEpoch::NONE)?;
        if !self.config().delete {
            return Err(DeleteRecordsError::Policy(self.topic_partition().to_string()));
        }
        let high_watermark = log.high_watermark();
        let offset = match to {
            DeleteTo::HighWatermark => high_watermark,
            DeleteTo::Offset(asked) if asked < Offset(0) || asked > high_watermark => {
                return Err(DeleteRecordsError::OffsetOutOfRange { asked, high_watermark });
            }
            DeleteTo::Offset(offset) => offset,
        };
        let now_ms = self.env().clock().now_ms();
        let moved = self
            .exclusively(move |appender| {
                appender.increment_log_start_offset(offset)?;
                // whole segments below the new start can go at once
                appender.delete_old_segments(now_ms).map_err(LogStartError::Io)
            })
            .await?;
        match moved {
            Ok(_) => {
                self.waiters.wake_all();
                Ok(log.log_start_offset())
            }
            Err(LogStartError::AboveHighWatermark { wanted, high_watermark }) => {
                Err(DeleteRecordsError::OffsetOutOfRange { asked: wanted, high_watermark })
            }
            Err(LogStartError::Io(error)) => Err(self.offline(error.to_string()).into()),
        }
    }
}
