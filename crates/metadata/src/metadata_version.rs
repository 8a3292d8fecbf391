//! `metadata.version`: the level that says which metadata records and which versions of them may be written.

use crate::records::MetadataRecord;
use std::fmt;

/// A level of the `metadata.version` feature, 7 (3.3-IV3) to 30 (4.3-IV0), both inclusive.
///
/// Source: Kafka's `MetadataVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetadataVersion(i16);

/// Name of the feature whose level is a [`MetadataVersion`].
pub const METADATA_VERSION_FEATURE: &str = "metadata.version";

/// (level, release, does it change what is stored)
const LEVELS: [(i16, &str, bool); 24] = [
    (7, "3.3-IV3", true),
    (8, "3.4-IV0", true),
    (9, "3.5-IV0", false),
    (10, "3.5-IV1", false),
    (11, "3.5-IV2", true),
    (12, "3.6-IV0", false),
    (13, "3.6-IV1", true),
    (14, "3.6-IV2", true),
    (15, "3.7-IV0", true),
    (16, "3.7-IV1", false),
    (17, "3.7-IV2", true),
    (18, "3.7-IV3", false),
    (19, "3.7-IV4", false),
    (20, "3.8-IV0", false),
    (21, "3.9-IV0", false),
    (22, "4.0-IV0", false),
    (23, "4.0-IV1", true),
    (24, "4.0-IV2", false),
    (25, "4.0-IV3", false),
    (26, "4.1-IV0", false),
    (27, "4.1-IV1", false),
    (28, "4.2-IV0", false),
    (29, "4.2-IV1", false),
    (30, "4.3-IV0", true),
];

impl MetadataVersion {
    /// The lowest level that exists.
    pub const MINIMUM: Self = Self(7);
    /// The level a new cluster starts with.
    pub const LATEST_PRODUCTION: Self = Self(30);

    /// The version of a feature level; `None` outside 7..=30.
    pub fn from_feature_level(level: i16) -> Option<Self> {
        LEVELS.iter().find(|(known, ..)| *known == level).map(|(known, ..)| Self(*known))
    }

    /// Reads "4.3-IV0", or "4.3" (and "4.3.1") for the last version of that release.
    pub fn from_version_string(text: &str) -> Option<Self> {
        let key = match text.match_indices('.').nth(1) {
            Some((end, _)) => &text[..end],
            None => text,
        };
        LEVELS
            .iter()
            .rev()
            .find(|(_, name, _)| *name == key || name.split('-').next() == Some(key))
            .map(|(level, ..)| Self(*level))
    }

    pub fn feature_level(self) -> i16 {
        self.0
    }

    /// The name as Kafka prints it, such as "4.3-IV0".
    pub fn version_string(self) -> &'static str {
        LEVELS.iter().find(|(level, ..)| *level == self.0).map_or("", |(_, name, _)| name)
    }

    /// KIP-866: RegisterBrokerRecord v2.
    pub fn is_migration_supported(self) -> bool {
        self.0 >= 8
    }

    pub fn is_scram_supported(self) -> bool {
        self.0 >= 11
    }

    /// Below 3.6-IV0 a shrinking ISR raises the leader epoch (KAFKA-15021).
    pub fn is_leader_epoch_bump_required_on_isr_shrink(self) -> bool {
        self.0 < 12
    }

    /// KIP-868: Begin-, End- and AbortTransactionRecord.
    pub fn is_metadata_transaction_supported(self) -> bool {
        self.0 >= 13
    }

    pub fn is_delegation_token_supported(self) -> bool {
        self.0 >= 14
    }

    /// KIP-919.
    pub fn is_controller_registration_supported(self) -> bool {
        self.0 >= 15
    }

    /// KIP-858: replicas are assigned to log directories.
    pub fn is_directory_assignment_supported(self) -> bool {
        self.0 >= 17
    }

    /// KIP-966.
    pub fn is_elr_supported(self) -> bool {
        self.0 >= 23
    }

    /// KIP-1066.
    pub fn is_cordoned_log_dirs_supported(self) -> bool {
        self.0 >= 30
    }

    pub fn register_broker_record_version(self) -> i16 {
        match self.0 {
            30.. => 4,
            17.. => 3,
            8.. => 2,
            _ => 1,
        }
    }

    /// Of PartitionRecord and of PartitionChangeRecord alike.
    pub fn partition_record_version(self) -> i16 {
        match self.0 {
            23.. => 2,
            17.. => 1,
            _ => 0,
        }
    }

    /// The version in which a record is written to the log at this level.
    ///
    /// A BrokerRegistrationChangeRecord takes the lowest version that has the fields it sets, as Kafka writes it.
    pub fn record_version(self, record: &MetadataRecord) -> i16 {
        match record {
            MetadataRecord::RegisterBroker(_) => self.register_broker_record_version(),
            MetadataRecord::Partition(_) | MetadataRecord::PartitionChange(_) => {
                self.partition_record_version()
            }
            MetadataRecord::BrokerRegistrationChange(change) => {
                if change.cordoned_log_dirs.is_some() {
                    3
                } else if !change.log_dirs.is_empty() {
                    2
                } else if change.in_controlled_shutdown != 0 {
                    1
                } else {
                    0
                }
            }
            _ => 0,
        }
    }

    /// Whether going from the one to the other level changes what is stored.
    pub fn did_metadata_change(one: Self, other: Self) -> bool {
        let (low, high) = (one.min(other), one.max(other));
        LEVELS.iter().any(|(level, _, changed)| *changed && *level > low.0 && *level <= high.0)
    }
}

impl fmt::Display for MetadataVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_name_levels() {
        let level =
            |text| MetadataVersion::from_version_string(text).map(MetadataVersion::feature_level);
        assert_eq!(level("3.3-IV3"), Some(7));
        assert_eq!(level("4.3-IV0"), Some(30));
        assert_eq!(level("4.2"), Some(29));
        assert_eq!(level("4.3.1"), Some(30));
        assert_eq!(level("3.2"), None);
        assert_eq!(MetadataVersion::from_feature_level(6), None);
        assert_eq!(MetadataVersion::from_feature_level(31), None);
    }

    #[test]
    fn metadata_changes_between_levels() {
        let at = |level| MetadataVersion::from_feature_level(level).expect("a known level");
        assert!(!MetadataVersion::did_metadata_change(at(29), at(23)));
        assert!(MetadataVersion::did_metadata_change(at(29), at(22)));
        assert!(MetadataVersion::did_metadata_change(at(29), at(30)));
    }
}
