//! Appending as the leader, and the wait for acks.

use std::sync::Arc;

use klamm_env::Clock;
use klamm_record::{Offset, ValidBatch};
use klamm_storage::{AppendError as LogAppendError, AppendInfo, AppendItem, Origin, UnifiedLog};
use tokio::time::Instant;

use crate::error::PartitionError;
use crate::partition::Partition;

/// How much must have happened before a produce is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// Nothing: there is no answer (`acks=0`).
    None,
    /// The leader's log has it (`acks=1`).
    Leader,
    /// Every in-sync replica has it, and there are at least `min.insync.replicas` (`acks=all`).
    All,
}

/// Why a batch was not appended, or not acknowledged.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The partition cannot take anything.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// The log refused the batch.
    #[error(transparent)]
    Log(#[from] LogAppendError),
    /// Fewer replicas are in sync than `acks=all` asks for; nothing was written.
    #[error(
        "The size of the current ISR {in_sync} is insufficient to satisfy the min.isr requirement of {required} for partition {partition}"
    )]
    NotEnoughReplicas {
        /// How many are in sync.
        in_sync: usize,
        /// How many must be.
        required: usize,
        /// Which partition.
        partition: String,
    },
    /// The batch is in the log, but meanwhile too few replicas are in sync.
    #[error(
        "the batch was appended, but only {in_sync} of {required} required replicas are in sync"
    )]
    NotEnoughReplicasAfterAppend {
        /// How many are in sync.
        in_sync: usize,
        /// How many must be.
        required: usize,
    },
    /// The batch is in the log, but not every in-sync replica has it in time.
    #[error("the batch was appended, but not replicated within the request's timeout")]
    TimedOut,
}

/// A batch that is in the leader's log.
pub struct Appended {
    /// Where it went.
    pub info: AppendInfo,
    partition: Arc<Partition>,
    log: Arc<UnifiedLog>,
    acks: Acks,
}

impl Partition {
    /// How many replicas must be in sync for `acks=all`: `min.insync.replicas`, but never more than there are replicas.
    pub fn effective_min_isr(&self) -> usize {
        let leadership = self.leadership();
        let wanted = usize::try_from(self.config().min_insync_replicas).unwrap_or(1);
        wanted.min(leadership.replicas.len()).max(1)
    }

    /// Appends a validated batch as the leader. Once it has begun it is done to its end; dropping the future stops only the
    /// wait for it.
    ///
    /// # Errors
    /// If this node does not lead, too few replicas are in sync, or the log refuses the batch. Nothing of it is in the log
    /// then.
    pub async fn append_as_leader(
        self: &Arc<Self>,
        batch: ValidBatch,
        origin: Origin,
        acks: Acks,
    ) -> Result<Appended, AppendError> {
        let log = self.log().await?;
        let leadership = self.check_leader(klamm_record::LeaderEpoch::NONE)?;
        if acks == Acks::All {
            let (in_sync, required) = (leadership.isr.len(), self.effective_min_isr());
            if in_sync < required {
                let partition = self.topic_partition().to_string();
                return Err(AppendError::NotEnoughReplicas { in_sync, required, partition });
            }
        }
        let item = AppendItem::new(batch, origin, leadership.leader_epoch);
        let info = self.append(item).await??;
        Ok(Appended { info, partition: Arc::clone(self), log, acks })
    }
}

impl Appended {
    /// True if there is nothing to wait for.
    pub fn is_acknowledged(&self) -> bool {
        self.acks != Acks::All || self.log.high_watermark() > self.info.last_offset
    }

    /// Waits until the batch is acknowledged as asked for. Dropping the future changes nothing.
    ///
    /// # Errors
    /// If the deadline comes first, or too few replicas are in sync by then. The batch stays in the log.
    pub async fn acknowledged(
        self,
        clock: &Clock,
        deadline: Instant,
    ) -> Result<AppendInfo, AppendError> {
        if self.acks != Acks::All {
            return Ok(self.info);
        }
        let wanted = Offset(self.info.last_offset.0 + 1);
        if !self.partition.acks.reached(clock, deadline, &self.log, wanted).await {
            return Err(AppendError::TimedOut);
        }
        let leadership = self.partition.leadership();
        let (in_sync, required) = (leadership.isr.len(), self.partition.effective_min_isr());
        if in_sync < required {
            return Err(AppendError::NotEnoughReplicasAfterAppend { in_sync, required });
        }
        Ok(self.info)
    }
}
