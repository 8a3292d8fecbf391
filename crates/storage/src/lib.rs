//! One partition's log on disk, in Kafka's formats; synchronous.
//!
//! Owns segments, indexes, producer state, leader epochs, checkpoints and log dirs. Knows no requests, no replication and no
//! error codes of the protocol.

pub mod checkpoint_file;
pub mod clean_shutdown_file;
pub mod index_file;
pub mod leader_epoch_cache;
pub mod log_config;
pub mod log_file_names;
pub mod meta_properties;
pub mod offset_index;
pub mod partition_metadata_file;
pub mod producer_snapshot;
pub mod producer_state;
pub mod time_index;
pub mod transaction_index;
