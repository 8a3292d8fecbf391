//! Producer state of one partition: who wrote last, with which sequence, and which transactions are open (KIP-98).
//!
//! Owns the rules of idempotence and of fencing, the last stable offset, and the producer snapshots of a replica directory.
//! Knows no log: the log's owner shows it every batch before the batch is written, and again when it recovers.
//!
//! Invariants: a producer has at most one open transaction; `ongoing` holds exactly the open transactions of `producers` and of
//! appends; producers in a transaction never expire.

mod append_info;
mod entry;
mod error;
mod manager;
mod transactions;
mod verification;

pub use append_info::{EndTxnKind, EndTxnMarker, ProducerAppendInfo};
pub use entry::{BatchMetadata, NO_PRODUCER_EPOCH, NO_SEQUENCE, ProducerStateEntry};
pub use error::ProducerStateError;
pub use manager::{ProducerStateConfig, ProducerStateManager, VerificationSeen};
pub use transactions::CompletedTxn;
pub use verification::VerificationStateEntry;

/// Who brings a batch, and so how far it is checked (Kafka's `AppendOrigin`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A producer: epoch and sequences are checked, duplicates are answered.
    Client,
    /// A coordinator of this node: the epoch is checked, sequences are not.
    Coordinator,
    /// The leader through a follower's fetch, or this log at recovery: nothing is refused.
    Replication,
}

#[cfg(test)]
mod tests;
