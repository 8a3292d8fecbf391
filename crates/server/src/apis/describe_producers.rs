//! DescribeProducers, key 61, version 0.
//!
//! Behaviour (KIP-664): tells which producers a replica remembers, with epoch, last sequence, last
//! timestamp, and where an open transaction begins. Any replica answers, not the leader alone: tools
//! compare them. It takes the right to read the topic, as in Kafka.

use std::sync::Arc;

use klamm_metadata::topic_name;
use klamm_protocol::messages::describe_producers_request::{
    DescribeProducersRequest, TopicRequest,
};
use klamm_protocol::messages::describe_producers_response::{
    DescribeProducersResponse, PartitionResponse, ProducerState, TopicResponse,
};
use klamm_protocol::{ApiKey, ErrorCode};
use klamm_record::{ProducerId, TopicPartition};
use klamm_storage::producer_state::ProducerStateEntry;

use crate::apis::error::{KafkaError, ToKafkaError};
use crate::apis::hosted_partition::hosted_partition;
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Decision, ResourceType};
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::DescribeProducers, (0, 0), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.large();

response_message!(DescribeProducersResponse, throttle_time_ms);

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, request: DescribeProducersRequest) -> Reply {
    let (broker, ctx) = (Arc::clone(broker), ctx.clone());
    Reply::later(async move {
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            topics.push(describe_topic(&broker, &ctx, topic).await);
        }
        Response::message(DescribeProducersResponse {
            topics,
            ..DescribeProducersResponse::default()
        })
    })
}

async fn describe_topic(
    broker: &Broker,
    ctx: &RequestContext,
    topic: TopicRequest,
) -> TopicResponse {
    let refused = check_topic(broker, ctx, &topic.name).err();
    let name: Arc<str> = Arc::from(topic.name.as_str());
    let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
    for index in topic.partition_indexes {
        let of = TopicPartition { topic: Arc::clone(&name), partition: index };
        let producers = match &refused {
            Some(error) => Err(error.clone()),
            // Kafka sends a text for errors of the topic alone
            None => producers(broker, &of).await.map_err(|error| KafkaError::code(error.code)),
        };
        partitions.push(partition_response(index, producers));
    }
    TopicResponse { name: topic.name, partitions }
}

fn check_topic(broker: &Broker, ctx: &RequestContext, topic: &str) -> Result<(), KafkaError> {
    topic_name::validate(topic)
        .map_err(|reason| KafkaError::new(ErrorCode::InvalidTopicException, reason))?;
    let resource = (ResourceType::Topic, topic);
    if broker.authorizer().authorize(ctx, AclOperation::Read, resource) == Decision::Denied {
        let message = "Topic authorization failed.";
        return Err(KafkaError::new(ErrorCode::TopicAuthorizationFailed, message));
    }
    if broker.image().topics.id_of(topic).is_none() {
        let message = "This server does not host this topic-partition.";
        return Err(KafkaError::new(ErrorCode::UnknownTopicOrPartition, message));
    }
    Ok(())
}

async fn producers(
    broker: &Broker,
    of: &TopicPartition,
) -> Result<Vec<(ProducerId, ProducerStateEntry)>, KafkaError> {
    let partition = hosted_partition(broker, of)?;
    partition.active_producers().await.map_err(|error| error.to_kafka_error())
}

fn partition_response(
    partition_index: i32,
    producers: Result<Vec<(ProducerId, ProducerStateEntry)>, KafkaError>,
) -> PartitionResponse {
    match producers {
        Ok(producers) => PartitionResponse {
            partition_index,
            active_producers: producers.iter().map(producer_state).collect(),
            ..PartitionResponse::default()
        },
        Err(error) => PartitionResponse {
            partition_index,
            error_code: error.code.code(),
            error_message: error.message.map(Into::into),
            ..PartitionResponse::default()
        },
    }
}

fn producer_state((id, entry): &(ProducerId, ProducerStateEntry)) -> ProducerState {
    ProducerState {
        producer_id: id.0,
        producer_epoch: i32::from(entry.producer_epoch),
        last_sequence: entry.last_sequence(),
        last_timestamp: entry.last_timestamp_ms,
        coordinator_epoch: entry.coordinator_epoch,
        current_txn_start_offset: entry.current_txn_first_offset.map_or(-1, |offset| offset.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_producer_without_batches_is_told_with_kafkas_nones() {
        let state = producer_state(&(ProducerId(7), ProducerStateEntry::EMPTY));
        let expected = ProducerState {
            producer_id: 7,
            producer_epoch: -1,
            last_sequence: -1,
            last_timestamp: -1,
            coordinator_epoch: -1,
            current_txn_start_offset: -1,
        };
        assert_eq!(state, expected);
    }

    #[test]
    fn an_error_lists_no_producers() {
        let error = KafkaError::new(ErrorCode::TopicAuthorizationFailed, "no");
        let response = partition_response(2, Err(error));
        assert_eq!((response.partition_index, response.error_code), (2, 29));
        assert_eq!(response.error_message.as_deref(), Some("no"));
        assert!(response.active_producers.is_empty());
    }
}
