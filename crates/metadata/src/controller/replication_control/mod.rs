//! Topics and partitions: what exists, where it lies, and who leads it.
//!
//! One file for each operation. Source: Kafka's `ReplicationControlManager` and the checks of `ControllerApis` before it;
//! authorization has been asked before.

mod alter_partition;
mod assign_replicas_to_dirs;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod elections;

use super::partition_change::ElectionRules;
use super::replica_placer::UsableBroker;
use super::{ApiError, Controller};
use crate::config_resolution::effective_topic_value;
use crate::directory_id;
use crate::image::ResourceType;
use crate::partition_registration::{LeaderRecoveryState, PartitionRegistration, RecordOptions};
use klamm_protocol::ErrorCode;
use klamm_record::{BrokerId, LeaderEpoch, TopicId, Uuid};

/// The most partitions that one CreateTopics may make.
const PARTITIONS_PER_REQUEST_MAX: i64 = 10_000;

const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";
const UNCLEAN_LEADER_ELECTION: &str = "unclean.leader.election.enable";

impl Controller {
    /// What elections of this topic go by.
    pub(super) fn election_rules(&self, topic: TopicId) -> ElectionRules {
        let image = &self.latest.image;
        let min_isr = self.topic_value(topic, MIN_INSYNC_REPLICAS);
        let min_isr = min_isr.and_then(|text| text.trim().parse::<usize>().ok()).unwrap_or(1);
        let first = image.topics.topic(topic).and_then(|it| it.partitions.values().next());
        let replication_factor = first.map_or(min_isr, |partition| partition.replicas.len());
        ElectionRules {
            metadata_version: self.metadata_version(),
            min_isr: min_isr.min(replication_factor),
            elr_enabled: self.elr_enabled(),
        }
    }

    pub(super) fn unclean_election_enabled(&self, topic: TopicId) -> bool {
        let value = self.topic_value(topic, UNCLEAN_LEADER_ELECTION);
        value.is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
    }

    pub(super) fn has_online_directory(
        &self,
        partition: &PartitionRegistration,
        id: BrokerId,
    ) -> bool {
        let broker = self.latest.image.cluster.broker(id);
        let directory = partition.directory(id);
        broker
            .zip(directory)
            .is_some_and(|(broker, directory)| broker.has_online_directory(directory))
    }

    fn topic_value(&self, topic: TopicId, name: &str) -> Option<String> {
        let key = self.config.schema.key(ResourceType::Topic, name)?;
        let image = &self.latest.image;
        let configs = image.configs.of_topic(&image.topics.topic(topic)?.name);
        effective_topic_value(key, &self.layers(), &configs).0
    }

    fn default_directory(&self, id: BrokerId) -> Uuid {
        if !self.metadata_version().is_directory_assignment_supported() {
            return directory_id::MIGRATING;
        }
        let broker = self.latest.image.cluster.broker(id);
        broker.map_or(directory_id::UNASSIGNED, |broker| broker.default_directory())
    }

    fn usable_brokers(&self) -> Vec<UsableBroker> {
        let brokers = self.heartbeats.usable();
        brokers
            .filter_map(|(id, fenced)| {
                let broker = self.latest.image.cluster.broker(id)?;
                let usable = broker.has_uncordoned_directories();
                usable.then(|| UsableBroker { id, rack: broker.rack.clone(), fenced })
            })
            .collect()
    }

    /// A new partition on these brokers; `None` if none of them is active.
    fn new_partition(&self, replicas: Vec<BrokerId>) -> Option<PartitionRegistration> {
        let active = |id: &BrokerId| self.latest.image.cluster.is_active(*id);
        let isr: Vec<BrokerId> = replicas.iter().copied().filter(active).collect();
        let leader = isr.first().copied()?;
        Some(PartitionRegistration {
            directories: replicas.iter().map(|id| self.default_directory(*id)).collect(),
            replicas,
            isr,
            removing_replicas: Vec::new(),
            adding_replicas: Vec::new(),
            elr: Vec::new(),
            last_known_elr: Vec::new(),
            leader,
            leader_recovery_state: LeaderRecoveryState::Recovered,
            leader_epoch: LeaderEpoch(0),
            partition_epoch: 0,
        })
    }

    fn record_options(&self) -> RecordOptions {
        RecordOptions { metadata_version: self.metadata_version(), elr_enabled: self.elr_enabled() }
    }

    /// Checks a manual assignment; with `replication_factor`, that it is as long as the others.
    fn check_assignment(
        &self,
        replicas: &[i32],
        replication_factor: Option<usize>,
    ) -> Result<(), ApiError> {
        let invalid =
            |message: String| Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
        if replicas.is_empty() {
            return invalid(
                "The manual partition assignment includes an empty replica list.".to_owned(),
            );
        }
        let mut sorted = replicas.to_vec();
        sorted.sort_unstable();
        let mut previous = None;
        for id in sorted {
            let Some(broker) = self.latest.image.cluster.broker(BrokerId(id)) else {
                return invalid(format!(
                    "The manual partition assignment includes broker {id}, but no such broker is registered."
                ));
            };
            if !broker.has_uncordoned_directories() {
                return invalid(format!(
                    "The manual partition assignment includes broker {id}, but all its log directories are cordoned."
                ));
            }
            if previous == Some(id) {
                return invalid(format!(
                    "The manual partition assignment includes the broker {id} more than once."
                ));
            }
            previous = Some(id);
        }
        match replication_factor {
            Some(factor) if factor != replicas.len() => invalid(format!(
                "The manual partition assignment includes a partition with {} replica(s), but this is not consistent with \
                 previous partitions, which have {factor} replica(s).",
                replicas.len()
            )),
            _ => Ok(()),
        }
    }
}
