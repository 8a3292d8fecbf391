//! Which configurations a resource may have.

use super::super::{ApiError, Controller};
use crate::config_resolution::effective_topic_value;
use crate::image::{ConfigMap, ConfigResource, ResourceType};
use crate::topic_name;
use klamm_protocol::ErrorCode;
use klamm_record::BrokerId;
use klamm_record::config::{ConfigError, ConfigKey, DynamicMode};
use std::sync::Arc;

/// A configuration and its new value; `None` removes it.
pub(super) type Change = (Arc<str>, Option<Arc<str>>);

/// Longest value, in UTF-16 units as Java counts.
const VALUE_LENGTH_MAX: usize = i16::MAX as usize;

const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";
const CORDONED_LOG_DIRS: &str = "cordoned.log.dirs";

impl Controller {
    /// Checks the changes one by one, then all that would be set together.
    pub(super) fn validate_configs(
        &self,
        resource: &ConfigResource,
        present: &ConfigMap,
        changes: &[Change],
    ) -> Result<(), ApiError> {
        let mut all = present.clone();
        for (name, value) in changes {
            self.check_change(resource, name, value.as_deref())?;
            match value {
                Some(value) => all.insert(Arc::clone(name), Arc::clone(value)),
                None => all.remove(name),
            };
        }
        match resource.resource_type {
            ResourceType::Topic => self.validate_topic(&resource.name, &all),
            ResourceType::Broker => self.validate_broker(resource, &all),
            ResourceType::Group => {
                check_not_empty(&resource.name, "Default group resources are not allowed.")?;
                let table = self.config.schema.groups;
                for (name, value) in &all {
                    let key = table.get(name);
                    parse(key, value, || format!("Unknown group config name: {name}"))?;
                }
                Ok(())
            }
            ResourceType::ClientMetrics => {
                check_not_empty(&resource.name, "Subscription name can't be empty")?;
                let table = self.config.schema.client_metrics;
                for (name, value) in &all {
                    let key = table.get(name).ok_or_else(|| {
                        let message = format!("Unknown client metrics configuration: {name}");
                        ApiError::new(ErrorCode::InvalidRequest, message)
                    })?;
                    key.parse(value).map_err(invalid_config)?;
                }
                Ok(())
            }
            ResourceType::BrokerLogger => Err(ApiError::new(
                ErrorCode::InvalidRequest,
                format!("Unknown resource type {}", resource.resource_type),
            )),
        }
    }

    /// A resource must be there to be configured: a topic, or a broker other than this one.
    pub(super) fn check_resource(&self, resource: &ConfigResource) -> Result<(), ApiError> {
        let image = &self.latest.image;
        match resource.resource_type {
            ResourceType::Broker if !resource.name.is_empty() => {
                let id = broker_id(&resource.name)?;
                let cluster = &image.cluster;
                let known = cluster.broker(id).is_some() || cluster.controllers.contains_key(&id);
                if known || id == self.config.node_id {
                    return Ok(());
                }
                let message = format!("No node with id {id} found.");
                Err(ApiError::new(ErrorCode::BrokerIdNotRegistered, message))
            }
            ResourceType::Topic if image.topics.id_of(&resource.name).is_none() => {
                let message = format!("The topic '{}' does not exist.", resource.name);
                Err(ApiError::new(ErrorCode::UnknownTopicOrPartition, message))
            }
            _ => Ok(()),
        }
    }

    fn check_change(
        &self,
        resource: &ConfigResource,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), ApiError> {
        let refused = |message: &str| Err(ApiError::new(ErrorCode::InvalidConfig, message));
        let is_broker = resource.resource_type == ResourceType::Broker;
        if is_broker && name == MIN_INSYNC_REPLICAS && self.elr_enabled() {
            if !resource.name.is_empty() {
                return refused(
                    "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
                );
            }
            if value.is_none() {
                return refused(
                    "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.",
                );
            }
        }
        if is_broker
            && name == CORDONED_LOG_DIRS
            && !self.metadata_version().is_cordoned_log_dirs_supported()
        {
            return refused(
                "The cordoned.log.dirs configuration value cannot be set because it requires metadata.version >= 4.3-IV0",
            );
        }
        if value.is_some_and(|value| value.encode_utf16().count() > VALUE_LENGTH_MAX) {
            return refused(
                "The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes.",
            );
        }
        Ok(())
    }

    fn validate_topic(&self, topic: &str, all: &ConfigMap) -> Result<(), ApiError> {
        topic_name_of(topic)?;
        let schema = &self.config.schema;
        for name in all.keys() {
            if schema.topics.get(name).is_none() {
                let message = format!("Unknown topic config name: {name}");
                return Err(ApiError::new(ErrorCode::InvalidConfig, message));
            }
        }
        for (name, value) in all {
            parse(schema.topics.get(name), value, String::new)?;
        }
        let layers = self.layers();
        let number = |name: &str| {
            let value = effective_topic_value(schema.topics.get(name)?, &layers, all).0?;
            value.trim().parse::<i64>().ok()
        };
        let (min_name, max_name) = ("min.compaction.lag.ms", "max.compaction.lag.ms");
        if let (Some(min), Some(max)) = (number(min_name), number(max_name))
            && min > max
        {
            let message =
                format!("conflict topic config setting {min_name} ({min}) > {max_name} ({max})");
            return Err(ApiError::new(ErrorCode::InvalidConfig, message));
        }
        let remote = schema.topics.get("remote.storage.enable");
        let remote = remote.and_then(|key| effective_topic_value(key, &layers, all).0);
        let system = self.config.static_configs.get("remote.log.storage.system.enable");
        let is_true = |text: &str| text.trim().eq_ignore_ascii_case("true");
        if remote.is_some_and(|text| is_true(&text)) && !system.is_some_and(|text| is_true(text)) {
            return Err(ApiError::new(
                ErrorCode::InvalidConfig,
                "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.",
            ));
        }
        Ok(())
    }

    /// Brokers may be given names that no table knows; known ones must be changeable where they are to be set.
    fn validate_broker(&self, resource: &ConfigResource, all: &ConfigMap) -> Result<(), ApiError> {
        let per_broker = !resource.name.is_empty();
        if per_broker {
            broker_id(&resource.name)?;
        }
        let table = self.config.schema.brokers;
        let with_mode = |mode: DynamicMode| -> Vec<&str> {
            let keys = all.keys().filter_map(|name| table.get(name));
            keys.filter(|key| key.dynamic == mode).map(|key| key.name).collect()
        };
        let fixed = with_mode(DynamicMode::ReadOnly);
        if !fixed.is_empty() {
            return invalid_request(format!(
                "Cannot update these configs dynamically: [{}]",
                fixed.join(", ")
            ));
        }
        let single = with_mode(DynamicMode::PerBroker);
        if !per_broker && !single.is_empty() {
            return invalid_request(format!(
                "Cannot update these configs at default cluster level, broker id must be specified: [{}]",
                single.join(", ")
            ));
        }
        for (name, value) in all {
            if let Some(key) = table.get(name)
                && let Err(error) = key.parse(value)
            {
                return invalid_request(error.to_string());
            }
        }
        Ok(())
    }
}

fn topic_name_of(name: &str) -> Result<(), ApiError> {
    check_not_empty(name, "Default topic resources are not allowed.")?;
    topic_name::validate(name)
        .map_err(|message| ApiError::new(ErrorCode::InvalidTopicException, message))
}

fn broker_id(name: &str) -> Result<BrokerId, ApiError> {
    let invalid = |message: &str| ApiError::new(ErrorCode::InvalidRequest, message);
    match name.parse::<i32>() {
        Err(_) => Err(invalid("Unable to parse broker name as a base 10 number.")),
        Ok(id) if id < 0 => Err(invalid("Invalid negative broker ID.")),
        Ok(id) => Ok(BrokerId(id)),
    }
}

fn check_not_empty(name: &str, message: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(ApiError::new(ErrorCode::InvalidRequest, message));
    }
    Ok(())
}

fn parse(
    key: Option<&ConfigKey>,
    value: &str,
    unknown: impl Fn() -> String,
) -> Result<(), ApiError> {
    let key = key.ok_or_else(|| ApiError::new(ErrorCode::InvalidConfig, unknown()))?;
    key.parse(value).map(drop).map_err(invalid_config)
}

fn invalid_config(error: ConfigError) -> ApiError {
    ApiError::new(ErrorCode::InvalidConfig, error.to_string())
}

fn invalid_request(message: String) -> Result<(), ApiError> {
    Err(ApiError::new(ErrorCode::InvalidRequest, message))
}
