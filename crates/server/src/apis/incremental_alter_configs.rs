//! IncrementalAlterConfigs, key 44, versions 0-1 (KIP-339).
//!
//! Behaviour: sets, deletes, appends to and subtracts from single configs of a topic, this broker, all brokers, a client
//! metrics subscription or a group; what is not named stays. Each resource alone. What may be changed, and to what, is checked
//! by the controller.
//!
//! Notes:
//! - A broker resource must name this node or none (all brokers). What of it takes effect: see `alter_configs.rs`.
//! - Broker loggers: this node has none to set, so naming one is INVALID_CONFIG, as in Kafka for a logger it does not have.

use std::sync::Arc;

use klamm_metadata::image::ResourceType;
use klamm_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use klamm_protocol::messages::incremental_alter_configs_response::{
    AlterConfigsResourceResponse, IncrementalAlterConfigsResponse,
};
use klamm_protocol::{ApiKey, ErrorCode, Str};
use klamm_record::BrokerId;

use crate::apis::config_resource::{check_allowed, check_this_node, invalid};
use crate::apis::error::{KafkaError, ToKafkaError};
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Rights};
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow =
    ApiRow::new(ApiKey::IncrementalAlterConfigs, (0, 1), |broker, ctx, body| {
        decoded(ctx, body, |request| handle(broker, ctx, request))
    })
    .large();

response_message!(IncrementalAlterConfigsResponse, throttle_time_ms);

fn handle(
    broker: &Arc<Broker>,
    ctx: &RequestContext,
    mut request: IncrementalAlterConfigsRequest,
) -> Reply {
    let rights = Rights::of(broker.authorizer(), ctx);
    let mut answered = Vec::new();
    request.resources.retain(|resource| match check(resource, &rights, broker.node_id()) {
        Ok(Next::Controller) => true,
        Ok(Next::Done) => {
            answered.push(answer(resource, &KafkaError::code(ErrorCode::None)));
            false
        }
        Err(error) => {
            answered.push(answer(resource, &error));
            false
        }
    });
    let broker = Arc::clone(broker);
    Reply::working(async move {
        let asked = request.resources.clone();
        let altered = broker
            .controller()
            .run("incrementally alter configs", move |controller, _| {
                controller.incremental_alter_configs(&request)
            })
            .await;
        Reply::Now(match altered {
            Ok(mut response) => {
                response.responses.extend(answered);
                Response::message(response)
            }
            Err(error) => {
                let error = error.to_kafka_error();
                let responses = asked.iter().map(|resource| answer(resource, &error));
                let response = IncrementalAlterConfigsResponse {
                    responses: responses.chain(answered).collect(),
                    ..IncrementalAlterConfigsResponse::default()
                };
                Response::message(response).with_error(error.code)
            }
        })
    })
}

/// Who has the rest of the work on a resource.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Controller,
    Done,
}

fn check(
    resource: &AlterConfigsResource,
    rights: &Rights<'_>,
    node: BrokerId,
) -> Result<Next, KafkaError> {
    let (code, name) = (resource.resource_type, &*resource.resource_name);
    if code == ResourceType::Broker.code() {
        check_this_node(name, node)?;
    }
    check_allowed(rights, AclOperation::AlterConfigs, code, name)?;
    if code == ResourceType::BrokerLogger.code() {
        check_loggers(name, &resource.configs, node)?;
        return Ok(Next::Done);
    }
    Ok(Next::Controller)
}

/// Kafka's `RuntimeLoggerManager` of a node without loggers: nothing to do is all that can be done.
fn check_loggers(
    name: &str,
    configs: &[AlterableConfig],
    node: BrokerId,
) -> Result<(), KafkaError> {
    let id: i32 = name
        .parse()
        .map_err(|_| invalid(format!("Node id must be an integer, but it is: {name}")))?;
    if BrokerId(id) != node {
        return Err(invalid(format!("Unexpected node id. Expected {node}, but received {id}")));
    }
    match configs.first() {
        None => Ok(()),
        Some(config) => Err(match config.config_operation {
            0 | 1 => KafkaError::new(
                ErrorCode::InvalidConfig,
                format!("Logger {} does not exist!", config.name),
            ),
            2 => invalid("APPEND operation is not allowed for the BROKER_LOGGER resource"),
            3 => invalid("SUBTRACT operation is not allowed for the BROKER_LOGGER resource"),
            other => invalid(format!(
                "Unknown operation type {other} is not allowed for the BROKER_LOGGER resource"
            )),
        }),
    }
}

fn answer(resource: &AlterConfigsResource, error: &KafkaError) -> AlterConfigsResourceResponse {
    AlterConfigsResourceResponse {
        error_code: error.code.code(),
        error_message: error.message.as_deref().map(Str::from),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_loggers_to_set() {
        let one = |operation| {
            vec![AlterableConfig {
                name: Str::from("kafka.log"),
                config_operation: operation,
                value: Some(Str::from("DEBUG")),
            }]
        };
        let code = |name, configs: &[AlterableConfig]| {
            check_loggers(name, configs, BrokerId(1)).map_err(|error| error.code)
        };
        assert_eq!(code("1", &[]), Ok(()));
        assert_eq!(code("1", &one(0)), Err(ErrorCode::InvalidConfig));
        assert_eq!(code("1", &one(2)), Err(ErrorCode::InvalidRequest));
        assert_eq!(code("2", &[]), Err(ErrorCode::InvalidRequest));
        assert_eq!(code("", &[]), Err(ErrorCode::InvalidRequest));
    }
}
