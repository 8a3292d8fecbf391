//! One segment of a log: the `.log` file and its three indexes.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use klamm_env::{Disk, File};
use klamm_record::{BatchHeader, Offset};
use parking_lot::Mutex;

use crate::batch_scan::{BatchScan, ScanFault, ScannedBatch};
use crate::log_file_names::{LogFileKind, LogFileName, LogFileState};
use crate::offset_index::OffsetIndex;
use crate::time_index::{TimeIndex, TimestampOffset};
use crate::transaction_index::{AbortedTxn, TransactionIndex, TxnIndexSearch};
use crate::unified_log::OffsetMetadata;

mod open;
mod recover;
mod timestamps;

pub(crate) use recover::{RecoverySink, SegmentRecovery};

/// A segment (Kafka's `LogSegment`). Many readers, one writer. Readers see the bytes below [`Self::size_bytes`], which is a
/// batch boundary at all times.
pub struct LogSegment {
    base_offset: Offset,
    log: File,
    size: AtomicU64,
    offset_index: OffsetIndex,
    time_index: TimeIndex,
    txn_index: TransactionIndex,
    index_interval_bytes: u64,
    roll_jitter_ms: i64,
    /// When it was made or opened, Unix ms: the clock for rolling as long as there is no timestamp.
    created_ms: AtomicI64,
    /// When it was last written to, as far as this process knows, Unix ms.
    modified_ms: AtomicI64,
    bytes_since_last_index_entry: AtomicU64,
    times: Mutex<Times>,
}

/// What a segment knows about its timestamps; each is found out when first asked for.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    /// Largest timestamp, and the last offset of the batch that has it.
    max: Option<TimestampOffset>,
    /// Largest timestamp of the first batch: the clock for rolling.
    first_batch: Option<i64>,
}

/// How segments are made, from the topic's configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SegmentOptions {
    pub index_interval_bytes: u64,
    pub index_bytes_max: u32,
    pub roll_jitter_ms: i64,
    pub now_ms: i64,
}

/// What decides whether a batch still goes into a segment (Kafka's `RollParams`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct RollParams {
    pub segment_ms: i64,
    pub segment_bytes: u64,
    /// Bytes already promised to this segment but not yet written.
    pub pending_bytes: u64,
    /// Batches already promised.
    pub pending_batches: u32,
    pub batch_bytes: u64,
    pub max_timestamp_ms: i64,
    pub last_offset: Offset,
    pub now_ms: i64,
}

impl LogSegment {
    /// Offset that the segment's name bears; no record in it is below.
    pub fn base_offset(&self) -> Offset {
        self.base_offset
    }

    /// The `.log` file.
    pub fn file(&self) -> &File {
        &self.log
    }

    /// Bytes of whole batches that readers may see.
    pub fn size_bytes(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// The offset index.
    pub fn offset_index(&self) -> &OffsetIndex {
        &self.offset_index
    }

    /// The time index.
    pub fn time_index(&self) -> &TimeIndex {
        &self.time_index
    }

    /// The index of aborted transactions.
    pub fn transaction_index(&self) -> &TransactionIndex {
        &self.txn_index
    }

    /// The index files that exist, to be synced.
    pub(crate) fn index_files(&self) -> io::Result<Vec<File>> {
        let mut files = vec![self.offset_index.file()?, self.time_index.file()?];
        files.extend(self.txn_index.file()?);
        Ok(files)
    }

    /// Kafka's `shouldRoll`: the batch does not fit by size, the segment is too old, an index is full, or the offset is out of
    /// reach of the base offset.
    pub(crate) fn should_roll(&self, params: &RollParams) -> io::Result<bool> {
        let size = self.size_bytes() + params.pending_bytes;
        if !self.in_reach(params.last_offset) {
            return Ok(true);
        }
        if size == 0 {
            // another segment would be as empty as this one
            return Ok(false);
        }
        if size + params.batch_bytes > params.segment_bytes {
            return Ok(true);
        }
        let waited = self.time_waited_for_roll(params.now_ms, params.max_timestamp_ms)?;
        if waited > params.segment_ms.saturating_sub(self.roll_jitter_ms) {
            return Ok(true);
        }
        let offset_entries = self.offset_index.entries()? + params.pending_batches;
        let time_entries = self.time_index.entries()? + params.pending_batches;
        Ok(offset_entries >= self.offset_index.max_entries()
            || time_entries >= self.time_index.max_entries().saturating_sub(1))
    }

    fn in_reach(&self, offset: Offset) -> bool {
        let distance = offset.0.saturating_sub(self.base_offset.0);
        (0..=i64::from(i32::MAX)).contains(&distance)
    }

    /// Notes batches that were written at the end of the file: maximum timestamp, index entries, and last the size, with
    /// which readers see them. The headers are those of the written bytes, in order.
    pub(crate) fn appended(
        &self,
        headers: impl Iterator<Item = BatchHeader>,
        now_ms: i64,
    ) -> io::Result<()> {
        let mut position = self.size_bytes();
        let mut since = self.bytes_since_last_index_entry.load(Ordering::Relaxed);
        let mut fault = Ok(());
        let mut times = self.times.lock();
        for header in headers {
            if position == 0 {
                times.first_batch = Some(header.max_timestamp_ms);
            }
            let noted = self.note_batch(&mut times, &header, position, since);
            match noted {
                Ok(true) => since = 0,
                Ok(false) => {}
                Err(error) => fault = Err(error),
            }
            position += header.size_bytes() as u64;
            since += header.size_bytes() as u64;
        }
        drop(times);
        self.bytes_since_last_index_entry.store(since, Ordering::Relaxed);
        self.modified_ms.store(now_ms, Ordering::Relaxed);
        self.size.store(position, Ordering::Release);
        fault
    }

    /// Takes a batch's timestamp and, if enough bytes went by since the last entry, adds one to both indexes; true if it did.
    fn note_batch(
        &self,
        times: &mut Times,
        header: &BatchHeader,
        position: u64,
        bytes_since: u64,
    ) -> io::Result<bool> {
        let last_offset = header.last_offset();
        let mut max = match times.max {
            Some(max) => max,
            None => self.time_index.last_entry()?,
        };
        if header.max_timestamp_ms > max.timestamp_ms {
            max = TimestampOffset { timestamp_ms: header.max_timestamp_ms, offset: last_offset };
        }
        times.max = Some(max);
        if bytes_since <= self.index_interval_bytes {
            return Ok(false);
        }
        let position = u32::try_from(position).map_err(io::Error::other)?;
        self.offset_index.append(last_offset, position).map_err(io::Error::other)?;
        self.time_index.maybe_append(max.timestamp_ms, max.offset).map_err(io::Error::other)?;
        Ok(true)
    }

    /// The first batch whose last offset is at or above `offset`; none if all lie below.
    pub(crate) fn find_batch(&self, offset: Offset) -> io::Result<Option<ScannedBatch>> {
        let from = self.offset_index.lookup(offset)?.position;
        let mut scan = BatchScan::lookup(&self.log, u64::from(from), self.size_bytes());
        while let Some(batch) = scan.next_batch()? {
            if batch.header.last_offset() >= offset {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Where the batch that holds `offset`, or the first one after it, begins, and its size (Kafka's `translateOffset`).
    pub(crate) fn translate(&self, offset: Offset) -> io::Result<Option<BatchPlace>> {
        Ok(self.find_batch(offset)?.map(|batch| BatchPlace {
            position: batch.position,
            size_bytes: batch.header.size_bytes() as u64,
        }))
    }

    /// An offset that is surely above all records of a slice, by the offset index; none if the index does not reach that far.
    pub(crate) fn upper_bound_offset(
        &self,
        start: &OffsetMetadata,
        length: u64,
    ) -> io::Result<Option<Offset>> {
        let end = start.position + length;
        let (mut low, mut high) = (0, self.offset_index.entries()?);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.offset_index.entry(middle)? {
                Some(entry) if u64::from(entry.position) < end => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(self.offset_index.entry(low)?.map(|entry| entry.offset))
    }

    /// Aborted transactions with records in `from..upper`.
    pub(crate) fn collect_aborted(
        &self,
        from: Offset,
        upper: Offset,
    ) -> io::Result<TxnIndexSearch> {
        self.txn_index.collect_aborted(from, upper)
    }

    /// Notes an aborted transaction.
    pub(crate) fn note_aborted(&self, aborted: AbortedTxn) -> io::Result<()> {
        self.txn_index.append(aborted).map_err(io::Error::other)
    }

    /// Offset after the last record; the base offset if there is none. Reads from the last index entry on. Bytes behind the
    /// last whole batch are cut off: after a clean stop there are none, unless somebody meddled with the file.
    pub(crate) fn read_next_offset(&self) -> io::Result<Offset> {
        let from = self.offset_index.last_entry()?.map_or(0, |entry| u64::from(entry.position));
        let scan = BatchScan::lookup(&self.log, from, self.size_bytes());
        let (mut next, mut end) = last_of(scan, self.base_offset, from)?;
        if end < self.size_bytes() && from > 0 {
            // the index may be what is wrong: nothing is cut on its word
            let scan = BatchScan::all(&self.log, 0, self.size_bytes());
            (next, end) = last_of(scan, self.base_offset, 0)?;
        }
        if end < self.size_bytes() {
            tracing::error!(segment = %self.log.path().display(), end, size = self.size_bytes(),
                "cutting off bytes behind the last whole batch");
            self.size.store(end, Ordering::Release);
            self.log.set_len(end)?;
        }
        Ok(next)
    }

    /// The same for a file that is no segment yet.
    pub(crate) fn scan_next_offset(
        disk: &Disk,
        path: &Path,
        base_offset: Offset,
    ) -> io::Result<Offset> {
        let log = disk.open(path, klamm_env::OpenMode::Read)?;
        let end = log.len()?;
        Ok(last_of(BatchScan::all(&log, 0, end), base_offset, 0)?.0)
    }

    /// Cuts off everything from the batch on that holds `offset`; returns the bytes removed.
    pub(crate) fn truncate_to(&self, offset: Offset, now_ms: i64) -> io::Result<u64> {
        let found = self.find_batch(offset)?;
        self.offset_index.truncate_to(offset)?;
        self.time_index.truncate_to(offset)?;
        self.txn_index.truncate_to(offset)?;
        let size = self.size_bytes();
        let kept = found.map_or(size, |batch| batch.position);
        // readers first: none may be given bytes that are about to go
        self.size.store(kept, Ordering::Release);
        self.log.set_len(kept)?;
        // or a power cut could bring back what was cut off, behind what comes next
        self.log.sync_blocking()?;
        self.bytes_since_last_index_entry.store(0, Ordering::Relaxed);
        if kept == 0 {
            self.created_ms.store(now_ms, Ordering::Relaxed);
            self.times.lock().first_batch = None;
        }
        let largest = self.read_largest_timestamp()?;
        self.times.lock().max = Some(largest);
        Ok(size - kept)
    }

    /// Cuts the file back to what readers see, after a write that failed.
    pub(crate) fn cut_torn_tail(&self) -> io::Result<()> {
        self.log.set_len(self.size_bytes())
    }

    /// The segment takes no more batches: the last time index entry is made and the indexes are written out (not synced).
    pub(crate) fn on_become_inactive(&self) -> io::Result<()> {
        let max = self.max_timestamp_so_far()?;
        if max.timestamp_ms >= 0 {
            self.time_index
                .append_at_roll(max.timestamp_ms, max.offset)
                .map_err(io::Error::other)?;
        }
        self.write_indexes()
    }

    /// Writes what the indexes hold in memory, without a sync.
    pub(crate) fn write_indexes(&self) -> io::Result<()> {
        self.offset_index.write_tail()?;
        self.time_index.write_tail()
    }

    /// Gives back index memory and descriptors.
    pub(crate) fn drop_caches(&self) {
        self.drop_index_memory();
        self.log.close_descriptor();
    }

    /// Gives back index memory; what is looked up is read again.
    pub(crate) fn drop_index_memory(&self) {
        self.offset_index.drop_memory();
        self.time_index.drop_memory();
        self.txn_index.drop_memory();
    }

    /// The replica's directory was renamed to `dir`.
    pub(crate) fn moved_to_dir(&self, dir: &Path) {
        self.moved(dir, LogFileState::Live);
    }

    fn moved(&self, dir: &Path, state: LogFileState) {
        let path =
            |kind| dir.join(LogFileName { base_offset: self.base_offset, kind, state }.to_string());
        self.log.moved_to(path(LogFileKind::Log));
        self.offset_index.renamed(path(LogFileKind::OffsetIndex));
        self.time_index.renamed(path(LogFileKind::TimeIndex));
        self.txn_index.renamed(path(LogFileKind::TransactionIndex));
    }

    /// Renames the files so that they count as deleted; a reader that holds a slice goes on reading. Returns their paths.
    pub(crate) fn mark_deleted(
        &self,
        disk: &Disk,
        dir: &Path,
    ) -> io::Result<Vec<std::path::PathBuf>> {
        let mut marked = Vec::new();
        for kind in SEGMENT_FILES {
            let name = |state| {
                dir.join(LogFileName { base_offset: self.base_offset, kind, state }.to_string())
            };
            let (from, to) = (name(LogFileState::Live), name(LogFileState::Deleted));
            match disk.rename(&from, &to) {
                Ok(()) => marked.push(to),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        self.moved(dir, LogFileState::Deleted);
        Ok(marked)
    }
}

/// The files of a segment. The log is renamed last, so that a crash in between leaves no log without its indexes' loss noticed.
pub(crate) const SEGMENT_FILES: [LogFileKind; 4] = [
    LogFileKind::Log,
    LogFileKind::OffsetIndex,
    LogFileKind::TimeIndex,
    LogFileKind::TransactionIndex,
];

/// Walks to the last whole batch: the offset after it, and where it ends.
fn last_of(mut scan: BatchScan<'_>, base_offset: Offset, from: u64) -> io::Result<(Offset, u64)> {
    let (mut next, mut end) = (base_offset, from);
    loop {
        match scan.next_batch() {
            Ok(Some(batch)) => (next, end) = (batch.header.next_offset(), batch.end()),
            Err(ScanFault::Io(error)) => return Err(error),
            Ok(None) | Err(_) => return Ok((next, end)),
        }
    }
}

/// Where a batch lies in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchPlace {
    pub position: u64,
    pub size_bytes: u64,
}

impl std::fmt::Debug for LogSegment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogSegment")
            .field("base_offset", &self.base_offset.0)
            .field("size_bytes", &self.size_bytes())
            .finish_non_exhaustive()
    }
}
