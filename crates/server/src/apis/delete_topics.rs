//! DeleteTopics, key 20, versions 1-6.
//!
//! Behaviour: topics leave the metadata at once; their logs are deleted in the background. Each topic is answered alone.
//!
//! Notes:
//! - `delete.topic.enable=false`: INVALID_REQUEST up to v2, TOPIC_DELETION_DISABLED from v3 on (KIP-322).
//! - v5 (KIP-599) adds messages, v6 (KIP-516) ids. Whoever may not describe a topic that was named by id is not told its name.
//! - A timeout of 0 or less has passed before the controller looks at the request: REQUEST_TIMED_OUT, and nothing is deleted.

use std::sync::Arc;

use klamm_metadata::MetadataImage;
use klamm_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use klamm_protocol::messages::delete_topics_response::{
    DeletableTopicResult, DeleteTopicsResponse,
};
use klamm_protocol::{ApiKey, ErrorCode, Str};
use klamm_record::{TopicId, Uuid};

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
pub const ROW: ApiRow = ApiRow::new(ApiKey::DeleteTopics, (1, 6), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.throttle(ThrottleKind::ControllerMutation)
.large();

response_message!(DeleteTopicsResponse, throttle_time_ms);

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, mut request: DeleteTopicsRequest) -> Reply {
    let allowed =
        check_enabled(broker, ctx.api_version).and_then(|()| check_timeout(request.timeout_ms));
    if let Err(error) = allowed {
        return Reply::Now(refused(&named(&request), &error));
    }
    let denied = take_denied(&mut request, &Rights::of(broker.authorizer(), ctx), &broker.image());
    let broker = Arc::clone(broker);
    Reply::working(async move {
        let all = named(&request);
        let deleted = broker
            .controller()
            .run("delete topics", move |controller, _| controller.delete_topics(&request))
            .await;
        Reply::Now(match deleted {
            Ok(mut response) => {
                response.responses.extend(denied);
                Response::message(response)
            }
            Err(error) => refused(&all, &error.to_kafka_error()),
        })
    })
}

fn check_enabled(broker: &Broker, version: i16) -> Result<(), KafkaError> {
    if broker.config().boolean("delete.topic.enable") {
        return Ok(());
    }
    Err(if version < 3 {
        KafkaError::new(ErrorCode::InvalidRequest, "This version does not support topic deletion.")
    } else {
        KafkaError::new(ErrorCode::TopicDeletionDisabled, "Topic deletion is disabled.")
    })
}

fn named(request: &DeleteTopicsRequest) -> Vec<DeleteTopicState> {
    let old = request.topic_names.iter();
    let old = old.map(|name| DeleteTopicState { name: Some(name.clone()), topic_id: Uuid::ZERO });
    old.chain(request.topics.iter().cloned()).collect()
}

/// Takes out what the client may not delete, and answers for it.
fn take_denied(
    request: &mut DeleteTopicsRequest,
    rights: &Rights<'_>,
    image: &MetadataImage,
) -> Vec<DeletableTopicResult> {
    if rights.may_on_cluster(AclOperation::Delete) {
        return Vec::new();
    }
    let may_delete = |name: &str| {
        rights.may_on_topic(AclOperation::Describe, name)
            && rights.may_on_topic(AclOperation::Delete, name)
    };
    let mut denied = Vec::new();
    request.topic_names.retain(|name| {
        let may = may_delete(name);
        if !may {
            denied.push(not_authorized(Some(name.clone()), Uuid::ZERO));
        }
        may
    });
    request.topics.retain(|topic| {
        let by_id = image.topics.topic(TopicId(topic.topic_id));
        let name = topic.name.clone().or_else(|| by_id.map(|topic| Str::from(&*topic.name)));
        // without a name there is no such topic, which the controller says
        let Some(name) = name else { return true };
        let may = may_delete(&name);
        if !may {
            let may_know =
                topic.name.is_some() || rights.may_on_topic(AclOperation::Describe, &name);
            denied.push(not_authorized(may_know.then_some(name), topic.topic_id));
        }
        may
    });
    denied
}

fn not_authorized(name: Option<Str>, topic_id: Uuid) -> DeletableTopicResult {
    DeletableTopicResult {
        name,
        topic_id,
        error_code: ErrorCode::TopicAuthorizationFailed.code(),
        ..DeletableTopicResult::default()
    }
}

/// As Kafka, without a message.
fn refused(topics: &[DeleteTopicState], error: &KafkaError) -> Response {
    let topics = topics.iter().map(|topic| DeletableTopicResult {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        error_code: error.code.code(),
        ..DeletableTopicResult::default()
    });
    let response =
        DeleteTopicsResponse { responses: topics.collect(), ..DeleteTopicsResponse::default() };
    Response::message(response).with_error(error.code)
}
