//! The metadata image: what the metadata log says up to an offset.
//!
//! The image is one persistent value made of sub-images, one for each area; clones share structure, so that a delta costs
//! what it changes. It is changed by replaying records and in no other way, and can say itself as records again.
//! It knows neither who asks nor what the records were written for.

mod acls;
mod client_quotas;
mod cluster;
mod configs;
mod delegation_tokens;
mod features;
mod producer_ids;
mod scram;
mod topics;

pub use acls::{AclsImage, StandardAcl};
pub use client_quotas::{ClientQuotaEntity, ClientQuotaEntityPart, ClientQuotasImage};
pub use cluster::ClusterImage;
pub(crate) use configs::resource_of;
pub use configs::{ConfigMap, ConfigResource, ConfigurationsImage, ResourceType};
pub use delegation_tokens::{DelegationTokenData, DelegationTokenImage};
pub use features::{ELR_FEATURE, FeaturesImage, KRAFT_VERSION_FEATURE};
pub use producer_ids::ProducerIdsImage;
pub use scram::{ScramCredentialData, ScramImage};
pub use topics::{TopicImage, TopicsImage};

use crate::metadata_version::MetadataVersion;
use crate::partition_registration::{PartitionRecordError, RecordOptions};
use crate::records::MetadataRecord;
use klamm_record::{BrokerId, LeaderEpoch, Offset, TopicId, Uuid};
use std::sync::Arc;

/// How far in the log an image goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataProvenance {
    /// The last offset contained; −1 for the empty image.
    pub last_contained_offset: Offset,
    pub last_contained_epoch: LeaderEpoch,
    /// Append time of the last batch, Unix milliseconds.
    pub last_contained_log_time_ms: i64,
}

impl MetadataProvenance {
    pub const EMPTY: Self = Self {
        last_contained_offset: Offset(-1),
        last_contained_epoch: LeaderEpoch(-1),
        last_contained_log_time_ms: -1,
    };
}

/// All of the cluster's metadata; cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataImage {
    pub provenance: MetadataProvenance,
    pub features: FeaturesImage,
    pub cluster: ClusterImage,
    pub topics: TopicsImage,
    pub configs: ConfigurationsImage,
    pub client_quotas: ClientQuotasImage,
    pub producer_ids: ProducerIdsImage,
    pub acls: AclsImage,
    pub scram: ScramImage,
    pub delegation_tokens: DelegationTokenImage,
}

/// A record does not fit what the log said before it. The log is not what it should be, and the node cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    #[error(
        "metadata.version level {level} is not supported: set it to a level from 7 (3.3-IV3) to 30 (4.3-IV0) with Kafka's \
         own tools first"
    )]
    UnsupportedMetadataVersion { level: i16 },
    #[error("topic {name} with id {id} exists already", id = id.0)]
    DuplicateTopic { name: Arc<str>, id: TopicId },
    #[error("there is no topic with id {}", id.0)]
    UnknownTopic { id: TopicId },
    #[error("there is no topic named {name}")]
    UnknownTopicName { name: Arc<str> },
    #[error("topic {} has no partition {partition}", id.0)]
    UnknownPartition { id: TopicId, partition: i32 },
    #[error("broker {} is not registered", id.0)]
    UnknownBroker { id: BrokerId },
    #[error("broker {} is registered with epoch {expected}, not {epoch}", id.0)]
    BrokerEpoch { id: BrokerId, expected: i64, epoch: i64 },
    #[error("there is no access control entry with id {id}")]
    UnknownAcl { id: Uuid },
    #[error("unknown value {value} for {field}")]
    UnknownValue { field: &'static str, value: i8 },
    #[error("bad partition record: {0}")]
    Partition(#[from] PartitionRecordError),
    #[error("{0}")]
    Transaction(&'static str),
    #[error("next producer id {next} is not greater than {present}")]
    ProducerIds { next: i64, present: i64 },
}

impl Default for MetadataImage {
    fn default() -> Self {
        Self::empty()
    }
}

impl MetadataImage {
    /// The image of an empty log.
    pub fn empty() -> Self {
        Self {
            provenance: MetadataProvenance::EMPTY,
            features: FeaturesImage::default(),
            cluster: ClusterImage::default(),
            topics: TopicsImage::default(),
            configs: ConfigurationsImage::default(),
            client_quotas: ClientQuotasImage::default(),
            producer_ids: ProducerIdsImage::default(),
            acls: AclsImage::default(),
            scram: ScramImage::default(),
            delegation_tokens: DelegationTokenImage::default(),
        }
    }

    /// Whether nothing but the provenance is known.
    pub fn is_empty(&self) -> bool {
        let empty = Self { provenance: self.provenance, ..Self::empty() };
        *self == empty
    }

    /// The records that say all of this, in Kafka's order, for a snapshot at this level.
    ///
    /// What the level cannot say is left out; the image's own level always can.
    /// [`MetadataVersion::record_version`] gives the version of each.
    pub fn to_records(&self, version: MetadataVersion) -> Vec<MetadataRecord> {
        let mut out = Vec::new();
        let options = RecordOptions {
            metadata_version: version,
            elr_enabled: self.features.is_elr_enabled(),
        };
        self.features.write(version, &mut out);
        self.cluster.write(version, &mut out);
        self.topics.write(options, &mut out);
        self.configs.write(&mut out);
        self.client_quotas.write(&mut out);
        self.producer_ids.write(&mut out);
        self.acls.write(&mut out);
        self.scram.write(version, &mut out);
        self.delegation_tokens.write(version, &mut out);
        out
    }

    /// Takes one record in. Transaction markers change nothing here: whoever replays keeps the image before them.
    ///
    /// # Errors
    /// The record does not fit; the image may be half changed and is of no further use.
    pub(crate) fn replay(&mut self, record: &MetadataRecord) -> Result<(), ReplayError> {
        match record {
            MetadataRecord::FeatureLevel(it) => self.features.replay(it)?,
            MetadataRecord::RegisterBroker(it) => self.cluster.register(it),
            MetadataRecord::UnregisterBroker(it) => self.cluster.unregister(it)?,
            MetadataRecord::FenceBroker(it) => {
                self.cluster.set_fenced(BrokerId(it.id), it.epoch, true)?;
            }
            MetadataRecord::UnfenceBroker(it) => {
                self.cluster.set_fenced(BrokerId(it.id), it.epoch, false)?;
            }
            MetadataRecord::BrokerRegistrationChange(it) => self.cluster.change(it)?,
            MetadataRecord::RegisterController(it) => self.cluster.register_controller(it),
            MetadataRecord::Topic(it) => self.topics.create(it)?,
            MetadataRecord::Partition(it) => self.topics.put_partition(it)?,
            MetadataRecord::PartitionChange(it) => self.topics.change_partition(it)?,
            MetadataRecord::RemoveTopic(it) => {
                let topic = self.topics.remove(TopicId(it.topic_id))?;
                self.configs.remove_topic(&topic.name);
            }
            MetadataRecord::ClearElr(it) => {
                for (id, partition) in self.topics.partitions_with_elr(&it.topic_name)? {
                    self.topics.clear_elr(id, partition);
                }
            }
            MetadataRecord::Config(it) => self.configs.replay(it)?,
            MetadataRecord::ClientQuota(it) => self.client_quotas.replay(it),
            MetadataRecord::ProducerIds(it) => self.producer_ids.replay(it),
            MetadataRecord::AccessControlEntry(it) => self.acls.add(it),
            MetadataRecord::RemoveAccessControlEntry(it) => self.acls.remove(it.id)?,
            MetadataRecord::UserScramCredential(it) => self.scram.put(it),
            MetadataRecord::RemoveUserScramCredential(it) => self.scram.remove(it),
            MetadataRecord::DelegationToken(it) => self.delegation_tokens.put(it),
            MetadataRecord::RemoveDelegationToken(it) => {
                self.delegation_tokens.remove(&it.token_id);
            }
            MetadataRecord::NoOp(_)
            | MetadataRecord::ZkMigrationState(_)
            | MetadataRecord::BeginTransaction(_)
            | MetadataRecord::EndTransaction(_)
            | MetadataRecord::AbortTransaction(_) => {}
        }
        Ok(())
    }
}
