//! Variable-length integers: zig-zag LEB128 (`varint`, `varlong`) and plain LEB128 (`uvarint`), as Kafka's `ByteUtils`.

use bytes::BufMut;

/// The bytes end within a number, or hold a number longer than its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VarintError {
    /// The input ends before the number does.
    #[error("the input ends within a variable-length number")]
    Truncated,
    /// More than 5 (32 bits) or 10 (64 bits) bytes.
    #[error("a variable-length number is longer than its type")]
    TooLong,
}

/// Most bytes that a 32-bit number takes.
pub const VARINT_BYTES_MAX: usize = 5;
/// Most bytes that a 64-bit number takes.
pub const VARLONG_BYTES_MAX: usize = 10;

/// Reads a zig-zag 32-bit number; answers the value and the rest.
///
/// # Errors
/// If the input ends too early or the number takes more than 5 bytes.
#[inline]
pub fn read_varint(input: &[u8]) -> Result<(i32, &[u8]), VarintError> {
    let (value, rest) = read_uvarint(input)?;
    Ok(((value >> 1) as i32 ^ -((value & 1) as i32), rest))
}

/// Reads a zig-zag 64-bit number; answers the value and the rest.
///
/// # Errors
/// If the input ends too early or the number takes more than 10 bytes.
#[inline]
pub fn read_varlong(input: &[u8]) -> Result<(i64, &[u8]), VarintError> {
    let (value, rest) = read_leb128(input, VARLONG_BYTES_MAX)?;
    Ok(((value >> 1) as i64 ^ -((value & 1) as i64), rest))
}

/// Reads an unsigned 32-bit number; answers the value and the rest. Bits beyond 32 are dropped, as Java's shift does.
///
/// # Errors
/// If the input ends too early or the number takes more than 5 bytes.
#[inline]
pub fn read_uvarint(input: &[u8]) -> Result<(u32, &[u8]), VarintError> {
    let (value, rest) = read_leb128(input, VARINT_BYTES_MAX)?;
    Ok((value as u32, rest))
}

#[inline]
fn read_leb128(input: &[u8], bytes_max: usize) -> Result<(u64, &[u8]), VarintError> {
    if let [byte @ 0..=127, rest @ ..] = input {
        return Ok((u64::from(*byte), rest));
    }
    let mut value = 0_u64;
    let mut rest = input;
    for index in 0..bytes_max {
        let Some((&byte, tail)) = rest.split_first() else { return Err(VarintError::Truncated) };
        rest = tail;
        value |= u64::from(byte & 127) << (7 * index);
        if byte < 128 {
            return Ok((value, rest));
        }
    }
    Err(VarintError::TooLong)
}

/// Appends a zig-zag 32-bit number.
#[inline]
pub fn put_varint(output: &mut impl BufMut, value: i32) {
    put_leb128(output, u64::from(((value << 1) ^ (value >> 31)) as u32));
}

/// Appends a zig-zag 64-bit number.
#[inline]
pub fn put_varlong(output: &mut impl BufMut, value: i64) {
    put_leb128(output, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends an unsigned 32-bit number.
#[inline]
pub fn put_uvarint(output: &mut impl BufMut, value: u32) {
    put_leb128(output, u64::from(value));
}

#[inline]
fn put_leb128(output: &mut impl BufMut, mut value: u64) {
    while value >= 128 {
        output.put_u8(value as u8 | 128);
        value >>= 7;
    }
    output.put_u8(value as u8);
}

/// Bytes that `put_varint` writes for `value`.
#[inline]
pub fn varint_size(value: i32) -> usize {
    leb128_size(u64::from(((value << 1) ^ (value >> 31)) as u32))
}

/// Bytes that `put_varlong` writes for `value`.
#[inline]
pub fn varlong_size(value: i64) -> usize {
    leb128_size(((value << 1) ^ (value >> 63)) as u64)
}

/// Bytes that `put_uvarint` writes for `value`.
#[inline]
pub fn uvarint_size(value: u32) -> usize {
    leb128_size(u64::from(value))
}

#[inline]
fn leb128_size(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_round_trips() {
        for shift in 0..64 {
            for value in [1_i64 << shift, -(1_i64 << (shift % 63)), (1_i64 << (shift % 63)) - 1] {
                let mut bytes = Vec::new();
                put_varlong(&mut bytes, value);
                assert_eq!(bytes.len(), varlong_size(value));
                assert_eq!(read_varlong(&bytes), Ok((value, &[][..])));
                assert_eq!(read_varlong(&bytes[..bytes.len() - 1]), Err(VarintError::Truncated));

                let (narrow, mut bytes) = (value as i32, Vec::new());
                put_varint(&mut bytes, narrow);
                assert_eq!(bytes.len(), varint_size(narrow));
                assert_eq!(read_varint(&bytes), Ok((narrow, &[][..])));

                let (narrow, mut bytes) = (value as u32, Vec::new());
                put_uvarint(&mut bytes, narrow);
                assert_eq!(bytes.len(), uvarint_size(narrow));
                assert_eq!(read_uvarint(&bytes), Ok((narrow, &[][..])));
            }
        }
    }

    #[test]
    fn a_number_without_end_is_refused() {
        assert_eq!(read_varint(&[0xff; 6]), Err(VarintError::TooLong));
        assert_eq!(read_varlong(&[0xff; 11]), Err(VarintError::TooLong));
        assert_eq!(read_uvarint(&[0xff; 4]), Err(VarintError::Truncated));
    }
}
