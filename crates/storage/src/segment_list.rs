//! The segments of a log in order: immutable, replaced as a whole when one comes or goes.

use std::sync::Arc;

use klamm_record::Offset;

use crate::log_segment::LogSegment;

/// Segments by ascending base offset. Never empty once the log is open; the last one is the active one.
#[derive(Clone, Default)]
pub struct SegmentList {
    segments: Vec<Arc<LogSegment>>,
}

impl SegmentList {
    /// Segments in ascending order of base offset.
    pub(crate) fn new(segments: Vec<Arc<LogSegment>>) -> Self {
        debug_assert!(segments.is_sorted_by(|a, b| a.base_offset() < b.base_offset()));
        Self { segments }
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<LogSegment>> + ExactSizeIterator {
        self.segments.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// True before the first segment was added.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The oldest.
    pub fn first(&self) -> Option<&Arc<LogSegment>> {
        self.segments.first()
    }

    /// The newest.
    pub fn last(&self) -> Option<&Arc<LogSegment>> {
        self.segments.last()
    }

    /// The one that is written to.
    pub fn active(&self) -> &Arc<LogSegment> {
        self.segments.last().expect("an open log has at least one segment")
    }

    /// Base offset of the active segment's predecessor, if there is one.
    pub(crate) fn before_active(&self) -> Option<&Arc<LogSegment>> {
        self.segments.len().checked_sub(2).and_then(|at| self.segments.get(at))
    }

    /// The segment with the largest base offset that is not above `offset`.
    pub fn floor(&self, offset: Offset) -> Option<&Arc<LogSegment>> {
        self.floor_at(offset).map(|at| &self.segments[at])
    }

    /// Place of [`Self::floor`] in the list.
    pub(crate) fn floor_at(&self, offset: Offset) -> Option<usize> {
        self.segments.partition_point(|segment| segment.base_offset() <= offset).checked_sub(1)
    }

    /// The segment at a place in the list.
    pub(crate) fn at(&self, at: usize) -> Option<&Arc<LogSegment>> {
        self.segments.get(at)
    }

    /// The segment with exactly this base offset.
    pub(crate) fn get(&self, base_offset: Offset) -> Option<&Arc<LogSegment>> {
        self.floor(base_offset).filter(|segment| segment.base_offset() == base_offset)
    }

    /// The segments that may hold offsets of `from..to`: the one `from` falls into and those after it with a base below `to`
    /// (Kafka's `LogSegments.values(from, to)`).
    pub fn range(&self, from: Offset, to: Offset) -> &[Arc<LogSegment>] {
        if from >= to {
            return &[];
        }
        let first = self.floor_at(from).unwrap_or(0);
        let end = self.segments.partition_point(|segment| segment.base_offset() < to);
        self.segments.get(first..end).unwrap_or(&[])
    }

    /// Bytes of all `.log` files.
    pub fn size_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size_bytes()).sum()
    }

    /// A list with one more, in its place; replaces one with the same base offset.
    pub(crate) fn with(&self, segment: Arc<LogSegment>) -> Self {
        let mut segments = self.segments.clone();
        match segments.binary_search_by_key(&segment.base_offset(), |other| other.base_offset()) {
            Ok(at) => segments[at] = segment,
            Err(at) => segments.insert(at, segment),
        }
        Self { segments }
    }

    /// A list of those that `keep` accepts.
    pub(crate) fn filtered(&self, keep: impl Fn(&LogSegment) -> bool) -> Self {
        Self { segments: self.segments.iter().filter(|segment| keep(segment)).cloned().collect() }
    }
}
