//! A compressed stream, handed out in chunks and cut off at a limit.

use super::gzip::GzipReader;
use super::lz4::Lz4Reader;
use super::scratch::DecompressBuf;
use super::snappy::SnappyReader;
use super::zstd::ZstdReader;
use crate::batch::{BatchError, Codec};

/// Decompresses one body. Dropping it early is fine.
pub struct Stream<'a> {
    reader: Reader<'a>,
    scratch: &'a mut DecompressBuf,
    produced_bytes: usize,
    limit_bytes: usize,
    chunk_bytes: usize,
}

enum Reader<'a> {
    /// The bytes themselves, and whether they have been handed out.
    Stored(&'a [u8], bool),
    Gzip(GzipReader<'a>),
    Snappy(SnappyReader<'a>),
    Lz4(Lz4Reader<'a>),
    Zstd(ZstdReader<'a>),
}

impl<'a> Stream<'a> {
    /// Begins to read `input`; at most `limit_bytes` come out.
    pub fn new(
        codec: Codec,
        input: &'a [u8],
        limit_bytes: usize,
        scratch: &'a mut DecompressBuf,
    ) -> Self {
        let reader = match codec {
            Codec::None => Reader::Stored(input, false),
            Codec::Gzip => Reader::Gzip(GzipReader::new(input)),
            Codec::Snappy => Reader::Snappy(SnappyReader::new(input)),
            Codec::Lz4 => Reader::Lz4(Lz4Reader::new(input)),
            Codec::Zstd => Reader::Zstd(ZstdReader::new(input, scratch)),
        };
        Self { reader, scratch, produced_bytes: 0, limit_bytes, chunk_bytes: 0 }
    }

    /// The next bytes, at least one; none at the end.
    ///
    /// # Errors
    /// If the input is damaged or ends too early, or more than the limit comes out of it. What came before then counts for nothing.
    pub fn next_chunk(&mut self) -> Result<Option<&[u8]>, BatchError> {
        let left = self.limit_bytes - self.produced_bytes;
        let size = match &mut self.reader {
            Reader::Stored(_, true) => Ok(0),
            Reader::Stored(input, handed_out) => {
                *handed_out = true;
                Ok(input.len())
            }
            Reader::Gzip(reader) => reader.next_chunk(self.scratch),
            Reader::Snappy(reader) => reader.next_chunk(self.scratch, left),
            Reader::Lz4(reader) => reader.next_chunk(self.scratch),
            Reader::Zstd(reader) => reader.next_chunk(self.scratch),
        };
        let size = size.map_err(|fault| match fault {
            Fault::Damaged(what) => BatchError::Decompress(what),
            Fault::TooLarge => BatchError::DecompressedTooLarge { limit: self.limit_bytes },
        })?;
        if size > left {
            return Err(BatchError::DecompressedTooLarge { limit: self.limit_bytes });
        }
        self.produced_bytes += size;
        self.chunk_bytes = size;
        Ok((size > 0).then_some(self.chunk()))
    }

    /// What `next_chunk` answered last.
    pub(crate) fn chunk(&self) -> &[u8] {
        match self.reader {
            Reader::Stored(input, _) => &input[..self.chunk_bytes],
            _ => &self.scratch.chunk[..self.chunk_bytes],
        }
    }

    /// Bytes handed out so far.
    pub fn produced_bytes(&self) -> usize {
        self.produced_bytes
    }
}

/// Why a decoder stopped.
pub(super) enum Fault {
    /// What is wrong with the input.
    Damaged(String),
    /// It says that it holds more than the limit leaves.
    TooLarge,
}

impl From<&str> for Fault {
    fn from(what: &str) -> Self {
        Self::Damaged(what.to_owned())
    }
}

/// Takes `count` bytes off the front of `input`.
pub(super) fn take<'a>(input: &mut &'a [u8], count: usize) -> Result<&'a [u8], Fault> {
    input.split_off(..count).ok_or_else(|| "the compressed stream ends too early".into())
}

/// Takes `N` bytes off the front of `input`.
pub(super) fn take_array<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], Fault> {
    let mut array = [0; N];
    array.copy_from_slice(take(input, N)?);
    Ok(array)
}
