//! The state machine and the image while the log is replayed into them.

use klamm_metadata::controller::{Controller, ControllerConfig};
use klamm_metadata::records::MetadataRecord;
use klamm_metadata::{MetadataDelta, MetadataImage, MetadataProvenance, ReplayError};
use klamm_record::Offset;

use crate::local_metadata_log::LogVisitor;
use crate::snapshot::SnapshotVisitor;

/// Collects what the log says, from the empty state on.
pub(super) struct LoadedState {
    config: ControllerConfig,
    pub controller: Controller,
    pub delta: MetadataDelta,
    pub provenance: MetadataProvenance,
}

impl LoadedState {
    pub fn new(config: ControllerConfig) -> Self {
        Self {
            controller: Controller::new(config.clone()),
            config,
            delta: MetadataDelta::new(&MetadataImage::empty()),
            provenance: MetadataProvenance::EMPTY,
        }
    }

    fn replay(&mut self, record: &MetadataRecord, offset: Offset) -> Result<(), ReplayError> {
        self.delta.replay(record)?;
        self.controller.replay(record, offset)
    }
}

impl SnapshotVisitor for LoadedState {
    fn record(&mut self, record: MetadataRecord) -> Result<(), ReplayError> {
        self.replay(&record, self.provenance.last_contained_offset)
    }
}

impl LogVisitor for LoadedState {
    fn begin_snapshot(&mut self, end: MetadataProvenance) {
        *self = Self { provenance: end, ..Self::new(self.config.clone()) };
    }

    fn log_record(&mut self, record: MetadataRecord, offset: Offset) -> Result<(), ReplayError> {
        self.replay(&record, offset)
    }

    fn end_batch(&mut self, end: MetadataProvenance) {
        self.provenance = end;
        self.controller.end_append(end.last_contained_offset);
        self.controller.commit(end.last_contained_offset);
    }
}
