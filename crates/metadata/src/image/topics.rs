//! Topics and their partitions.

use super::ReplayError;
use crate::Str;
use crate::partition_registration::{PartitionRegistration, RecordOptions};
use crate::records::{MetadataRecord, PartitionChangeRecord, PartitionRecord, TopicRecord};
use imbl::OrdMap;
use klamm_record::TopicId;
use std::sync::Arc;

/// All topics, by id and by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicsImage {
    by_id: OrdMap<TopicId, TopicImage>,
    by_name: OrdMap<Arc<str>, TopicId>,
}

/// One topic; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicImage {
    pub name: Arc<str>,
    pub id: TopicId,
    pub partitions: OrdMap<i32, Arc<PartitionRegistration>>,
}

impl TopicsImage {
    pub fn by_id(&self) -> &OrdMap<TopicId, TopicImage> {
        &self.by_id
    }

    pub fn by_name(&self) -> &OrdMap<Arc<str>, TopicId> {
        &self.by_name
    }

    pub fn topic(&self, id: TopicId) -> Option<&TopicImage> {
        self.by_id.get(&id)
    }

    pub fn topic_by_name(&self, name: &str) -> Option<&TopicImage> {
        self.by_name.get(name).and_then(|id| self.by_id.get(id))
    }

    pub fn id_of(&self, name: &str) -> Option<TopicId> {
        self.by_name.get(name).copied()
    }

    pub fn partition(&self, id: TopicId, partition: i32) -> Option<&Arc<PartitionRegistration>> {
        self.by_id.get(&id)?.partitions.get(&partition)
    }

    /// Topics in the order of their names.
    pub fn iter_by_name(&self) -> impl Iterator<Item = &TopicImage> {
        self.by_name.values().filter_map(|id| self.by_id.get(id))
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(super) fn create(&mut self, record: &TopicRecord) -> Result<(), ReplayError> {
        let name: Arc<str> = Arc::from(&*record.name);
        let id = TopicId(record.topic_id);
        if self.by_name.contains_key(&name) || self.by_id.contains_key(&id) {
            return Err(ReplayError::DuplicateTopic { name, id });
        }
        self.by_name.insert(Arc::clone(&name), id);
        self.by_id.insert(id, TopicImage { name, id, partitions: OrdMap::new() });
        Ok(())
    }

    pub(super) fn put_partition(&mut self, record: &PartitionRecord) -> Result<(), ReplayError> {
        let id = TopicId(record.topic_id);
        let topic = self.by_id.get_mut(&id).ok_or(ReplayError::UnknownTopic { id })?;
        let partition = PartitionRegistration::from_record(record)?;
        topic.partitions.insert(record.partition_id, Arc::new(partition));
        Ok(())
    }

    pub(super) fn change_partition(
        &mut self,
        record: &PartitionChangeRecord,
    ) -> Result<(), ReplayError> {
        let id = TopicId(record.topic_id);
        let partition = record.partition_id;
        let topic = self.by_id.get_mut(&id).ok_or(ReplayError::UnknownTopic { id })?;
        let registration = topic
            .partitions
            .get_mut(&partition)
            .ok_or(ReplayError::UnknownPartition { id, partition })?;
        *registration = Arc::new(registration.merge(record)?);
        Ok(())
    }

    pub(super) fn remove(&mut self, id: TopicId) -> Result<TopicImage, ReplayError> {
        let topic = self.by_id.remove(&id).ok_or(ReplayError::UnknownTopic { id })?;
        self.by_name.remove(&topic.name);
        Ok(topic)
    }

    /// The partitions of which a ClearElrRecord would change something; an empty name means all topics.
    pub(crate) fn partitions_with_elr(
        &self,
        topic_name: &str,
    ) -> Result<Vec<(TopicId, i32)>, ReplayError> {
        let of = |topic: &TopicImage| {
            let has_elr =
                |it: &&PartitionRegistration| !it.elr.is_empty() || !it.last_known_elr.is_empty();
            let id = topic.id;
            let partitions = topic.partitions.iter();
            partitions
                .filter(|(_, it)| has_elr(&&***it))
                .map(|(at, _)| (id, *at))
                .collect::<Vec<_>>()
        };
        if topic_name.is_empty() {
            return Ok(self.by_id.values().flat_map(of).collect());
        }
        let topic = self
            .topic_by_name(topic_name)
            .ok_or_else(|| ReplayError::UnknownTopicName { name: Arc::from(topic_name) })?;
        Ok(of(topic))
    }

    pub(super) fn clear_elr(&mut self, id: TopicId, partition: i32) {
        let topic = self.by_id.get_mut(&id);
        if let Some(registration) = topic.and_then(|it| it.partitions.get_mut(&partition))
            && let Some(cleared) = registration.without_elr()
        {
            *registration = Arc::new(cleared);
        }
    }

    pub(super) fn write(&self, options: RecordOptions, out: &mut Vec<MetadataRecord>) {
        for topic in self.by_id.values() {
            out.push(MetadataRecord::Topic(TopicRecord {
                name: Str::from(&*topic.name),
                topic_id: topic.id.0,
            }));
            out.extend(topic.partitions.iter().map(|(partition, registration)| {
                MetadataRecord::Partition(registration.to_record(topic.id, *partition, options))
            }));
        }
    }
}
