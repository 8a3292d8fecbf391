//! Topic configs: the table that validation, DescribeConfigs and the docs read, and the typed form that a log works with.
//!
//! Owns the names, bounds and defaults of topic configs and of the broker configs on logs and compaction. Does not know where a
//! value was set: who builds a [`LogConfig`] looks values up by their precedence.

mod broker;
mod topic;
mod typed;
mod validators;

pub use broker::{COMPACTION_CONFIGS, LOG_BROKER_CONFIGS};
pub use topic::TOPIC_CONFIGS;
pub use typed::{BrokerCompression, LogConfig, LogConfigError};

#[cfg(test)]
mod tests;
