//! DescribeConfigs, key 32, versions 1-4.
//!
//! Behaviour: what is configured for topics, for this broker, for all brokers (empty name), for client metrics subscriptions
//! and groups, with the source of each value; with synonyms and documentation if the client wants them. Broker loggers can be
//! asked for and there are none: Klamm's log levels are set by the environment at start.
//!
//! Notes:
//! - Values of sensitive configs, and of those that no table knows, are null.
//! - A broker describes itself only: clients send the request to the broker that they name.
//! - v3 (KIP-569) adds types and documentation.
//! - Groups and subscriptions need not exist: they have their defaults then.

use std::sync::Arc;

use klamm_metadata::config_resolution::{
    BrokerLayers, ConfigSynonymValue, DescribedConfig, describe_broker, describe_client_metrics,
    describe_default_broker, describe_group, describe_topic,
};
use klamm_metadata::image::{ConfigResource, ResourceType};
use klamm_metadata::{ConfigSchema, MetadataImage, topic_name};
use klamm_protocol::messages::describe_configs_request::{
    DescribeConfigsRequest, DescribeConfigsResource,
};
use klamm_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResponse, DescribeConfigsResult,
    DescribeConfigsSynonym,
};
use klamm_protocol::{ApiKey, ErrorCode, Str};
use klamm_record::BrokerId;

use crate::apis::config_resource::{check_allowed, invalid, named_broker};
use crate::apis::error::KafkaError;
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Rights};
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::DescribeConfigs, (1, 4), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.large();

response_message!(DescribeConfigsResponse, throttle_time_ms);

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, request: DescribeConfigsRequest) -> Reply {
    let resources = &request.resources;
    // Kafka refuses the whole request for a type it does not know
    if resources.iter().any(|it| ResourceType::from_code(it.resource_type).is_none()) {
        let error = KafkaError::code(ErrorCode::InvalidRequest);
        let response = DescribeConfigsResponse {
            results: resources.iter().map(|resource| refused(resource, error.clone())).collect(),
            ..DescribeConfigsResponse::default()
        };
        return Reply::Now(Response::message(response).with_error(error.code));
    }
    let rights = Rights::of(broker.authorizer(), ctx);
    let image = broker.image();
    let description = Description {
        image: &image,
        schema: broker.schema(),
        layers: broker.replica_manager().topic_configs().layers(&image),
        node: broker.node_id(),
        with_synonyms: request.include_synonyms,
        with_documentation: request.include_documentation,
    };
    let results = resources.iter().map(|resource| {
        check_allowed(
            &rights,
            AclOperation::DescribeConfigs,
            resource.resource_type,
            &resource.resource_name,
        )
        .and_then(|()| description.of(resource))
        .unwrap_or_else(|error| refused(resource, error))
    });
    Reply::message(DescribeConfigsResponse {
        results: results.collect(),
        ..DescribeConfigsResponse::default()
    })
}

fn refused(resource: &DescribeConfigsResource, error: KafkaError) -> DescribeConfigsResult {
    DescribeConfigsResult {
        error_code: error.code.code(),
        error_message: error.message.map(Str::from),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
        configs: Vec::new(),
    }
}

/// What an answer depends on beside the resource.
struct Description<'a> {
    image: &'a MetadataImage,
    schema: ConfigSchema,
    layers: BrokerLayers,
    node: BrokerId,
    with_synonyms: bool,
    with_documentation: bool,
}

impl Description<'_> {
    fn of(&self, resource: &DescribeConfigsResource) -> Result<DescribeConfigsResult, KafkaError> {
        let asked = resource.configuration_keys.as_deref();
        let is_asked = |name: &str| {
            // no names at all means all of them
            asked.is_none_or(|names| names.is_empty() || names.iter().any(|it| *it == *name))
        };
        let configs = self.described(resource)?;
        let configs = configs.into_iter().filter(|config| is_asked(&config.name));
        Ok(DescribeConfigsResult {
            error_message: None,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            configs: configs.map(|config| self.entry(config)).collect(),
            ..DescribeConfigsResult::default()
        })
    }

    fn described(
        &self,
        resource: &DescribeConfigsResource,
    ) -> Result<Vec<DescribedConfig>, KafkaError> {
        let name = &*resource.resource_name;
        let resource_type = ResourceType::from_code(resource.resource_type)
            .ok_or_else(|| KafkaError::code(ErrorCode::InvalidRequest))?;
        let set = self.image.configs.of(&ConfigResource::new(resource_type, name));
        let named = |what: &str| match name {
            "" => Err(invalid(format!("{what} must not be empty"))),
            _ => Ok(()),
        };
        match resource_type {
            ResourceType::Topic => {
                topic_name::validate(name).map_err(|message| {
                    KafkaError::new(ErrorCode::InvalidTopicException, message)
                })?;
                if self.image.topics.id_of(name).is_none() {
                    return Err(KafkaError::code(ErrorCode::UnknownTopicOrPartition));
                }
                Ok(describe_topic(&self.schema, &self.layers, &set))
            }
            ResourceType::Broker if name.is_empty() => {
                Ok(describe_default_broker(&self.schema, &self.layers))
            }
            ResourceType::Broker => {
                let node = self.node;
                if named_broker(name)? != node {
                    return Err(invalid(format!(
                        "Unexpected broker id, expected {node} or empty string, but received {name}"
                    )));
                }
                Ok(describe_broker(&self.schema, &self.layers))
            }
            ResourceType::BrokerLogger => {
                named("Broker id")?;
                let node = self.node;
                if named_broker(name)? != node {
                    return Err(invalid(format!(
                        "Unexpected broker id, expected {node} but received {name}"
                    )));
                }
                Ok(Vec::new())
            }
            ResourceType::ClientMetrics => {
                named("Client metrics subscription name")?;
                Ok(describe_client_metrics(&self.schema, &set))
            }
            ResourceType::Group => {
                named("Group name")?;
                Ok(describe_group(&self.schema, &self.layers, &set))
            }
        }
    }

    fn entry(&self, config: DescribedConfig) -> DescribeConfigsResourceResult {
        let synonyms = if self.with_synonyms { config.synonyms } else { Vec::new() };
        let documentation = config.documentation.filter(|_| self.with_documentation);
        DescribeConfigsResourceResult {
            name: Str::from(config.name),
            value: config.value.map(Str::from),
            read_only: config.is_read_only,
            config_source: config.source.code(),
            is_sensitive: config.is_sensitive,
            synonyms: synonyms.into_iter().map(synonym).collect(),
            config_type: config.type_code,
            documentation: documentation.map(Str::from_static),
        }
    }
}

fn synonym(synonym: ConfigSynonymValue) -> DescribeConfigsSynonym {
    DescribeConfigsSynonym {
        name: Str::from(synonym.name),
        value: synonym.value.map(Str::from),
        source: synonym.source.code(),
    }
}

#[cfg(test)]
mod tests;
