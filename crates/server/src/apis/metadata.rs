//! Metadata, key 3, versions 0-13.
//!
//! Behaviour: brokers under the address of the listener the client came in on, and topics with their partitions, by name or by
//! id. Topics that do not exist are made if request and broker (`auto.create.topics.enable`) allow it; the client is told
//! UNKNOWN_TOPIC_OR_PARTITION all the same and finds the topic when it asks again.
//!
//! Notes:
//! - v0 asks for all topics with an empty list, v1 and up with null.
//! - v0 leaves no replica out; it tells REPLICA_NOT_AVAILABLE where one cannot be reached (so does Kafka's code, whose later
//!   versions list them as offline instead).
//! - up to v5 a leader without this listener is LEADER_NOT_AVAILABLE, from v6 on LISTENER_NOT_FOUND.
//! - v4 lets clients forbid auto-creation; before, it is allowed.
//! - v8 (KIP-430) tells authorized operations; those of the cluster moved to DescribeCluster in v11 (KIP-700).
//! - v10 (KIP-516) tells topic ids, v12 takes them in requests; ids and names are not mixed: if there is an id, names are
//!   not looked at.
//! - v13 has an error for the whole answer.
//! - The controller id is a broker's: brokers pass on what is the controller's to do (KIP-590).

use std::collections::BTreeSet;
use std::sync::Arc;

use klamm_metadata::image::TopicImage;
use klamm_metadata::{MetadataImage, PartitionRegistration, topic_name};
use klamm_protocol::messages::metadata_request::MetadataRequest;
use klamm_protocol::messages::metadata_response::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use klamm_protocol::{ApiKey, ErrorCode, Str};
use klamm_record::{TopicId, Uuid};

use crate::apis::auto_topic_creation;
use crate::apis::listener_view::{ListenerView, NO_NODE, ids};
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Rights};
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::Metadata, (0, 13), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.large();

response_message!(MetadataResponse, throttle_time_ms);

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, request: MetadataRequest) -> Reply {
    if !is_valid(&request, ctx.api_version) {
        let refused = refused(&request, ErrorCode::InvalidRequest);
        return Reply::Now(Response::message(refused).with_error(ErrorCode::InvalidRequest));
    }
    let image = broker.image();
    let query = Query {
        view: ListenerView::new(&image, ctx.listener().name.as_str()),
        rights: Rights::of(broker.authorizer(), ctx),
        version: ctx.api_version,
        may_create: request.allow_auto_topic_creation
            && broker.config().boolean("auto.create.topics.enable"),
    };
    let (topics, missing) = query.topics(&request);
    let response = MetadataResponse {
        brokers: query.brokers(),
        cluster_id: Some(Str::from(broker.cluster_id())),
        controller_id: query.view.controller_id(broker.node_id()),
        topics,
        cluster_authorized_operations: query.cluster_operations(&request),
        ..MetadataResponse::default()
    };
    if missing.is_empty() {
        return Reply::message(response);
    }
    let broker = Arc::clone(broker);
    Reply::working(async move {
        auto_topic_creation::create(&broker, missing).await;
        Reply::message(response)
    })
}

/// Names may be null, and ids set, from v12 on.
fn is_valid(request: &MetadataRequest, version: i16) -> bool {
    let topics = request.topics.iter().flatten();
    let by_id = request.topics.iter().flatten().any(|topic| topic.topic_id != Uuid::ZERO);
    topics.into_iter().all(|topic| match &topic.name {
        None => version >= 12 && by_id,
        Some(_) => version >= 12 || topic.topic_id == Uuid::ZERO,
    })
}

fn refused(request: &MetadataRequest, error: ErrorCode) -> MetadataResponse {
    let topics = request.topics.iter().flatten();
    MetadataResponse {
        topics: topics
            .map(|topic| MetadataResponseTopic {
                error_code: error.code(),
                name: Some(topic.name.clone().unwrap_or_default()),
                topic_id: topic.topic_id,
                ..MetadataResponseTopic::default()
            })
            .collect(),
        error_code: error.code(),
        ..MetadataResponse::default()
    }
}

/// What an answer depends on beside the request.
struct Query<'a> {
    view: ListenerView<'a>,
    rights: Rights<'a>,
    version: i16,
    may_create: bool,
}

impl Query<'_> {
    fn brokers(&self) -> Vec<MetadataResponseBroker> {
        let alive = self.view.alive_brokers();
        alive
            .map(|(broker, endpoint)| MetadataResponseBroker {
                node_id: broker.id.0,
                host: Str::from(&*endpoint.host),
                port: i32::from(endpoint.port),
                rack: broker.rack.as_deref().map(Str::from),
            })
            .collect()
    }

    fn cluster_operations(&self, request: &MetadataRequest) -> i32 {
        match request.include_cluster_authorized_operations {
            true => self.rights.cluster_operations(),
            false => MetadataResponse::default().cluster_authorized_operations,
        }
    }

    /// The topics of the answer, and those of them that are to be made.
    fn topics(&self, request: &MetadataRequest) -> (Vec<MetadataResponseTopic>, Vec<Str>) {
        let mut missing = Vec::new();
        let mut topics = match &request.topics {
            None => self.all_topics(),
            Some(asked) if asked.is_empty() && self.version == 0 => self.all_topics(),
            Some(asked) if asked.iter().any(|topic| topic.topic_id != Uuid::ZERO) => {
                let mut seen = BTreeSet::new();
                let asked = asked.iter().map(|topic| topic.topic_id);
                let asked = asked.filter(|id| *id != Uuid::ZERO && seen.insert(*id));
                asked.map(|id| self.topic_with_id(TopicId(id))).collect()
            }
            Some(asked) => {
                let mut seen = BTreeSet::new();
                let asked = asked.iter().filter_map(|topic| topic.name.as_ref());
                let asked = asked.filter(|name| seen.insert(*name));
                asked.map(|name| self.topic_named(name, &mut missing)).collect()
            }
        };
        if request.include_topic_authorized_operations {
            for topic in &mut topics {
                self.add_operations(topic);
            }
        }
        (topics, missing)
    }

    fn all_topics(&self) -> Vec<MetadataResponseTopic> {
        let topics = self.image().topics.iter_by_name();
        topics
            .filter(|topic| self.rights.may_on_topic(AclOperation::Describe, &topic.name))
            .map(|topic| self.known(topic))
            .collect()
    }

    fn topic_with_id(&self, id: TopicId) -> MetadataResponseTopic {
        let nameless = |error: ErrorCode| MetadataResponseTopic {
            error_code: error.code(),
            name: None,
            topic_id: id.0,
            ..MetadataResponseTopic::default()
        };
        match self.image().topics.topic(id) {
            None => nameless(ErrorCode::UnknownTopicId),
            Some(topic) if !self.rights.may_on_topic(AclOperation::Describe, &topic.name) => {
                nameless(ErrorCode::TopicAuthorizationFailed)
            }
            Some(topic) => self.known(topic),
        }
    }

    fn topic_named(&self, name: &Str, missing: &mut Vec<Str>) -> MetadataResponseTopic {
        if !self.rights.may_on_topic(AclOperation::Describe, name) {
            return unknown(name, ErrorCode::TopicAuthorizationFailed);
        }
        if let Some(topic) = self.image().topics.topic_by_name(name) {
            return self.known(topic);
        }
        if topic_name::validate(name).is_err() {
            return unknown(name, ErrorCode::InvalidTopicException);
        }
        if self.may_create {
            if !self.rights.may_on_cluster(AclOperation::Create)
                && !self.rights.may_on_topic(AclOperation::Create, name)
            {
                return unknown(name, ErrorCode::TopicAuthorizationFailed);
            }
            missing.push(name.clone());
        }
        unknown(name, ErrorCode::UnknownTopicOrPartition)
    }

    fn known(&self, topic: &TopicImage) -> MetadataResponseTopic {
        let partitions = topic.partitions.iter();
        MetadataResponseTopic {
            name: Some(Str::from(&*topic.name)),
            topic_id: topic.id.0,
            is_internal: topic_name::is_internal(&topic.name),
            partitions: partitions.map(|(index, it)| self.partition(*index, it)).collect(),
            ..MetadataResponseTopic::default()
        }
    }

    fn partition(
        &self,
        index: i32,
        partition: &PartitionRegistration,
    ) -> MetadataResponsePartition {
        let leader = self.view.leader(partition);
        let (mut replicas, mut isr) = (partition.replicas.clone(), partition.isr.clone());
        if self.version == 0 {
            replicas.retain(|id| self.view.is_alive(*id));
            isr.retain(|id| self.view.is_alive(*id));
        }
        let all_there =
            replicas.len() == partition.replicas.len() && isr.len() == partition.isr.len();
        let error = match leader {
            Err(ErrorCode::ListenerNotFound) if self.version < 6 => ErrorCode::LeaderNotAvailable,
            Err(error) => error,
            Ok(_) if all_there => ErrorCode::None,
            Ok(_) => ErrorCode::ReplicaNotAvailable,
        };
        MetadataResponsePartition {
            error_code: error.code(),
            partition_index: index,
            leader_id: leader.unwrap_or(NO_NODE),
            leader_epoch: partition.leader_epoch.0,
            replica_nodes: ids(&replicas),
            isr_nodes: ids(&isr),
            offline_replicas: self.view.offline_replicas(partition),
        }
    }

    fn add_operations(&self, topic: &mut MetadataResponseTopic) {
        let denied = ErrorCode::TopicAuthorizationFailed.code();
        if let Some(name) = &topic.name
            && topic.error_code != denied
        {
            topic.topic_authorized_operations = self.rights.topic_operations(name);
        }
    }

    fn image(&self) -> &MetadataImage {
        self.view.image
    }
}

fn unknown(name: &Str, error: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: error.code(),
        name: Some(name.clone()),
        is_internal: topic_name::is_internal(name),
        ..MetadataResponseTopic::default()
    }
}

#[cfg(test)]
mod tests;
