//! What the controller knows of one partition.

use crate::directory_id;
use crate::metadata_version::MetadataVersion;
use crate::records::{PartitionChangeRecord, PartitionRecord};
use klamm_record::{BrokerId, LeaderEpoch, TopicId, Uuid};

/// The leader of a partition that has none.
pub const NO_LEADER: BrokerId = BrokerId(-1);

/// In a PartitionChangeRecord: the leader stays.
pub const NO_LEADER_CHANGE: i32 = -2;

/// Whether the leader was elected uncleanly and has yet to recover (KIP-704).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaderRecoveryState {
    Recovered,
    Recovering,
}

impl LeaderRecoveryState {
    /// In a record: the state stays.
    pub const NO_CHANGE: i8 = -1;

    pub fn from_code(code: i8) -> Option<Self> {
        match code {
            0 => Some(Self::Recovered),
            1 => Some(Self::Recovering),
            _ => None,
        }
    }

    pub fn code(self) -> i8 {
        match self {
            Self::Recovered => 0,
            Self::Recovering => 1,
        }
    }
}

/// One partition: replicas in preference order with their directories (same length), ISR, leader and epochs.
///
/// Source: Kafka's `PartitionRegistration`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionRegistration {
    pub replicas: Vec<BrokerId>,
    pub directories: Vec<Uuid>,
    pub isr: Vec<BrokerId>,
    pub removing_replicas: Vec<BrokerId>,
    pub adding_replicas: Vec<BrokerId>,
    /// Eligible leader replicas: out of the ISR, but known to have all committed data (KIP-966).
    pub elr: Vec<BrokerId>,
    pub last_known_elr: Vec<BrokerId>,
    /// [`NO_LEADER`] if there is none.
    pub leader: BrokerId,
    pub leader_recovery_state: LeaderRecoveryState,
    pub leader_epoch: LeaderEpoch,
    pub partition_epoch: i32,
}

/// A record names a leader recovery state that does not exist, or as many directories as it has not replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartitionRecordError {
    #[error("leader recovery state {0} does not exist")]
    UnknownLeaderRecoveryState(i8),
    #[error("{directories} directories for {replicas} replicas")]
    DirectoryCount { directories: usize, replicas: usize },
}

impl PartitionRegistration {
    /// # Errors
    /// See [`PartitionRecordError`].
    pub fn from_record(record: &PartitionRecord) -> Result<Self, PartitionRecordError> {
        let code = record.leader_recovery_state;
        Ok(Self {
            replicas: brokers(&record.replicas),
            directories: check_directories(&record.directories, record.replicas.len())?,
            isr: brokers(&record.isr),
            removing_replicas: brokers(&record.removing_replicas),
            adding_replicas: brokers(&record.adding_replicas),
            elr: brokers(record.eligible_leader_replicas.as_deref().unwrap_or_default()),
            last_known_elr: brokers(record.last_known_elr.as_deref().unwrap_or_default()),
            leader: BrokerId(record.leader),
            leader_recovery_state: LeaderRecoveryState::from_code(code)
                .ok_or(PartitionRecordError::UnknownLeaderRecoveryState(code))?,
            leader_epoch: LeaderEpoch(record.leader_epoch),
            partition_epoch: record.partition_epoch,
        })
    }

    /// The partition after a change: the partition epoch rises by one, and the leader epoch if the record names a leader.
    ///
    /// # Errors
    /// See [`PartitionRecordError`].
    pub fn merge(&self, change: &PartitionChangeRecord) -> Result<Self, PartitionRecordError> {
        let replicas = pick(&change.replicas, &self.replicas);
        let directories = match &change.directories {
            Some(directories) => check_directories(directories, replicas.len())?,
            None => check_directories(&self.directories, replicas.len())?,
        };
        let (leader, leader_epoch) = match change.leader {
            NO_LEADER_CHANGE => (self.leader, self.leader_epoch),
            leader => (BrokerId(leader), LeaderEpoch(self.leader_epoch.0 + 1)),
        };
        let leader_recovery_state = match change.leader_recovery_state {
            LeaderRecoveryState::NO_CHANGE => self.leader_recovery_state,
            code => LeaderRecoveryState::from_code(code)
                .ok_or(PartitionRecordError::UnknownLeaderRecoveryState(code))?,
        };
        Ok(Self {
            replicas,
            directories,
            isr: pick(&change.isr, &self.isr),
            removing_replicas: pick(&change.removing_replicas, &self.removing_replicas),
            adding_replicas: pick(&change.adding_replicas, &self.adding_replicas),
            elr: pick(&change.eligible_leader_replicas, &self.elr),
            last_known_elr: pick(&change.last_known_elr, &self.last_known_elr),
            leader,
            leader_recovery_state,
            leader_epoch,
            partition_epoch: self.partition_epoch + 1,
        })
    }

    /// As [`Self::merge`] of a change that clears the ELR; `None` if there is nothing to clear.
    pub fn without_elr(&self) -> Option<Self> {
        if self.elr.is_empty() && self.last_known_elr.is_empty() {
            return None;
        }
        Some(Self {
            elr: Vec::new(),
            last_known_elr: Vec::new(),
            partition_epoch: self.partition_epoch + 1,
            ..self.clone()
        })
    }

    /// The record that says all of this, leaving out what the level (or a switched-off ELR feature) does not know.
    pub fn to_record(
        &self,
        topic_id: TopicId,
        partition: i32,
        options: RecordOptions,
    ) -> PartitionRecord {
        let elr = |members: &[BrokerId]| {
            (options.elr_enabled && !members.is_empty()).then(|| ids(members))
        };
        PartitionRecord {
            partition_id: partition,
            topic_id: topic_id.0,
            replicas: ids(&self.replicas),
            isr: ids(&self.isr),
            removing_replicas: ids(&self.removing_replicas),
            adding_replicas: ids(&self.adding_replicas),
            leader: self.leader.0,
            leader_recovery_state: self.leader_recovery_state.code(),
            leader_epoch: self.leader_epoch.0,
            partition_epoch: self.partition_epoch,
            directories: if options.metadata_version.is_directory_assignment_supported() {
                self.directories.clone()
            } else {
                Vec::new()
            },
            eligible_leader_replicas: elr(&self.elr),
            last_known_elr: elr(&self.last_known_elr),
        }
    }

    pub fn has_leader(&self) -> bool {
        self.leader != NO_LEADER
    }

    pub fn has_preferred_leader(&self) -> bool {
        self.leader == self.replicas.first().copied().unwrap_or(NO_LEADER)
    }

    pub fn is_reassigning(&self) -> bool {
        !self.adding_replicas.is_empty() || !self.removing_replicas.is_empty()
    }

    /// The directory in which a broker keeps its replica; `None` if it has none.
    pub fn directory(&self, broker: BrokerId) -> Option<Uuid> {
        let at = self.replicas.iter().position(|replica| *replica == broker)?;
        self.directories.get(at).copied()
    }
}

/// What decides how much of the image a record may say.
#[derive(Debug, Clone, Copy)]
pub struct RecordOptions {
    pub metadata_version: MetadataVersion,
    pub elr_enabled: bool,
}

pub(crate) fn brokers(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

pub(crate) fn ids(brokers: &[BrokerId]) -> Vec<i32> {
    brokers.iter().map(|broker| broker.0).collect()
}

fn pick(change: &Option<Vec<i32>>, present: &[BrokerId]) -> Vec<BrokerId> {
    change.as_ref().map_or_else(|| present.to_vec(), |change| brokers(change))
}

/// No directories at all, or only migrating ones, stand for one migrating directory for each replica.
fn check_directories(
    directories: &[Uuid],
    replica_count: usize,
) -> Result<Vec<Uuid>, PartitionRecordError> {
    if directories.iter().all(|directory| *directory == directory_id::MIGRATING) {
        return Ok(vec![directory_id::MIGRATING; replica_count]);
    }
    if directories.len() != replica_count {
        return Err(PartitionRecordError::DirectoryCount {
            directories: directories.len(),
            replicas: replica_count,
        });
    }
    Ok(directories.to_vec())
}
