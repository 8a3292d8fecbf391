//! What changed of features, cluster and configurations.

use crate::broker_registration::{BrokerRegistration, ControllerRegistration};
use crate::image::{ClusterImage, ConfigMap, ConfigResource, ConfigurationsImage, FeaturesImage};
use crate::metadata_version::MetadataVersion;
use klamm_record::BrokerId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Feature levels that changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeaturesDelta {
    pub metadata_version: Option<MetadataVersion>,
    /// The new level; 0 if the feature is no longer finalized.
    pub changed: BTreeMap<Arc<str>, i16>,
}

impl FeaturesDelta {
    pub(super) fn between(base: &FeaturesImage, next: &FeaturesImage) -> Self {
        let mut changed = BTreeMap::new();
        for name in base.finalized.keys().chain(next.finalized.keys()) {
            if base.level(name) != next.level(name) {
                changed.insert(Arc::clone(name), next.level(name));
            }
        }
        let metadata_version =
            next.metadata_version.filter(|version| base.metadata_version != Some(*version));
        Self { metadata_version, changed }
    }

    pub fn is_empty(&self) -> bool {
        self.metadata_version.is_none() && self.changed.is_empty()
    }
}

/// Registrations that changed; `None` if the node is no longer registered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterDelta {
    pub changed_brokers: BTreeMap<BrokerId, Option<Arc<BrokerRegistration>>>,
    pub changed_controllers: BTreeMap<BrokerId, Option<Arc<ControllerRegistration>>>,
}

impl ClusterDelta {
    pub(super) fn between(
        base: &ClusterImage,
        next: &ClusterImage,
        brokers: &BTreeSet<BrokerId>,
        controllers: &BTreeSet<BrokerId>,
    ) -> Self {
        let changed_brokers = brokers
            .iter()
            .filter(|id| base.brokers.get(*id) != next.brokers.get(*id))
            .map(|id| (*id, next.brokers.get(id).cloned()))
            .collect();
        let changed_controllers = controllers
            .iter()
            .filter(|id| base.controllers.get(*id) != next.controllers.get(*id))
            .map(|id| (*id, next.controllers.get(id).cloned()))
            .collect();
        Self { changed_brokers, changed_controllers }
    }

    pub fn is_empty(&self) -> bool {
        self.changed_brokers.is_empty() && self.changed_controllers.is_empty()
    }
}

/// Resources whose configuration changed, with all that is set for them now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigsDelta {
    /// An empty map if nothing is set any more.
    pub changed: BTreeMap<ConfigResource, ConfigMap>,
}

impl ConfigsDelta {
    pub(super) fn between(
        base: &ConfigurationsImage,
        next: &ConfigurationsImage,
        touched: &BTreeSet<ConfigResource>,
    ) -> Self {
        let changed = touched
            .iter()
            .filter(|resource| base.of(resource) != next.of(resource))
            .map(|resource| (resource.clone(), next.of(resource)))
            .collect();
        Self { changed }
    }

    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }
}
