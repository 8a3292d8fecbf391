//! Recovery after a crash: from the recovery point on, every batch is checked.

use std::io;
use std::sync::Arc;

use klamm_record::batch::HEADER_BYTES;
use klamm_record::{BatchHeader, Offset};

use super::{Loader, rebuild_producer_state};
use crate::leader_epoch_cache::LeaderEpochCache;
use crate::log_segment::{LogSegment, RecoverySink, SegmentRecovery};
use crate::marker;
use crate::producer_state::{Origin, ProducerStateManager};
use crate::transaction_index::AbortedTxn;

impl Loader {
    /// Recovers the segments that may hold unflushed bytes; at the first damage the log ends and what comes after it is
    /// removed. So it is at a gap between two segments of a log that is not compacted: there, too, something was lost.
    pub(super) fn recover_unflushed(&mut self) -> io::Result<()> {
        let unflushed = self.segments.range(self.args.recovery_point, Offset(i64::MAX)).to_vec();
        for (at, segment) in unflushed.iter().enumerate() {
            let recovery = self.recover_segment(segment)?;
            let next = unflushed.get(at + 1).map(|next| next.base_offset());
            let gap =
                next.is_some_and(|base| base > recovery.next_offset) && !self.args.config.compact;
            if recovery.truncated_bytes == 0 && !gap {
                continue;
            }
            tracing::warn!(partition = %self.args.topic_partition, end = recovery.next_offset.0,
                truncated_bytes = recovery.truncated_bytes, "the log ends here after an unclean stop");
            let last = segment.base_offset();
            return self.remove_segments(|segment| segment.base_offset() > last);
        }
        Ok(())
    }

    /// Scans one segment and rebuilds its indexes, with the producer state of what lies before it.
    pub(super) fn recover_segment(
        &mut self,
        segment: &Arc<LogSegment>,
    ) -> io::Result<SegmentRecovery> {
        let (disk, dir) = (self.disk().clone(), self.args.dir.clone());
        let mut producers = ProducerStateManager::new(disk, dir, self.args.producer_state);
        producers.load_snapshots()?;
        let before = self.segments.filtered(|other| other.base_offset() < segment.base_offset());
        let log_start = self.args.log_start_offset;
        rebuild_producer_state(
            &mut producers,
            &before,
            log_start,
            segment.base_offset(),
            self.now_ms,
        )?;
        let mut sink = Rebuild { producers, epochs: &mut self.epochs };
        let recovery = segment.recover(&mut sink)?;
        sink.producers.update_map_end_offset(recovery.next_offset);
        sink.producers.take_snapshot()?;
        self.report.recovered_segments += 1;
        self.report.scanned_bytes += recovery.valid_bytes + recovery.truncated_bytes;
        self.report.truncated_bytes += recovery.truncated_bytes;
        Ok(recovery)
    }
}

/// Leader epochs and producer state, built from the batches of a scan.
struct Rebuild<'a> {
    producers: ProducerStateManager,
    epochs: &'a mut LeaderEpochCache,
}

impl RecoverySink for Rebuild<'_> {
    fn batch(
        &mut self,
        header: &BatchHeader,
        whole: Option<&[u8]>,
    ) -> Result<Option<AbortedTxn>, String> {
        let epoch = header.partition_leader_epoch;
        if epoch.0 >= 0 && self.epochs.latest().is_none_or(|latest| epoch > latest.epoch) {
            let _ = self.epochs.assign(epoch, header.base_offset);
        }
        let aborted = show(&mut self.producers, header, whole);
        self.producers.update_map_end_offset(header.next_offset());
        aborted
    }
}

/// Shows one stored batch to the producer state; answers the transaction it aborted.
pub(super) fn show(
    producers: &mut ProducerStateManager,
    header: &BatchHeader,
    whole: Option<&[u8]>,
) -> Result<Option<AbortedTxn>, String> {
    if !header.has_producer_id() {
        return Ok(None);
    }
    let marker = whole.and_then(|bytes| marker::of_batch(header, bytes.get(HEADER_BYTES..)?));
    let mut append = producers.prepare_update(header.producer_id, Origin::Replication);
    let completed =
        append.append(header, marker, header.base_offset).map_err(|error| error.to_string())?;
    producers.update(&append);
    let Some(completed) = completed else { return Ok(None) };
    let last_stable_offset = producers.last_stable_offset(&completed);
    producers.complete_txn(&completed);
    Ok(completed.is_aborted().then_some(AbortedTxn {
        producer_id: completed.producer_id,
        first_offset: completed.first_offset,
        last_offset: completed.last_offset,
        last_stable_offset,
    }))
}
