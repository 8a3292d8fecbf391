//! The last batches of each producer, read again from the tail of the log.
//!
//! A snapshot keeps one batch for each producer, in Kafka's format; a client that keeps several in flight and lost the answers
//! over a restart sends all of them again. Kafka answers the older ones OUT_OF_ORDER_SEQUENCE_NUMBER, upon which the client takes a
//! new epoch and its records are doubled. Here they are known again, as far as the tail of the log tells.

use std::collections::BTreeMap;
use std::io;

use klamm_record::{BatchHeader, Offset, ProducerId};

use crate::batch_scan::BatchScan;
use crate::log_segment::LogSegment;
use crate::producer_state::{BatchMetadata, ProducerStateManager};
use crate::segment_list::SegmentList;

/// How much of the log is looked at: five of the largest batches that a topic takes by default, with room.
const TAIL_BYTES: u64 = 8 << 20;
/// As many batches as a producer's state remembers.
const BATCHES_MAX: usize = 5;

/// Batches of one epoch of a producer, oldest first.
#[derive(Default)]
struct Recent {
    epoch: i16,
    batches: Vec<BatchMetadata>,
}

/// Completes the state of the producers that `producers` knows. Reads nothing if there are none.
pub(super) fn restore(
    producers: &mut ProducerStateManager,
    segments: &SegmentList,
) -> io::Result<()> {
    if producers.is_empty() {
        return Ok(());
    }
    let mut found: BTreeMap<ProducerId, Recent> = BTreeMap::new();
    let active = segments.last();
    let before =
        segments.before_active().filter(|_| active.is_some_and(|it| it.size_bytes() < TAIL_BYTES));
    for segment in before.into_iter().chain(active) {
        match collect(segment, &mut found) {
            // what was damaged before is not this scan's to judge
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            outcome => outcome?,
        }
    }
    for (producer_id, recent) in found {
        producers.restore_recent(producer_id, recent.epoch, &recent.batches);
    }
    Ok(())
}

fn collect(segment: &LogSegment, found: &mut BTreeMap<ProducerId, Recent>) -> io::Result<()> {
    let size = segment.size_bytes();
    let position = tail_position(segment, size.saturating_sub(TAIL_BYTES))?;
    let mut scan = BatchScan::all(segment.file(), position, size);
    while let Some(batch) = scan.next_batch()? {
        let header = batch.header;
        if header.is_control() || !header.has_producer_id() || header.base_sequence < 0 {
            continue;
        }
        let recent = found.entry(header.producer_id).or_default();
        if recent.epoch != header.producer_epoch {
            *recent = Recent { epoch: header.producer_epoch, batches: Vec::new() };
        }
        if recent.batches.len() == BATCHES_MAX {
            recent.batches.remove(0);
        }
        recent.batches.push(metadata(&header));
    }
    Ok(())
}

fn metadata(header: &BatchHeader) -> BatchMetadata {
    BatchMetadata {
        last_sequence: header.last_sequence(),
        offset_delta: header.last_offset_delta,
        last_offset: header.last_offset(),
        timestamp_ms: header.max_timestamp_ms,
    }
}

/// Start of a batch at or behind `wanted`, found by halving the segment's offsets over its index.
fn tail_position(segment: &LogSegment, wanted: u64) -> io::Result<u64> {
    if wanted == 0 {
        return Ok(0);
    }
    let (mut low, mut high) = (segment.base_offset(), segment.read_next_offset()?);
    while low < high {
        let middle = Offset(low.0 + (high.0 - low.0) / 2);
        match segment.translate(middle)? {
            Some(found) if found.position < wanted => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(segment.translate(low)?.map_or(segment.size_bytes(), |found| found.position))
}
