//! AlterConfigs, key 33, versions 0-2. Superseded by IncrementalAlterConfigs (KIP-339).
//!
//! Behaviour: gives a topic, this broker, all brokers, a client metrics subscription or a group exactly the configs named; what
//! is not named goes back to its default. Each resource alone. What may be changed, and to what, is checked by the controller.
//!
//! Notes:
//! - A broker resource must name this node or none (all brokers).
//! - Dynamic broker configs: those that are the default of a topic config take effect at once, on topics without a value of
//!   their own. The others are stored and described, and take effect with the feature that reads them; until then this node
//!   goes by its properties file.

use std::sync::Arc;

use klamm_metadata::image::ResourceType;
use klamm_protocol::messages::alter_configs_request::{AlterConfigsRequest, AlterConfigsResource};
use klamm_protocol::messages::alter_configs_response::{
    AlterConfigsResourceResponse, AlterConfigsResponse,
};
use klamm_protocol::{ApiKey, Str};
use klamm_record::BrokerId;

use crate::apis::config_resource::{check_allowed, check_this_node};
use crate::apis::error::{KafkaError, ToKafkaError};
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Rights};
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::AlterConfigs, (0, 2), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.large();

response_message!(AlterConfigsResponse, throttle_time_ms);

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, mut request: AlterConfigsRequest) -> Reply {
    let rights = Rights::of(broker.authorizer(), ctx);
    let mut refused = Vec::new();
    request.resources.retain(|resource| {
        let checked = check(resource, &rights, broker.node_id());
        let passed = checked.is_ok();
        refused.extend(checked.err().map(|error| answer(resource, &error)));
        passed
    });
    let broker = Arc::clone(broker);
    Reply::working(async move {
        let asked = request.resources.clone();
        let altered = broker
            .controller()
            .run("alter configs", move |controller, _| controller.alter_configs(&request))
            .await;
        Reply::Now(match altered {
            Ok(mut response) => {
                response.responses.extend(refused);
                Response::message(response)
            }
            Err(error) => {
                let error = error.to_kafka_error();
                let responses = asked.iter().map(|resource| answer(resource, &error));
                let responses = responses.chain(refused).collect();
                let response =
                    AlterConfigsResponse { responses, ..AlterConfigsResponse::default() };
                Response::message(response).with_error(error.code)
            }
        })
    })
}

fn check(
    resource: &AlterConfigsResource,
    rights: &Rights<'_>,
    node: BrokerId,
) -> Result<(), KafkaError> {
    let (code, name) = (resource.resource_type, &*resource.resource_name);
    if code == ResourceType::Broker.code() {
        check_this_node(name, node)?;
    }
    check_allowed(rights, AclOperation::AlterConfigs, code, name)
}

fn answer(resource: &AlterConfigsResource, error: &KafkaError) -> AlterConfigsResourceResponse {
    AlterConfigsResourceResponse {
        error_code: error.code.code(),
        error_message: error.message.as_deref().map(Str::from),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
    }
}
