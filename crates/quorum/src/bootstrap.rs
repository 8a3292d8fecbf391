//! `bootstrap.checkpoint`: the records that the format step leaves for the first controller.

use std::io;
use std::path::Path;

use klamm_env::Disk;
use klamm_metadata::controller::bootstrap_records;
use klamm_metadata::records::MetadataRecord;
use klamm_metadata::{METADATA_VERSION_FEATURE, MetadataVersion, ReplayError};
use klamm_record::LeaderEpoch;

use crate::batch_encoding::EncodingError;
use crate::snapshot::{
    SnapshotEncoder, SnapshotError, SnapshotHeader, SnapshotVisitor, read_snapshot,
};
use crate::voters::QuorumMembership;

/// File in the metadata log directory with the records for the first controller (Kafka's `BootstrapDirectory`).
pub const BOOTSTRAP_FILE: &str = "bootstrap.checkpoint";

/// The records for the first controller.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapMetadata {
    /// In the order in which they are written.
    pub records: Vec<MetadataRecord>,
}

/// Why there are no bootstrap records.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The file is there and cannot be used.
    #[error(transparent)]
    File(#[from] SnapshotError),
    /// The file says nothing of `metadata.version`, or of one that is not known.
    #[error("{file} names no metadata.version that is supported (3.3-IV3 to 4.3-IV0)")]
    NoMetadataVersion {
        /// The file.
        file: String,
    },
}

impl BootstrapMetadata {
    /// What Kafka 4.3's StorageTool writes for `version` when nothing else is asked for.
    pub fn for_new_cluster(version: MetadataVersion) -> Self {
        Self { records: bootstrap_records(version) }
    }

    /// Reads the file in `dir`; without one the latest level and nothing else, as Kafka does.
    ///
    /// # Errors
    /// If the file is there but damaged, or names no known `metadata.version`.
    pub fn read(disk: &Disk, dir: &Path) -> Result<Self, BootstrapError> {
        let path = dir.join(BOOTSTRAP_FILE);
        let mut collected = Collected(Vec::new());
        match read_snapshot(disk, &path, &mut collected) {
            Ok(_) => {}
            Err(SnapshotError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let mut records = bootstrap_records(MetadataVersion::LATEST_PRODUCTION);
                records.truncate(1);
                return Ok(Self { records });
            }
            Err(error) => return Err(error.into()),
        }
        let bootstrap = Self { records: collected.0 };
        if bootstrap.metadata_version().is_none() {
            return Err(BootstrapError::NoMetadataVersion { file: path.display().to_string() });
        }
        Ok(bootstrap)
    }

    /// Writes the file into `dir`; it is synced when this returns.
    ///
    /// # Errors
    /// If the disk fails. The records of a new cluster can always be encoded.
    pub fn write(&self, disk: &Disk, dir: &Path, now_ms: i64) -> io::Result<()> {
        let bytes = self.encode(now_ms).map_err(io::Error::other)?;
        disk.write_atomic(&dir.join(BOOTSTRAP_FILE), &bytes)
    }

    fn encode(&self, now_ms: i64) -> Result<Vec<u8>, EncodingError> {
        let version = self.metadata_version().unwrap_or(MetadataVersion::MINIMUM);
        let header = SnapshotHeader {
            epoch: LeaderEpoch(0),
            last_contained_log_time_ms: 0,
            membership: QuorumMembership::default(),
            now_ms,
        };
        let (mut encoder, first) = SnapshotEncoder::begin(header);
        let mut bytes = first.to_vec();
        let mut left = &self.records[..];
        while !left.is_empty() {
            let (batch, later) = encoder.records(left, version)?;
            bytes.extend_from_slice(&batch);
            left = later;
        }
        bytes.extend_from_slice(&encoder.finish());
        Ok(bytes)
    }

    /// The last level that the records name.
    pub fn metadata_version(&self) -> Option<MetadataVersion> {
        let level = self.records.iter().rev().find_map(|record| match record {
            MetadataRecord::FeatureLevel(it) if &*it.name == METADATA_VERSION_FEATURE => {
                Some(it.feature_level)
            }
            _ => None,
        });
        level.and_then(MetadataVersion::from_feature_level)
    }
}

struct Collected(Vec<MetadataRecord>);

impl SnapshotVisitor for Collected {
    fn record(&mut self, record: MetadataRecord) -> Result<(), ReplayError> {
        self.0.push(record);
        Ok(())
    }
}
