//! The requests that workloads and tests make, with the fields that matter to them as parameters.

use std::collections::BTreeMap;

use bytes::Bytes;
use klamm_protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use klamm_protocol::messages::create_topics_response::CreatableTopicResult;
use klamm_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use klamm_protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use klamm_protocol::messages::fetch_response::{FetchResponse, PartitionData};
use klamm_protocol::messages::init_producer_id_request::InitProducerIdRequest;
use klamm_protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use klamm_protocol::messages::list_offsets_response::ListOffsetsPartitionResponse;
use klamm_protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use klamm_protocol::messages::metadata_response::MetadataResponseTopic;
use klamm_protocol::messages::produce_request::{
    PartitionProduceData, ProduceRequest, TopicProduceData,
};
use klamm_protocol::messages::produce_response::{PartitionProduceResponse, ProduceResponse};
use klamm_protocol::{ErrorCode, Records, Str};
use klamm_record::Uuid;

use crate::client::{Client, ClientError};

/// ListOffsets' timestamp for the first offset that can be read.
pub const EARLIEST: i64 = -2;
/// ListOffsets' timestamp for the offset behind the last that can be read.
pub const LATEST: i64 = -1;

/// A topic as clients address it: by name in old versions, by id in new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: Uuid,
}

/// What CreateTopics may be told.
#[derive(Debug, Clone, Copy)]
pub struct NewTopic<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many; -1 for the broker's default.
    pub partitions: i32,
    /// Configs, by name.
    pub configs: &'a [(&'a str, &'a str)],
}

/// The request that creates one topic.
pub fn create_topics(topic: NewTopic<'_>) -> CreateTopicsRequest {
    let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
        name: Str::from(*name),
        value: Some(Str::from(*value)),
    };
    let topic = CreatableTopic {
        name: Str::from(topic.name),
        num_partitions: topic.partitions,
        replication_factor: 1,
        assignments: Vec::new(),
        configs: topic.configs.iter().map(config).collect(),
    };
    CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false }
}

/// Produces one batch.
pub fn produce(
    topic: &Topic,
    partition: i32,
    (acks, timeout_ms): (i16, i32),
    batch: Bytes,
) -> ProduceRequest {
    let data = PartitionProduceData { index: partition, records: Some(batch) };
    let topic = TopicProduceData {
        name: Str::from(&topic.name),
        topic_id: topic.id,
        partition_data: vec![data],
    };
    ProduceRequest { transactional_id: None, acks, timeout_ms, topic_data: vec![topic] }
}

/// The answer for the one partition that was produced to.
pub fn only_produced(response: ProduceResponse) -> PartitionProduceResponse {
    let mut partitions = response.responses.into_iter().flat_map(|it| it.partition_responses);
    let only = partitions.next().expect("an answer for the partition");
    assert!(partitions.next().is_none(), "one partition was produced to");
    only
}

/// Fetches partitions of topics from offsets on, without a session.
pub fn fetch(from: &[(&Topic, i32, i64)], max_wait_ms: i32) -> FetchRequest {
    let mut topics = BTreeMap::<&str, FetchTopic>::new();
    for (topic, partition, offset) in from {
        let entry = topics.entry(&topic.name).or_insert_with(|| FetchTopic {
            topic: Str::from(&topic.name),
            topic_id: topic.id,
            partitions: Vec::new(),
        });
        entry.partitions.push(FetchPartition {
            partition: *partition,
            fetch_offset: *offset,
            partition_max_bytes: 1 << 20,
            ..FetchPartition::default()
        });
    }
    FetchRequest {
        max_wait_ms,
        min_bytes: 1,
        max_bytes: 50 << 20,
        topics: topics.into_values().collect(),
        ..FetchRequest::default()
    }
}

/// The answer for a partition, if there is one.
pub fn fetched<'a>(
    response: &'a FetchResponse,
    topic: &Topic,
    partition: i32,
) -> Option<&'a PartitionData> {
    let mut topics = response.responses.iter();
    let found = topics.find(|it| it.topic == topic.name.as_str() || it.topic_id == topic.id)?;
    found.partitions.iter().find(|it| it.partition_index == partition)
}

/// The records of a partition as bytes.
pub fn records_of(partition: &PartitionData) -> Bytes {
    match &partition.records {
        Some(Records::Memory(bytes)) => bytes.clone(),
        Some(Records::External { .. }) => unreachable!("what was received is in memory"),
        None => Bytes::new(),
    }
}

/// Asks for the offset of a timestamp.
pub fn list_offsets(topic: &Topic, partition: i32, timestamp: i64) -> ListOffsetsRequest {
    let partition =
        ListOffsetsPartition { partition_index: partition, current_leader_epoch: -1, timestamp };
    let topic = ListOffsetsTopic { name: Str::from(&topic.name), partitions: vec![partition] };
    ListOffsetsRequest {
        replica_id: -1,
        isolation_level: 0,
        topics: vec![topic],
        timeout_ms: 30_000,
    }
}

/// Deletes the records of a partition before an offset.
pub fn delete_records(topic: &Topic, partition: i32, before: i64) -> DeleteRecordsRequest {
    let partition = DeleteRecordsPartition { partition_index: partition, offset: before };
    let topic = DeleteRecordsTopic { name: Str::from(&topic.name), partitions: vec![partition] };
    DeleteRecordsRequest { topics: vec![topic], timeout_ms: 30_000 }
}

/// Asks for a producer id without a transactional id.
pub fn init_producer_id() -> InitProducerIdRequest {
    InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: i32::MAX,
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdRequest::default()
    }
}

impl Client {
    /// Creates a topic and answers what the node says of it.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn create_topic(
        &mut self,
        topic: NewTopic<'_>,
    ) -> Result<CreatableTopicResult, ClientError> {
        let mut response = self.call(7, &create_topics(topic)).await?;
        Ok(response.topics.pop().expect("an answer for the topic"))
    }

    /// What the node tells of a topic; nothing is created.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn describe_topic(
        &mut self,
        name: &str,
    ) -> Result<MetadataResponseTopic, ClientError> {
        let topic = MetadataRequestTopic { topic_id: Uuid::ZERO, name: Some(Str::from(name)) };
        let request = MetadataRequest {
            topics: Some(vec![topic]),
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        let mut response = self.call(12, &request).await?;
        Ok(response.topics.pop().expect("an answer for the topic"))
    }

    /// What the node says of the offset for a timestamp.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn list_offset(
        &mut self,
        topic: &Topic,
        partition: i32,
        timestamp: i64,
    ) -> Result<ListOffsetsPartitionResponse, ClientError> {
        let request = list_offsets(topic, partition, timestamp);
        let response = self.call(8, &request).await?;
        let mut partitions = response.topics.into_iter().flat_map(|it| it.partitions);
        Ok(partitions.next().expect("an answer for the partition"))
    }

    /// Produces a batch with `acks=all` and answers what the node says of it.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn produce(
        &mut self,
        topic: &Topic,
        partition: i32,
        batch: Bytes,
    ) -> Result<PartitionProduceResponse, ClientError> {
        let request = produce(topic, partition, (-1, 30_000), batch);
        Ok(only_produced(self.call(13, &request).await?))
    }

    /// All that can be read of a partition from an offset on, in one answer's bytes.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn read(
        &mut self,
        topic: &Topic,
        partition: i32,
        offset: i64,
    ) -> Result<PartitionData, ClientError> {
        let response = self.call(17, &fetch(&[(topic, partition, offset)], 0)).await?;
        assert_eq!(ErrorCode::from_code(response.error_code), ErrorCode::None);
        Ok(fetched(&response, topic, partition).expect("an answer for the partition").clone())
    }
}
