//! AssignReplicasToDirs: a broker says in which of its log directories replicas lie (KIP-858).

use super::super::partition_change::PartitionChange;
use super::super::{Controller, ControllerResult};
use crate::records::MetadataRecord;
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::assign_replicas_to_dirs_request as request;
use klamm_protocol::messages::assign_replicas_to_dirs_response as response;
use klamm_record::{BrokerId, TopicId, Uuid};

impl Controller {
    /// Notes the directories. A replica that turns out to lie in an offline one leaves the ISR.
    pub fn assign_replicas_to_dirs(
        &self,
        request: &request::AssignReplicasToDirsRequest,
    ) -> ControllerResult<response::AssignReplicasToDirsResponse> {
        let mut answer = response::AssignReplicasToDirsResponse::default();
        let broker = BrokerId(request.broker_id);
        let checked = if self.metadata_version().is_directory_assignment_supported() {
            self.check_broker_epoch(broker, request.broker_epoch).map_err(|error| error.code)
        } else {
            Err(ErrorCode::UnsupportedVersion)
        };
        if let Err(code) = checked {
            answer.error_code = code.code();
            return ControllerResult::of(Vec::new(), answer);
        }
        let mut records = Vec::new();
        for directory in &request.directories {
            let mut topics = Vec::new();
            for topic in &directory.topics {
                let partitions = topic.partitions.iter().map(|partition| {
                    let at = (TopicId(topic.topic_id), partition.partition_index);
                    let result = self.assign(broker, directory.id, at, &mut records);
                    response::PartitionData {
                        partition_index: partition.partition_index,
                        error_code: result.err().unwrap_or(ErrorCode::None).code(),
                    }
                });
                let partitions = partitions.collect();
                topics.push(response::TopicData { topic_id: topic.topic_id, partitions });
            }
            answer.directories.push(response::DirectoryData { id: directory.id, topics });
        }
        ControllerResult::of(records, answer)
    }

    fn assign(
        &self,
        broker: BrokerId,
        directory: Uuid,
        at: (TopicId, i32),
        records: &mut Vec<MetadataRecord>,
    ) -> Result<(), ErrorCode> {
        let image = &self.latest.image;
        let topic = image.topics.topic(at.0).ok_or(ErrorCode::UnknownTopicId)?;
        let partition = topic.partitions.get(&at.1).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        if !partition.replicas.contains(&broker) {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let online =
            image.cluster.broker(broker).is_some_and(|it| it.has_online_directory(directory));
        let can_lead = |id: BrokerId| {
            let online =
                if id == broker { online } else { self.has_online_directory(partition, id) };
            image.cluster.is_active(id) && online
        };
        let mut change = PartitionChange::new(partition, at, self.election_rules(at.0), &can_lead);
        change.target_directories.insert(broker, directory);
        if !online {
            change.target_isr.retain(|member| *member != broker);
        }
        records.extend(change.build().map(MetadataRecord::PartitionChange));
        Ok(())
    }
}
