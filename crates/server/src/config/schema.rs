//! All config tables together, as the controller and DescribeConfigs want them.

use std::sync::{Arc, LazyLock};

use klamm_metadata::ConfigSchema;
use klamm_metadata::image::ConfigMap;
use klamm_record::config::ConfigDef;

use super::tables::client_metrics_resources::CLIENT_METRICS_RESOURCE_CONFIGS;
use super::tables::group_resources::GROUP_RESOURCE_CONFIGS;
use super::{ServerConfig, tables};

/// Every broker config in one table. It is made once and lives as long as the process.
static BROKER_CONFIGS: LazyLock<ConfigDef> =
    LazyLock::new(|| ConfigDef { keys: Vec::leak(tables::keys().copied().collect()) });

/// Which configs exist, for each kind of resource.
pub fn schema() -> ConfigSchema {
    ConfigSchema {
        topics: &klamm_storage::log_config::TOPIC_CONFIGS,
        brokers: &BROKER_CONFIGS,
        groups: &GROUP_RESOURCE_CONFIGS,
        client_metrics: &CLIENT_METRICS_RESOURCE_CONFIGS,
    }
}

/// What a node's file and command line set, as they were written.
pub fn static_configs(config: &ServerConfig) -> ConfigMap {
    let known = tables::keys().filter_map(|key| Some((key.name, config.set_text(key.name)?)));
    let unknown = config.unknown.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    known.chain(unknown).map(|(name, value)| (Arc::from(name), Arc::from(value))).collect()
}
