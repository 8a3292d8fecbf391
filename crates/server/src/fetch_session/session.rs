//! One session: its partitions, in the order in which they are read next.

use std::collections::VecDeque;

use klamm_env::Instant;

use super::{PartitionKey, WantedPartition};

/// What was told of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// There were records.
    pub has_records: bool,
    /// There was an error.
    pub error: bool,
    /// The client was told to truncate.
    pub diverging: bool,
    /// As told; −1 with an error.
    pub high_watermark: i64,
    /// As told; −1 with an error.
    pub log_start_offset: i64,
}

/// A partition of a session with what its client knows.
#[derive(Debug, Clone)]
pub(super) struct CachedPartition {
    pub wanted: WantedPartition,
    high_watermark: i64,
    log_start_offset: i64,
}

impl CachedPartition {
    pub fn new(wanted: WantedPartition) -> Self {
        Self { wanted, high_watermark: -1, log_start_offset: -1 }
    }

    /// Takes over what is about to be told; true if it must be told at all (Kafka's `maybeUpdateResponseData`).
    pub fn must_tell(&mut self, sent: &Sent) -> bool {
        let changed = sent.has_records
            || sent.error
            || sent.diverging
            || self.high_watermark != sent.high_watermark
            || self.log_start_offset != sent.log_start_offset;
        self.log_start_offset = sent.log_start_offset;
        // After an error everything is told again, so that the client sees that it is over.
        self.high_watermark = if sent.error { -1 } else { sent.high_watermark };
        changed
    }
}

/// A client's session.
#[derive(Debug)]
pub(super) struct Session {
    pub epoch: i32,
    pub uses_topic_ids: bool,
    pub partitions: VecDeque<CachedPartition>,
    pub created: Instant,
    pub last_used: Instant,
}

impl Session {
    /// Takes over what a request changes.
    pub fn update(&mut self, changed: Vec<WantedPartition>, forgotten: &[PartitionKey]) {
        let by_id = self.uses_topic_ids;
        for wanted in changed {
            match self.partitions.iter_mut().find(|it| it.wanted.key.is_same(&wanted.key, by_id)) {
                Some(cached) => cached.wanted = wanted,
                None => self.partitions.push_back(CachedPartition::new(wanted)),
            }
        }
        if !forgotten.is_empty() {
            self.partitions
                .retain(|it| !forgotten.iter().any(|key| it.wanted.key.is_same(key, by_id)));
        }
    }

    /// After each request; wraps to 1, since 0 begins a session.
    pub fn next_epoch(&mut self) {
        self.epoch = if self.epoch == i32::MAX { 1 } else { self.epoch + 1 };
    }
}
