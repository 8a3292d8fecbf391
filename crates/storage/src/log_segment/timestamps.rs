//! A segment's timestamps: how old it is, and which record comes at or after a time.

use std::io;
use std::sync::atomic::Ordering;

use klamm_record::codec::DecompressBuf;
use klamm_record::{Batch, LeaderEpoch, Offset, TimestampType};

use super::LogSegment;
use crate::batch_scan::{BatchScan, ScanFault, ScannedBatch};
use crate::time_index::TimestampOffset;
use crate::unified_log::ListedOffset;

/// A batch never decompresses to more than this while a timestamp is looked for.
const DECOMPRESSED_BYTES_MAX: usize = 1 << 30;

impl LogSegment {
    /// Largest timestamp so far, and the last offset of the batch that has it; (−1, base offset) if there is none.
    pub fn max_timestamp_so_far(&self) -> io::Result<TimestampOffset> {
        let mut times = self.times.lock();
        if let Some(max) = times.max {
            return Ok(max);
        }
        let max = self.time_index.last_entry()?;
        times.max = Some(max);
        Ok(max)
    }

    /// The time retention counts from, Unix ms: the largest timestamp; without one, when the segment was last written to as
    /// far as this process knows.
    pub fn largest_timestamp(&self) -> io::Result<i64> {
        let max = self.max_timestamp_so_far()?.timestamp_ms;
        Ok(if max >= 0 { max } else { self.modified_ms.load(Ordering::Relaxed) })
    }

    /// How long the segment has been filling, in ms: by the records' timestamps if they have any, else by the clock.
    pub(crate) fn time_waited_for_roll(&self, now_ms: i64, timestamp_ms: i64) -> io::Result<i64> {
        match self.first_batch_timestamp()? {
            Some(first) if first >= 0 => Ok(timestamp_ms.saturating_sub(first)),
            _ => Ok(now_ms.saturating_sub(self.created_ms.load(Ordering::Relaxed))),
        }
    }

    /// Largest timestamp of the first batch; none in an empty segment.
    pub(crate) fn first_batch_timestamp(&self) -> io::Result<Option<i64>> {
        if let Some(first) = self.times.lock().first_batch {
            return Ok(Some(first));
        }
        if self.size_bytes() == 0 {
            return Ok(None);
        }
        let first = BatchScan::lookup(&self.log, 0, self.size_bytes()).next_batch()?;
        let first = first.map(|batch| batch.header.max_timestamp_ms);
        self.times.lock().first_batch = first;
        Ok(first)
    }

    /// Looks behind the last time index entry for a larger timestamp.
    pub(super) fn read_largest_timestamp(&self) -> io::Result<TimestampOffset> {
        let mut largest = self.time_index.last_entry()?;
        let from = self.offset_index.lookup(largest.offset)?.position;
        let mut scan = BatchScan::all(&self.log, u64::from(from), self.size_bytes());
        while let Some(batch) = scan.next_batch()? {
            if batch.header.max_timestamp_ms > largest.timestamp_ms {
                largest = TimestampOffset {
                    timestamp_ms: batch.header.max_timestamp_ms,
                    offset: batch.header.last_offset(),
                };
            }
        }
        Ok(largest)
    }

    /// The first record at or after `start` whose timestamp is at or after `timestamp_ms`.
    pub(crate) fn find_offset_by_timestamp(
        &self,
        timestamp_ms: i64,
        start: Offset,
    ) -> io::Result<Option<ListedOffset>> {
        let indexed = self.time_index.lookup(timestamp_ms)?;
        let from = self.offset_index.lookup(indexed.offset.max(start))?.position;
        let mut scan = BatchScan::lookup(&self.log, u64::from(from), self.size_bytes());
        while let Some(batch) = scan.next_batch()? {
            if batch.header.max_timestamp_ms < timestamp_ms || batch.header.last_offset() < start {
                continue;
            }
            let wanted =
                |timestamp: i64, offset: Offset| timestamp >= timestamp_ms && offset >= start;
            if let Some(found) = first_record(&scan, &batch, wanted)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first record that has the segment's largest timestamp.
    pub(crate) fn offset_of_max_timestamp(&self) -> io::Result<Option<ListedOffset>> {
        let max = self.max_timestamp_so_far()?;
        let from = self.offset_index.lookup(max.offset)?.position;
        let mut scan = BatchScan::lookup(&self.log, u64::from(from), self.size_bytes());
        while let Some(batch) = scan.next_batch()? {
            if batch.header.max_timestamp_ms == max.timestamp_ms {
                return first_record(&scan, &batch, |timestamp, _| timestamp == max.timestamp_ms);
            }
        }
        Ok(None)
    }
}

/// The first record of a batch that fits.
fn first_record(
    scan: &BatchScan<'_>,
    at: &ScannedBatch,
    wanted: impl Fn(i64, Offset) -> bool,
) -> io::Result<Option<ListedOffset>> {
    let bytes = scan.read_whole(at)?;
    let corrupt = |error| io::Error::from(ScanFault::Corrupt { position: at.position, error });
    let (batch, _) = Batch::parse(&bytes).map_err(corrupt)?;
    let header = at.header;
    let mut buffer = DecompressBuf::default();
    for record in batch.records(&mut buffer, DECOMPRESSED_BYTES_MAX).map_err(corrupt)? {
        let record = record.map_err(corrupt)?;
        let offset = header.base_offset + i64::from(record.offset_delta);
        let timestamp_ms = match header.timestamp_type() {
            TimestampType::LogAppendTime => header.max_timestamp_ms,
            TimestampType::CreateTime => header.base_timestamp_ms + record.timestamp_delta,
        };
        if wanted(timestamp_ms, offset) {
            let epoch = header.partition_leader_epoch;
            let leader_epoch = (epoch >= LeaderEpoch(0)).then_some(epoch);
            return Ok(Some(ListedOffset { timestamp_ms, offset, leader_epoch }));
        }
    }
    Ok(None)
}
