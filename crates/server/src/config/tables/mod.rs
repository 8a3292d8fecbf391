//! The tables of broker configs, one per module that they belong to.
//!
//! Owns: names, kinds, defaults, bounds and documentation as Kafka 4.3 has them, and what of it has
//! no effect yet. Those of logs are storage's own tables. Does not know: what is set (that is [`crate::config::ServerConfig`]).

pub mod client_metrics_resources;
pub mod general;
pub mod group_resources;
pub mod groups;
pub mod klamm;
pub mod metrics;
pub mod network;
pub mod quorum;
pub mod quotas;
pub mod replication;
pub mod security;
pub mod share_groups;
pub mod tiered;
pub mod transactions;

use klamm_record::config::{ConfigDef, ConfigKey};
use klamm_storage::log_config::{COMPACTION_CONFIGS, LOG_BROKER_CONFIGS};

/// Every table, in the order they are documented.
pub static TABLES: &[&ConfigDef] = &[
    &klamm::KLAMM_CONFIGS,
    &quorum::QUORUM_CONFIGS,
    &network::NETWORK_CONFIGS,
    &general::GENERAL_CONFIGS,
    &LOG_BROKER_CONFIGS,
    &COMPACTION_CONFIGS,
    &replication::REPLICATION_CONFIGS,
    &groups::GROUP_CONFIGS,
    &share_groups::SHARE_GROUP_CONFIGS,
    &transactions::TRANSACTION_CONFIGS,
    &metrics::METRICS_CONFIGS,
    &quotas::QUOTA_CONFIGS,
    &tiered::TIERED_CONFIGS,
    &security::SECURITY_CONFIGS,
];

/// All broker configs.
pub fn keys() -> impl Iterator<Item = &'static ConfigKey> {
    TABLES.iter().flat_map(|table| table.keys)
}

/// The broker config called `name`.
pub fn get(name: &str) -> Option<&'static ConfigKey> {
    TABLES.iter().find_map(|table| table.get(name))
}

#[cfg(test)]
mod tests;
