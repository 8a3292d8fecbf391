//! What the controller knows: the image and the indexes it searches by.

use crate::image::{MetadataImage, ReplayError};
use crate::partition_registration::PartitionRegistration;
use crate::records::MetadataRecord;
use crate::topic_name;
use imbl::{OrdMap, OrdSet};
use klamm_record::{BrokerId, Offset, TopicId, Uuid};
use std::sync::Arc;

/// One root: persistent, so that keeping an old one costs what changed since.
#[derive(Debug, Clone, Default)]
pub(super) struct ControllerState {
    pub image: MetadataImage,
    /// Every member of every ISR.
    pub isr_members: OrdSet<(BrokerId, TopicId, i32)>,
    /// The leader of every partition, NO_LEADER included.
    pub leaders: OrdSet<(BrokerId, TopicId, i32)>,
    pub elr_members: OrdSet<(BrokerId, TopicId, i32)>,
    pub directory_replicas: OrdSet<(Uuid, TopicId, i32)>,
    /// Partitions that are not led by their first replica.
    pub imbalanced: OrdSet<(TopicId, i32)>,
    /// Topics with '.' or '_' in their name, by the name with '_' only.
    pub colliding: OrdSet<(Arc<str>, Arc<str>)>,
    /// Where the last RegisterBrokerRecord of each broker stands.
    pub registration_offsets: OrdMap<BrokerId, Offset>,
    /// The root before an open metadata transaction.
    pub transaction: Option<Arc<ControllerState>>,
}

impl ControllerState {
    pub fn replay(&mut self, record: &MetadataRecord, offset: Offset) -> Result<(), ReplayError> {
        match record {
            MetadataRecord::BeginTransaction(_) => self.begin_transaction(),
            MetadataRecord::EndTransaction(_) => self.end_transaction(),
            MetadataRecord::AbortTransaction(_) => self.abort_transaction(),
            MetadataRecord::Partition(it) => {
                self.replay_partition(record, TopicId(it.topic_id), it.partition_id)
            }
            MetadataRecord::PartitionChange(it) => {
                self.replay_partition(record, TopicId(it.topic_id), it.partition_id)
            }
            MetadataRecord::RemoveTopic(it) => {
                self.replay_remove_topic(record, TopicId(it.topic_id))
            }
            MetadataRecord::ClearElr(it) => {
                let touched = self.image.topics.partitions_with_elr(&it.topic_name)?;
                for (id, partition) in &touched {
                    self.unindex(*id, *partition);
                }
                self.image.replay(record)?;
                for (id, partition) in &touched {
                    self.index(*id, *partition);
                }
                Ok(())
            }
            MetadataRecord::Topic(it) => {
                self.image.replay(record)?;
                if let Some(key) = topic_name::collision_key(&it.name) {
                    self.colliding.insert((Arc::from(key), Arc::from(&*it.name)));
                }
                Ok(())
            }
            MetadataRecord::RegisterBroker(it) => {
                self.registration_offsets.insert(BrokerId(it.broker_id), offset);
                self.image.replay(record)
            }
            MetadataRecord::UnregisterBroker(it) => {
                self.registration_offsets.remove(&BrokerId(it.broker_id));
                self.image.replay(record)
            }
            MetadataRecord::ProducerIds(it) => {
                let present = self.image.producer_ids.next_producer_id.0;
                if it.next_producer_id <= present {
                    let next = it.next_producer_id;
                    return Err(ReplayError::ProducerIds { next, present });
                }
                self.image.replay(record)
            }
            _ => self.image.replay(record),
        }
    }

    /// Partitions for which the set has this broker, in order of topic id and partition.
    pub fn partitions_of(
        set: &OrdSet<(BrokerId, TopicId, i32)>,
        broker: BrokerId,
    ) -> impl Iterator<Item = (TopicId, i32)> + '_ {
        set.range((broker, TopicId::ZERO, i32::MIN)..)
            .take_while(move |(member, ..)| *member == broker)
            .map(|(_, topic, partition)| (*topic, *partition))
    }

    pub fn has_leaderships(&self, broker: BrokerId) -> bool {
        Self::partitions_of(&self.leaders, broker).next().is_some()
    }

    /// Another topic that would share metric names with this one.
    pub fn colliding_topic(&self, name: &str) -> Option<Arc<str>> {
        let key: Arc<str> = Arc::from(topic_name::collision_key(name)?);
        let from = (Arc::clone(&key), Arc::from(""));
        let (found, other) = self.colliding.range(from..).next()?;
        (*found == key).then(|| Arc::clone(other))
    }

    fn begin_transaction(&mut self) -> Result<(), ReplayError> {
        if self.transaction.is_some() {
            return Err(ReplayError::Transaction("a transaction begins inside another"));
        }
        self.transaction = Some(Arc::new(self.clone()));
        Ok(())
    }

    fn end_transaction(&mut self) -> Result<(), ReplayError> {
        let open = self.transaction.take();
        open.map(drop).ok_or(ReplayError::Transaction("a transaction ends that has not begun"))
    }

    fn abort_transaction(&mut self) -> Result<(), ReplayError> {
        let open = self.transaction.take();
        let before =
            open.ok_or(ReplayError::Transaction("a transaction aborts that has not begun"))?;
        *self = Arc::unwrap_or_clone(before);
        Ok(())
    }

    fn replay_partition(
        &mut self,
        record: &MetadataRecord,
        id: TopicId,
        partition: i32,
    ) -> Result<(), ReplayError> {
        self.unindex(id, partition);
        self.image.replay(record)?;
        self.index(id, partition);
        Ok(())
    }

    fn replay_remove_topic(
        &mut self,
        record: &MetadataRecord,
        id: TopicId,
    ) -> Result<(), ReplayError> {
        if let Some(topic) = self.image.topics.topic(id).cloned() {
            for partition in topic.partitions.keys() {
                self.unindex(id, *partition);
            }
            if let Some(key) = topic_name::collision_key(&topic.name) {
                self.colliding.remove(&(Arc::from(key), topic.name));
            }
        }
        self.image.replay(record)
    }

    fn index(&mut self, id: TopicId, partition: i32) {
        let Some(registration) = self.image.topics.partition(id, partition).cloned() else {
            return;
        };
        for member in &registration.isr {
            self.isr_members.insert((*member, id, partition));
        }
        for member in &registration.elr {
            self.elr_members.insert((*member, id, partition));
        }
        for directory in directories(&registration) {
            self.directory_replicas.insert((directory, id, partition));
        }
        self.leaders.insert((registration.leader, id, partition));
        if !registration.has_preferred_leader() {
            self.imbalanced.insert((id, partition));
        }
    }

    fn unindex(&mut self, id: TopicId, partition: i32) {
        let Some(registration) = self.image.topics.partition(id, partition).cloned() else {
            return;
        };
        for member in &registration.isr {
            self.isr_members.remove(&(*member, id, partition));
        }
        for member in &registration.elr {
            self.elr_members.remove(&(*member, id, partition));
        }
        for directory in directories(&registration) {
            self.directory_replicas.remove(&(directory, id, partition));
        }
        self.leaders.remove(&(registration.leader, id, partition));
        self.imbalanced.remove(&(id, partition));
    }
}

fn directories(registration: &PartitionRegistration) -> impl Iterator<Item = Uuid> + '_ {
    registration.directories.iter().copied().filter(|directory| !directory.is_reserved())
}
