//! The traits that generated messages implement.

use super::{DecodeError, EncodeError, Reader, Writer};
use crate::ApiKey;

/// Reads itself from the wire.
pub trait Decode: Sized {
    /// Reads the fields that `version` has; the others get their defaults. Unknown tagged fields are skipped.
    ///
    /// # Errors
    /// When the bytes are no such message; the reader's position is then undefined.
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError>;
}

/// Writes itself to the wire.
pub trait Encode {
    /// Writes the fields that `version` has.
    ///
    /// # Errors
    /// When the version cannot express the value; what was written until then stays in the writer.
    fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError>;
}

/// The root struct of a schema file.
pub trait Message: Encode + Decode + Default {
    /// Kafka's name, `FetchRequest`.
    const NAME: &'static str;
    /// The versions that exist.
    const VERSIONS: VersionRange;
    /// The first flexible version (KIP-482); `i16::MAX` when there is none.
    const FLEXIBLE_FROM: i16;
}

/// A request; ties it to its API and its response.
pub trait Request: Message {
    /// The API it asks.
    const API_KEY: ApiKey;
    /// What answers it.
    type Response: Message;
}

/// Versions from `min` to `max`, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// Inclusive.
    pub min: i16,
    /// Inclusive.
    pub max: i16,
}

impl VersionRange {
    /// True if `version` lies within the range.
    pub const fn contains(self, version: i16) -> bool {
        self.min <= version && version <= self.max
    }

    /// # Errors
    /// When `message`, whose range this is, has no such version.
    pub const fn check_decode(
        self,
        message: &'static str,
        version: i16,
    ) -> Result<(), DecodeError> {
        if self.contains(version) {
            Ok(())
        } else {
            Err(DecodeError::UnsupportedVersion { message, version })
        }
    }

    /// # Errors
    /// When `message`, whose range this is, has no such version.
    pub const fn check_encode(
        self,
        message: &'static str,
        version: i16,
    ) -> Result<(), EncodeError> {
        if self.contains(version) {
            Ok(())
        } else {
            Err(EncodeError::UnsupportedVersion { message, version })
        }
    }
}
