//! Reading: from an offset to a slice of a file.

use std::io;
use std::sync::Arc;

use klamm_record::Offset;

use super::{OffsetMetadata, UnifiedLog};
use crate::file_slice::FileSlice;
use crate::segment_list::SegmentList;
use crate::transaction_index::AbortedTxn;

/// How far a read may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBound {
    /// Everything written: replicas, coordinators loading their state.
    LogEnd,
    /// What is committed: consumers with `read_uncommitted`.
    HighWatermark,
    /// What is committed and decided: consumers with `read_committed`. Aborted transactions are listed.
    LastStable,
}

/// What to read.
#[derive(Debug, Clone, Copy)]
pub struct ReadArgs {
    /// First offset wanted (inclusive). The slice begins with the batch that holds it.
    pub offset: Offset,
    /// Most bytes to return.
    pub max_bytes: u64,
    /// Return the first batch whole even if it is larger than `max_bytes`.
    pub at_least_one: bool,
    /// How far the read may see.
    pub bound: ReadBound,
}

/// What a read found.
#[derive(Debug, Clone)]
pub struct ReadInfo {
    /// The bytes; none if the offset is at or beyond the bound.
    pub slice: FileSlice,
    /// The offset asked for and where its batch begins.
    pub start: OffsetMetadata,
    /// True if `max_bytes` was too small for the first batch, so that the slice holds no whole one.
    pub first_batch_incomplete: bool,
    /// Where to go on, if the slice reaches up to the bound: the bound's offset.
    pub next_hint: Option<Offset>,
    /// Aborted transactions that touch the slice, by first offset; only for [`ReadBound::LastStable`].
    pub aborted: Vec<AbortedTxn>,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Below the log start or above the log end.
    #[error("offset {offset} is out of range: the log holds {log_start} to {log_end}")]
    OffsetOutOfRange {
        /// As asked for.
        offset: Offset,
        /// First offset there is.
        log_start: Offset,
        /// First offset there is not yet.
        log_end: Offset,
    },
    /// The disk failed.
    #[error("reading the log failed: {0}")]
    Io(#[from] io::Error),
}

impl UnifiedLog {
    /// Finds the bytes from `args.offset` on, in one segment. Reads indexes and batch headers only (Kafka's `LocalLog.read`).
    ///
    /// # Errors
    /// If the offset is outside of the log, or the disk fails.
    pub fn read(&self, args: ReadArgs) -> Result<ReadInfo, ReadError> {
        let log_start = self.log_start_offset();
        let bound = self.bound_metadata(args.bound)?;
        let segments = self.segments.load_full();
        let end = self.log_end_metadata();
        if args.offset < log_start || args.offset > end.offset {
            let (offset, log_end) = (args.offset, end.offset);
            return Err(ReadError::OffsetOutOfRange { offset, log_start, log_end });
        }
        if args.offset >= bound.offset {
            let start = if args.offset == bound.offset {
                bound
            } else {
                self.offset_metadata(args.offset)?
            };
            return Ok(nothing(&segments, start, args.offset));
        }
        let first = segments.floor_at(args.offset).unwrap_or(0);
        for at in first..segments.len() {
            if let Some(info) = self.read_segment(&segments, at, &args, &bound)? {
                return Ok(info);
            }
        }
        Ok(nothing(&segments, end, args.offset))
    }

    /// Looks in one segment; none if all of its batches lie below the offset.
    fn read_segment(
        &self,
        segments: &Arc<SegmentList>,
        at: usize,
        args: &ReadArgs,
        bound: &OffsetMetadata,
    ) -> Result<Option<ReadInfo>, ReadError> {
        let Some(segment) = segments.at(at) else { return Ok(None) };
        let Some(found) = segment.translate(args.offset)? else { return Ok(None) };
        let segment_base = segment.base_offset();
        let start = OffsetMetadata { offset: args.offset, segment_base, position: found.position };
        let limit = match segment_base.cmp(&bound.segment_base) {
            std::cmp::Ordering::Less => segment.size_bytes(),
            std::cmp::Ordering::Equal => bound.position,
            std::cmp::Ordering::Greater => return Ok(Some(nothing(segments, start, args.offset))),
        };
        let wanted =
            if args.at_least_one { args.max_bytes.max(found.size_bytes) } else { args.max_bytes };
        let available = limit.saturating_sub(found.position);
        let length = wanted.min(available);
        let reaches_bound = length == available && segment_base == bound.segment_base;
        let mut info = ReadInfo {
            slice: FileSlice { file: segment.file().clone(), position: found.position, length },
            start,
            first_batch_incomplete: wanted < found.size_bytes,
            next_hint: reaches_bound.then_some(bound.offset),
            aborted: Vec::new(),
        };
        if args.bound == ReadBound::LastStable && length > 0 {
            info.aborted = self.aborted_in(segments, at, &start, length)?;
        }
        Ok(Some(info))
    }

    /// Aborted transactions that a slice of `length` bytes may hold records of (KIP-98; `LocalLog.addAbortedTransactions`).
    fn aborted_in(
        &self,
        segments: &SegmentList,
        at: usize,
        start: &OffsetMetadata,
        length: u64,
    ) -> io::Result<Vec<AbortedTxn>> {
        let upper = match segments.at(at) {
            Some(segment) => segment.upper_bound_offset(start, length)?,
            None => None,
        };
        let upper = upper
            .or_else(|| segments.at(at + 1).map(|next| next.base_offset()))
            .unwrap_or_else(|| self.log_end_offset());
        collect_aborted(segments, at, start.offset, upper)
    }

    /// Aborted transactions with records between `from` and `upper` (exclusive).
    pub fn aborted_transactions(&self, from: Offset, upper: Offset) -> io::Result<Vec<AbortedTxn>> {
        let segments = self.segments.load();
        collect_aborted(&segments, segments.floor_at(from).unwrap_or(0), from, upper)
    }
}

fn collect_aborted(
    segments: &SegmentList,
    first: usize,
    from: Offset,
    upper: Offset,
) -> io::Result<Vec<AbortedTxn>> {
    let mut aborted = Vec::new();
    for segment in segments.iter().skip(first) {
        let search = segment.collect_aborted(from, upper)?;
        aborted.extend(search.aborted);
        if search.complete {
            break;
        }
    }
    aborted.sort_by_key(|txn| txn.first_offset);
    Ok(aborted)
}

fn nothing(segments: &SegmentList, start: OffsetMetadata, next: Offset) -> ReadInfo {
    let segment = segments.get(start.segment_base).unwrap_or_else(|| segments.active());
    ReadInfo {
        slice: FileSlice { file: segment.file().clone(), position: start.position, length: 0 },
        start,
        first_batch_incomplete: false,
        next_hint: Some(next),
        aborted: Vec::new(),
    }
}
