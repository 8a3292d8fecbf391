//! The replicated metadata log behind `trait MetadataLog`: on one node the log itself, on several openraft over that log.
//!
//! Beside it: the format of new directories, the runtime of the controller, and the life of this node's broker in the
//! metadata.
//!
//! Architecture Invariant: nothing here knows what a metadata record means; that is `klamm-metadata`'s.

mod batch_encoding;
mod batch_reading;
pub mod bootstrap;
mod broker_lifecycle;
mod config;
mod control_records;
pub mod controller_runtime;
pub mod format;
pub mod local_metadata_log;
pub mod metadata_log;
mod offset_and_epoch;
pub mod quorum_state;
mod snapshot;
mod snapshot_schedule;
mod voters;

pub use batch_encoding::{Atomicity, EncodingError, PreparedBatch};
pub use batch_reading::{BatchContents, BatchReadError, FileBatches, ReadBatch};
pub use broker_lifecycle::{BrokerIdentity, BrokerLifecycle, LifecycleError, RegisteredListener};
pub use config::MetadataLogConfig;
pub use control_records::ControlRecord;
pub use controller_runtime::{
    ControllerArgs, ControllerError, ControllerHandle, ControllerRuntime,
    EXIT_CODE_METADATA_LOG_FAILED, MetadataLogFailure, MetadataPublisher, StartError,
};
pub use format::{FormatArgs, FormatError, FormattedDirs, ensure_formatted};
pub use local_metadata_log::{LocalMetadataLog, METADATA_LOG_DIR, METADATA_TOPIC, OpenArgs};
pub use metadata_log::{MetadataLog, MetadataLogError};
pub use offset_and_epoch::{OffsetAndEpoch, SnapshotFile};
pub use voters::{QuorumMembership, Voter, VoterEndpoint};
