//! Feature levels: what this build supports, and what a new cluster starts with.

use super::{Controller, ControllerResult};
use crate::broker_registration::VersionRange;
use crate::image::{ELR_FEATURE, KRAFT_VERSION_FEATURE};
use crate::metadata_version::{METADATA_VERSION_FEATURE, MetadataVersion};
use crate::records::{
    AbortTransactionRecord, BeginTransactionRecord, ConfigRecord, EndTransactionRecord,
    FeatureLevelRecord, MetadataRecord,
};
use klamm_protocol::Str;
use std::collections::BTreeMap;

const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

/// A production feature: its name, its highest production level, and for each level from 1 the `metadata.version` from which
/// new clusters start with it.
const FEATURES: [(&str, &[i16]); 5] = [
    (ELR_FEATURE, &[26]),
    ("group.version", &[22]),
    ("share.version", &[28]),
    ("streams.version", &[29]),
    ("transaction.version", &[24, 24]),
];

/// The features of this build with their ranges, as brokers and controllers register them and ApiVersions tells them.
pub fn supported_features() -> BTreeMap<&'static str, VersionRange> {
    let mut features: BTreeMap<&str, VersionRange> = FEATURES
        .iter()
        .map(|(name, levels)| (*name, VersionRange { min: 0, max: levels.len() as i16 }))
        .collect();
    features.insert(
        METADATA_VERSION_FEATURE,
        VersionRange {
            min: MetadataVersion::MINIMUM.feature_level(),
            max: MetadataVersion::LATEST_PRODUCTION.feature_level(),
        },
    );
    features.insert(KRAFT_VERSION_FEATURE, VersionRange { min: 0, max: 1 });
    features
}

/// The bootstrap records name no `metadata.version`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bootstrap records name no supported metadata.version")]
pub struct BootstrapError;

/// The feature levels of a cluster that is formatted at this level, `metadata.version` first, for the bootstrap checkpoint.
///
/// Source: Kafka's `Formatter` and `BootstrapMetadata.fromVersions`. `kraft.version` is raft's own.
pub fn bootstrap_records(version: MetadataVersion) -> Vec<MetadataRecord> {
    let mut records = vec![feature_level(METADATA_VERSION_FEATURE, version.feature_level())];
    for (name, levels) in FEATURES {
        let level = levels.iter().filter(|from| **from <= version.feature_level()).count();
        if level > 0 {
            records.push(feature_level(name, level as i16));
        }
    }
    records
}

impl Controller {
    /// What a controller that becomes active appends first: the bootstrap records if the log is empty, the end of a transaction
    /// that its predecessor left open otherwise.
    ///
    /// Source: Kafka's `ActivationRecordsGenerator`.
    ///
    /// # Errors
    /// The log is empty and the bootstrap records name no `metadata.version`.
    pub fn activation_records(
        &self,
        bootstrap: &[MetadataRecord],
    ) -> Result<ControllerResult<()>, BootstrapError> {
        let mut records = Vec::new();
        if self.in_transaction() {
            records.push(MetadataRecord::AbortTransaction(AbortTransactionRecord {
                reason: Some(Str::from("Controller failover")),
            }));
        }
        // the level of an aborted transaction does not count, for that is what aborting means
        let features = match &self.latest.transaction {
            Some(before) => &before.image.features,
            None => &self.latest.image.features,
        };
        if features.metadata_version.is_some() {
            return Ok(ControllerResult::atomic_of(records, ()));
        }
        let level_of = |name: &str| {
            let levels = bootstrap.iter().rev();
            let mut levels = levels.filter_map(|record| match record {
                MetadataRecord::FeatureLevel(it) if *it.name == *name => Some(it.feature_level),
                _ => None,
            });
            levels.next()
        };
        let version =
            level_of(METADATA_VERSION_FEATURE).and_then(MetadataVersion::from_feature_level);
        let in_transaction = version.ok_or(BootstrapError)?.is_metadata_transaction_supported();
        if in_transaction {
            records.push(MetadataRecord::BeginTransaction(BeginTransactionRecord {
                name: Some(Str::from("Bootstrap records")),
            }));
        }
        records.extend_from_slice(bootstrap);
        if level_of(ELR_FEATURE).is_some_and(|level| level > 0) {
            records.push(MetadataRecord::Config(self.cluster_min_isr()));
        }
        if in_transaction {
            records.push(MetadataRecord::EndTransaction(EndTransactionRecord {}));
            return Ok(ControllerResult::of(records, ()));
        }
        Ok(ControllerResult::atomic_of(records, ()))
    }

    /// With ELR the cluster-wide minimum ISR is always set, from this node's own (KIP-966).
    fn cluster_min_isr(&self) -> ConfigRecord {
        let own = self.config.static_configs.get(MIN_INSYNC_REPLICAS).map(ToString::to_string);
        let default = || self.config.schema.brokers.get(MIN_INSYNC_REPLICAS);
        let value = own.or_else(|| crate::config_resolution::default_text(default()?));
        ConfigRecord {
            resource_type: crate::image::ResourceType::Broker.code(),
            resource_name: Str::from(""),
            name: Str::from(MIN_INSYNC_REPLICAS),
            value: Some(Str::from(value.unwrap_or_else(|| "1".to_owned()))),
        }
    }
}

fn feature_level(name: &str, feature_level: i16) -> MetadataRecord {
    MetadataRecord::FeatureLevel(FeatureLevelRecord { name: Str::from(name), feature_level })
}
