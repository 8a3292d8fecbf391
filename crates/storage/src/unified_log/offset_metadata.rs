//! An offset together with the file position it translates to.

use klamm_record::Offset;

/// An offset and where the batch that holds it begins (Kafka's `LogOffsetMetadata`). For the log end: where the next batch
/// will begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetMetadata {
    /// The offset.
    pub offset: Offset,
    /// Base offset of the segment it lies in.
    pub segment_base: Offset,
    /// Byte position in that segment's `.log`.
    pub position: u64,
}

impl OffsetMetadata {
    /// Bytes from `earlier` to this, if both lie in the same segment (Kafka's `positionDiff`).
    pub fn bytes_since(&self, earlier: &Self) -> Option<u64> {
        (self.segment_base == earlier.segment_base)
            .then(|| self.position.saturating_sub(earlier.position))
    }
}
