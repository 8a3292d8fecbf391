//! From what was read to the response: header bytes and file slices.

use std::sync::Arc;

use klamm_protocol::messages::fetch_response::{
    AbortedTransaction, EpochEndOffset, FetchResponse, FetchableTopicResponse, LeaderIdAndEpoch,
    NodeEndpoint, PartitionData,
};
use klamm_protocol::{ErrorCode, Records, Str};
use klamm_replica::{FetchError, Fetched, PartitionError};

use super::partitions::{Asked, Place};
use crate::apis::error::ToKafkaError;
use crate::broker::Broker;
use crate::fetch_session::{FetchContext, PartitionKey, Sent};
use crate::reply::{FilePiece, Response};
use crate::request_context::RequestContext;

/// First version that tells who leads instead.
const LEADER_DISCOVERY_VERSION: i16 = 16;

/// One partition's answer, not yet in the message.
struct Answer {
    key: PartitionKey,
    data: PartitionData,
    file: Option<FilePiece>,
}

/// Puts the answers together; a session leaves out what did not change.
pub fn response(
    broker: &Arc<Broker>,
    ctx: &RequestContext,
    mut fetch: FetchContext,
    asked: Asked,
    answers: Vec<Result<Fetched, FetchError>>,
) -> Response {
    let mut answers: Vec<Option<Result<Fetched, FetchError>>> =
        answers.into_iter().map(Some).collect();
    let keys: Vec<PartitionKey> = fetch.partitions().iter().map(|it| it.key.clone()).collect();
    let mut built = Vec::with_capacity(keys.len());
    for (key, place) in keys.into_iter().zip(asked.places) {
        let index = key.topic_partition.partition;
        let (data, file) = match place {
            Place::Error(code) => (failed(index, code), None),
            Place::Read(at) => match answers[at].take() {
                Some(Ok(fetched)) => read(index, fetched, ctx.api_version),
                Some(Err(error)) => (refused(index, &error, ctx.api_version), None),
                None => (failed(index, ErrorCode::UnknownServerError), None),
            },
        };
        built.push(Answer { key, data, file });
    }
    let sent: Vec<Sent> = built.iter().map(sent).collect();
    let (session_id, included) = fetch.finish(broker.fetch_sessions(), broker.env(), &sent);
    let mut files = Vec::new();
    let mut topics: Vec<FetchableTopicResponse> = Vec::new();
    for (mut answer, _) in built.into_iter().zip(included).filter(|(_, included)| *included) {
        if let Some(file) = answer.file {
            let size_bytes = u32::try_from(file.size_bytes).unwrap_or(u32::MAX);
            answer.data.records = Some(Records::External { token: files.len(), size_bytes });
            files.push(file);
        }
        push(&mut topics, &answer.key, answer.data, fetch.uses_topic_ids());
    }
    let node_endpoints = endpoints(broker, ctx, &topics);
    let response =
        FetchResponse { session_id, responses: topics, node_endpoints, ..FetchResponse::default() };
    Response::with_files(response, files)
}

/// What the session remembers of an answer, and by which it knows whether anything changed.
fn sent(answer: &Answer) -> Sent {
    Sent {
        has_records: answer.file.is_some(),
        error: answer.data.error_code != 0,
        diverging: answer.data.diverging_epoch.epoch >= 0,
        high_watermark: answer.data.high_watermark,
        log_start_offset: answer.data.log_start_offset,
    }
}

fn read(index: i32, fetched: Fetched, version: i16) -> (PartitionData, Option<FilePiece>) {
    let file = fetched.records.map(|slice| FilePiece {
        file: slice.file,
        position: slice.position,
        size_bytes: slice.length,
    });
    let aborted = fetched.aborted.map(|aborted| {
        let of = aborted.into_iter();
        of.map(|it| AbortedTransaction {
            producer_id: it.producer_id.0,
            first_offset: it.first_offset.0,
        })
        .collect()
    });
    let diverging = fetched.diverging_epoch.filter(|_| version >= 12);
    let data = PartitionData {
        partition_index: index,
        high_watermark: fetched.high_watermark.0,
        last_stable_offset: fetched.last_stable_offset.0,
        log_start_offset: fetched.log_start_offset.0,
        aborted_transactions: aborted,
        diverging_epoch: diverging.map_or_else(EpochEndOffset::default, |it| EpochEndOffset {
            epoch: it.epoch.0,
            end_offset: it.end_offset.0,
        }),
        records: Some(Records::default()),
        ..PartitionData::default()
    };
    (data, file)
}

fn failed(index: i32, code: ErrorCode) -> PartitionData {
    PartitionData {
        partition_index: index,
        error_code: code.code(),
        high_watermark: -1,
        records: Some(Records::default()),
        ..PartitionData::default()
    }
}

fn refused(index: i32, error: &FetchError, version: i16) -> PartitionData {
    let mut data = failed(index, error.to_kafka_error().code);
    if version >= LEADER_DISCOVERY_VERSION
        && let FetchError::Partition(PartitionError::NotLeader { leader, leader_epoch, .. }) = error
    {
        data.current_leader =
            LeaderIdAndEpoch { leader_id: leader.0, leader_epoch: leader_epoch.0 };
    }
    data
}

/// Neighbours of one topic share an entry; a session's order may bring a topic up again.
fn push(
    topics: &mut Vec<FetchableTopicResponse>,
    key: &PartitionKey,
    data: PartitionData,
    by_id: bool,
) {
    let same = |topic: &FetchableTopicResponse| {
        if by_id {
            topic.topic_id == key.topic_id.0
        } else {
            *topic.topic == *key.topic_partition.topic
        }
    };
    if let Some(topic) = topics.last_mut().filter(|topic| same(topic)) {
        topic.partitions.push(data);
        return;
    }
    topics.push(FetchableTopicResponse {
        topic: if by_id { Str::default() } else { Str::from(&*key.topic_partition.topic) },
        topic_id: if by_id { key.topic_id.0 } else { klamm_record::Uuid::ZERO },
        partitions: vec![data],
    });
}

fn endpoints(
    broker: &Broker,
    ctx: &RequestContext,
    topics: &[FetchableTopicResponse],
) -> Vec<NodeEndpoint> {
    let mut leaders: Vec<i32> = topics
        .iter()
        .flat_map(|topic| &topic.partitions)
        .map(|partition| partition.current_leader.leader_id)
        .filter(|leader| *leader >= 0)
        .collect();
    leaders.sort_unstable();
    leaders.dedup();
    leaders
        .into_iter()
        .filter_map(|leader| broker.endpoint_of(leader.into(), &ctx.listener().name))
        .map(|node| NodeEndpoint {
            node_id: node.id.0,
            host: Str::from(node.host),
            port: i32::from(node.port),
            rack: node.rack.map(Str::from),
        })
        .collect()
}
