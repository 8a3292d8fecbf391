//! The offset index of a segment: where a batch begins, for about every `index.interval.bytes` of the log.

use std::io;
use std::path::PathBuf;

use klamm_env::{Disk, File};
use klamm_record::Offset;

use crate::index_file::{
    self, IndexAppendError, IndexCheckError, IndexDamage, IndexEntry, IndexFile, relative,
};

/// Bytes of one entry: int32 offset relative to the segment's base, int32 position.
pub const ENTRY_BYTES: usize = 8;

/// The last offset of a batch, and where in the log file that batch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetPosition {
    /// Last offset of the batch, inclusive.
    pub offset: Offset,
    /// Position of the batch's first byte in the `.log` file.
    pub position: u32,
}

impl IndexEntry for OffsetPosition {
    const BYTES: usize = ENTRY_BYTES;
    type Key = Offset;

    fn encode(&self, base_offset: Offset, out: &mut Vec<u8>) {
        let distance = relative(self.offset, base_offset).expect("reach is checked before encode");
        out.extend_from_slice(&distance.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
    }

    fn decode(bytes: &[u8], base_offset: Offset) -> Self {
        let (distance, position) =
            (bytes[..4].try_into().expect("four bytes"), bytes[4..8].try_into().expect("four"));
        let offset = base_offset.0.wrapping_add(i64::from(i32::from_be_bytes(distance)));
        Self { offset: Offset(offset), position: u32::from_be_bytes(position) }
    }

    fn key(&self) -> Offset {
        self.offset
    }

    fn offset(&self) -> Offset {
        self.offset
    }
}

/// The entries in the bytes of an `.index` file; a cut last entry is left out. Any bytes are read.
pub fn parse(
    bytes: &[u8],
    base_offset: Offset,
) -> impl DoubleEndedIterator<Item = OffsetPosition> + ExactSizeIterator + '_ {
    index_file::entries(bytes, base_offset)
}

/// Looks at every entry of an `.index` file: whole, at or above the base, offsets and positions rising.
///
/// # Errors
/// The first damage.
pub fn check(bytes: &[u8], base_offset: Offset) -> Result<(), IndexDamage> {
    if !bytes.len().is_multiple_of(ENTRY_BYTES) {
        let (bytes, entry_bytes) = (bytes.len() as u64, ENTRY_BYTES as u64);
        return Err(IndexDamage::Length { bytes, entry_bytes });
    }
    let mut last: Option<OffsetPosition> = None;
    for (index, entry) in parse(bytes, base_offset).enumerate() {
        if entry.offset < base_offset {
            return Err(IndexDamage::BelowBase { offset: entry.offset, base_offset });
        }
        if last.is_some_and(|last| last.offset >= entry.offset || last.position >= entry.position) {
            return Err(IndexDamage::NotRising { index });
        }
        last = Some(entry);
    }
    Ok(())
}

/// The `.index` file of one segment (Kafka's `OffsetIndex`). Many readers, one writer at a time.
///
/// Appends stay in memory until [`Self::write_tail`]; the file is never preallocated, so its length is that of its entries.
/// Idle, it holds nothing but its path: content is loaded at first use, and [`Self::drop_memory`] drops it.
pub struct OffsetIndex(IndexFile<OffsetPosition>);

impl OffsetIndex {
    /// Names the file, which is opened, and made if it is missing, at first use. `bytes_max` is `segment.index.bytes`, rounded down to
    /// whole entries.
    pub fn new(disk: Disk, path: PathBuf, base_offset: Offset, bytes_max: u32) -> Self {
        Self(IndexFile::new(disk, path, base_offset, bytes_max))
    }

    /// Says that the file is new and empty, so that nothing is read from it.
    pub fn assume_empty(&self) {
        self.0.assume_empty();
    }

    /// Notes that the batch that ends with `offset` begins at `position`. No disk access once loaded.
    ///
    /// # Errors
    /// If the index is full, the offset out of reach or not rising; what the disk says while loading.
    pub fn append(&self, offset: Offset, position: u32) -> Result<(), IndexAppendError> {
        let base_offset = self.0.base_offset();
        if relative(offset, base_offset).is_none() {
            return Err(IndexAppendError::OutOfReach { offset, base_offset });
        }
        let entries = self.0.count()?;
        if entries >= self.0.entries_max() {
            return Err(IndexAppendError::Full { entries });
        }
        if let Some(last) = self.0.last()?
            && last.offset >= offset
        {
            return Err(IndexAppendError::NotRising { offset, last: last.offset });
        }
        Ok(self.0.append(OffsetPosition { offset, position })?)
    }

    /// The largest entry at or below `offset`; the segment's beginning (base offset, 0) if there is none. At most one page of
    /// 4 KiB is read.
    ///
    /// # Errors
    /// What the disk says.
    pub fn lookup(&self, offset: Offset) -> io::Result<OffsetPosition> {
        let beginning = OffsetPosition { offset: self.0.base_offset(), position: 0 };
        Ok(self.0.lookup(offset)?.unwrap_or(beginning))
    }

    /// The entry at `index`, from 0.
    ///
    /// # Errors
    /// What the disk says.
    pub fn entry(&self, index: u32) -> io::Result<Option<OffsetPosition>> {
        self.0.entry(index)
    }

    /// The last entry.
    ///
    /// # Errors
    /// What the disk says.
    pub fn last_entry(&self) -> io::Result<Option<OffsetPosition>> {
        self.0.last()
    }

    /// How many entries there are, written or not.
    ///
    /// # Errors
    /// What the disk says.
    pub fn entries(&self) -> io::Result<u32> {
        self.0.count()
    }

    /// Whether no further entry fits; the segment is then rolled.
    ///
    /// # Errors
    /// What the disk says.
    pub fn is_full(&self) -> io::Result<bool> {
        Ok(self.0.count()? >= self.0.entries_max())
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

    /// Kafka's quick check at load: whole entries, the last one at or above the base. Also refused is an index that ends in zeros: it
    /// was preallocated by Kafka and not cut by a clean stop.
    ///
    /// # Errors
    /// Damage, or what the disk says.
    pub fn sanity_check(&self) -> Result<(), IndexCheckError> {
        let (bytes, entry_bytes) = (self.0.file()?.len()?, ENTRY_BYTES as u64);
        if !bytes.is_multiple_of(entry_bytes) {
            return Err(IndexDamage::Length { bytes, entry_bytes }.into());
        }
        let Some(last) = self.0.last()? else { return Ok(()) };
        let (base_offset, offset, entries) = (self.0.base_offset(), last.offset, self.0.count()?);
        if offset < base_offset {
            return Err(IndexDamage::BelowBase { offset, base_offset }.into());
        }
        if entries > 1 && last.position == 0 {
            return Err(IndexDamage::NotRising { index: entries as usize - 1 }.into());
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
}

#[cfg(test)]
mod tests;
