//! Who is told of changes of the metadata.

use std::sync::{Arc, Weak};

use klamm_metadata::controller::supported_features;
use klamm_metadata::{MetadataDelta, MetadataImage};
use klamm_quorum::MetadataPublisher;
use klamm_replica::ReplicaManager;

use crate::broker::{Broker, Features, SupportedFeature};

/// Leaders, new and deleted partitions, configs.
pub struct ReplicaPublisher {
    pub replica_manager: Arc<ReplicaManager>,
}

impl MetadataPublisher for ReplicaPublisher {
    fn on_update(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        self.replica_manager.apply(delta, image);
    }
}

/// What ApiVersions tells of features.
pub struct FeaturePublisher {
    broker: Weak<Broker>,
}

impl FeaturePublisher {
    /// For a broker; it does not keep the broker alive.
    pub fn new(broker: &Arc<Broker>) -> Self {
        Self { broker: Arc::downgrade(broker) }
    }
}

impl MetadataPublisher for FeaturePublisher {
    fn on_update(&self, _delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        let Some(broker) = self.broker.upgrade() else { return };
        broker.set_features(features(image));
    }
}

fn features(image: &MetadataImage) -> Features {
    let supported = supported_features()
        .into_iter()
        .map(|(name, range)| SupportedFeature { name, level_min: range.min, level_max: range.max })
        .collect();
    let finalized = image.features.finalized_levels();
    let finalized_epoch = image.provenance.last_contained_offset.0;
    Features { supported, finalized, finalized_epoch }
}
