//! The batches that go to the file in one write.

use klamm_record::{Offset, ProducerId};

use super::AppendItem;
use crate::producer_state::{CompletedTxn, ProducerAppendInfo};

/// What the producer checks found out about a batch that may be written.
#[derive(Default)]
pub(super) struct Admitted {
    /// New state of its producer, to be taken over after the write.
    pub producer: Option<Box<ProducerAppendInfo>>,
    /// The transaction that it ends.
    pub completed: Option<CompletedTxn>,
}

/// An item of the group.
pub(super) struct Member {
    /// Its place among the items.
    pub at: usize,
    pub admitted: Admitted,
    producer_id: ProducerId,
}

/// Batches with consecutive offsets, waiting for one write.
pub(super) struct Group {
    members: Vec<Member>,
    bytes: u64,
    next_offset: Offset,
}

impl Group {
    pub fn new(log_end: Offset) -> Self {
        Self { members: Vec::new(), bytes: 0, next_offset: log_end }
    }

    pub fn push(&mut self, at: usize, item: &AppendItem, admitted: Admitted) {
        self.bytes += item.batch.size_bytes() as u64;
        self.next_offset = item.batch.header.next_offset();
        self.members.push(Member { at, admitted, producer_id: item.batch.header.producer_id });
    }

    /// True if a batch of this idempotent producer waits here, whose state is not known before the write.
    pub fn has_producer(&self, producer_id: ProducerId) -> bool {
        producer_id > ProducerId::NONE
            && self.members.iter().any(|member| member.producer_id == producer_id)
    }

    pub fn next_offset(&self) -> Offset {
        self.next_offset
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter()
    }

    pub fn take(&mut self) -> Vec<Member> {
        self.bytes = 0;
        std::mem::take(&mut self.members)
    }
}
