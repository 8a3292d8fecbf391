//! The effective configuration of a topic's logs.

use std::sync::Arc;

use klamm_metadata::config_resolution::{BrokerLayers, effective_topic_values};
use klamm_metadata::image::{ConfigMap, ConfigResource, ResourceType};
use klamm_metadata::{ConfigSchema, MetadataImage};
use klamm_record::BrokerId;
use klamm_storage::LogConfig;
use klamm_storage::log_config::LogConfigError;
use parking_lot::Mutex;

/// Resolves topic configs from the metadata over the broker's own file (Kafka's `LogConfig.fromProps` over `KafkaConfig`).
/// Topics without settings of their own share one value.
pub struct TopicConfigs {
    schema: ConfigSchema,
    node: BrokerId,
    static_broker: ConfigMap,
    shared: Mutex<Option<(BrokerLayers, Arc<LogConfig>)>>,
}

impl TopicConfigs {
    /// `static_broker` is what the node's own configuration sets.
    pub fn new(schema: ConfigSchema, node: BrokerId, static_broker: ConfigMap) -> Self {
        Self { schema, node, static_broker, shared: Mutex::new(None) }
    }

    /// The layers below a topic's own settings.
    pub fn layers(&self, image: &MetadataImage) -> BrokerLayers {
        let of = |resource: ConfigResource| image.configs.of(&resource);
        BrokerLayers {
            dynamic_broker: of(ConfigResource::new(ResourceType::Broker, &self.node.to_string())),
            dynamic_default: of(ConfigResource::default_broker()),
            static_broker: self.static_broker.clone(),
        }
    }

    /// The configuration that a topic's logs follow.
    ///
    /// # Errors
    /// If a stored value has no meaning: it was written by another version.
    pub fn of(&self, image: &MetadataImage, topic: &str) -> Result<Arc<LogConfig>, LogConfigError> {
        let own = image.configs.of_topic(topic);
        let layers = self.layers(image);
        if !own.is_empty() {
            return self.resolve(&layers, &own).map(Arc::new);
        }
        let mut shared = self.shared.lock();
        if let Some((for_layers, config)) = &*shared
            && *for_layers == layers
        {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.resolve(&layers, &own)?);
        *shared = Some((layers, Arc::clone(&config)));
        Ok(config)
    }

    fn resolve(&self, layers: &BrokerLayers, own: &ConfigMap) -> Result<LogConfig, LogConfigError> {
        let values = effective_topic_values(&self.schema, layers, own);
        LogConfig::from_values(|name| {
            values.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
        })
    }
}
