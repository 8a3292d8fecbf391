//! One file per API: its row (versions, listeners, rights, throttle, size) beside its handler.
//!
//! Owns: [`table`], the one list of what this node answers; [`dispatcher`], which takes a frame to
//! its row; [`error`], the one place that turns our errors into Kafka's codes.
//! Invariant: an API is advertised if and only if its row stands in the table.
//! Does not know: sockets, order of responses, permits (those are `network`'s).
//!
//! To add an API: write `apis/<api>.rs` with `pub const ROW: ApiRow` and `fn handle`, add the
//! module here and the row in `table.rs`.

pub mod alter_configs;
pub mod api_versions;
mod auto_topic_creation;
#[cfg(test)]
mod compat;
mod config_resource;
mod controller_timeout;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_records;
pub mod delete_topics;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_log_dirs;
pub mod describe_producers;
pub mod describe_topic_partitions;
pub mod dispatcher;
pub mod error;
pub mod fetch;
mod hosted_partition;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod list_config_resources;
pub mod list_offsets;
mod listener_view;
pub mod metadata;
pub mod offset_for_leader_epoch;
pub mod produce;
pub mod table;
#[cfg(test)]
mod test_image;
