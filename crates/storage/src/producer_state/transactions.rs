//! Which transactions are open or not yet below the high watermark, and so where the last stable offset lies.

use std::collections::BTreeMap;

use klamm_record::{Offset, ProducerId};

use super::EndTxnKind;

/// A transaction that a marker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompletedTxn {
    /// Who wrote it.
    pub producer_id: ProducerId,
    /// Its first record, inclusive.
    pub first_offset: Offset,
    /// Its marker, inclusive.
    pub last_offset: Offset,
    /// How it ended.
    pub kind: EndTxnKind,
}

impl CompletedTxn {
    /// Whether it belongs in the transaction index.
    pub fn is_aborted(&self) -> bool {
        self.kind == EndTxnKind::Abort
    }
}

#[derive(Debug, Default)]
pub(super) struct Transactions {
    /// Open: first offset to producer.
    ongoing: BTreeMap<Offset, ProducerId>,
    /// Ended, with a marker above the high watermark: first offset to the marker's offset.
    unreplicated: BTreeMap<Offset, Offset>,
}

impl Transactions {
    pub(super) fn begin(&mut self, producer_id: ProducerId, first_offset: Offset) {
        self.ongoing.insert(first_offset, producer_id);
    }

    /// True if the transaction was open.
    pub(super) fn complete(&mut self, completed: &CompletedTxn) -> bool {
        let open = self.ongoing.remove(&completed.first_offset).is_some();
        if open {
            self.unreplicated.insert(completed.first_offset, completed.last_offset);
        }
        open
    }

    pub(super) fn first_unstable(&self) -> Option<Offset> {
        let ongoing = self.first_undecided();
        let unreplicated = self.unreplicated.keys().next().copied();
        ongoing.into_iter().chain(unreplicated).min()
    }

    pub(super) fn first_undecided(&self) -> Option<Offset> {
        self.ongoing.keys().next().copied()
    }

    pub(super) fn oldest(&self) -> Option<ProducerId> {
        self.ongoing.values().next().copied()
    }

    /// Where the oldest open transaction of another producer begins.
    pub(super) fn first_of_others(&self, producer_id: ProducerId) -> Option<Offset> {
        self.ongoing.iter().find(|(_, other)| **other != producer_id).map(|(first, _)| *first)
    }

    /// Forgets the ended ones whose marker lies below `offset`.
    pub(super) fn settle_below(&mut self, offset: Offset) {
        self.unreplicated.retain(|_, marker| *marker >= offset);
    }

    pub(super) fn has_unreplicated(&self) -> bool {
        !self.unreplicated.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.ongoing.clear();
        self.unreplicated.clear();
    }
}
