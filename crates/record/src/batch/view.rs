//! A batch as bytes, looked into without copying.

use super::header::{CRC_START, HEADER_BYTES};
use super::{BatchError, BatchHeader, Codec, Records};
use crate::codec::{DecompressBuf, Stream};

/// One batch in `bytes` that somebody else owns. Only its structure has been looked at.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The decoded header.
    pub header: BatchHeader,
    bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    /// The batch at the start of `bytes`, and its size in bytes. Neither the CRC nor the records are looked at.
    ///
    /// # Errors
    /// If the bytes hold no whole batch of format v2.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, usize), BatchError> {
        let header = BatchHeader::decode(bytes)?;
        let size = header.size_bytes();
        let available = bytes.len();
        let bytes = bytes.get(..size).ok_or(BatchError::Truncated { needed: size, available })?;
        Ok((Self { header, bytes }, size))
    }

    /// All bytes of the batch.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The records as stored, compressed or not.
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[HEADER_BYTES..]
    }

    /// Compares the CRC with the bytes.
    ///
    /// # Errors
    /// If they do not match.
    pub fn verify_crc(&self) -> Result<(), BatchError> {
        let computed = crc32c::crc32c(&self.bytes[CRC_START..]);
        if computed == self.header.crc {
            return Ok(());
        }
        Err(BatchError::CrcMismatch { stored: self.header.crc, computed })
    }

    /// The records; compressed ones are decompressed into `scratch`, at most `limit_bytes` of them.
    ///
    /// # Errors
    /// If the codec is unknown, the stream is damaged or larger than the limit. Each record then has errors of its own.
    pub fn records<'r>(
        &self,
        scratch: &'r mut DecompressBuf,
        limit_bytes: usize,
    ) -> Result<Records<'r>, BatchError>
    where
        'a: 'r,
    {
        let id = self.header.attributes.codec_id();
        let codec = self.header.codec().ok_or(BatchError::UnknownCodec { id })?;
        if codec == Codec::None {
            return Ok(Records::new(self.body(), self.header.record_count));
        }
        let mut output = std::mem::take(&mut scratch.output);
        output.clear();
        let mut stream = Stream::new(codec, self.body(), limit_bytes, scratch);
        while let Some(chunk) = stream.next_chunk()? {
            output.extend_from_slice(chunk);
        }
        scratch.output = output;
        Ok(Records::new(&scratch.output, self.header.record_count))
    }
}

/// The batches that lie back to back in some bytes. A partial one at the end, as in a fetch response, ends the iteration in
/// silence; [`Batches::rest`] tells of it. After an error there is nothing more.
#[derive(Debug, Clone)]
pub struct Batches<'a> {
    rest: &'a [u8],
    failed: bool,
}

impl<'a> Batches<'a> {
    /// Batches from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, failed: false }
    }

    /// The bytes not handed out yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn read_one(&self) -> Result<Option<(Batch<'a>, usize)>, BatchError> {
        match BatchHeader::peek_size(self.rest)? {
            Some(size) if size <= self.rest.len() => Batch::parse(self.rest).map(Some),
            _ => Ok(None),
        }
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        match self.read_one() {
            Ok(Some((batch, size))) => {
                self.rest = &self.rest[size..];
                Some(Ok(batch))
            }
            Ok(None) => None,
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}
