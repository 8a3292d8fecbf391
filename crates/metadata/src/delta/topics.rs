//! What changed of topics and partitions.

use crate::image::{TopicImage, TopicsImage};
use crate::partition_registration::PartitionRegistration;
use klamm_record::{BrokerId, TopicId, TopicPartition, Uuid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Topics that changed or went away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicsDelta {
    /// New topics and topics with a changed partition.
    pub changed: BTreeMap<TopicId, TopicDelta>,
    /// Topics of the old image that are gone, as they were.
    pub deleted: BTreeMap<TopicId, TopicImage>,
}

/// What changed of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDelta {
    /// The topic as it is now.
    pub topic: TopicImage,
    pub is_new: bool,
    pub partitions: BTreeMap<i32, PartitionChange>,
}

/// A partition before (`None` if it is new) and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionChange {
    pub before: Option<Arc<PartitionRegistration>>,
    pub after: Arc<PartitionRegistration>,
}

/// What one broker has to do about its replicas.
///
/// Source: Kafka's `LocalReplicaChanges`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalReplicaChanges {
    /// Replicas that the broker no longer has, with the id of the topic they belonged to.
    pub deletes: BTreeMap<TopicPartition, TopicId>,
    /// Those of `leaders` whose leader epoch is new.
    pub elected_leaders: BTreeSet<TopicPartition>,
    pub leaders: BTreeMap<TopicPartition, LocalReplica>,
    pub followers: BTreeMap<TopicPartition, LocalReplica>,
    /// Replicas whose directory is new or changed.
    pub directories: BTreeMap<TopicPartition, Uuid>,
}

/// A partition with its topic's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalReplica {
    pub topic_id: TopicId,
    pub partition: Arc<PartitionRegistration>,
}

impl TopicsDelta {
    pub(super) fn between(
        base: &TopicsImage,
        next: &TopicsImage,
        touched: &BTreeMap<TopicId, BTreeSet<i32>>,
    ) -> Self {
        let mut delta = Self::default();
        for (id, partitions) in touched {
            let before = base.topic(*id);
            let Some(topic) = next.topic(*id) else {
                delta.deleted.extend(before.map(|topic| (*id, topic.clone())));
                continue;
            };
            let mut changes = BTreeMap::new();
            for partition in partitions {
                let before = before.and_then(|it| it.partitions.get(partition)).cloned();
                let Some(after) = topic.partitions.get(partition).cloned() else { continue };
                if before.as_ref() != Some(&after) {
                    changes.insert(*partition, PartitionChange { before, after });
                }
            }
            let is_new = before.is_none();
            if is_new || !changes.is_empty() {
                let topic = topic.clone();
                delta.changed.insert(*id, TopicDelta { topic, is_new, partitions: changes });
            }
        }
        delta
    }

    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.deleted.is_empty()
    }

    /// What the broker has to do. A topic made again under its old name shows as a delete with the old id and a new replica.
    pub fn local_changes(&self, broker: BrokerId) -> LocalReplicaChanges {
        let mut changes = LocalReplicaChanges::default();
        for topic in self.deleted.values() {
            for (partition, registration) in &topic.partitions {
                if registration.replicas.contains(&broker) {
                    changes.deletes.insert(name(topic, *partition), topic.id);
                }
            }
        }
        for delta in self.changed.values() {
            for (partition, change) in &delta.partitions {
                changes.add(name(&delta.topic, *partition), delta.topic.id, broker, change);
            }
        }
        changes
    }
}

impl LocalReplicaChanges {
    fn add(
        &mut self,
        at: TopicPartition,
        topic_id: TopicId,
        broker: BrokerId,
        change: &PartitionChange,
    ) {
        let (before, after) = (change.before.as_deref(), &change.after);
        let Some(directory) = after.directory(broker) else {
            if before.is_some_and(|before| before.replicas.contains(&broker)) {
                self.deletes.insert(at, topic_id);
            }
            return;
        };
        if before.and_then(|before| before.directory(broker)) != Some(directory) {
            self.directories.insert(at.clone(), directory);
        }
        if before.is_some_and(|before| before.partition_epoch == after.partition_epoch) {
            return;
        }
        let replica = LocalReplica { topic_id, partition: Arc::clone(after) };
        if after.leader != broker {
            self.followers.insert(at, replica);
            return;
        }
        if before.is_none_or(|before| before.leader_epoch != after.leader_epoch) {
            self.elected_leaders.insert(at.clone());
        }
        self.leaders.insert(at, replica);
    }
}

fn name(topic: &TopicImage, partition: i32) -> TopicPartition {
    TopicPartition { topic: Arc::clone(&topic.name), partition }
}
