//! `.index`, `.timeindex` and `.txnindex` files: a line for each entry.

use std::io;

use klamm_env::File;
use klamm_record::Offset;
use klamm_storage::{offset_index, time_index, transaction_index};

use super::index_check::{LogCheck, LogLookup};
use super::line::Line;
use super::output::Output;

/// Entries are read in pieces of about this many bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// An index file of a segment.
pub struct IndexFile {
    /// The file.
    pub file: File,
    /// The segment's base offset, from the name.
    pub base_offset: Offset,
    /// The `.log` beside it, to check it against.
    pub log: Option<File>,
}

/// Prints an offset index.
///
/// # Errors
/// If nobody reads the output any more.
pub fn dump_offsets(output: &mut Output<'_>, index: IndexFile) -> io::Result<()> {
    let log = index.log.as_ref().map(|log| LogLookup::new(log.clone()));
    let mut last: Option<offset_index::OffsetPosition> = None;
    each_entry::<{ offset_index::ENTRY_BYTES }>(output, &index.file, |output, at, bytes| {
        let Some(entry) = offset_index::parse(bytes, index.base_offset).next() else {
            return Ok(());
        };
        let line = Line::new("entry").with("offset", entry.offset.0);
        output.put(&line.with("position", i64::from(entry.position)))?;
        if entry.offset < index.base_offset {
            output.damaged(at, &"the offset lies below the segment's base")?;
        }
        if last.is_some_and(|l| l.offset >= entry.offset || l.position >= entry.position) {
            output.damaged(at, &"offset and position do not both rise")?;
        }
        last = Some(entry);
        if let Some(log) = &log
            && let Err(error) = log.check(&entry)
        {
            output.damaged(at, &error)?;
        }
        Ok(())
    })
}

/// Prints a time index.
///
/// # Errors
/// If nobody reads the output any more.
pub fn dump_times(output: &mut Output<'_>, index: IndexFile) -> io::Result<()> {
    let mut log = index.log.map(LogCheck::new);
    let mut last: Option<time_index::TimestampOffset> = None;
    each_entry::<{ time_index::ENTRY_BYTES }>(output, &index.file, |output, at, bytes| {
        let Some(entry) = time_index::parse(bytes, index.base_offset).next() else {
            return Ok(());
        };
        let line = Line::new("entry").with("timestamp", entry.timestamp_ms);
        output.put(&line.with("offset", entry.offset.0))?;
        if entry.offset < index.base_offset {
            output.damaged(at, &"the offset lies below the segment's base")?;
        }
        if last.is_some_and(|l| l.timestamp_ms >= entry.timestamp_ms || l.offset > entry.offset) {
            output.damaged(at, &"timestamps do not rise, or offsets fall")?;
        }
        last = Some(entry);
        if let Some(log) = &mut log
            && let Err(error) = log.check_time(&entry)
        {
            output.damaged(at, &error)?;
        }
        Ok(())
    })
}

/// Prints a transaction index.
///
/// # Errors
/// If nobody reads the output any more.
pub fn dump_transactions(output: &mut Output<'_>, index: IndexFile) -> io::Result<()> {
    let mut log = index.log.map(LogCheck::new);
    let mut last: Option<Offset> = None;
    each_entry::<{ transaction_index::ENTRY_BYTES }>(output, &index.file, |output, at, bytes| {
        let entry = match transaction_index::parse(bytes).next() {
            Some(Ok(entry)) => entry,
            Some(Err(error)) => return output.damaged(at, &error),
            None => return Ok(()),
        };
        let line = Line::new("aborted")
            .with("producer_id", entry.producer_id.0)
            .with("first_offset", entry.first_offset.0)
            .with("last_offset", entry.last_offset.0)
            .with("last_stable_offset", entry.last_stable_offset.0);
        output.put(&line)?;
        if entry.last_offset < index.base_offset || entry.first_offset > entry.last_offset {
            output.damaged(at, &"the offsets cannot be those of a transaction that ends here")?;
        }
        if last.is_some_and(|last| last >= entry.last_offset) {
            output.damaged(at, &"last offsets do not rise")?;
        }
        last = Some(entry.last_offset);
        if let Some(log) = &mut log
            && let Err(error) = log.check_aborted(&entry)
        {
            output.damaged(at, &error)?;
        }
        Ok(())
    })
}

/// Calls `entry` with the position and the bytes of each entry, up to the zeros that a file which was
/// made longer in advance ends with.
fn each_entry<const BYTES: usize>(
    output: &mut Output<'_>,
    file: &File,
    mut entry: impl FnMut(&mut Output<'_>, u64, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let end = match file.len() {
        Ok(end) => end,
        Err(error) => return output.damaged(0, &error),
    };
    let mut piece = vec![0; PIECE_BYTES / BYTES * BYTES];
    let mut position = 0;
    let mut zeros_from = None;
    while position < end {
        let wanted = usize::try_from(end - position).unwrap_or(usize::MAX).min(piece.len());
        if let Err(error) = file.read_exact_at(&mut piece[..wanted], position) {
            return output.damaged(position, &error);
        }
        for bytes in piece[..wanted].chunks(BYTES) {
            let is_zero = bytes.iter().all(|byte| *byte == 0);
            if let Some(from) = zeros_from {
                if !is_zero {
                    return output.damaged(from, &"an entry of zeros before other entries");
                }
            } else if is_zero {
                zeros_from = Some(position);
            } else if bytes.len() < BYTES {
                return output.damaged(position, &"the last entry is cut short");
            } else {
                entry(output, position, bytes)?;
            }
            position += bytes.len() as u64;
        }
    }
    match zeros_from {
        Some(from) => {
            let line = Line::new("unused").with("position", from);
            output.put(&line.with("size", end - from))
        }
        None => Ok(()),
    }
}
