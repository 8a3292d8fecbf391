//! Walks over records without holding one in memory: keys, values and headers are stepped over as the stream brings them.

use super::{BatchError, Record};
use crate::codec::Stream;
use crate::varint::{VARINT_BYTES_MAX, VARLONG_BYTES_MAX, VarintError, read_varint};

/// What the checks need to know of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordFacts {
    pub offset_delta: i32,
    pub timestamp_delta: i64,
    /// Negative for null.
    pub key_bytes: i32,
    /// Negative for null.
    pub value_bytes: i32,
}

/// Reads records from a stream, chunk by chunk.
pub(crate) struct Walker<'a, 's> {
    stream: &'s mut Stream<'a>,
    /// The chunk that is being read: the stream keeps it until it is asked for the next.
    chunk: Chunk,
}

/// Place in the stream's present chunk.
#[derive(Default)]
struct Chunk {
    position: usize,
    size: usize,
}

impl<'a, 's> Walker<'a, 's> {
    pub(crate) fn new(stream: &'s mut Stream<'a>) -> Self {
        Self { stream, chunk: Chunk::default() }
    }

    /// True if nothing is left.
    pub(crate) fn at_end(&mut self) -> Result<bool, BatchError> {
        Ok(self.left()?.is_empty())
    }

    /// Steps over one record.
    ///
    /// # Errors
    /// If a length does not fit, the record is not exactly as long as it says, or the stream ends or fails within it.
    pub(crate) fn next_record(&mut self) -> Result<RecordFacts, BatchError> {
        let left = self.left()?;
        if let Ok((size, rest)) = read_varint(left)
            && usize::try_from(size).is_ok_and(|size| size <= rest.len())
        {
            let (record, rest) = Record::parse(left)?;
            let facts = RecordFacts {
                offset_delta: record.offset_delta,
                timestamp_delta: record.timestamp_delta,
                key_bytes: record.key.map_or(-1, |key| key.len() as i32),
                value_bytes: record.value.map_or(-1, |value| value.len() as i32),
            };
            let read = left.len() - rest.len();
            self.chunk.position += read;
            return Ok(facts);
        }
        self.next_record_in_pieces()
    }

    /// As `next_record`, for a record that goes beyond the chunk.
    fn next_record_in_pieces(&mut self) -> Result<RecordFacts, BatchError> {
        let size = {
            let mut length = Body { walker: self, left: VARINT_BYTES_MAX as i64 };
            length.varint()?
        };
        if size < 0 {
            return Err(BatchError::RecordSize { expected: size.into(), found: 0 });
        }
        let mut body = Body { walker: self, left: size.into() };
        body.byte()?; // attributes, unused
        let timestamp_delta = body.varlong()?;
        let offset_delta = body.varint()?;
        let key_bytes = body.skip_field()?.max(-1);
        let value_bytes = body.skip_field()?.max(-1);
        let header_count = body.varint()?;
        if header_count < 0 {
            return Err(BatchError::RecordStructure("a negative number of headers"));
        }
        for _ in 0..header_count {
            if body.skip_field()? < 0 {
                return Err(BatchError::RecordStructure("a header key of negative size"));
            }
            body.skip_field()?;
        }
        if body.left != 0 {
            let found = i64::from(size) - body.left;
            return Err(BatchError::RecordSize { expected: size.into(), found });
        }
        Ok(RecordFacts { offset_delta, timestamp_delta, key_bytes, value_bytes })
    }

    /// What is left of the chunk; the next chunk if nothing is; empty at the end.
    #[inline]
    fn left(&mut self) -> Result<&[u8], BatchError> {
        if self.chunk.position == self.chunk.size {
            let size = self.stream.next_chunk()?.map_or(0, <[u8]>::len);
            self.chunk = Chunk { position: 0, size };
        }
        Ok(&self.stream.chunk()[self.chunk.position..self.chunk.size])
    }
}

/// The part of the stream that belongs to one record.
struct Body<'w, 'a, 's> {
    walker: &'w mut Walker<'a, 's>,
    left: i64,
}

impl Body<'_, '_, '_> {
    #[inline]
    fn byte(&mut self) -> Result<u8, BatchError> {
        if self.left == 0 {
            return Err(BatchError::RecordStructure("a field is longer than its record"));
        }
        let Some(&byte) = self.walker.left()?.first() else { return Err(ends_too_early()) };
        self.walker.chunk.position += 1;
        self.left -= 1;
        Ok(byte)
    }

    fn skip(&mut self, count: i32) -> Result<(), BatchError> {
        let count = i64::from(count);
        if count > self.left {
            return Err(BatchError::RecordStructure("a field is longer than its record"));
        }
        self.left -= count;
        let mut count = count as usize;
        while count > 0 {
            let step = self.walker.left()?.len().min(count);
            if step == 0 {
                return Err(ends_too_early());
            }
            self.walker.chunk.position += step;
            count -= step;
        }
        Ok(())
    }

    /// Steps over a length and as many bytes; answers the length.
    #[inline]
    fn skip_field(&mut self) -> Result<i32, BatchError> {
        let size = self.varint()?;
        if size > 0 {
            self.skip(size)?;
        }
        Ok(size)
    }

    #[inline]
    fn varint(&mut self) -> Result<i32, BatchError> {
        let value = self.leb128(VARINT_BYTES_MAX)? as u32;
        Ok((value >> 1) as i32 ^ -((value & 1) as i32))
    }

    #[inline]
    fn varlong(&mut self) -> Result<i64, BatchError> {
        let value = self.leb128(VARLONG_BYTES_MAX)?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    #[inline]
    fn leb128(&mut self, bytes_max: usize) -> Result<u64, BatchError> {
        let mut value = 0_u64;
        for index in 0..bytes_max {
            let byte = self.byte()?;
            value |= u64::from(byte & 127) << (7 * index);
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(VarintError::TooLong.into())
    }
}

fn ends_too_early() -> BatchError {
    BatchError::RecordStructure("the records end within a record")
}
