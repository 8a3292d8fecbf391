//! What is registered of brokers and controllers.

use crate::Str;
use crate::directory_id;
use crate::metadata_version::MetadataVersion;
use crate::records::{
    BrokerEndpoint, BrokerFeature, ControllerEndpoint, ControllerFeature, RegisterBrokerRecord,
    RegisterControllerRecord,
};
use klamm_record::{BrokerId, Uuid};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A listener under which a node can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub listener: Arc<str>,
    /// 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
    pub security_protocol: i16,
    pub host: Arc<str>,
    pub port: u16,
}

/// The levels of a feature that a node supports, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionRange {
    pub min: i16,
    pub max: i16,
}

impl VersionRange {
    pub fn contains(self, level: i16) -> bool {
        (self.min..=self.max).contains(&level)
    }
}

/// A registered broker.
///
/// Source: Kafka's `BrokerRegistration`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerRegistration {
    pub id: BrokerId,
    pub epoch: i64,
    /// New for each run of the broker's process.
    pub incarnation_id: Uuid,
    /// In the order the broker named them.
    pub listeners: Vec<Endpoint>,
    pub supported_features: BTreeMap<Arc<str>, VersionRange>,
    pub rack: Option<Arc<str>>,
    pub fenced: bool,
    pub in_controlled_shutdown: bool,
    pub is_migrating_zk_broker: bool,
    /// Sorted.
    pub directories: Vec<Uuid>,
    /// `None` until the broker said which of its directories take no new replicas (KIP-1066).
    pub cordoned_directories: Option<Vec<Uuid>>,
}

impl BrokerRegistration {
    pub fn from_record(record: &RegisterBrokerRecord) -> Self {
        let mut directories = record.log_dirs.clone();
        directories.sort_unstable();
        Self {
            id: BrokerId(record.broker_id),
            epoch: record.broker_epoch,
            incarnation_id: record.incarnation_id,
            listeners: record
                .end_points
                .iter()
                .map(|it| endpoint(&it.name, it.security_protocol, &it.host, it.port))
                .collect(),
            supported_features: record
                .features
                .iter()
                .map(|it| feature(&it.name, it.min_supported_version, it.max_supported_version))
                .collect(),
            rack: record.rack.as_deref().map(Arc::from),
            fenced: record.fenced,
            in_controlled_shutdown: record.in_controlled_shutdown,
            is_migrating_zk_broker: record.is_migrating_zk_broker,
            directories,
            cordoned_directories: record.cordoned_log_dirs.clone(),
        }
    }

    /// The record that says all of this, leaving out what the level does not know.
    pub fn to_record(&self, version: MetadataVersion) -> RegisterBrokerRecord {
        RegisterBrokerRecord {
            broker_id: self.id.0,
            is_migrating_zk_broker: self.is_migrating_zk_broker && version.is_migration_supported(),
            incarnation_id: self.incarnation_id,
            broker_epoch: self.epoch,
            end_points: self
                .listeners
                .iter()
                .map(|it| BrokerEndpoint {
                    name: Str::from(&*it.listener),
                    host: Str::from(&*it.host),
                    port: it.port,
                    security_protocol: it.security_protocol,
                })
                .collect(),
            features: self
                .supported_features
                .iter()
                .map(|(name, range)| BrokerFeature {
                    name: Str::from(&**name),
                    min_supported_version: range.min,
                    max_supported_version: range.max,
                })
                .collect(),
            rack: self.rack.as_deref().map(Str::from),
            fenced: self.fenced,
            in_controlled_shutdown: self.in_controlled_shutdown,
            log_dirs: if version.is_directory_assignment_supported() {
                self.directories.clone()
            } else {
                Vec::new()
            },
            cordoned_log_dirs: if version.is_cordoned_log_dirs_supported() {
                self.cordoned_directories.clone()
            } else {
                None
            },
        }
    }

    /// Neither fenced nor about to leave.
    pub fn is_active(&self) -> bool {
        !self.fenced && !self.in_controlled_shutdown
    }

    pub fn listener(&self, name: &str) -> Option<&Endpoint> {
        self.listeners.iter().find(|endpoint| &*endpoint.listener == name)
    }

    pub fn has_online_directory(&self, directory: Uuid) -> bool {
        directory_id::is_online(directory, &self.directories)
    }

    /// Whether the broker takes new replicas.
    pub fn has_uncordoned_directories(&self) -> bool {
        match &self.cordoned_directories {
            Some(cordoned) if !self.directories.is_empty() => {
                self.directories.iter().any(|directory| !cordoned.contains(directory))
            }
            _ => true,
        }
    }

    /// Where a new replica goes as far as the controller can say: with several directories the broker decides.
    pub fn default_directory(&self) -> Uuid {
        match self.directories[..] {
            [] => directory_id::MIGRATING,
            [only] => only,
            _ => directory_id::UNASSIGNED,
        }
    }
}

/// A registered controller (KIP-919).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControllerRegistration {
    pub id: BrokerId,
    pub incarnation_id: Uuid,
    pub zk_migration_ready: bool,
    pub listeners: Vec<Endpoint>,
    pub supported_features: BTreeMap<Arc<str>, VersionRange>,
}

impl ControllerRegistration {
    pub fn from_record(record: &RegisterControllerRecord) -> Self {
        Self {
            id: BrokerId(record.controller_id),
            incarnation_id: record.incarnation_id,
            zk_migration_ready: record.zk_migration_ready,
            listeners: record
                .end_points
                .iter()
                .map(|it| endpoint(&it.name, it.security_protocol, &it.host, it.port))
                .collect(),
            supported_features: record
                .features
                .iter()
                .map(|it| feature(&it.name, it.min_supported_version, it.max_supported_version))
                .collect(),
        }
    }

    pub fn to_record(&self) -> RegisterControllerRecord {
        RegisterControllerRecord {
            controller_id: self.id.0,
            incarnation_id: self.incarnation_id,
            zk_migration_ready: self.zk_migration_ready,
            end_points: self
                .listeners
                .iter()
                .map(|it| ControllerEndpoint {
                    name: Str::from(&*it.listener),
                    host: Str::from(&*it.host),
                    port: it.port,
                    security_protocol: it.security_protocol,
                })
                .collect(),
            features: self
                .supported_features
                .iter()
                .map(|(name, range)| ControllerFeature {
                    name: Str::from(&**name),
                    min_supported_version: range.min,
                    max_supported_version: range.max,
                })
                .collect(),
        }
    }
}

fn endpoint(listener: &str, security_protocol: i16, host: &str, port: u16) -> Endpoint {
    Endpoint { listener: Arc::from(listener), security_protocol, host: Arc::from(host), port }
}

fn feature(name: &str, min: i16, max: i16) -> (Arc<str>, VersionRange) {
    (Arc::from(name), VersionRange { min, max })
}
