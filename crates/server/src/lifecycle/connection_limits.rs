//! Dynamic configs that bound connections: `max.connections` and its kin (KIP-402, KIP-612).

use std::sync::Arc;

use klamm_metadata::image::{ConfigMap, ConfigResource, ResourceType};
use klamm_metadata::{MetadataDelta, MetadataImage};
use klamm_quorum::MetadataPublisher;

use crate::config::ServerConfig;
use crate::network::connection_quotas::ConnectionQuotas;

/// Follows the dynamic broker configs, this broker's own before those of all brokers before the file's.
pub struct ConnectionLimitPublisher {
    pub config: Arc<ServerConfig>,
    pub quotas: ConnectionQuotas,
}

impl MetadataPublisher for ConnectionLimitPublisher {
    fn on_update(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        let touched = delta.configs();
        if !touched.changed.keys().any(|resource| resource.resource_type == ResourceType::Broker) {
            return;
        }
        let own = ConfigResource::new(ResourceType::Broker, &self.config.node_id.to_string());
        let all = image.configs.of(&ConfigResource::default_broker());
        self.quotas.update(self.config.connection_quotas(&image.configs.of(&own).union(all)));
    }
}

impl ServerConfig {
    /// The static limits with the dynamic ones over them. What is stored was checked when it was set; a value that has no
    /// meaning here leaves the static one.
    fn connection_quotas(&self, dynamic: &ConfigMap) -> crate::config::ConnectionQuotaConfig {
        let mut quotas = self.network.quotas.clone();
        let number =
            |name: &str| dynamic.get(name).and_then(|text| text.trim().parse::<u32>().ok());
        if let Some(max) = number("max.connections") {
            // never more than there are descriptors for
            quotas.connections_max = max.min(self.connections_possible);
        }
        if let Some(max) = number("max.connections.per.ip") {
            quotas.per_address_max = max;
        }
        if let Some(rate) = number("max.connection.creation.rate") {
            quotas.creation_rate_max = (rate < i32::MAX as u32).then_some(rate);
        }
        if let Some(text) = dynamic.get("max.connections.per.ip.overrides")
            && let Some(overrides) = crate::config::parse_overrides(text)
        {
            quotas.per_address_overrides = overrides;
        }
        for endpoint in &self.listeners.broker {
            let listener = &endpoint.listener;
            let prefix = listener.config_prefix();
            if let Some(max) = number(&format!("{prefix}max.connections")) {
                quotas.per_listener_max.insert(listener.clone(), max);
            }
            if let Some(rate) = number(&format!("{prefix}max.connection.creation.rate")) {
                quotas.per_listener_rate.insert(listener.clone(), rate);
            }
        }
        quotas
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigSources;

    #[test]
    fn dynamic_limits_go_before_static_ones() {
        let sources = ConfigSources {
            overrides: vec![("max.connections.per.ip".to_owned(), "7".to_owned())],
            ..ConfigSources::default()
        };
        let config = sources.load().expect("the overrides are valid");
        let set = |pairs: &[(&str, &str)]| -> ConfigMap {
            pairs.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect()
        };
        let quotas = config.connection_quotas(&set(&[]));
        assert_eq!(quotas, config.network.quotas);
        assert_eq!(quotas.per_address_max, 7);
        let quotas = config.connection_quotas(&set(&[
            ("max.connections.per.ip", "3"),
            ("max.connections", "50"),
            ("max.connection.creation.rate", "5"),
            ("max.connections.per.ip.overrides", "127.0.0.1:9"),
            ("listener.name.plaintext.max.connections", "4"),
        ]));
        assert_eq!((quotas.per_address_max, quotas.connections_max), (3, 50));
        assert_eq!(quotas.creation_rate_max, Some(5));
        assert_eq!(quotas.max_per_address([127, 0, 0, 1].into()), 9);
        assert_eq!(quotas.max_on_listener(&config.listeners.broker[0].listener), 4);
    }
}
