//! The control plane as pure state machines: metadata records, image and delta, controller.
//!
//! Requests become `records + response`, and state is rebuilt by replaying records. This crate does no I/O and knows no
//! thread and no clock: time, randomness and offsets are arguments. Access control entries are kept here, not yet evaluated.

mod broker_registration;
pub mod config_resolution;
mod config_schema;
pub mod controller;
pub mod delta;
pub mod directory_id;
mod generated;
pub mod image;
mod metadata_version;
mod partition_registration;
pub mod records;
pub mod topic_name;

pub use broker_registration::{BrokerRegistration, ControllerRegistration, Endpoint, VersionRange};
pub use config_schema::ConfigSchema;
pub use controller::{ApiError, Controller, ControllerConfig, ControllerContext, ControllerResult};
pub use delta::MetadataDelta;
pub use image::{MetadataImage, MetadataProvenance, ReplayError};
pub(crate) use klamm_protocol::Str;
pub use metadata_version::{METADATA_VERSION_FEATURE, MetadataVersion};
pub use partition_registration::{
    LeaderRecoveryState, NO_LEADER, NO_LEADER_CHANGE, PartitionRecordError, PartitionRegistration,
    RecordOptions,
};
