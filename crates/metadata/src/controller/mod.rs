//! The controller as a deterministic state machine.
//!
//! An operation takes a request and gives records and a response; it changes nothing. The records, once appended, are replayed
//! here, and the response is to be released when they are committed. One root of the persistent state is kept for each
//! append that is not committed yet, so that a lost leadership goes back to what is committed.
//!
//! Broker sessions (who was heard of when) are not in the log: they live beside the roots and begin anew with each activation.
//! Architecture Invariant: nothing here waits, reads a clock or draws a random number that the context did not give.

mod api_error;
mod broker_control;
mod cluster_control;
mod configuration_control;
mod context;
mod feature_control;
mod heartbeats;
mod partition_change;
mod producer_id_control;
mod reassignment;
mod replica_placer;
mod replication_control;
mod state;

pub use api_error::ApiError;
pub use context::{ControllerContext, ControllerResult, RECORDS_PER_OPERATION_MAX};
pub use feature_control::{BootstrapError, bootstrap_records, supported_features};
pub use producer_id_control::PRODUCER_ID_BLOCK_SIZE;

use crate::config_resolution::BrokerLayers;
use crate::config_schema::ConfigSchema;
use crate::image::{ConfigMap, ConfigResource, MetadataImage, ReplayError, ResourceType};
use crate::metadata_version::MetadataVersion;
use crate::records::MetadataRecord;
use heartbeats::Heartbeats;
use klamm_record::{BrokerId, Offset};
use state::ControllerState;
use std::collections::VecDeque;

/// What the controller is told at its start.
#[derive(Debug, Clone)]
pub struct ControllerConfig {
    pub node_id: BrokerId,
    pub cluster_id: String,
    /// `num.partitions`.
    pub default_num_partitions: i32,
    /// `default.replication.factor`.
    pub default_replication_factor: i16,
    /// `broker.session.timeout.ms`.
    pub session_timeout_ms: i64,
    pub schema: ConfigSchema,
    /// What the node's properties file sets.
    pub static_configs: ConfigMap,
}

/// The controller; see the module.
#[derive(Debug)]
pub struct Controller {
    config: ControllerConfig,
    committed: ControllerState,
    /// The roots after each uncommitted append, with its last offset.
    uncommitted: VecDeque<(Offset, ControllerState)>,
    latest: ControllerState,
    heartbeats: Heartbeats,
}

impl Controller {
    pub fn new(config: ControllerConfig) -> Self {
        let heartbeats = Heartbeats::new(config.session_timeout_ms);
        Self {
            config,
            committed: ControllerState::default(),
            uncommitted: VecDeque::new(),
            latest: ControllerState::default(),
            heartbeats,
        }
    }

    /// Takes one record at its offset into the latest root. Call [`Self::end_append`] after the last record of an append.
    ///
    /// # Errors
    /// The record does not fit the log before it; the controller cannot go on.
    pub fn replay(&mut self, record: &MetadataRecord, offset: Offset) -> Result<(), ReplayError> {
        self.latest.replay(record, offset)?;
        self.heartbeats.replay(record);
        Ok(())
    }

    /// Keeps the present root for an append that ended with this offset.
    pub fn end_append(&mut self, last_offset: Offset) {
        self.uncommitted.push_back((last_offset, self.latest.clone()));
    }

    /// All appends up to this offset, inclusive, are committed: older roots are dropped.
    pub fn commit(&mut self, offset: Offset) {
        while let Some((last, _)) = self.uncommitted.front()
            && *last <= offset
        {
            if let Some((_, state)) = self.uncommitted.pop_front() {
                self.committed = state;
            }
        }
    }

    /// Forgets all that is not committed.
    pub fn revert_to_committed(&mut self) {
        self.uncommitted.clear();
        self.latest = self.committed.clone();
    }

    /// Replaces all state by a snapshot's records, which are committed by nature. `offset` is the last one it contains.
    ///
    /// # Errors
    /// The snapshot contradicts itself.
    pub fn load_snapshot(
        &mut self,
        records: &[MetadataRecord],
        offset: Offset,
    ) -> Result<(), ReplayError> {
        let mut state = ControllerState::default();
        for record in records {
            state.replay(record, offset)?;
        }
        self.uncommitted.clear();
        self.latest = state.clone();
        self.committed = state;
        Ok(())
    }

    /// This controller has become the active one: sessions of all unfenced brokers begin now.
    pub fn activate(&mut self, ctx: &ControllerContext) {
        let brokers = self.latest.image.cluster.brokers.values();
        self.heartbeats = Heartbeats::new(self.config.session_timeout_ms);
        for broker in brokers {
            self.heartbeats.register(broker.id, broker.fenced);
            if !broker.fenced {
                self.heartbeats.touch_session(broker.id, broker.epoch, ctx.now_ms);
            }
        }
    }

    /// The image with all that was replayed, committed or not. Its provenance is not kept.
    pub fn image(&self) -> &MetadataImage {
        &self.latest.image
    }

    /// The image of what is committed. Its provenance is not kept.
    pub fn committed_image(&self) -> &MetadataImage {
        &self.committed.image
    }

    pub fn config(&self) -> &ControllerConfig {
        &self.config
    }

    /// Whether a metadata transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.latest.transaction.is_some()
    }

    fn metadata_version(&self) -> MetadataVersion {
        self.latest.image.features.metadata_version_or_minimum()
    }

    fn elr_enabled(&self) -> bool {
        self.latest.image.features.is_elr_enabled()
    }

    /// What is set for brokers, as seen from the controller's node.
    fn layers(&self) -> BrokerLayers {
        let configs = &self.latest.image.configs;
        let node = self.config.node_id.to_string();
        BrokerLayers {
            dynamic_broker: configs.of(&ConfigResource::new(ResourceType::Broker, &node)),
            dynamic_default: configs.of(&ConfigResource::default_broker()),
            static_broker: self.config.static_configs.clone(),
        }
    }
}
