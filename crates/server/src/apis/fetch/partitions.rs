//! Which partitions a fetch is about, and which of them can be read.

use std::sync::Arc;

use klamm_protocol::ErrorCode;
use klamm_protocol::messages::fetch_request::FetchRequest;
use klamm_record::{LeaderEpoch, Offset, TopicId, TopicPartition};
use klamm_replica::FetchPartition;

use crate::authorizer::{AclOperation, Decision, ResourceType};
use crate::broker::Broker;
use crate::fetch_session::{FetchContext, PartitionKey, SessionRequest, WantedPartition};
use crate::request_context::RequestContext;

/// First version that names topics by id.
const TOPIC_ID_VERSION: i16 = 13;

/// What the request says, with topics resolved as far as they are known.
pub fn wanted(broker: &Broker, ctx: &RequestContext, request: &FetchRequest) -> SessionRequest {
    let uses_topic_ids = ctx.api_version >= TOPIC_ID_VERSION;
    let image = broker.image();
    let mut partitions = Vec::new();
    for topic in &request.topics {
        let id = TopicId(topic.topic_id);
        let name: Arc<str> = match image.topics.topic(id).filter(|_| uses_topic_ids) {
            Some(topic) => Arc::clone(&topic.name),
            None => Arc::from(topic.topic.as_str()),
        };
        for partition in &topic.partitions {
            let topic_partition =
                TopicPartition { topic: Arc::clone(&name), partition: partition.partition };
            partitions.push(WantedPartition {
                key: PartitionKey { topic_id: id, topic_partition },
                fetch_offset: Offset(partition.fetch_offset),
                max_bytes: u32::try_from(partition.partition_max_bytes).unwrap_or(0),
                current_leader_epoch: LeaderEpoch(partition.current_leader_epoch),
                last_fetched_epoch: LeaderEpoch(partition.last_fetched_epoch),
            });
        }
    }
    let mut forgotten = Vec::new();
    for topic in &request.forgotten_topics_data {
        let id = TopicId(topic.topic_id);
        let name: Arc<str> = Arc::from(topic.topic.as_str());
        for partition in &topic.partitions {
            let topic_partition =
                TopicPartition { topic: Arc::clone(&name), partition: *partition };
            forgotten.push(PartitionKey { topic_id: id, topic_partition });
        }
    }
    let (session_id, session_epoch) = (request.session_id, request.session_epoch);
    SessionRequest { session_id, session_epoch, uses_topic_ids, partitions, forgotten }
}

/// The partitions of a fetch, split into those that can be read and those that cannot.
pub struct Asked {
    /// For each partition of the fetch, in its order.
    pub places: Vec<Place>,
    /// What the replica manager is asked.
    pub readable: Vec<FetchPartition>,
}

/// Where a partition's answer comes from.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// Index into `readable`.
    Read(usize),
    /// Known without reading.
    Error(ErrorCode),
}

/// Checks rights and names of what the fetch wants now (for a session that is more than the request says).
pub fn resolve(
    broker: &Broker,
    ctx: &RequestContext,
    fetch: &FetchContext,
    is_follower: bool,
) -> Asked {
    let image = broker.image();
    let mut asked = Asked { places: Vec::new(), readable: Vec::new() };
    for partition in fetch.partitions() {
        let key = &partition.key;
        let place = if is_follower {
            Place::Error(ErrorCode::NotLeaderOrFollower)
        } else {
            let topic = if fetch.uses_topic_ids() {
                // a session may have begun before the topic was known here
                image.topics.topic(key.topic_id).map(|topic| Arc::clone(&topic.name))
            } else {
                Some(Arc::clone(&key.topic_partition.topic))
            };
            match topic {
                None => Place::Error(ErrorCode::UnknownTopicId),
                Some(topic) if !may_read(broker, ctx, &topic) => {
                    Place::Error(ErrorCode::TopicAuthorizationFailed)
                }
                Some(topic) => {
                    asked.readable.push(FetchPartition {
                        topic_partition: TopicPartition { topic, ..key.topic_partition.clone() },
                        topic_id: fetch.uses_topic_ids().then_some(key.topic_id),
                        fetch_offset: partition.fetch_offset,
                        max_bytes: partition.max_bytes,
                        current_leader_epoch: partition.current_leader_epoch,
                        last_fetched_epoch: partition.last_fetched_epoch,
                    });
                    Place::Read(asked.readable.len() - 1)
                }
            }
        };
        asked.places.push(place);
    }
    asked
}

fn may_read(broker: &Broker, ctx: &RequestContext, topic: &str) -> bool {
    let resource = (ResourceType::Topic, topic);
    broker.authorizer().authorize(ctx, AclOperation::Read, resource) == Decision::Allowed
}
