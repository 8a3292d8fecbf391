//! DeleteRecords, key 21, versions 0-2 (KIP-107).
//!
//! Behaviour: raises the log start offset of partitions that this node leads, to the offset asked for or (−1) to the high
//! watermark, and answers with the low watermark. Whole segments below it are deleted at once.
//!
//! Notes:
//! - Coordinators' topics cannot be cut: INVALID_TOPIC_EXCEPTION. Nor can those without `delete` in their `cleanup.policy`:
//!   POLICY_VIOLATION.
//! - An offset below the log start changes nothing; one above the high watermark is OFFSET_OUT_OF_RANGE.
//! - The timeout is for replicas to follow; here the leader is alone.

use std::sync::Arc;

use klamm_metadata::{MetadataImage, topic_name};
use klamm_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest,
};
use klamm_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsResponse, DeleteRecordsTopicResult,
};
use klamm_protocol::{ApiKey, ErrorCode};
use klamm_record::{Offset, TopicPartition};
use klamm_replica::DeleteTo;

use crate::apis::error::ToKafkaError;
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Rights};
use crate::broker::Broker;
use crate::reply::Reply;
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::DeleteRecords, (0, 2), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
});

response_message!(DeleteRecordsResponse, throttle_time_ms);

/// As an offset: up to the high watermark.
const HIGH_WATERMARK: i64 = -1;

/// The low watermark beside an error.
const NO_LOW_WATERMARK: i64 = -1;

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, request: DeleteRecordsRequest) -> Reply {
    let rights = Rights::of(broker.authorizer(), ctx);
    let allowed: Vec<bool> = request
        .topics
        .iter()
        .map(|topic| rights.may_on_topic(AclOperation::Delete, &topic.name))
        .collect();
    let broker = Arc::clone(broker);
    Reply::working(async move {
        let image = broker.image();
        let mut response = DeleteRecordsResponse::default();
        for (topic, allowed) in request.topics.into_iter().zip(allowed) {
            let name: Arc<str> = Arc::from(&*topic.name);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for asked in topic.partitions {
                let checked = check(&image, &name, &asked, allowed);
                let deleted = match checked {
                    Ok(()) => delete(&broker, Arc::clone(&name), &asked).await,
                    Err(error) => Err(error),
                };
                partitions.push(result(asked.partition_index, deleted));
            }
            response.topics.push(DeleteRecordsTopicResult { name: topic.name, partitions });
        }
        Reply::message(response)
    })
}

fn check(
    image: &MetadataImage,
    topic: &str,
    asked: &DeleteRecordsPartition,
    allowed: bool,
) -> Result<(), ErrorCode> {
    if !allowed {
        return Err(ErrorCode::TopicAuthorizationFailed);
    }
    let known = image.topics.topic_by_name(topic);
    if known.is_none_or(|topic| !topic.partitions.contains_key(&asked.partition_index)) {
        return Err(ErrorCode::UnknownTopicOrPartition);
    }
    if topic_name::is_internal(topic) {
        return Err(ErrorCode::InvalidTopicException);
    }
    Ok(())
}

async fn delete(
    broker: &Broker,
    topic: Arc<str>,
    asked: &DeleteRecordsPartition,
) -> Result<Offset, ErrorCode> {
    let topic_partition = TopicPartition { topic, partition: asked.partition_index };
    let to = match asked.offset {
        HIGH_WATERMARK => DeleteTo::HighWatermark,
        offset => DeleteTo::Offset(Offset(offset)),
    };
    let partition = broker
        .replica_manager()
        .partition(&topic_partition, None)
        .map_err(|error| error.to_kafka_error().code)?;
    partition.delete_records(to).await.map_err(|error| {
        let error_code = error.to_kafka_error().code;
        tracing::debug!(partition = %topic_partition, %error, %error_code, "records were not deleted");
        error_code
    })
}

fn result(
    partition_index: i32,
    deleted: Result<Offset, ErrorCode>,
) -> DeleteRecordsPartitionResult {
    DeleteRecordsPartitionResult {
        partition_index,
        low_watermark: deleted.map_or(NO_LOW_WATERMARK, |offset| offset.0),
        error_code: deleted.err().unwrap_or_default().code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apis::test_image::{image, topic};

    #[test]
    fn what_cannot_be_cut_is_refused_in_kafkas_order() {
        let mut records = topic("flights", 1, 1);
        records.extend(topic("__consumer_offsets", 2, 1));
        let image = image(&records);
        let check = |topic, partition_index, allowed| {
            let asked = DeleteRecordsPartition { partition_index, offset: 0 };
            check(&image, topic, &asked, allowed)
        };
        assert_eq!(check("flights", 0, true), Ok(()));
        assert_eq!(check("flights", 1, true), Err(ErrorCode::UnknownTopicOrPartition));
        assert_eq!(check("nowhere", 0, true), Err(ErrorCode::UnknownTopicOrPartition));
        assert_eq!(check("nowhere", 0, false), Err(ErrorCode::TopicAuthorizationFailed));
        let internal = check("__consumer_offsets", 0, true);
        assert_eq!(internal, Err(ErrorCode::InvalidTopicException));
        let refused = result(3, Err(ErrorCode::OffsetOutOfRange));
        assert_eq!((refused.low_watermark, refused.error_code), (-1, 1));
        assert_eq!(result(3, Ok(Offset(7))).low_watermark, 7);
    }
}
