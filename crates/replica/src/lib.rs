//! ReplicaManager, Partition, high watermark, and later ISR, group commit and follower fetching.
//!
//! Owns: who leads what on this node, the queue in front of each log, and who waits for what. Produce goes
//! [`ReplicaManager::append`] → [`Partition`] (leader epoch, min ISR, the FIFO, high watermark) → storage; Fetch goes
//! [`ReplicaManager::fetch`] → [`Partition`] (bounds) → storage.
//!
//! Invariant: at most one task holds a partition's `LogAppender`, and what it changes is done to its end even if whoever asked
//! has gone. No lock is held across a write.
//!
//! Does not know: the wire, error codes, sessions, principals.

mod append;
mod append_queue;
mod delete_records;
mod describe;
mod error;
mod fetch_waiter;
mod high_watermark;
mod housekeeping;
mod metrics;
mod offsets;
mod partition;
mod read;
mod replica_manager;
mod topic_configs;

pub use append::{Acks, AppendError, Appended};
pub use delete_records::{DeleteRecordsError, DeleteTo};
pub use describe::{LogDirDescription, ReplicaDescription};
pub use error::{LookupError, PartitionError};
pub use housekeeping::HousekeepingIntervals;
pub use offsets::{EpochEnd, ListOffsetError, ListedPartition, OffsetAsker, OffsetQuery};
pub use partition::{Leadership, Partition};
pub use read::{DivergingEpoch, FetchError, FetchParams, FetchPartition, Fetched, Isolation};
pub use replica_manager::{ReplicaManager, ReplicaManagerArgs};
pub use topic_configs::TopicConfigs;
