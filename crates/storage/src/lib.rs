//! One partition's log on disk, in Kafka's formats; synchronous.
//!
//! Owns segments, indexes, producer state, leader epochs, checkpoints and log dirs. Knows no requests, no replication and no
//! error codes of the protocol.

mod batch_scan;
pub mod checkpoint_file;
pub mod clean_shutdown_file;
pub mod file_slice;
#[doc(hidden)]
pub mod fuzz;
pub mod index_file;
pub mod leader_epoch_cache;
pub mod log_appender;
pub mod log_config;
pub mod log_dir_state;
pub mod log_file_names;
pub mod log_loader;
pub mod log_manager;
pub mod log_segment;
mod marker;
pub mod meta_properties;
pub mod offset_index;
pub mod partition_metadata_file;
pub mod producer_snapshot;
pub mod producer_state;
pub mod retention;
pub mod segment_list;
pub mod time_index;
pub mod transaction_index;
pub mod unified_log;

pub use file_slice::FileSlice;
pub use log_appender::{
    AppendError, AppendInfo, AppendItem, IoFault, LogAppender, LogStartError, Origin, Progress,
    Truncation,
};
pub use log_config::LogConfig;
pub use log_dir_state::LogDirState;
pub use log_loader::{LoadArgs, LoadError, LoadMode, LoadReport, LoadedLog};
pub use log_manager::{LogManager, LogManagerArgs, StorageMetrics};
pub use unified_log::{
    FlushPlan, ListedOffset, OffsetMetadata, OffsetSpec, ReadArgs, ReadBound, ReadError, ReadInfo,
    UnifiedLog,
};
