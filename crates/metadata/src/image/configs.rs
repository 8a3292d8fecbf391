//! Dynamic configurations of all resources.

use super::ReplayError;
use crate::Str;
use crate::records::{ConfigRecord, MetadataRecord};
use imbl::OrdMap;
use std::fmt;
use std::sync::Arc;

/// What a configuration is set for; the numbers are those of the wire and of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceType {
    Topic = 2,
    Broker = 4,
    BrokerLogger = 8,
    ClientMetrics = 16,
    Group = 32,
}

impl ResourceType {
    pub fn from_code(code: i8) -> Option<Self> {
        match code {
            2 => Some(Self::Topic),
            4 => Some(Self::Broker),
            8 => Some(Self::BrokerLogger),
            16 => Some(Self::ClientMetrics),
            32 => Some(Self::Group),
            _ => None,
        }
    }

    pub fn code(self) -> i8 {
        self as i8
    }
}

impl fmt::Display for ResourceType {
    /// As Kafka prints the enum.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Topic => "TOPIC",
            Self::Broker => "BROKER",
            Self::BrokerLogger => "BROKER_LOGGER",
            Self::ClientMetrics => "CLIENT_METRICS",
            Self::Group => "GROUP",
        })
    }
}

/// A resource by type and name. For brokers the empty name means all of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigResource {
    pub resource_type: ResourceType,
    pub name: Arc<str>,
}

impl ConfigResource {
    pub fn new(resource_type: ResourceType, name: &str) -> Self {
        Self { resource_type, name: Arc::from(name) }
    }

    pub fn topic(name: &str) -> Self {
        Self::new(ResourceType::Topic, name)
    }

    /// The cluster-wide broker configuration.
    pub fn default_broker() -> Self {
        Self::new(ResourceType::Broker, "")
    }
}

/// Names and values set for one resource.
pub type ConfigMap = OrdMap<Arc<str>, Arc<str>>;

/// What is set, for each resource that has something set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigurationsImage {
    resources: OrdMap<ConfigResource, ConfigMap>,
}

impl ConfigurationsImage {
    pub fn resources(&self) -> &OrdMap<ConfigResource, ConfigMap> {
        &self.resources
    }

    /// What is set for a resource; cheap.
    pub fn of(&self, resource: &ConfigResource) -> ConfigMap {
        self.resources.get(resource).cloned().unwrap_or_default()
    }

    pub fn of_topic(&self, name: &str) -> ConfigMap {
        self.of(&ConfigResource::topic(name))
    }

    pub(super) fn replay(&mut self, record: &ConfigRecord) -> Result<(), ReplayError> {
        let resource = resource_of(record)?;
        match &record.value {
            Some(value) => {
                let (name, value) = (Arc::from(&*record.name), Arc::from(&**value));
                self.resources.entry(resource).or_default().insert(name, value);
            }
            None => {
                if let Some(configs) = self.resources.get_mut(&resource) {
                    configs.remove(&*record.name);
                    if configs.is_empty() {
                        self.resources.remove(&resource);
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn remove_topic(&mut self, name: &str) {
        self.resources.remove(&ConfigResource::topic(name));
    }

    pub(super) fn write(&self, out: &mut Vec<MetadataRecord>) {
        for (resource, configs) in &self.resources {
            out.extend(configs.iter().map(|(name, value)| {
                MetadataRecord::Config(ConfigRecord {
                    resource_type: resource.resource_type.code(),
                    resource_name: Str::from(&*resource.name),
                    name: Str::from(&**name),
                    value: Some(Str::from(&**value)),
                })
            }));
        }
    }
}

pub(crate) fn resource_of(record: &ConfigRecord) -> Result<ConfigResource, ReplayError> {
    let value = record.resource_type;
    let resource_type = ResourceType::from_code(value)
        .ok_or(ReplayError::UnknownValue { field: "resourceType", value })?;
    Ok(ConfigResource::new(resource_type, &record.resource_name))
}
