//! How records stand in the metadata log and in the coordinators' topics: what comes before their fields.

use crate::{DecodeError, Reader, Writer};

/// The only frame of the metadata log so far (Kafka's `MetadataRecordSerde`).
const METADATA_FRAME_VERSION: u32 = 1;

/// Why an internal record could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A frame version from a newer release.
    #[error("metadata record has frame version {0}, known is {METADATA_FRAME_VERSION}")]
    UnknownFrame(u32),
    /// A record type, or version of one, from a newer release.
    #[error("record type {0} is unknown")]
    UnknownType(i16),
    /// A type or version number that no record can have.
    #[error("{0} is no record type or version")]
    InvalidNumber(u32),
    /// Bytes behind the last field.
    #[error("{0} bytes behind the end of the record")]
    TrailingBytes(usize),
    /// The fields do not fit the schema.
    #[error(transparent)]
    Fields(#[from] DecodeError),
}

/// Reads a metadata record's frame: its type and version.
///
/// # Errors
/// When the frame version is unknown or the numbers are out of range.
pub fn read_metadata(r: &mut Reader) -> Result<(i16, i16), RecordError> {
    let frame = r.uvarint()?;
    if frame != METADATA_FRAME_VERSION {
        return Err(RecordError::UnknownFrame(frame));
    }
    let mut number = || {
        let number = r.uvarint()?;
        i16::try_from(number).map_err(|_| RecordError::InvalidNumber(number))
    };
    Ok((number()?, number()?))
}

/// Writes a metadata record's frame. Type and version are not negative: they come from a schema and its versions.
pub fn write_metadata(w: &mut Writer, record_type: i16, version: i16) {
    w.uvarint(METADATA_FRAME_VERSION);
    w.uvarint(u32::from(record_type.cast_unsigned()));
    w.uvarint(u32::from(version.cast_unsigned()));
}

/// # Errors
/// When something follows the last field.
pub fn finish(r: &Reader) -> Result<(), RecordError> {
    match r.remaining() {
        0 => Ok(()),
        trailing => Err(RecordError::TrailingBytes(trailing)),
    }
}
