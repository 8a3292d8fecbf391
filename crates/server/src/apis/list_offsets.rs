//! ListOffsets, key 2, versions 1-11.
//!
//! Behaviour: finds offsets by timestamp, from the leader. A consumer (replica id -1) sees up to the
//! high watermark, with `read_committed` up to the last stable offset; a follower up to the log end;
//! a debugger (-2) asks any replica. A partition that is named twice is answered once, with
//! INVALID_REQUEST. A negative timestamp that the version does not know is answered with
//! UNSUPPORTED_VERSION for its partition alone.
//!
//! Notes by version and KIP:
//! - Version 0, which listed segments, is gone with Kafka 4 (KIP-896).
//! - v2 (KIP-98): isolation level. v4 (KIP-320): leader epochs in request and answer.
//! - v5 (KIP-207): OFFSET_NOT_AVAILABLE while a new leader does not know what is committed; older
//!   versions are told LEADER_NOT_AVAILABLE.
//! - v7 (KIP-734): -3, the record with the largest timestamp.
//! - v8 (KIP-405): -4, the first local offset; without tiered storage the log start.
//! - v9 (KIP-1005): -5, the last tiered offset; none here. v10 (KIP-1075): a timeout for remote reads.
//! - v11 (KIP-1023): -6, the first offset still to be uploaded; none here.

use std::collections::BTreeMap;
use std::sync::Arc;

use klamm_protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use klamm_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use klamm_protocol::{ApiKey, ErrorCode};
use klamm_record::{LeaderEpoch, TopicPartition};
use klamm_replica::{Isolation, ListedPartition, OffsetAsker, OffsetQuery};
use klamm_storage::OffsetSpec;

use crate::apis::error::ToKafkaError;
use crate::apis::hosted_partition::hosted_partition;
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Decision, ResourceType};
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::ListOffsets, (1, 11), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.large();

response_message!(ListOffsetsResponse, throttle_time_ms);

/// First version whose answer tells the leader epoch.
const LEADER_EPOCH_VERSION: i16 = 4;
/// First version that knows OFFSET_NOT_AVAILABLE.
const NOT_AVAILABLE_VERSION: i16 = 5;

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, request: ListOffsetsRequest) -> Reply {
    let (broker, ctx) = (Arc::clone(broker), ctx.clone());
    let asker = asker(&request);
    Reply::later(async move {
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in merged(request.topics) {
            topics.push(list_topic(&broker, &ctx, asker, topic).await);
        }
        Response::message(ListOffsetsResponse { topics, ..ListOffsetsResponse::default() })
    })
}

/// Kafka's `CONSUMER_REPLICA_ID` and `DEBUGGING_REPLICA_ID`; whoever else claims to be a follower.
fn asker(request: &ListOffsetsRequest) -> OffsetAsker {
    match (request.replica_id, request.isolation_level) {
        (-1, 1) => OffsetAsker::Consumer(Isolation::ReadCommitted),
        (-1, _) => OffsetAsker::Consumer(Isolation::ReadUncommitted),
        (-2, _) => OffsetAsker::Debugger,
        _ => OffsetAsker::Follower,
    }
}

/// What is asked of one topic.
#[derive(Debug, PartialEq, Eq)]
struct AskedTopic {
    name: klamm_protocol::Str,
    partitions: Vec<AskedPartition>,
}

/// What is asked of one partition.
#[derive(Debug, PartialEq, Eq)]
enum AskedPartition {
    Once { index: i32, timestamp: i64, current_leader_epoch: LeaderEpoch },
    MoreThanOnce { index: i32 },
}

impl AskedPartition {
    fn index(&self) -> i32 {
        match *self {
            AskedPartition::Once { index, .. } | AskedPartition::MoreThanOnce { index } => index,
        }
    }
}

/// Topics and partitions as they first appear, each once.
fn merged(asked: Vec<ListOffsetsTopic>) -> Vec<AskedTopic> {
    let mut topics: Vec<AskedTopic> = Vec::with_capacity(asked.len());
    let mut topic_places = BTreeMap::new();
    let mut places = BTreeMap::new();
    for ListOffsetsTopic { name, partitions } in asked {
        let at = *topic_places.entry(name.clone()).or_insert(topics.len());
        if at == topics.len() {
            topics.push(AskedTopic { name, partitions: Vec::with_capacity(partitions.len()) });
        }
        let merged = &mut topics[at].partitions;
        for ListOffsetsPartition {
            partition_index: index, current_leader_epoch, timestamp, ..
        } in partitions
        {
            let place = *places.entry((at, index)).or_insert(merged.len());
            if place < merged.len() {
                merged[place] = AskedPartition::MoreThanOnce { index };
                continue;
            }
            let current_leader_epoch = LeaderEpoch(current_leader_epoch);
            merged.push(AskedPartition::Once { index, timestamp, current_leader_epoch });
        }
    }
    topics
}

async fn list_topic(
    broker: &Arc<Broker>,
    ctx: &RequestContext,
    asker: OffsetAsker,
    topic: AskedTopic,
) -> ListOffsetsTopicResponse {
    let resource = (ResourceType::Topic, topic.name.as_str());
    let decision = broker.authorizer().authorize(ctx, AclOperation::Describe, resource);
    let name: Arc<str> = Arc::from(topic.name.as_str());
    let mut partitions = Vec::with_capacity(topic.partitions.len());
    for asked in topic.partitions {
        let index = asked.index();
        let listed = match (decision, asked) {
            (Decision::Denied, _) => Err(ErrorCode::TopicAuthorizationFailed),
            (_, AskedPartition::MoreThanOnce { .. }) => Err(ErrorCode::InvalidRequest),
            (_, AskedPartition::Once { timestamp, current_leader_epoch, .. }) => {
                match offset_spec(timestamp, ctx.api_version) {
                    None => Err(ErrorCode::UnsupportedVersion),
                    Some(spec) => {
                        let of = TopicPartition { topic: Arc::clone(&name), partition: index };
                        let query = OffsetQuery { spec, asker, current_leader_epoch };
                        list_partition(broker, of, query).await
                    }
                }
            }
        };
        partitions.push(partition_response(index, listed, ctx.api_version));
    }
    ListOffsetsTopicResponse { name: topic.name, partitions }
}

async fn list_partition(
    broker: &Broker,
    of: TopicPartition,
    query: OffsetQuery,
) -> Result<ListedPartition, ErrorCode> {
    let partition = hosted_partition(broker, &of).map_err(|error| error.code)?;
    partition.list_offset(query).await.map_err(|error| error.to_kafka_error().code)
}

/// What a timestamp means in a version; nothing if it is negative and unknown there.
fn offset_spec(timestamp: i64, version: i16) -> Option<OffsetSpec> {
    let spec = OffsetSpec::from_wire(timestamp)?;
    let since = match spec {
        OffsetSpec::Latest | OffsetSpec::Earliest | OffsetSpec::Timestamp(_) => 1,
        OffsetSpec::MaxTimestamp => 7,
        OffsetSpec::EarliestLocal => 8,
        OffsetSpec::LatestTiered => 9,
        OffsetSpec::EarliestPendingUpload => 11,
    };
    (version >= since).then_some(spec)
}

fn partition_response(
    partition_index: i32,
    listed: Result<ListedPartition, ErrorCode>,
    version: i16,
) -> ListOffsetsPartitionResponse {
    let (error, listed) = match listed {
        Ok(listed) => (ErrorCode::None, listed),
        Err(ErrorCode::OffsetNotAvailable) if version < NOT_AVAILABLE_VERSION => {
            (ErrorCode::LeaderNotAvailable, ListedPartition::NOTHING)
        }
        Err(error) => (error, ListedPartition::NOTHING),
    };
    let tells_epoch = version >= LEADER_EPOCH_VERSION;
    ListOffsetsPartitionResponse {
        partition_index,
        error_code: error.code(),
        timestamp: listed.timestamp_ms,
        offset: listed.offset.0,
        leader_epoch: if tells_epoch { listed.leader_epoch.0 } else { LeaderEpoch::NONE.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str, partitions: &[i32]) -> ListOffsetsTopic {
        let partitions = partitions
            .iter()
            .map(|index| ListOffsetsPartition {
                partition_index: *index,
                timestamp: -1,
                ..ListOffsetsPartition::default()
            })
            .collect();
        ListOffsetsTopic { name: name.into(), partitions }
    }

    #[test]
    fn special_timestamps_have_the_version_that_brought_them() {
        let first_version = |timestamp| (1..=11).find(|v| offset_spec(timestamp, *v).is_some());
        let versions: Vec<_> = (-8..=1).rev().map(first_version).collect();
        let expected =
            [Some(1), Some(1), Some(1), Some(1), Some(7), Some(8), Some(9), Some(11), None, None];
        assert_eq!(versions, expected);
        assert_eq!(offset_spec(i64::MIN, 11), None);
    }

    #[test]
    fn what_is_asked_twice_is_found_also_across_topic_entries() {
        let asked = vec![topic("b", &[0, 1]), topic("a", &[0]), topic("b", &[2, 1, 1])];
        let merged = merged(asked);
        let shape: Vec<_> = merged
            .iter()
            .map(|topic| {
                let once = |it: &AskedPartition| matches!(it, AskedPartition::Once { .. });
                let partitions: Vec<_> =
                    topic.partitions.iter().map(|it| (it.index(), once(it))).collect();
                (topic.name.as_str(), partitions)
            })
            .collect();
        let expected = vec![("b", vec![(0, true), (1, false), (2, true)]), ("a", vec![(0, true)])];
        assert_eq!(shape, expected);
    }

    #[test]
    fn old_versions_hear_old_errors_and_no_epoch() {
        let not_available =
            |version| partition_response(0, Err(ErrorCode::OffsetNotAvailable), version).error_code;
        assert_eq!(not_available(4), ErrorCode::LeaderNotAvailable.code());
        assert_eq!(not_available(5), ErrorCode::OffsetNotAvailable.code());
        let listed = ListedPartition { leader_epoch: LeaderEpoch(7), ..ListedPartition::NOTHING };
        assert_eq!(partition_response(0, Ok(listed), 3).leader_epoch, -1);
        assert_eq!(partition_response(0, Ok(listed), 4).leader_epoch, 7);
    }

    #[test]
    fn replica_ids_say_who_asks() {
        let asked = |replica_id, isolation_level| {
            asker(&ListOffsetsRequest {
                replica_id,
                isolation_level,
                ..ListOffsetsRequest::default()
            })
        };
        assert_eq!(asked(-1, 0), OffsetAsker::Consumer(Isolation::ReadUncommitted));
        assert_eq!(asked(-1, 1), OffsetAsker::Consumer(Isolation::ReadCommitted));
        assert_eq!(asked(-2, 1), OffsetAsker::Debugger);
        assert_eq!(asked(3, 1), OffsetAsker::Follower);
    }
}
