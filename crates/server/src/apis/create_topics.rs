//! CreateTopics, key 19, versions 2-7.
//!
//! Behaviour: topics are made by the controller, each alone; the answer comes when they are in the metadata log and this node
//! knows them.
//!
//! Notes:
//! - v4 (KIP-464): −1 for partitions and replication factor takes the broker's defaults.
//! - v5 (KIP-525): the answer tells partitions, replication factor and configs of what was made.
//! - v7 (KIP-516): and its id.
//! - A timeout of 0 or less has passed before the controller looks at the request: REQUEST_TIMED_OUT, and nothing is made.

use std::collections::BTreeSet;
use std::sync::Arc;

use klamm_metadata::topic_name::CLUSTER_METADATA_TOPIC;
use klamm_protocol::messages::create_topics_request::CreateTopicsRequest;
use klamm_protocol::messages::create_topics_response::{
    CreatableTopicResult, CreateTopicsResponse,
};
use klamm_protocol::{ApiKey, ErrorCode, Str};

use crate::apis::controller_timeout::check_timeout;
use crate::apis::error::{KafkaError, ToKafkaError};
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Rights};
use crate::broker::Broker;
use crate::quota::ThrottleKind;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::CreateTopics, (2, 7), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.throttle(ThrottleKind::ControllerMutation)
.large();

response_message!(CreateTopicsResponse, throttle_time_ms);

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, mut request: CreateTopicsRequest) -> Reply {
    let rights = Rights::of(broker.authorizer(), ctx);
    let denied = take_denied(&mut request, &rights);
    let names: BTreeSet<Str> = request.topics.iter().map(|topic| topic.name.clone()).collect();
    let describable: BTreeSet<Str> = names
        .iter()
        .filter(|name| rights.may_on_topic(AclOperation::DescribeConfigs, name))
        .map(Str::detached)
        .collect();
    let timeout = check_timeout(request.timeout_ms);
    let broker = Arc::clone(broker);
    Reply::working(async move {
        let created = match timeout {
            Err(error) => Err(error),
            Ok(()) => broker
                .controller()
                .run("create topics", move |controller, ctx| {
                    controller.create_topics(ctx, &request, |name| describable.contains(name))
                })
                .await
                .map_err(|error| error.to_kafka_error()),
        };
        Reply::Now(match created {
            Ok(mut response) => {
                response.topics.extend(denied);
                Response::message(response)
            }
            Err(error) => {
                let topics = names.iter().map(|name| refused(name, &error));
                let response = CreateTopicsResponse {
                    topics: topics.chain(denied).collect(),
                    ..CreateTopicsResponse::default()
                };
                Response::message(response).with_error(error.code)
            }
        })
    })
}

/// Takes out what the client may not make, and answers for it.
fn take_denied(
    request: &mut CreateTopicsRequest,
    rights: &Rights<'_>,
) -> Vec<CreatableTopicResult> {
    if rights.may_on_cluster(AclOperation::Create) {
        return Vec::new();
    }
    let error = KafkaError::new(ErrorCode::TopicAuthorizationFailed, "Authorization failed.");
    let mut denied = Vec::new();
    request.topics.retain(|topic| {
        let may = rights.may_on_topic(AclOperation::Create, &topic.name);
        // the controller has an answer of its own to this one, whoever asks
        let stays = may || topic.name == *CLUSTER_METADATA_TOPIC;
        if !stays {
            denied.push(refused(&topic.name, &error));
        }
        stays
    });
    denied
}

fn refused(name: &Str, error: &KafkaError) -> CreatableTopicResult {
    CreatableTopicResult {
        name: name.clone(),
        error_code: error.code.code(),
        error_message: error.message.as_deref().map(Str::from),
        ..CreatableTopicResult::default()
    }
}
