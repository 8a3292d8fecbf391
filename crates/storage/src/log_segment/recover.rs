//! Recovery of one segment: every batch is checked, the indexes are made anew, the torn tail is cut off.

use std::io;
use std::sync::atomic::Ordering;

use klamm_record::{BatchError, BatchHeader, Offset};

use super::{LogSegment, Times};
use crate::batch_scan::{BatchScan, ScanFault, ScannedBatch};
use crate::transaction_index::AbortedTxn;

/// Who is told of each sound batch: leader epochs and producer state are built from them.
pub(crate) trait RecoverySink {
    /// A batch was found. `whole` is all of its bytes, for control batches only. Returns the transaction it aborted, if any.
    ///
    /// # Errors
    /// If the batch contradicts those before it: it counts as damage then.
    fn batch(
        &mut self,
        header: &BatchHeader,
        whole: Option<&[u8]>,
    ) -> Result<Option<AbortedTxn>, String>;
}

/// What recovering a segment found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentRecovery {
    /// Bytes of sound batches.
    pub valid_bytes: u64,
    /// Bytes cut off behind them.
    pub truncated_bytes: u64,
    /// Offset after the last sound batch; the base offset if there is none.
    pub next_offset: Offset,
}

impl LogSegment {
    /// Checks length and checksum of every batch, that offsets rise, and that they are within reach of the base offset; stops
    /// at the first one that is not sound and cuts the file there (Kafka's `LogSegment.recover`).
    ///
    /// # Errors
    /// If the disk fails.
    pub(crate) fn recover(&self, sink: &mut impl RecoverySink) -> io::Result<SegmentRecovery> {
        self.offset_index.reset()?;
        self.time_index.reset()?;
        self.txn_index.reset()?;
        *self.times.lock() = Times::default();
        let file_bytes = self.log.len()?;
        let mut scan = BatchScan::all(&self.log, 0, file_bytes);
        let mut recovery =
            SegmentRecovery { valid_bytes: 0, truncated_bytes: 0, next_offset: self.base_offset };
        let mut last_entry_at = 0;
        loop {
            let batch = match self.next_sound(&mut scan, recovery.next_offset) {
                Ok(Some(batch)) => batch,
                Ok(None) => break,
                Err(ScanFault::Io(error)) => return Err(error),
                Err(fault) => {
                    self.warn_of(&fault);
                    break;
                }
            };
            if !self.tell(sink, &scan, &batch)? {
                break;
            }
            let since = batch.position - last_entry_at;
            let mut times = self.times.lock();
            if batch.position == 0 {
                times.first_batch = Some(batch.header.max_timestamp_ms);
            }
            if self.note_batch(&mut times, &batch.header, batch.position, since)? {
                last_entry_at = batch.position;
            }
            recovery.valid_bytes = batch.end();
            recovery.next_offset = batch.header.next_offset();
        }
        recovery.truncated_bytes = file_bytes - recovery.valid_bytes;
        self.size.store(recovery.valid_bytes, Ordering::Release);
        if recovery.truncated_bytes > 0 {
            self.log.set_len(recovery.valid_bytes)?;
            self.log.sync_blocking()?;
        }
        self.bytes_since_last_index_entry
            .store(recovery.valid_bytes - last_entry_at, Ordering::Relaxed);
        self.on_become_inactive()?;
        Ok(recovery)
    }

    fn next_sound(
        &self,
        scan: &mut BatchScan<'_>,
        next_offset: Offset,
    ) -> Result<Option<ScannedBatch>, ScanFault> {
        let Some(batch) = scan.next_batch()? else { return Ok(None) };
        let position = batch.position;
        let corrupt =
            |what| ScanFault::Corrupt { position, error: BatchError::RecordStructure(what) };
        if batch.header.base_offset < next_offset || batch.header.last_offset_delta < 0 {
            return Err(corrupt("offsets do not rise"));
        }
        if !self.in_reach(batch.header.last_offset()) {
            return Err(corrupt("offset is out of reach of the segment's base offset"));
        }
        scan.verify_crc(&batch)?;
        Ok(Some(batch))
    }

    /// False if the sink refused the batch.
    fn tell(
        &self,
        sink: &mut impl RecoverySink,
        scan: &BatchScan<'_>,
        batch: &ScannedBatch,
    ) -> io::Result<bool> {
        let whole = match batch.header.is_control() {
            true => Some(scan.read_whole(batch)?),
            false => None,
        };
        match sink.batch(&batch.header, whole.as_deref()) {
            Ok(Some(aborted)) => self.note_aborted(aborted)?,
            Ok(None) => {}
            Err(reason) => {
                tracing::warn!(segment = %self.log.path().display(), at = batch.position, reason,
                    "batch contradicts the ones before it");
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn warn_of(&self, fault: &ScanFault) {
        tracing::warn!(segment = %self.log.path().display(), %fault, "found the end of the sound batches");
    }
}
