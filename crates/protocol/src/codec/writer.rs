//! Writes Kafka's primitive types, keeping large bytes apart instead of copying them.

use bytes::{BufMut as _, Bytes, BytesMut};
use klamm_record::Uuid;

use super::{EncodeError, Records, Str};

const STRING_LENGTH_MAX: usize = 0x7fff;
const LONG_LENGTH_MAX: usize = 0x7fff_fffe;
/// Bytes fields of at least this size become a piece of their own; below it, copying is cheaper than another piece.
const SHARED_SIZE_MIN: usize = 4096;

/// What was written, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes to send.
    Bytes(Bytes),
    /// Bytes that the sender has elsewhere ([`Records::External`]).
    External {
        /// From [`Records::External`].
        token: usize,
        /// How many bytes.
        size_bytes: u32,
    },
}

impl Piece {
    /// In bytes.
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::External { size_bytes, .. } => *size_bytes as usize,
        }
    }
}

/// Collects a message.
#[derive(Debug, Default)]
pub struct Writer {
    pieces: Vec<Piece>,
    pieces_size: usize,
    tail: BytesMut,
    tagged_depth: u32,
}

impl Writer {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Empty, with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { tail: BytesMut::with_capacity(capacity), ..Self::default() }
    }

    /// Bytes written so far, external ones included.
    pub fn len(&self) -> usize {
        self.pieces_size + self.tail.len()
    }

    /// True if nothing is written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All pieces in order; large byte fields are shared, not copied.
    pub fn into_pieces(mut self) -> Vec<Piece> {
        if !self.tail.is_empty() {
            self.pieces.push(Piece::Bytes(self.tail.freeze()));
        }
        self.pieces
    }

    /// Everything as one run of bytes.
    ///
    /// # Panics
    /// When external records were written: whoever encodes them takes the pieces.
    pub fn into_bytes(self) -> Bytes {
        if self.pieces.is_empty() {
            return self.tail.freeze();
        }
        let mut whole = BytesMut::with_capacity(self.len());
        for piece in self.into_pieces() {
            match piece {
                Piece::Bytes(bytes) => whole.extend_from_slice(&bytes),
                Piece::External { .. } => panic!("external records have no bytes in memory"),
            }
        }
        whole.freeze()
    }

    /// Overwrites the first bytes written, such as a length that was not known yet.
    ///
    /// # Panics
    /// When fewer bytes were written before the first piece of its own.
    pub fn patch_start(&mut self, patch: &[u8]) {
        let Some(first) = self.pieces.first_mut() else {
            self.tail[..patch.len()].copy_from_slice(patch);
            return;
        };
        let Piece::Bytes(bytes) = first else { panic!("the first piece is bytes to patch") };
        let mut patched = BytesMut::from(std::mem::take(bytes));
        patched[..patch.len()].copy_from_slice(patch);
        *bytes = patched.freeze();
    }

    /// Puts bytes as they are, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.tail.put_slice(bytes);
    }

    /// One byte, 0 or 1.
    pub fn bool(&mut self, value: bool) {
        self.tail.put_u8(u8::from(value));
    }

    /// One byte.
    pub fn i8(&mut self, value: i8) {
        self.tail.put_i8(value);
    }

    /// Two bytes, as all numbers in network order.
    pub fn i16(&mut self, value: i16) {
        self.tail.put_i16(value);
    }

    /// Two bytes.
    pub fn u16(&mut self, value: u16) {
        self.tail.put_u16(value);
    }

    /// Four bytes.
    pub fn i32(&mut self, value: i32) {
        self.tail.put_i32(value);
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) {
        self.tail.put_u32(value);
    }

    /// Eight bytes.
    pub fn i64(&mut self, value: i64) {
        self.tail.put_i64(value);
    }

    /// Eight bytes.
    pub fn f64(&mut self, value: f64) {
        self.tail.put_f64(value);
    }

    /// Sixteen bytes.
    pub fn uuid(&mut self, value: Uuid) {
        self.tail.put_slice(&value.0);
    }

    /// One to five bytes.
    pub fn uvarint(&mut self, value: u32) {
        let (bytes, size) = uvarint_bytes(value);
        self.tail.put_slice(&bytes[..size]);
    }

    /// A string.
    pub fn string(&mut self, value: &Str, flexible: bool) -> Result<(), EncodeError> {
        self.nullable_string(Some(value), flexible)
    }

    /// A string or null.
    pub fn nullable_string(
        &mut self,
        value: Option<&Str>,
        flexible: bool,
    ) -> Result<(), EncodeError> {
        let length = value.map(|text| checked(text.len(), STRING_LENGTH_MAX)).transpose()?;
        match (flexible, length) {
            (true, length) => self.uvarint(length.map_or(0, |length| length + 1)),
            (false, Some(length)) => self.tail.put_u16(length as u16),
            (false, None) => self.tail.put_i16(-1),
        }
        self.tail.put_slice(value.map_or(&[], |text| text.as_bytes()));
        Ok(())
    }

    /// Bytes.
    pub fn bytes(&mut self, value: &Bytes, flexible: bool) -> Result<(), EncodeError> {
        self.nullable_bytes(Some(value), flexible)
    }

    /// Bytes or null.
    pub fn nullable_bytes(
        &mut self,
        value: Option<&Bytes>,
        flexible: bool,
    ) -> Result<(), EncodeError> {
        self.long_length(value.map(Bytes::len), flexible)?;
        if let Some(bytes) = value {
            if bytes.len() >= SHARED_SIZE_MIN && self.tagged_depth == 0 {
                self.piece(Piece::Bytes(bytes.clone()));
            } else {
                self.tail.put_slice(bytes);
            }
        }
        Ok(())
    }

    /// Record batches.
    pub fn records(&mut self, value: &Records, flexible: bool) -> Result<(), EncodeError> {
        match value {
            Records::Memory(bytes) => self.nullable_bytes(Some(bytes), flexible),
            Records::External { token, size_bytes } => {
                assert_eq!(self.tagged_depth, 0, "no schema has records in a tagged field");
                self.long_length(Some(*size_bytes as usize), flexible)?;
                self.piece(Piece::External { token: *token, size_bytes: *size_bytes });
                Ok(())
            }
        }
    }

    /// Record batches or null.
    pub fn nullable_records(
        &mut self,
        value: Option<&Records>,
        flexible: bool,
    ) -> Result<(), EncodeError> {
        match value {
            Some(records) => self.records(records, flexible),
            None => self.long_length(None, flexible),
        }
    }

    /// An array.
    pub fn array<T>(
        &mut self,
        elements: &[T],
        flexible: bool,
        element: impl FnMut(&mut Self, &T) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.nullable_array(Some(elements), flexible, element)
    }

    /// An array or null.
    pub fn nullable_array<T>(
        &mut self,
        elements: Option<&[T]>,
        flexible: bool,
        mut element: impl FnMut(&mut Self, &T) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.long_length(elements.map(<[T]>::len), flexible)?;
        for value in elements.unwrap_or(&[]) {
            element(self, value)?;
        }
        Ok(())
    }

    /// The marker before a struct that may be null in place.
    pub fn struct_marker(&mut self, follows: bool) {
        self.i8(if follows { 1 } else { -1 });
    }

    /// A tagged field: tag, size, content.
    pub fn tagged(
        &mut self,
        tag: u32,
        content: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.uvarint(tag);
        let start = self.tail.len();
        self.tagged_depth += 1;
        content(self)?;
        self.tagged_depth -= 1;
        let (bytes, size) = uvarint_bytes(checked(self.tail.len() - start, LONG_LENGTH_MAX)?);
        let end = self.tail.len();
        self.tail.put_slice(&bytes[..size]);
        self.tail.copy_within(start..end, start + size);
        self.tail[start..start + size].copy_from_slice(&bytes[..size]);
        Ok(())
    }

    fn long_length(&mut self, length: Option<usize>, flexible: bool) -> Result<(), EncodeError> {
        let length = length.map(|length| checked(length, LONG_LENGTH_MAX)).transpose()?;
        match (flexible, length) {
            (true, length) => self.uvarint(length.map_or(0, |length| length + 1)),
            (false, Some(length)) => self.u32(length),
            (false, None) => self.i32(-1),
        }
        Ok(())
    }

    fn piece(&mut self, piece: Piece) {
        if !self.tail.is_empty() {
            let before = self.tail.split().freeze();
            self.pieces_size += before.len();
            self.pieces.push(Piece::Bytes(before));
        }
        self.pieces_size += piece.size_bytes();
        self.pieces.push(piece);
    }
}

/// The value of a field that the version does not allow to be null.
///
/// # Errors
/// When it is null; `field` is `Struct.field`.
pub fn required<'a, T>(
    value: &'a Option<T>,
    field: &'static str,
    version: i16,
) -> Result<&'a T, EncodeError> {
    value.as_ref().ok_or(EncodeError::UnexpectedNull { field, version })
}

fn checked(length: usize, limit: usize) -> Result<u32, EncodeError> {
    if length > limit {
        return Err(EncodeError::TooLong { length, limit });
    }
    Ok(u32::try_from(length).expect("both limits are below 2^32"))
}

fn uvarint_bytes(mut value: u32) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    let mut size = 0;
    while value >= 0x80 {
        bytes[size] = (value & 0x7f) as u8 | 0x80;
        value >>= 7;
        size += 1;
    }
    bytes[size] = value as u8;
    (bytes, size + 1)
}
