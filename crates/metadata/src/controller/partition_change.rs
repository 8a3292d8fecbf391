//! What becomes of a partition when replicas come and go: leader election, ISR and ELR.
//!
//! Source: Kafka's `PartitionChangeBuilder`; KIP-966 for eligible leader replicas.

use super::reassignment::complete_reassignment;
use crate::metadata_version::MetadataVersion;
use crate::partition_registration::{
    LeaderRecoveryState, NO_LEADER, NO_LEADER_CHANGE, PartitionRegistration, ids,
};
use crate::records::PartitionChangeRecord;
use klamm_record::{BrokerId, TopicId, Uuid};
use std::collections::{BTreeMap, BTreeSet};

/// How a leader is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Election {
    /// The first replica if it can lead, else as `Online`.
    Preferred,
    /// The present leader if it can go on, else any member of ISR or ELR.
    Online,
    /// As `Online`, else any replica that lives, whatever it has lost.
    Unclean,
}

/// What the cluster says about every partition alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct ElectionRules {
    pub metadata_version: MetadataVersion,
    /// The topic's `min.insync.replicas`, at most its replication factor.
    pub min_isr: usize,
    pub elr_enabled: bool,
}

/// A partition, and what it is meant to become. Change the targets, then [`Self::build`].
pub(super) struct PartitionChange<'a> {
    pub topic_id: TopicId,
    pub partition_id: i32,
    pub election: Election,
    pub target_isr: Vec<BrokerId>,
    pub target_leader_recovery_state: LeaderRecoveryState,
    pub target_directories: BTreeMap<BrokerId, Uuid>,
    /// A replica that is back without its data.
    pub unclean_shutdown: Option<BrokerId>,
    target_replicas: Vec<BrokerId>,
    target_removing: Vec<BrokerId>,
    target_adding: Vec<BrokerId>,
    target_elr: Vec<BrokerId>,
    partition: &'a PartitionRegistration,
    rules: ElectionRules,
    can_lead: &'a dyn Fn(BrokerId) -> bool,
}

struct Elected {
    leader: BrokerId,
    unclean: bool,
}

impl<'a> PartitionChange<'a> {
    /// No change yet. `can_lead` says whether a broker is alive and has the replica's directory online.
    pub fn new(
        partition: &'a PartitionRegistration,
        (topic_id, partition_id): (TopicId, i32),
        rules: ElectionRules,
        can_lead: &'a dyn Fn(BrokerId) -> bool,
    ) -> Self {
        let replicas = partition.replicas.iter().copied();
        Self {
            topic_id,
            partition_id,
            election: Election::Online,
            target_isr: partition.isr.clone(),
            target_leader_recovery_state: partition.leader_recovery_state,
            target_directories: replicas.zip(partition.directories.iter().copied()).collect(),
            unclean_shutdown: None,
            target_replicas: partition.replicas.clone(),
            target_removing: partition.removing_replicas.clone(),
            target_adding: partition.adding_replicas.clone(),
            target_elr: partition.elr.clone(),
            partition,
            rules,
            can_lead,
        }
    }

    /// The record that brings the change about; `None` if nothing changes.
    pub fn build(mut self) -> Option<PartitionChangeRecord> {
        let mut record = PartitionChangeRecord {
            topic_id: self.topic_id.0,
            partition_id: self.partition_id,
            ..PartitionChangeRecord::default()
        };
        self.complete_reassignment();
        self.populate_target_elr();
        self.elect(&mut record);
        self.bump_leader_epoch_if_replicas_left(&mut record);
        self.update_elr(&mut record);
        let may_set_isr = !self.target_isr.is_empty() || self.rules.elr_enabled;
        if record.isr.is_none() && may_set_isr && self.target_isr != self.partition.isr {
            record.isr = Some(ids(&self.target_isr));
        }
        self.bump_leader_epoch_if_isr_shrank(&mut record);
        self.update_last_known_leader(&mut record);
        self.set_assignment(&mut record);
        if self.target_leader_recovery_state != self.partition.leader_recovery_state {
            record.leader_recovery_state = self.target_leader_recovery_state.code();
        }
        (!is_no_op(&record)).then_some(record)
    }

    fn complete_reassignment(&mut self) {
        let completed = complete_reassignment(
            &self.target_removing,
            &self.target_adding,
            &self.target_replicas,
            &self.target_isr,
        );
        if let Some((replicas, isr)) = completed {
            self.target_replicas = replicas;
            self.target_isr = isr;
            self.target_removing.clear();
            self.target_adding.clear();
        }
    }

    /// Members that leave an ISR below its minimum still have all that was committed.
    fn populate_target_elr(&mut self) {
        if !self.rules.elr_enabled {
            return;
        }
        if self.target_isr.len() >= self.rules.min_isr {
            self.target_elr.clear();
            return;
        }
        let mut candidates: BTreeSet<BrokerId> = self.target_elr.iter().copied().collect();
        candidates.extend(&self.partition.isr);
        candidates.retain(|replica| {
            !self.target_isr.contains(replica) && self.unclean_shutdown != Some(*replica)
        });
        self.target_elr = candidates.into_iter().collect();
    }

    fn elect(&mut self, record: &mut PartitionChangeRecord) {
        let Elected { leader, unclean } = self.elect_leader();
        if leader == self.partition.leader {
            return;
        }
        if self.target_elr.contains(&leader) {
            self.target_isr = vec![leader];
            self.target_elr.retain(|replica| *replica != leader);
        }
        record.leader = leader.0;
        if unclean {
            record.isr = Some(vec![leader.0]);
            if self.partition.leader_recovery_state != LeaderRecoveryState::Recovering {
                record.leader_recovery_state = LeaderRecoveryState::Recovering.code();
            }
        }
    }

    fn elect_leader(&self) -> Elected {
        let clean = |leader| Elected { leader, unclean: false };
        let unclean = |leader| Elected { leader, unclean: true };
        let preferred = self.target_replicas.first().copied().unwrap_or(NO_LEADER);
        if self.election == Election::Preferred && self.is_valid_leader(preferred) {
            return clean(preferred);
        }
        if self.is_valid_leader(self.partition.leader) {
            return clean(self.partition.leader);
        }
        let mut replicas = self.target_replicas.iter().copied();
        if let Some(leader) = replicas.find(|replica| self.is_valid_leader(*replica)) {
            return clean(leader);
        }
        if let Some(leader) = self.last_known_leader() {
            return unclean(leader);
        }
        if self.election == Election::Unclean {
            let mut replicas = self.target_replicas.iter().copied();
            if let Some(leader) = replicas.find(|replica| (self.can_lead)(*replica)) {
                return unclean(leader);
            }
        }
        clean(NO_LEADER)
    }

    fn is_valid_leader(&self, replica: BrokerId) -> bool {
        let may = self.target_isr.contains(&replica)
            || (self.target_isr.is_empty() && self.target_elr.contains(&replica));
        may && (self.can_lead)(replica)
    }

    /// With nobody left in ISR and ELR, the last leader is the best guess there is, if it is the only one known.
    fn last_known_leader(&self) -> Option<BrokerId> {
        let nobody = self.target_isr.is_empty() && self.target_elr.is_empty();
        match self.partition.last_known_elr[..] {
            [last] if self.rules.elr_enabled && nobody && (self.can_lead)(last) => Some(last),
            _ => None,
        }
    }

    fn bump_leader_epoch_if_replicas_left(&self, record: &mut PartitionChangeRecord) {
        let left = |replica: &BrokerId| !self.target_replicas.contains(replica);
        if record.leader == NO_LEADER_CHANGE && self.partition.replicas.iter().any(left) {
            record.leader = self.partition.leader.0;
        }
    }

    fn bump_leader_epoch_if_isr_shrank(&self, record: &mut PartitionChangeRecord) {
        let version = self.rules.metadata_version;
        if !version.is_leader_epoch_bump_required_on_isr_shrink()
            || record.leader != NO_LEADER_CHANGE
        {
            return;
        }
        if let Some(isr) = &record.isr
            && self.partition.isr.iter().any(|member| !isr.contains(&member.0))
        {
            record.leader = self.partition.leader.0;
        }
    }

    fn update_elr(&mut self, record: &mut PartitionChangeRecord) {
        let unclean = record.isr.is_some();
        if unclean || !self.rules.elr_enabled {
            self.target_elr.clear();
        }
        if self.target_elr != self.partition.elr {
            record.eligible_leader_replicas = Some(ids(&self.target_elr));
        }
    }

    fn update_last_known_leader(&self, record: &mut PartitionChangeRecord) {
        if !self.rules.elr_enabled {
            return;
        }
        let known = !self.partition.last_known_elr.is_empty();
        if record.leader == NO_LEADER.0 && !known {
            record.last_known_elr = Some(vec![self.partition.leader.0]);
        } else if record.leader >= 0 && known {
            record.last_known_elr = Some(Vec::new());
        }
    }

    fn set_assignment(&self, record: &mut PartitionChangeRecord) {
        let partition = self.partition;
        if !self.target_replicas.is_empty() {
            if self.rules.metadata_version.is_directory_assignment_supported() {
                let replicas = self.target_replicas.iter();
                let directories: Vec<Uuid> = replicas
                    .map(|it| self.target_directories.get(it).copied().unwrap_or(Uuid::ZERO))
                    .collect();
                if directories != partition.directories {
                    record.directories = Some(directories);
                }
            }
            if self.target_replicas != partition.replicas {
                record.replicas = Some(ids(&self.target_replicas));
            }
        }
        if self.target_removing != partition.removing_replicas {
            record.removing_replicas = Some(ids(&self.target_removing));
        }
        if self.target_adding != partition.adding_replicas {
            record.adding_replicas = Some(ids(&self.target_adding));
        }
    }
}

fn is_no_op(record: &PartitionChangeRecord) -> bool {
    let empty = PartitionChangeRecord {
        topic_id: record.topic_id,
        partition_id: record.partition_id,
        ..PartitionChangeRecord::default()
    };
    *record == empty
}
