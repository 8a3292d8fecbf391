//! Which configurations exist, for each kind of resource.

use crate::image::ResourceType;
use klamm_record::config::{ConfigDef, ConfigKey, ConfigType};

/// The tables of all modules that own configurations, put together by the server.
#[derive(Debug, Clone, Copy)]
pub struct ConfigSchema {
    pub topics: &'static ConfigDef,
    pub brokers: &'static ConfigDef,
    pub groups: &'static ConfigDef,
    pub client_metrics: &'static ConfigDef,
}

impl ConfigSchema {
    /// The table of a kind of resource; broker loggers have none.
    pub fn table(&self, resource_type: ResourceType) -> Option<&'static ConfigDef> {
        match resource_type {
            ResourceType::Topic => Some(self.topics),
            ResourceType::Broker => Some(self.brokers),
            ResourceType::Group => Some(self.groups),
            ResourceType::ClientMetrics => Some(self.client_metrics),
            ResourceType::BrokerLogger => None,
        }
    }

    pub fn key(&self, resource_type: ResourceType, name: &str) -> Option<&'static ConfigKey> {
        self.table(resource_type)?.get(name)
    }

    /// Whether values can be appended to and subtracted from.
    pub fn is_list(&self, resource_type: ResourceType, name: &str) -> bool {
        self.key(resource_type, name).is_some_and(|key| key.kind == ConfigType::List)
    }
}
