//! One record of a batch, read and written in place.

use bytes::BufMut;

use super::BatchError;
use crate::varint::{
    put_varint, put_varlong, read_varint, read_varlong, varint_size, varlong_size,
};

/// A record, borrowed from its batch. Offset and timestamp count from the batch's base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Added to the batch's base offset.
    pub offset_delta: i32,
    /// Added to the batch's base timestamp, in ms.
    pub timestamp_delta: i64,
    /// None for null.
    pub key: Option<&'a [u8]>,
    /// None for null: a tombstone in a compacted topic.
    pub value: Option<&'a [u8]>,
    header_count: i32,
    header_bytes: &'a [u8],
}

/// A header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// UTF-8 by convention; not checked, as Kafka's broker does not check it.
    pub key: &'a [u8],
    /// None for null.
    pub value: Option<&'a [u8]>,
}

impl<'a> Record<'a> {
    /// Reads the record at the start of `input`; answers the record and the rest. Nothing is allocated.
    ///
    /// # Errors
    /// If a length does not fit, or the record is not exactly as long as it says.
    pub fn parse(input: &'a [u8]) -> Result<(Self, &'a [u8]), BatchError> {
        let (size, input) = read_varint(input)?;
        let (body, rest) = usize::try_from(size)
            .ok()
            .and_then(|size| input.split_at_checked(size))
            .ok_or(BatchError::RecordSize { expected: size.into(), found: input.len() as i64 })?;
        let (_attributes, body) =
            body.split_first().ok_or(BatchError::RecordStructure("a record without content"))?;
        let (timestamp_delta, body) = read_varlong(body)?;
        let (offset_delta, body) = read_varint(body)?;
        let (key, body) = read_nullable(body)?;
        let (value, body) = read_nullable(body)?;
        let (header_count, header_bytes) = read_varint(body)?;
        let mut left = header_bytes;
        if header_count < 0 {
            return Err(BatchError::RecordStructure("a negative number of headers"));
        }
        for _ in 0..header_count {
            (_, left) = Header::parse(left)?;
        }
        if !left.is_empty() {
            let found = i64::from(size) - left.len() as i64;
            return Err(BatchError::RecordSize { expected: size.into(), found });
        }
        Ok((Self { offset_delta, timestamp_delta, key, value, header_count, header_bytes }, rest))
    }

    /// The headers, in order; a key may stand more than once.
    pub fn headers(&self) -> Headers<'a> {
        Headers { left: self.header_bytes, count: self.header_count as usize }
    }
}

impl<'a> Header<'a> {
    fn parse(input: &'a [u8]) -> Result<(Self, &'a [u8]), BatchError> {
        let (key, input) = read_nullable(input)?;
        let key = key.ok_or(BatchError::RecordStructure("a header key of negative size"))?;
        let (value, input) = read_nullable(input)?;
        Ok((Self { key, value }, input))
    }

    fn size_bytes(&self) -> usize {
        nullable_size(Some(self.key)) + nullable_size(self.value)
    }
}

/// Iterates over the headers of a record.
#[derive(Debug, Clone)]
pub struct Headers<'a> {
    left: &'a [u8],
    count: usize,
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.count = self.count.checked_sub(1)?;
        let (header, left) = Header::parse(self.left).ok()?; // parsed once already
        self.left = left;
        Some(header)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl ExactSizeIterator for Headers<'_> {}

/// A record to be written. Lengths are below 2 GiB: batches are.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewRecord<'a> {
    pub offset_delta: i32,
    pub timestamp_delta: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [Header<'a>],
}

impl NewRecord<'_> {
    /// Bytes after the length.
    fn body_bytes(&self) -> usize {
        1 + varlong_size(self.timestamp_delta)
            + varint_size(self.offset_delta)
            + nullable_size(self.key)
            + nullable_size(self.value)
            + varint_size(self.headers.len() as i32)
            + self.headers.iter().map(Header::size_bytes).sum::<usize>()
    }

    /// Bytes that `put` writes.
    pub fn size_bytes(&self) -> usize {
        let body = self.body_bytes();
        varint_size(body as i32) + body
    }

    pub fn put(&self, output: &mut Vec<u8>) {
        put_varint(output, self.body_bytes() as i32);
        output.put_u8(0);
        put_varlong(output, self.timestamp_delta);
        put_varint(output, self.offset_delta);
        put_nullable(output, self.key);
        put_nullable(output, self.value);
        put_varint(output, self.headers.len() as i32);
        for header in self.headers {
            put_nullable(output, Some(header.key));
            put_nullable(output, header.value);
        }
    }
}

/// Any negative length is null, as in Kafka.
fn read_nullable(input: &[u8]) -> Result<(Option<&[u8]>, &[u8]), BatchError> {
    let (size, input) = read_varint(input)?;
    let Ok(size) = usize::try_from(size) else { return Ok((None, input)) };
    let (bytes, rest) = input
        .split_at_checked(size)
        .ok_or(BatchError::RecordStructure("a field is longer than its record"))?;
    Ok((Some(bytes), rest))
}

fn put_nullable(output: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => put_varint(output, -1),
        Some(bytes) => {
            put_varint(output, bytes.len() as i32);
            output.put_slice(bytes);
        }
    }
}

fn nullable_size(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| varint_size(bytes.len() as i32) + bytes.len())
}
