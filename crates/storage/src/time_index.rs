//! The time index of a segment: the largest timestamp so far, and the end of the batch that holds it.

use std::io;
use std::path::PathBuf;

use klamm_env::{Disk, File};
use klamm_record::Offset;

use crate::index_file::{
    self, IndexAppendError, IndexCheckError, IndexDamage, IndexEntry, IndexFile, relative,
};

/// Bytes of one entry: int64 timestamp, int32 offset relative to the segment's base.
pub const ENTRY_BYTES: usize = 12;
/// Kafka's `RecordBatch.NO_TIMESTAMP`.
const NO_TIMESTAMP_MS: i64 = -1;

/// A timestamp and an offset: no record up to that offset has a larger timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimestampOffset {
    /// Unix time in milliseconds; −1 for none.
    pub timestamp_ms: i64,
    /// Last offset of the batch that holds the timestamp, inclusive.
    pub offset: Offset,
}

impl IndexEntry for TimestampOffset {
    const BYTES: usize = ENTRY_BYTES;
    type Key = i64;

    fn encode(&self, base_offset: Offset, out: &mut Vec<u8>) {
        let distance = relative(self.offset, base_offset).expect("reach is checked before encode");
        out.extend_from_slice(&self.timestamp_ms.to_be_bytes());
        out.extend_from_slice(&distance.to_be_bytes());
    }

    fn decode(bytes: &[u8], base_offset: Offset) -> Self {
        let (timestamp, distance) =
            (bytes[..8].try_into().expect("eight bytes"), bytes[8..12].try_into().expect("four"));
        let offset = base_offset.0.wrapping_add(i64::from(i32::from_be_bytes(distance)));
        Self { timestamp_ms: i64::from_be_bytes(timestamp), offset: Offset(offset) }
    }

    fn key(&self) -> i64 {
        self.timestamp_ms
    }

    fn offset(&self) -> Offset {
        self.offset
    }
}

/// The entries in the bytes of a `.timeindex` file; a cut last entry is left out. Any bytes are read.
pub fn parse(
    bytes: &[u8],
    base_offset: Offset,
) -> impl DoubleEndedIterator<Item = TimestampOffset> + ExactSizeIterator + '_ {
    index_file::entries(bytes, base_offset)
}

/// Looks at every entry of a `.timeindex` file: whole, at or above the base, timestamps rising, offsets not falling.
///
/// # Errors
/// The first damage.
pub fn check(bytes: &[u8], base_offset: Offset) -> Result<(), IndexDamage> {
    if !bytes.len().is_multiple_of(ENTRY_BYTES) {
        let (bytes, entry_bytes) = (bytes.len() as u64, ENTRY_BYTES as u64);
        return Err(IndexDamage::Length { bytes, entry_bytes });
    }
    let mut last: Option<TimestampOffset> = None;
    for (index, entry) in parse(bytes, base_offset).enumerate() {
        if entry.offset < base_offset {
            return Err(IndexDamage::BelowBase { offset: entry.offset, base_offset });
        }
        if last.is_some_and(|l| l.timestamp_ms >= entry.timestamp_ms || l.offset > entry.offset) {
            return Err(IndexDamage::NotRising { index });
        }
        last = Some(entry);
    }
    Ok(())
}

/// The `.timeindex` file of one segment (Kafka's `TimeIndex`). Many readers, one writer at a time; memory as in
/// [`crate::offset_index::OffsetIndex`].
pub struct TimeIndex(IndexFile<TimestampOffset>);

impl TimeIndex {
    /// Names the file, which is opened, and made if it is missing, at first use. `bytes_max` is `segment.index.bytes`, rounded down to
    /// whole entries; the last place is kept for the entry at roll.
    pub fn new(disk: Disk, path: PathBuf, base_offset: Offset, bytes_max: u32) -> Self {
        Self(IndexFile::new(disk, path, base_offset, bytes_max))
    }

    /// Says that the file is new and empty, so that nothing is read from it.
    pub fn assume_empty(&self) {
        self.0.assume_empty();
    }

    /// Adds an entry if its timestamp is larger than the last one's; equal or smaller is no error and changes nothing. No disk
    /// access once loaded.
    ///
    /// # Errors
    /// If the index is full, the offset out of reach or not rising; what the disk says while loading.
    pub fn maybe_append(&self, timestamp_ms: i64, offset: Offset) -> Result<(), IndexAppendError> {
        self.append_within(timestamp_ms, offset, self.0.entries_max().saturating_sub(1))
    }

    /// As [`Self::maybe_append`], but may use the place that is kept for roll and close.
    ///
    /// # Errors
    /// As there.
    pub fn append_at_roll(
        &self,
        timestamp_ms: i64,
        offset: Offset,
    ) -> Result<(), IndexAppendError> {
        self.append_within(timestamp_ms, offset, u32::MAX)
    }

    fn append_within(
        &self,
        timestamp_ms: i64,
        offset: Offset,
        entries_max: u32,
    ) -> Result<(), IndexAppendError> {
        let base_offset = self.0.base_offset();
        if relative(offset, base_offset).is_none() {
            return Err(IndexAppendError::OutOfReach { offset, base_offset });
        }
        let entries = self.0.count()?;
        if entries >= entries_max {
            return Err(IndexAppendError::Full { entries });
        }
        let last = self.0.last()?;
        if timestamp_ms <= last.map_or(NO_TIMESTAMP_MS, |last| last.timestamp_ms) {
            return Ok(());
        }
        if let Some(last) = last
            && last.offset > offset
        {
            return Err(IndexAppendError::NotRising { offset, last: last.offset });
        }
        Ok(self.0.append(TimestampOffset { timestamp_ms, offset })?)
    }

    /// The largest entry whose timestamp is not above `timestamp_ms`; (−1, base offset) if there is none. At most one page of
    /// 4 KiB is read.
    ///
    /// # Errors
    /// What the disk says.
    pub fn lookup(&self, timestamp_ms: i64) -> io::Result<TimestampOffset> {
        Ok(self.0.lookup(timestamp_ms)?.unwrap_or(self.beginning()))
    }

    /// The last entry; (−1, base offset) if there is none.
    ///
    /// # Errors
    /// What the disk says.
    pub fn last_entry(&self) -> io::Result<TimestampOffset> {
        Ok(self.0.last()?.unwrap_or(self.beginning()))
    }

    /// The entry at `index`, from 0.
    ///
    /// # Errors
    /// What the disk says.
    pub fn entry(&self, index: u32) -> io::Result<Option<TimestampOffset>> {
        self.0.entry(index)
    }

    /// How many entries there are, written or not.
    ///
    /// # Errors
    /// What the disk says.
    pub fn entries(&self) -> io::Result<u32> {
        self.0.count()
    }

    /// Whether no further entry fits but the one at roll; the segment is then rolled.
    ///
    /// # Errors
    /// What the disk says.
    pub fn is_full(&self) -> io::Result<bool> {
        Ok(self.0.count()? >= self.0.entries_max().saturating_sub(1))
    }

    /// How many entries fit.
    pub fn max_entries(&self) -> u32 {
        self.0.entries_max()
    }

    /// Whether `offset` is within reach of the base offset.
    pub fn can_append_offset(&self, offset: Offset) -> bool {
        relative(offset, self.0.base_offset()).is_some()
    }

    /// Takes a changed `segment.index.bytes`.
    pub fn set_bytes_max(&self, bytes_max: u32) {
        self.0.set_bytes_max(bytes_max);
    }

    /// Drops all entries at or above `offset`.
    ///
    /// # Errors
    /// What the disk says.
    pub fn truncate_to(&self, offset: Offset) -> io::Result<()> {
        self.0.truncate_to(offset)
    }

    /// Drops all entries, in the file too.
    ///
    /// # Errors
    /// What the disk says.
    pub fn reset(&self) -> io::Result<()> {
        self.0.reset()
    }

    /// Bytes that are in memory only; worth a [`Self::write_tail`] from 4 KiB on.
    pub fn unwritten_bytes(&self) -> usize {
        self.0.unwritten_bytes()
    }

    /// Writes the tail to the file, without a sync. May run beside appends and look-ups.
    ///
    /// # Errors
    /// What the disk says; the tail is then still in memory.
    pub fn write_tail(&self) -> io::Result<()> {
        self.0.write_tail()
    }

    /// Writes the tail and syncs the file. Blocks on the disk.
    ///
    /// # Errors
    /// What the disk says.
    pub fn flush(&self) -> io::Result<()> {
        self.0.write_tail()?;
        self.0.file()?.sync_blocking()
    }

    /// Drops what is in memory, unless it is not yet written.
    pub fn drop_memory(&self) {
        self.0.drop_memory();
    }

    /// Kafka's quick check at load: whole entries, the last one at or above the base and not before the first in time.
    ///
    /// # Errors
    /// Damage, or what the disk says.
    pub fn sanity_check(&self) -> Result<(), IndexCheckError> {
        let (bytes, entry_bytes) = (self.0.file()?.len()?, ENTRY_BYTES as u64);
        if !bytes.is_multiple_of(entry_bytes) {
            return Err(IndexDamage::Length { bytes, entry_bytes }.into());
        }
        let (Some(first), Some(last)) = (self.0.entry(0)?, self.0.last()?) else { return Ok(()) };
        let base_offset = self.0.base_offset();
        if last.offset < base_offset {
            return Err(IndexDamage::BelowBase { offset: last.offset, base_offset }.into());
        }
        if last.timestamp_ms < first.timestamp_ms {
            let index = self.0.count()?.saturating_sub(1) as usize;
            return Err(IndexDamage::NotRising { index }.into());
        }
        Ok(())
    }

    /// The file, for a sync; opened if it is not.
    ///
    /// # Errors
    /// What the disk says.
    pub fn file(&self) -> io::Result<File> {
        self.0.file()
    }

    /// Tells that the file, or its directory, was renamed.
    pub fn renamed(&self, path: PathBuf) {
        self.0.renamed(path);
    }

    fn beginning(&self) -> TimestampOffset {
        TimestampOffset { timestamp_ms: NO_TIMESTAMP_MS, offset: self.0.base_offset() }
    }
}

#[cfg(test)]
mod tests;
