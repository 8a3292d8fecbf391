//! Kafka's `Uuid`: 128 bits, written as 22 characters of base64url without padding.

use std::fmt;
use std::str::FromStr;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// 128 bits, big-endian, as in the protocol. Ordered by bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid(pub [u8; 16]);

/// The text is no Kafka uuid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UuidParseError {
    /// Longer than Kafka accepts.
    #[error("input string with prefix `{prefix}` is too long to be decoded as a base64 UUID")]
    TooLong {
        /// The first 24 characters.
        prefix: String,
    },
    /// Not base64url, or not 16 bytes.
    #[error("input string `{text}` does not decode to the 16 bytes of a base64url UUID")]
    NotUuid {
        /// What was given.
        text: String,
    },
}

impl Uuid {
    /// All bits zero: "none".
    pub const ZERO: Self = Self([0; 16]);
    /// The topic id of `__cluster_metadata` (Kafka's `Uuid.METADATA_TOPIC_ID`).
    pub const METADATA_TOPIC: Self = Self::from_parts(0, 1);

    /// Makes a uuid from Kafka's two longs.
    pub const fn from_parts(most_significant: u64, least_significant: u64) -> Self {
        Self((((most_significant as u128) << 64) | least_significant as u128).to_be_bytes())
    }

    /// Kafka's two longs, the most significant first.
    pub const fn parts(self) -> (u64, u64) {
        let value = u128::from_be_bytes(self.0);
        ((value >> 64) as u64, value as u64)
    }

    /// Makes a version 4 uuid from 16 random bytes; none if the bits would be reserved, or if the text would begin with
    /// a dash and so look like an option on a command line (Kafka's `Uuid.randomUuid` draws again then).
    pub fn from_random(mut bytes: [u8; 16]) -> Option<Self> {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let uuid = Self(bytes);
        (!uuid.is_reserved() && bytes[0] >> 2 != 62).then_some(uuid)
    }

    /// True for the ids that Kafka keeps for itself: those whose high word is 0 and whose low word is below 100.
    pub const fn is_reserved(self) -> bool {
        let (high, low) = self.parts();
        high == 0 && low < 100
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = u128::from_be_bytes(self.0);
        let mut text = [0_u8; 22];
        for (index, byte) in text.iter_mut().enumerate() {
            // 21 groups of six bits from the top; the last group holds two bits and four zeros
            let group = if index < 21 { value >> (122 - 6 * index) } else { value << 4 };
            *byte = ALPHABET[(group & 63) as usize];
        }
        f.pad(std::str::from_utf8(&text).expect("the base64 alphabet is ASCII"))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Uuid {
    type Err = UuidParseError;

    /// Reads 22 characters of base64url, with or without the two `=` of padding; the four spare bits of the last
    /// character are ignored, as Java's decoder does.
    fn from_str(text: &str) -> Result<Self, UuidParseError> {
        if text.len() > 24 {
            return Err(UuidParseError::TooLong { prefix: text.chars().take(24).collect() });
        }
        let wrong = || UuidParseError::NotUuid { text: text.to_owned() };
        let digits = text.strip_suffix("==").unwrap_or(text);
        if digits.len() != 22 {
            return Err(wrong());
        }
        let mut value = 0_u128;
        for (index, byte) in digits.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|&a| a == byte).ok_or_else(wrong)? as u128;
            value = if index < 21 { (value << 6) | digit } else { (value << 2) | (digit >> 4) };
        }
        Ok(Self(value.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_kafkas_text() {
        assert_eq!(Uuid::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(Uuid::METADATA_TOPIC.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        for bytes in [[0xff; 16], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]] {
            let text = Uuid(bytes).to_string();
            assert_eq!(text.parse(), Ok(Uuid(bytes)));
            assert_eq!(format!("{text}==").parse(), Ok(Uuid(bytes)));
        }
    }

    #[test]
    fn refuses_what_is_no_uuid() {
        for text in
            ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAA!", "AAAAAAAAAAAAAAAAAAAAAAAAA", "ÄÄÄÄÄÄÄÄÄÄÄ"]
        {
            assert!(text.parse::<Uuid>().is_err(), "{text}");
        }
    }

    #[test]
    fn random_ids_are_neither_reserved_nor_start_with_a_dash() {
        assert_eq!(Uuid::from_random([0xf8; 16]), None);
        let uuid = Uuid::from_random([7; 16]).expect("not reserved");
        assert_eq!((uuid.0[6] >> 4, uuid.0[8] >> 6), (4, 2));
        assert!(Uuid::from_parts(0, 99).is_reserved() && !Uuid::from_parts(0, 100).is_reserved());
    }
}
