//! The finalized feature levels of the cluster.

use super::ReplayError;
use crate::Str;
use crate::metadata_version::{METADATA_VERSION_FEATURE, MetadataVersion};
use crate::records::{FeatureLevelRecord, MetadataRecord};
use imbl::OrdMap;
use std::sync::Arc;

/// Name of the feature that raft's own control records carry, never the metadata log.
pub const KRAFT_VERSION_FEATURE: &str = "kraft.version";
/// Name of the feature that switches eligible leader replicas on (KIP-966).
pub const ELR_FEATURE: &str = "eligible.leader.replicas.version";

/// `metadata.version` and the levels of all other features that are not 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeaturesImage {
    pub metadata_version: Option<MetadataVersion>,
    pub finalized: OrdMap<Arc<str>, i16>,
}

impl FeaturesImage {
    /// The level of a feature, 0 if it is not finalized.
    pub fn level(&self, name: &str) -> i16 {
        if name == METADATA_VERSION_FEATURE {
            return self.metadata_version.map_or(0, MetadataVersion::feature_level);
        }
        self.finalized.get(name).copied().unwrap_or(0)
    }

    pub fn is_elr_enabled(&self) -> bool {
        self.level(ELR_FEATURE) >= 1
    }

    /// `metadata.version`; the lowest there is as long as the log says nothing.
    pub fn metadata_version_or_minimum(&self) -> MetadataVersion {
        self.metadata_version.unwrap_or(MetadataVersion::MINIMUM)
    }

    /// Every finalized feature with its level, `metadata.version` among them.
    pub fn finalized_levels(&self) -> Vec<(String, i16)> {
        let version = self.metadata_version.iter();
        let version = version.map(|it| (METADATA_VERSION_FEATURE.to_owned(), it.feature_level()));
        version
            .chain(self.finalized.iter().map(|(name, level)| (name.to_string(), *level)))
            .collect()
    }

    pub(super) fn replay(&mut self, record: &FeatureLevelRecord) -> Result<(), ReplayError> {
        let level = record.feature_level;
        match &*record.name {
            METADATA_VERSION_FEATURE => {
                let version = MetadataVersion::from_feature_level(level)
                    .ok_or(ReplayError::UnsupportedMetadataVersion { level })?;
                self.metadata_version = Some(version);
            }
            KRAFT_VERSION_FEATURE => {}
            name if level == 0 => {
                self.finalized.remove(name);
            }
            name => {
                self.finalized.insert(Arc::from(name), level);
            }
        }
        Ok(())
    }

    pub(super) fn write(&self, version: MetadataVersion, out: &mut Vec<MetadataRecord>) {
        let record = |name: &str, feature_level| {
            MetadataRecord::FeatureLevel(FeatureLevelRecord {
                name: Str::from(name),
                feature_level,
            })
        };
        out.push(record(METADATA_VERSION_FEATURE, version.feature_level()));
        out.extend(self.finalized.iter().map(|(name, level)| record(name, *level)));
    }
}
