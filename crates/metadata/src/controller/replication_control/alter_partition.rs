//! AlterPartition: a leader proposes a new ISR (KIP-497).

use super::super::partition_change::{Election, PartitionChange};
use super::super::{Controller, ControllerResult};
use crate::partition_registration::{
    LeaderRecoveryState, NO_LEADER_CHANGE, PartitionRegistration, ids,
};
use crate::records::MetadataRecord;
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::alter_partition_request as request;
use klamm_protocol::messages::alter_partition_response as response;
use klamm_record::{BrokerId, TopicId};

/// The proposed ISR with the broker epochs its leader saw; −1 for none.
type ProposedIsr = Vec<(BrokerId, i64)>;

impl Controller {
    /// Takes the proposals that fit: right leader, right epochs, and only members that may be in an ISR.
    pub fn alter_partition(
        &self,
        version: i16,
        request: &request::AlterPartitionRequest,
    ) -> ControllerResult<response::AlterPartitionResponse> {
        let mut answer = response::AlterPartitionResponse::default();
        let broker = BrokerId(request.broker_id);
        if let Err(error) = self.check_broker_epoch(broker, request.broker_epoch) {
            answer.error_code = error.code.code();
            return ControllerResult::of(Vec::new(), answer);
        }
        let mut records = Vec::new();
        for topic in &request.topics {
            let partitions = topic.partitions.iter().map(|data| {
                let altered =
                    self.alter(broker, TopicId(topic.topic_id), version, data, &mut records);
                altered.unwrap_or_else(|code| response::PartitionData {
                    partition_index: data.partition_index,
                    error_code: code.code(),
                    ..response::PartitionData::default()
                })
            });
            let partitions = partitions.collect();
            answer.topics.push(response::TopicData { topic_id: topic.topic_id, partitions });
        }
        ControllerResult::of(records, answer)
    }

    fn alter(
        &self,
        broker: BrokerId,
        topic: TopicId,
        version: i16,
        data: &request::PartitionData,
        records: &mut Vec<MetadataRecord>,
    ) -> Result<response::PartitionData, ErrorCode> {
        let topics = &self.latest.image.topics;
        let index = data.partition_index;
        let known = topics.topic(topic).ok_or(ErrorCode::UnknownTopicId)?;
        let partition = known.partitions.get(&index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let isr = proposed_isr(version, data);
        self.check_proposal(broker, partition, data, &isr)?;
        let can_lead = |id: BrokerId| {
            self.latest.image.cluster.is_active(id) && self.has_online_directory(partition, id)
        };
        let rules = self.election_rules(topic);
        let mut change = PartitionChange::new(partition, (topic, index), rules, &can_lead);
        if self.unclean_election_enabled(topic) {
            change.election = Election::Unclean;
        }
        change.target_isr = isr.into_iter().map(|(id, _)| id).collect();
        if let Some(state) = LeaderRecoveryState::from_code(data.leader_recovery_state) {
            change.target_leader_recovery_state = state;
        }
        let mut now = PartitionRegistration::clone(partition);
        if let Some(record) = change.build() {
            now = partition.merge(&record).map_err(|_| ErrorCode::UnknownServerError)?;
            let leader = record.leader;
            records.push(MetadataRecord::PartitionChange(record));
            if leader != NO_LEADER_CHANGE && leader != broker.0 {
                return Err(ErrorCode::NewLeaderElected);
            }
        }
        Ok(response::PartitionData {
            partition_index: index,
            error_code: 0,
            leader_id: now.leader.0,
            leader_epoch: now.leader_epoch.0,
            isr: ids(&now.isr),
            leader_recovery_state: now.leader_recovery_state.code(),
            partition_epoch: now.partition_epoch,
        })
    }

    fn check_proposal(
        &self,
        broker: BrokerId,
        partition: &PartitionRegistration,
        data: &request::PartitionData,
        isr: &ProposedIsr,
    ) -> Result<(), ErrorCode> {
        // an epoch from the future: this controller is the one that is behind
        if data.leader_epoch > partition.leader_epoch.0
            || data.partition_epoch > partition.partition_epoch
        {
            return Err(ErrorCode::NotController);
        }
        if data.leader_epoch < partition.leader_epoch.0 {
            return Err(ErrorCode::FencedLeaderEpoch);
        }
        if broker != partition.leader {
            return Err(ErrorCode::InvalidRequest);
        }
        if data.partition_epoch < partition.partition_epoch {
            return Err(ErrorCode::InvalidUpdateVersion);
        }
        let mut members: Vec<BrokerId> = isr.iter().map(|(id, _)| *id).collect();
        let contains_leader = members.contains(&partition.leader);
        let all_replicas = members.iter().all(|id| partition.replicas.contains(id));
        members.sort_unstable();
        members.dedup();
        if !contains_leader || !all_replicas || members.len() != isr.len() {
            return Err(ErrorCode::InvalidRequest);
        }
        let state = LeaderRecoveryState::from_code(data.leader_recovery_state);
        let recovering = match state {
            None => return Err(ErrorCode::InvalidRequest),
            Some(state) => state == LeaderRecoveryState::Recovering,
        };
        let was_recovered = partition.leader_recovery_state == LeaderRecoveryState::Recovered;
        if recovering && (isr.len() > 1 || was_recovered) {
            return Err(ErrorCode::InvalidRequest);
        }
        let eligible = |(id, epoch): &(BrokerId, i64)| {
            let registered = self.latest.image.cluster.broker(*id);
            registered.is_some_and(|it| it.is_active() && (*epoch == -1 || *epoch == it.epoch))
        };
        if !isr.iter().all(eligible) {
            return Err(ErrorCode::IneligibleReplica);
        }
        Ok(())
    }
}

fn proposed_isr(version: i16, data: &request::PartitionData) -> ProposedIsr {
    if version < 3 {
        return data.new_isr.iter().map(|id| (BrokerId(*id), -1)).collect();
    }
    data.new_isr_with_epochs.iter().map(|it| (BrokerId(it.broker_id), it.broker_epoch)).collect()
}
