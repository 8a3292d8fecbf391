//! Producer state from snapshots and the batches after them (Kafka's `UnifiedLog.rebuildProducerState`).

use std::io;

use klamm_record::Offset;

use super::recovery::show;
use crate::batch_scan::BatchScan;
use crate::log_segment::LogSegment;
use crate::producer_state::ProducerStateManager;
use crate::segment_list::SegmentList;

/// Offsets that are worth a snapshot, so that a later truncation need not read everything: the bases of the last two segments.
fn snapshot_bases(segments: &SegmentList) -> Vec<Offset> {
    let before = segments.before_active().map(|segment| segment.base_offset());
    before.into_iter().chain(segments.last().map(|segment| segment.base_offset())).collect()
}

/// A clean directory without any snapshot comes from a time before there were producers: nothing is read, and snapshots are
/// written so that nothing has to be read next time.
pub(super) fn begin_without_snapshots(
    producers: &mut ProducerStateManager,
    segments: &SegmentList,
    end: Offset,
) -> io::Result<()> {
    for offset in snapshot_bases(segments).into_iter().chain([end]) {
        producers.update_map_end_offset(offset);
        producers.take_snapshot()?;
    }
    Ok(())
}

/// Brings the producer state to `end` (exclusive): from the newest sound snapshot at or below it, and the batches after that.
pub(crate) fn rebuild_producer_state(
    producers: &mut ProducerStateManager,
    segments: &SegmentList,
    log_start: Offset,
    end: Offset,
    now_ms: i64,
) -> io::Result<()> {
    let empty_already = producers.is_empty() && producers.map_end_offset() >= end;
    producers.truncate_and_reload(log_start, end, now_ms)?;
    if end > producers.map_end_offset() && !empty_already {
        let bases = snapshot_bases(segments);
        for segment in segments.range(producers.map_end_offset(), end) {
            let from = segment.base_offset().max(producers.map_end_offset()).max(log_start);
            producers.update_map_end_offset(from);
            if bases.contains(&segment.base_offset()) {
                producers.take_snapshot()?;
            }
            show_segment(producers, segment, from, end)?;
        }
    }
    producers.update_map_end_offset(end);
    producers.take_snapshot()?;
    Ok(())
}

/// Shows the batches of one segment. Damage in it ends the walk: it costs producers their state, not the partition its log.
fn show_segment(
    producers: &mut ProducerStateManager,
    segment: &LogSegment,
    from: Offset,
    end: Offset,
) -> io::Result<()> {
    match show_batches(producers, segment, from, end) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            tracing::error!(?segment, %error, "producer state is incomplete");
            Ok(())
        }
        outcome => outcome,
    }
}

fn show_batches(
    producers: &mut ProducerStateManager,
    segment: &LogSegment,
    from: Offset,
    end: Offset,
) -> io::Result<()> {
    let Some(first) = segment.translate(from)? else { return Ok(()) };
    let mut scan = BatchScan::all(segment.file(), first.position, segment.size_bytes());
    while let Some(batch) = scan.next_batch()? {
        if batch.header.base_offset >= end {
            break;
        }
        let whole = match batch.header.is_control() {
            true => Some(scan.read_whole(&batch)?),
            false => None,
        };
        if let Err(reason) = show(producers, &batch.header, whole.as_deref()) {
            tracing::warn!(reason, "a stored batch contradicts its producer's state");
        }
    }
    Ok(())
}
