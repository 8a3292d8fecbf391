//! What generated messages are written with: reader, writer, strings, versions.

mod error;
mod message;
mod reader;
mod records;
mod str;
mod writer;

#[cfg(test)]
mod tests;

pub use bytes::Bytes;
pub use klamm_record::Uuid;

pub use self::error::{DecodeError, EncodeError};
pub use self::message::{Decode, Encode, Message, Request, VersionRange};
pub use self::reader::Reader;
pub use self::records::Records;
pub use self::str::Str;
pub use self::writer::{Piece, Writer, required};
