//! DescribeTopicPartitions, key 75, version 0 (KIP-966).
//!
//! Behaviour: topics with their partitions, eligible leader replicas included, in the order of topic names and in pages: an
//! answer holds at most as many partitions as the client and `max.request.partition.size.limit` allow, and a cursor where more
//! is to come. No topics asked for means all of them; unknown ones are then left out rather than reported.
//!
//! Notes:
//! - The cursor's topic must be among those asked for, and its partition must not be negative: INVALID_REQUEST for every topic.
//! - Topics are never made.

use std::collections::BTreeSet;
use std::sync::Arc;

use klamm_metadata::image::TopicImage;
use klamm_metadata::{PartitionRegistration, topic_name};
use klamm_protocol::messages::describe_topic_partitions_request::{
    Cursor as AskedCursor, DescribeTopicPartitionsRequest,
};
use klamm_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponse, DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
};
use klamm_protocol::{ApiKey, ErrorCode, Str};

use crate::apis::listener_view::{ListenerView, NO_NODE, ids};
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Rights};
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow =
    ApiRow::new(ApiKey::DescribeTopicPartitions, (0, 0), |broker, ctx, body| {
        decoded(ctx, body, |request| handle(broker, ctx, request))
    })
    .large();

response_message!(DescribeTopicPartitionsResponse, throttle_time_ms);

fn handle(
    broker: &Arc<Broker>,
    ctx: &RequestContext,
    request: DescribeTopicPartitionsRequest,
) -> Reply {
    let image = broker.image();
    let page = Page {
        view: ListenerView::new(&image, ctx.listener().name.as_str()),
        rights: Rights::of(broker.authorizer(), ctx),
        partitions_max: broker
            .config()
            .int("max.request.partition.size.limit")
            .min(request.response_partition_limit)
            .max(1),
    };
    match page.answer(&request) {
        Ok(response) => Reply::message(response),
        Err(error) => Reply::Now(Response::message(refused(&request, error)).with_error(error)),
    }
}

fn refused(
    request: &DescribeTopicPartitionsRequest,
    error: ErrorCode,
) -> DescribeTopicPartitionsResponse {
    let topics = request.topics.iter().map(|topic| failed(&topic.name, error));
    DescribeTopicPartitionsResponse {
        topics: topics.collect(),
        ..DescribeTopicPartitionsResponse::default()
    }
}

/// What an answer depends on beside the request.
struct Page<'a> {
    view: ListenerView<'a>,
    rights: Rights<'a>,
    partitions_max: i32,
}

impl Page<'_> {
    /// # Errors
    /// If the cursor makes no sense.
    fn answer(
        &self,
        request: &DescribeTopicPartitionsRequest,
    ) -> Result<DescribeTopicPartitionsResponse, ErrorCode> {
        let all = request.topics.is_empty();
        let names = self.names(request)?;
        let mut response = DescribeTopicPartitionsResponse::default();
        let mut denied = Vec::new();
        let mut left = self.partitions_max;
        for name in &names {
            if !self.rights.may_on_topic(AclOperation::Describe, name) {
                if !all {
                    denied.push(failed(name, ErrorCode::TopicAuthorizationFailed));
                }
                continue;
            }
            // Kafka collects what is denied for all topics before it fills the page
            if response.next_cursor.is_some() {
                continue;
            }
            if left == 0 {
                response.next_cursor =
                    Some(Cursor { topic_name: name.clone(), partition_index: 0 });
                continue;
            }
            let Some(topic) = self.view.image.topics.topic_by_name(name) else {
                if !all {
                    response.topics.push(self.with_operations(unknown(name)));
                }
                continue;
            };
            let cursor = request.cursor.as_ref().filter(|cursor| cursor.topic_name == *name);
            let start = cursor.map_or(0, |cursor| cursor.partition_index);
            let (described, next) = self.topic(topic, start, left);
            left -= described.partitions.len() as i32;
            response.topics.push(self.with_operations(described));
            response.next_cursor = next;
        }
        response.topics.append(&mut denied);
        Ok(response)
    }

    /// The names to answer for, sorted, from the cursor on.
    fn names(&self, request: &DescribeTopicPartitionsRequest) -> Result<BTreeSet<Str>, ErrorCode> {
        let cursor: Option<&AskedCursor> = request.cursor.as_ref();
        let first = cursor.map_or("", |cursor| &*cursor.topic_name);
        let names: BTreeSet<Str> = if request.topics.is_empty() {
            let topics = self.view.image.topics.by_name().keys();
            topics.filter(|name| ***name >= *first).map(|name| Str::from(&**name)).collect()
        } else {
            let topics = request.topics.iter().map(|topic| &topic.name);
            topics.filter(|name| ***name >= *first).cloned().collect()
        };
        match cursor {
            Some(cursor) if cursor.partition_index < 0 => Err(ErrorCode::InvalidRequest),
            Some(cursor) if !request.topics.is_empty() && !names.contains(&cursor.topic_name) => {
                Err(ErrorCode::InvalidRequest)
            }
            _ => Ok(names),
        }
    }

    /// A topic's partitions from `start` on, at most `partitions_max`, and where to go on if there are more.
    fn topic(
        &self,
        topic: &TopicImage,
        start: i32,
        partitions_max: i32,
    ) -> (DescribeTopicPartitionsResponseTopic, Option<Cursor>) {
        let name = Str::from(&*topic.name);
        let end = start.saturating_add(partitions_max);
        let inside = topic.partitions.range(start..).take_while(|(index, _)| **index < end);
        let described = DescribeTopicPartitionsResponseTopic {
            name: Some(name.clone()),
            topic_id: topic.id.0,
            is_internal: topic_name::is_internal(&name),
            partitions: inside.map(|(index, it)| self.partition(*index, it)).collect(),
            ..DescribeTopicPartitionsResponseTopic::default()
        };
        let is_whole = end as usize >= topic.partitions.len();
        let next = (!is_whole).then_some(Cursor { topic_name: name, partition_index: end });
        (described, next)
    }

    fn partition(
        &self,
        index: i32,
        partition: &PartitionRegistration,
    ) -> DescribeTopicPartitionsResponsePartition {
        DescribeTopicPartitionsResponsePartition {
            partition_index: index,
            leader_id: self.view.leader(partition).unwrap_or(NO_NODE),
            leader_epoch: partition.leader_epoch.0,
            replica_nodes: ids(&partition.replicas),
            isr_nodes: ids(&partition.isr),
            eligible_leader_replicas: Some(ids(&partition.elr)),
            last_known_elr: Some(ids(&partition.last_known_elr)),
            offline_replicas: self.view.offline_replicas(partition),
            ..DescribeTopicPartitionsResponsePartition::default()
        }
    }

    fn with_operations(
        &self,
        mut topic: DescribeTopicPartitionsResponseTopic,
    ) -> DescribeTopicPartitionsResponseTopic {
        let name = topic.name.as_deref().unwrap_or_default();
        topic.topic_authorized_operations = self.rights.topic_operations(name);
        topic
    }
}

fn unknown(name: &Str) -> DescribeTopicPartitionsResponseTopic {
    let error = match topic_name::validate(name) {
        Ok(()) => ErrorCode::UnknownTopicOrPartition,
        Err(_) => ErrorCode::InvalidTopicException,
    };
    let is_internal = topic_name::is_internal(name);
    DescribeTopicPartitionsResponseTopic { is_internal, ..failed(name, error) }
}

fn failed(name: &Str, error: ErrorCode) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic {
        error_code: error.code(),
        name: Some(name.clone()),
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

#[cfg(test)]
mod tests;
