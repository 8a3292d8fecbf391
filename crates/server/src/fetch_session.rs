//! Fetch sessions (KIP-227): a consumer names its partitions once, and afterwards only what changed.
//!
//! Owns: the sessions, at most `max.incremental.fetch.session.cache.slots`, and which of them may be evicted.
//! Invariant: a session's epoch counts its requests; a request with another epoch changes nothing.
//! Does not know: what was read.

mod cache;
mod context;
mod session;

pub use cache::FetchSessionCache;
pub use context::FetchContext;
pub use session::Sent;

use klamm_record::{LeaderEpoch, Offset, TopicId, TopicPartition};

/// Epoch of a request that begins a session (Kafka's `FetchMetadata.INITIAL_EPOCH`).
pub const INITIAL_EPOCH: i32 = 0;
/// Epoch of a request without a session, or that closes one (`FetchMetadata.FINAL_EPOCH`).
pub const FINAL_EPOCH: i32 = -1;

/// A partition as the client names it: by id from v13 on, by name before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionKey {
    /// Zero if the client sends names.
    pub topic_id: TopicId,
    /// The name is empty as long as the id is not known here.
    pub topic_partition: TopicPartition,
}

/// What a client wants of one partition.
#[derive(Debug, Clone)]
pub struct WantedPartition {
    /// Which.
    pub key: PartitionKey,
    /// First offset wanted (inclusive).
    pub fetch_offset: Offset,
    /// At most this many bytes.
    pub max_bytes: u32,
    /// The leader epoch the client knows; −1 for none.
    pub current_leader_epoch: LeaderEpoch,
    /// Epoch of the client's last record; −1 for none.
    pub last_fetched_epoch: LeaderEpoch,
}

/// The part of a Fetch request that is about sessions.
#[derive(Debug)]
pub struct SessionRequest {
    /// 0 for none.
    pub session_id: i32,
    /// See the constants above.
    pub session_epoch: i32,
    /// From v13 on.
    pub uses_topic_ids: bool,
    /// All partitions, or in a session those that are new or changed.
    pub partitions: Vec<WantedPartition>,
    /// Partitions that leave the session.
    pub forgotten: Vec<PartitionKey>,
}

#[cfg(test)]
mod tests;
