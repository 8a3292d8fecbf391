//! What an operation is given beside its request, and what it gives back.

use super::ApiError;
use crate::records::MetadataRecord;
use klamm_protocol::ErrorCode;
use klamm_record::{Offset, TopicId, Uuid};
use std::cell::Cell;

/// The most records that one operation may write, all in one batch.
pub const RECORDS_PER_OPERATION_MAX: usize = 10_000;

/// Time, randomness and place in the log, all given by the runtime.
#[derive(Debug)]
pub struct ControllerContext {
    /// Unix milliseconds.
    pub now_ms: i64,
    /// The offset that the first record of this operation will have.
    pub next_write_offset: Offset,
    random: Cell<u64>,
}

/// Records to append, and the response for when they are committed.
#[derive(Debug, Clone, PartialEq)]
pub struct ControllerResult<T> {
    pub records: Vec<MetadataRecord>,
    pub response: T,
    /// Whether all records must go into one batch.
    pub atomic: bool,
}

impl ControllerContext {
    pub fn new(now_ms: i64, next_write_offset: Offset, seed: u64) -> Self {
        Self { now_ms, next_write_offset, random: Cell::new(seed) }
    }

    /// SplitMix64.
    pub(super) fn random(&self) -> u64 {
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&self, bound: usize) -> usize {
        (self.random() % bound as u64) as usize
    }

    /// An id that no topic has yet.
    pub(super) fn topic_id(&self) -> TopicId {
        loop {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&self.random().to_be_bytes());
            bytes[8..].copy_from_slice(&self.random().to_be_bytes());
            if let Some(id) = Uuid::from_random(bytes) {
                return TopicId(id);
            }
        }
    }
}

impl<T> ControllerResult<T> {
    pub fn of(records: Vec<MetadataRecord>, response: T) -> Self {
        Self { records, response, atomic: false }
    }

    pub fn atomic_of(records: Vec<MetadataRecord>, response: T) -> Self {
        Self { records, response, atomic: true }
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> ControllerResult<U> {
        ControllerResult { records: self.records, response: f(self.response), atomic: self.atomic }
    }
}

/// Refuses an operation that would write more than one batch may hold.
pub(super) fn check_record_count(records: &[MetadataRecord]) -> Result<(), ApiError> {
    if records.len() > RECORDS_PER_OPERATION_MAX {
        let message = "Unable to perform excessively large batch operation.";
        return Err(ApiError::new(ErrorCode::PolicyViolation, message));
    }
    Ok(())
}
