//! CreatePartitions, key 37, versions 0-3 (KIP-195).
//!
//! Behaviour: adds partitions to topics, each alone; the answer comes when they are in the metadata log and this node knows
//! them. Records are not moved between partitions.
//!
//! Notes:
//! - A timeout of 0 or less has passed before the controller looks at the request: REQUEST_TIMED_OUT, and nothing is added.
//! - v3 (KIP-599) tells clients apart that know THROTTLING_QUOTA_EXCEEDED; the messages are those of v2.

use std::sync::Arc;

use klamm_protocol::messages::create_partitions_request::CreatePartitionsRequest;
use klamm_protocol::messages::create_partitions_response::{
    CreatePartitionsResponse, CreatePartitionsTopicResult,
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
pub const ROW: ApiRow = ApiRow::new(ApiKey::CreatePartitions, (0, 3), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.throttle(ThrottleKind::ControllerMutation);

response_message!(CreatePartitionsResponse, throttle_time_ms);

fn handle(
    broker: &Arc<Broker>,
    ctx: &RequestContext,
    mut request: CreatePartitionsRequest,
) -> Reply {
    let rights = Rights::of(broker.authorizer(), ctx);
    let mut denied = Vec::new();
    request.topics.retain(|topic| {
        let may = rights.may_on_topic(AclOperation::Alter, &topic.name);
        if !may {
            let error = KafkaError::code(ErrorCode::TopicAuthorizationFailed);
            denied.push(refused(&topic.name, &error));
        }
        may
    });
    let names: Vec<Str> = request.topics.iter().map(|topic| topic.name.clone()).collect();
    let timeout = check_timeout(request.timeout_ms);
    let broker = Arc::clone(broker);
    Reply::working(async move {
        let added = match timeout {
            Err(error) => Err(error),
            Ok(()) => broker
                .controller()
                .run("create partitions", move |controller, ctx| {
                    controller.create_partitions(ctx, &request)
                })
                .await
                .map_err(|error| error.to_kafka_error()),
        };
        Reply::Now(match added {
            Ok(mut response) => {
                response.results.extend(denied);
                Response::message(response)
            }
            Err(error) => {
                let results = names.iter().map(|name| refused(name, &error));
                let response = CreatePartitionsResponse {
                    results: results.chain(denied).collect(),
                    ..CreatePartitionsResponse::default()
                };
                Response::message(response).with_error(error.code)
            }
        })
    })
}

fn refused(name: &Str, error: &KafkaError) -> CreatePartitionsTopicResult {
    CreatePartitionsTopicResult {
        name: name.clone(),
        error_code: error.code.code(),
        error_message: error.message.as_deref().map(Str::from),
    }
}
