//! What records changed of an image, for those who act on changes.
//!
//! The delta keeps the image before and the image so far and remembers which keys were touched; what changed is read off the two
//! images when asked. A key that was touched and is as before counts as unchanged.

mod areas;
mod topics;

pub use areas::{ClusterDelta, ConfigsDelta, FeaturesDelta};
pub use topics::{LocalReplica, LocalReplicaChanges, PartitionChange, TopicDelta, TopicsDelta};

use crate::image::{ConfigResource, MetadataImage, MetadataProvenance, ReplayError, resource_of};
use crate::records::MetadataRecord;
use klamm_record::{BrokerId, TopicId};
use std::collections::{BTreeMap, BTreeSet};

/// Changes on top of an image, record by record.
#[derive(Debug, Clone)]
pub struct MetadataDelta {
    base: MetadataImage,
    next: MetadataImage,
    touched: Touched,
    /// The state before an open metadata transaction.
    transaction: Option<Box<(MetadataImage, Touched)>>,
}

/// Keys that a record spoke of.
#[derive(Debug, Clone, Default)]
struct Touched {
    brokers: BTreeSet<BrokerId>,
    controllers: BTreeSet<BrokerId>,
    topics: BTreeMap<TopicId, BTreeSet<i32>>,
    configs: BTreeSet<ConfigResource>,
}

impl MetadataDelta {
    /// Nothing changed yet.
    pub fn new(image: &MetadataImage) -> Self {
        Self {
            base: image.clone(),
            next: image.clone(),
            touched: Touched::default(),
            transaction: None,
        }
    }

    /// A delta that replaces `image` by what a snapshot says; replay all of the snapshot's records into it.
    pub fn from_snapshot(image: &MetadataImage) -> Self {
        let mut touched = Touched {
            brokers: image.cluster.brokers.keys().copied().collect(),
            controllers: image.cluster.controllers.keys().copied().collect(),
            configs: image.configs.resources().keys().cloned().collect(),
            topics: BTreeMap::new(),
        };
        for topic in image.topics.by_id().values() {
            touched.topics.insert(topic.id, topic.partitions.keys().copied().collect());
        }
        Self { base: image.clone(), next: MetadataImage::empty(), touched, transaction: None }
    }

    /// Takes one record in.
    ///
    /// # Errors
    /// The record does not fit what was said before it; the delta is of no further use.
    pub fn replay(&mut self, record: &MetadataRecord) -> Result<(), ReplayError> {
        match record {
            MetadataRecord::BeginTransaction(_) => self.begin()?,
            MetadataRecord::EndTransaction(_) => {
                let open = self.transaction.take();
                open.ok_or(ReplayError::Transaction("a transaction ends that has not begun"))?;
            }
            MetadataRecord::AbortTransaction(_) => {
                let open = self.transaction.take();
                let before = open
                    .ok_or(ReplayError::Transaction("a transaction aborts that has not begun"))?;
                (self.next, self.touched) = *before;
            }
            _ => {
                self.touch(record)?;
                self.next.replay(record)?;
            }
        }
        Ok(())
    }

    /// Whether a metadata transaction is open (KIP-868): its changes may still be aborted, so nothing is to be published.
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// The image with all changes.
    pub fn apply(&self, provenance: MetadataProvenance) -> MetadataImage {
        MetadataImage { provenance, ..self.next.clone() }
    }

    /// The image before the changes.
    pub fn base(&self) -> &MetadataImage {
        &self.base
    }

    /// The image with all changes so far; its provenance is still the old one.
    pub fn next(&self) -> &MetadataImage {
        &self.next
    }

    /// Whether the delta changes nothing.
    pub fn is_empty(&self) -> bool {
        self.base == self.next
    }

    pub fn features(&self) -> FeaturesDelta {
        FeaturesDelta::between(&self.base.features, &self.next.features)
    }

    pub fn cluster(&self) -> ClusterDelta {
        let (base, next) = (&self.base.cluster, &self.next.cluster);
        ClusterDelta::between(base, next, &self.touched.brokers, &self.touched.controllers)
    }

    pub fn topics(&self) -> TopicsDelta {
        TopicsDelta::between(&self.base.topics, &self.next.topics, &self.touched.topics)
    }

    pub fn configs(&self) -> ConfigsDelta {
        ConfigsDelta::between(&self.base.configs, &self.next.configs, &self.touched.configs)
    }

    pub fn client_quotas_changed(&self) -> bool {
        self.base.client_quotas != self.next.client_quotas
    }

    pub fn acls_changed(&self) -> bool {
        self.base.acls != self.next.acls
    }

    pub fn scram_changed(&self) -> bool {
        self.base.scram != self.next.scram
    }

    pub fn delegation_tokens_changed(&self) -> bool {
        self.base.delegation_tokens != self.next.delegation_tokens
    }

    fn begin(&mut self) -> Result<(), ReplayError> {
        if self.transaction.is_some() {
            return Err(ReplayError::Transaction("a transaction begins inside another"));
        }
        self.transaction = Some(Box::new((self.next.clone(), self.touched.clone())));
        Ok(())
    }

    fn touch(&mut self, record: &MetadataRecord) -> Result<(), ReplayError> {
        let touched = &mut self.touched;
        match record {
            MetadataRecord::RegisterBroker(it) => {
                touched.brokers.insert(BrokerId(it.broker_id));
            }
            MetadataRecord::UnregisterBroker(it) => {
                touched.brokers.insert(BrokerId(it.broker_id));
            }
            MetadataRecord::FenceBroker(it) => {
                touched.brokers.insert(BrokerId(it.id));
            }
            MetadataRecord::UnfenceBroker(it) => {
                touched.brokers.insert(BrokerId(it.id));
            }
            MetadataRecord::BrokerRegistrationChange(it) => {
                touched.brokers.insert(BrokerId(it.broker_id));
            }
            MetadataRecord::RegisterController(it) => {
                touched.controllers.insert(BrokerId(it.controller_id));
            }
            MetadataRecord::Topic(it) => {
                touched.topics.entry(TopicId(it.topic_id)).or_default();
            }
            MetadataRecord::Partition(it) => {
                touched.topics.entry(TopicId(it.topic_id)).or_default().insert(it.partition_id);
            }
            MetadataRecord::PartitionChange(it) => {
                touched.topics.entry(TopicId(it.topic_id)).or_default().insert(it.partition_id);
            }
            MetadataRecord::RemoveTopic(it) => {
                let id = TopicId(it.topic_id);
                touched.topics.entry(id).or_default();
                if let Some(topic) = self.next.topics.topic(id) {
                    touched.configs.insert(ConfigResource::topic(&topic.name));
                }
            }
            MetadataRecord::ClearElr(it) => {
                for (id, partition) in self.next.topics.partitions_with_elr(&it.topic_name)? {
                    touched.topics.entry(id).or_default().insert(partition);
                }
            }
            MetadataRecord::Config(it) => {
                touched.configs.insert(resource_of(it)?);
            }
            _ => {}
        }
        Ok(())
    }
}
