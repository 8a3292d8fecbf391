//! Reads Kafka's primitive types from one frame.

use bytes::Bytes;
use klamm_record::Uuid;

use super::{DecodeError, Records, Str};

/// The longest string, in bytes (Kafka's `Short.MAX_VALUE`, in flexible versions too).
const STRING_LENGTH_MAX: i64 = 0x7fff;

/// A position in a frame. Strings and bytes that it returns are views of the frame.
///
/// Invariant: no method allocates for a length or count before it has seen that the bytes for it can be there.
#[derive(Clone, Debug)]
pub struct Reader {
    bytes: Bytes,
    position: usize,
}

impl From<Bytes> for Reader {
    fn from(bytes: Bytes) -> Self {
        Self::new(bytes)
    }
}

impl Reader {
    /// Starts at the first byte.
    pub const fn new(bytes: Bytes) -> Self {
        Self { bytes, position: 0 }
    }

    /// Bytes read so far.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Bytes not read yet.
    pub const fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// True if all is read.
    pub const fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// All that is left, without reading it.
    pub fn rest(&self) -> Bytes {
        self.bytes.slice(self.position..)
    }

    /// One byte; any but 0 is true.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.fixed::<1>()? != [0])
    }

    /// One byte.
    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        self.fixed().map(i8::from_be_bytes)
    }

    /// Two bytes, as all numbers in network order.
    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        self.fixed().map(i16::from_be_bytes)
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.fixed().map(u16::from_be_bytes)
    }

    /// Four bytes.
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        self.fixed().map(i32::from_be_bytes)
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.fixed().map(u32::from_be_bytes)
    }

    /// Eight bytes.
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        self.fixed().map(i64::from_be_bytes)
    }

    /// Eight bytes.
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        self.fixed().map(f64::from_be_bytes)
    }

    /// Sixteen bytes.
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.fixed().map(Uuid)
    }

    /// One to five bytes, seven bits each, the lowest first.
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        let position = self.position;
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.fixed::<1>()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::InvalidVarint { position })
    }

    /// A string that cannot be null.
    pub fn string(&mut self, flexible: bool) -> Result<Str, DecodeError> {
        self.nullable_string(flexible)?.ok_or_else(|| self.unexpected_null())
    }

    /// A string or null.
    pub fn nullable_string(&mut self, flexible: bool) -> Result<Option<Str>, DecodeError> {
        let length = if flexible { i64::from(self.uvarint()?) - 1 } else { i64::from(self.i16()?) };
        if length > STRING_LENGTH_MAX {
            return Err(DecodeError::InvalidLength { position: self.position, length });
        }
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        let position = self.position;
        let bytes = self.take(length)?;
        match Str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(DecodeError::InvalidUtf8 { position }),
        }
    }

    /// Bytes that cannot be null.
    pub fn bytes(&mut self, flexible: bool) -> Result<Bytes, DecodeError> {
        self.nullable_bytes(flexible)?.ok_or_else(|| self.unexpected_null())
    }

    /// Bytes or null.
    pub fn nullable_bytes(&mut self, flexible: bool) -> Result<Option<Bytes>, DecodeError> {
        match usize::try_from(self.long_length(flexible)?) {
            Ok(length) => self.take(length).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Record batches that cannot be null.
    pub fn records(&mut self, flexible: bool) -> Result<Records, DecodeError> {
        self.bytes(flexible).map(Records::Memory)
    }

    /// Record batches or null.
    pub fn nullable_records(&mut self, flexible: bool) -> Result<Option<Records>, DecodeError> {
        Ok(self.nullable_bytes(flexible)?.map(Records::Memory))
    }

    /// An array that cannot be null; `element_size_min` is the fewest bytes that an element takes, at least 1.
    pub fn array<T>(
        &mut self,
        flexible: bool,
        element_size_min: usize,
        element: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        self.nullable_array(flexible, element_size_min, element)?
            .ok_or_else(|| self.unexpected_null())
    }

    /// An array or null; `element_size_min` is the fewest bytes that an element takes, at least 1.
    pub fn nullable_array<T>(
        &mut self,
        flexible: bool,
        element_size_min: usize,
        mut element: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let Some(count) = self.array_count(flexible, element_size_min)? else { return Ok(None) };
        // A count alone buys no more memory than the frame has; beyond that, the vector grows with what is really there.
        let capacity = self.remaining() / size_of::<T>().max(1) + 1;
        let mut elements = Vec::with_capacity(count.min(capacity));
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(Some(elements))
    }

    /// The marker before a struct that may be null in place: true if the struct follows.
    pub fn struct_marker(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? >= 0)
    }

    /// The marker before a struct that may be null in a tagged field: true if the struct follows.
    pub fn tagged_struct_marker(&mut self) -> Result<bool, DecodeError> {
        Ok(self.uvarint()? != 0)
    }

    /// The tag of a tagged field and the position at which the field ends.
    pub fn tag(&mut self) -> Result<(u32, usize), DecodeError> {
        let tag = self.uvarint()?;
        let size = self.uvarint()? as usize;
        if size > self.remaining() {
            return Err(self.truncated(size as u64));
        }
        Ok((tag, self.position + size))
    }

    /// Skips the rest of a tagged field whose tag is unknown.
    pub fn skip_to(&mut self, end: usize) {
        assert!(self.position <= end && end <= self.bytes.len(), "a tag's end comes from tag()");
        self.position = end;
    }

    /// Checks that a tagged field ended where its size said.
    pub fn end_tag(&self, end: usize) -> Result<(), DecodeError> {
        if self.position == end {
            Ok(())
        } else {
            Err(DecodeError::TaggedFieldSize { position: self.position, end })
        }
    }

    /// Skips a whole block of tagged fields, none of which is known.
    pub fn skip_tagged_fields(&mut self) -> Result<(), DecodeError> {
        for _ in 0..self.uvarint()? {
            let (_, end) = self.tag()?;
            self.skip_to(end);
        }
        Ok(())
    }

    fn array_count(
        &mut self,
        flexible: bool,
        element_size_min: usize,
    ) -> Result<Option<usize>, DecodeError> {
        let Ok(count) = u64::try_from(self.long_length(flexible)?) else { return Ok(None) };
        let needed = count * element_size_min as u64;
        if needed > self.remaining() as u64 {
            return Err(self.truncated(needed));
        }
        Ok(Some(count as usize))
    }

    /// The length of bytes or an array; negative for null.
    fn long_length(&mut self, flexible: bool) -> Result<i64, DecodeError> {
        if flexible { Ok(i64::from(self.uvarint()?) - 1) } else { Ok(i64::from(self.i32()?)) }
    }

    fn take(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        if length > self.remaining() {
            return Err(self.truncated(length as u64));
        }
        let start = self.position;
        self.position += length;
        Ok(self.bytes.slice(start..self.position))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.bytes.get(self.position..).and_then(|rest| rest.first_chunk::<N>()) {
            Some(chunk) => {
                self.position += N;
                Ok(*chunk)
            }
            None => Err(self.truncated(N as u64)),
        }
    }

    #[cold]
    fn truncated(&self, needed: u64) -> DecodeError {
        DecodeError::Truncated { position: self.position, needed, remaining: self.remaining() }
    }

    #[cold]
    fn unexpected_null(&self) -> DecodeError {
        DecodeError::UnexpectedNull { position: self.position }
    }
}
