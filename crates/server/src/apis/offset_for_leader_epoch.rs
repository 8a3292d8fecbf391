//! OffsetForLeaderEpoch, key 23, versions 2-4.
//!
//! Behaviour: tells where a leader epoch ends in the leader's log, so that a consumer finds out that
//! what it read was truncated. An epoch that the leader does not know is answered by the largest
//! below it; one above all it knows, and -1, by -1 without an error. It takes the right to describe
//! the topic, or cluster action for all.
//!
//! Notes by version and KIP:
//! - Versions 0 and 1, without the current leader epoch, are gone with Kafka 4 (KIP-896).
//! - v2 (KIP-320): the client's leader epoch is checked. v3: a replica id. v4: flexible.

use std::sync::Arc;

use klamm_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use klamm_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderEpochResponse, OffsetForLeaderTopicResult,
};
use klamm_protocol::{ApiKey, ErrorCode};
use klamm_record::{LeaderEpoch, TopicPartition};
use klamm_replica::EpochEnd;

use crate::apis::error::ToKafkaError;
use crate::apis::hosted_partition::hosted_partition;
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, CLUSTER_NAME, Decision, ResourceType};
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::OffsetForLeaderEpoch, (2, 4), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.large();

response_message!(OffsetForLeaderEpochResponse, throttle_time_ms);

fn handle(
    broker: &Arc<Broker>,
    ctx: &RequestContext,
    request: OffsetForLeaderEpochRequest,
) -> Reply {
    let (broker, ctx) = (Arc::clone(broker), ctx.clone());
    Reply::later(async move {
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            topics.push(topic_result(&broker, &ctx, topic).await);
        }
        Response::message(OffsetForLeaderEpochResponse {
            topics,
            ..OffsetForLeaderEpochResponse::default()
        })
    })
}

async fn topic_result(
    broker: &Broker,
    ctx: &RequestContext,
    topic: OffsetForLeaderTopic,
) -> OffsetForLeaderTopicResult {
    let allowed = is_allowed(broker, ctx, &topic.topic);
    let name: Arc<str> = Arc::from(topic.topic.as_str());
    let mut partitions = Vec::with_capacity(topic.partitions.len());
    for asked in topic.partitions {
        let of = TopicPartition { topic: Arc::clone(&name), partition: asked.partition };
        let end = if allowed {
            epoch_end(broker, of, &asked).await
        } else {
            Err(ErrorCode::TopicAuthorizationFailed)
        };
        partitions.push(end_offset(asked.partition, end));
    }
    OffsetForLeaderTopicResult { topic: topic.topic, partitions }
}

fn is_allowed(broker: &Broker, ctx: &RequestContext, topic: &str) -> bool {
    let may = |operation, resource| {
        broker.authorizer().authorize(ctx, operation, resource) == Decision::Allowed
    };
    may(AclOperation::ClusterAction, (ResourceType::Cluster, CLUSTER_NAME))
        || may(AclOperation::Describe, (ResourceType::Topic, topic))
}

async fn epoch_end(
    broker: &Broker,
    of: TopicPartition,
    asked: &OffsetForLeaderPartition,
) -> Result<EpochEnd, ErrorCode> {
    let partition = hosted_partition(broker, &of).map_err(|error| error.code)?;
    let (epoch, current) =
        (LeaderEpoch(asked.leader_epoch), LeaderEpoch(asked.current_leader_epoch));
    partition.epoch_end(epoch, current).await.map_err(|error| error.to_kafka_error().code)
}

fn end_offset(partition: i32, end: Result<EpochEnd, ErrorCode>) -> EpochEndOffset {
    match end {
        Ok(EpochEnd { leader_epoch, end_offset }) => EpochEndOffset {
            error_code: ErrorCode::None.code(),
            partition,
            leader_epoch: leader_epoch.0,
            end_offset: end_offset.0,
        },
        Err(error) => {
            EpochEndOffset { error_code: error.code(), partition, ..EpochEndOffset::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_no_epoch_and_no_offset() {
        let refused = end_offset(3, Err(ErrorCode::FencedLeaderEpoch));
        assert_eq!((refused.partition, refused.error_code), (3, 74));
        assert_eq!((refused.leader_epoch, refused.end_offset), (-1, -1));
    }
}
