//! Why a message could not be read or written.

/// What a peer sent is no message of the version it claims. Positions are bytes from where the [`super::Reader`] began.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end within a field, or a length or count promises more than is there.
    #[error("{needed} bytes needed at position {position}, {remaining} left")]
    Truncated {
        /// Where the field begins.
        position: usize,
        /// The fewest bytes that the field takes.
        needed: u64,
        /// The bytes that are left.
        remaining: usize,
    },
    /// Null where the version knows no null.
    #[error("null at position {position} in a field that is not nullable")]
    UnexpectedNull {
        /// Behind the length that says null.
        position: usize,
    },
    /// A length that no writer produces.
    #[error("invalid length {length} at position {position}")]
    InvalidLength {
        /// Behind the length.
        position: usize,
        /// The length read.
        length: i64,
    },
    /// A varint of more than five bytes.
    #[error("varint at position {position} is longer than five bytes")]
    InvalidVarint {
        /// Where the varint begins.
        position: usize,
    },
    /// A string that is not UTF-8.
    #[error("string at position {position} is not UTF-8")]
    InvalidUtf8 {
        /// Where the characters begin.
        position: usize,
    },
    /// A tagged field that is shorter or longer than its content.
    #[error("tagged field ends at position {end}, its content at {position}")]
    TaggedFieldSize {
        /// Where the content ended.
        position: usize,
        /// Where the size said it would end.
        end: usize,
    },
    /// A version that the message does not have.
    #[error("{message} has no version {version}")]
    UnsupportedVersion {
        /// Kafka's name of the message.
        message: &'static str,
        /// The version asked for.
        version: i16,
    },
}

/// A message cannot be expressed in a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A field that the version lacks, and that must not be left out silently, has a value other than its default.
    #[error("{field} is set, but version {version} does not have it")]
    FieldNotInVersion {
        /// `Struct.field`.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// Null where the version knows no null.
    #[error("{field} is null, but version {version} does not allow that")]
    UnexpectedNull {
        /// `Struct.field`.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A string over 32,767 bytes, or bytes or an array over 2,147,483,646.
    #[error("length {length} is over the limit of {limit}")]
    TooLong {
        /// In bytes or elements.
        length: usize,
        /// Inclusive.
        limit: usize,
    },
    /// A version that the message does not have.
    #[error("{message} has no version {version}")]
    UnsupportedVersion {
        /// Kafka's name of the message.
        message: &'static str,
        /// The version asked for.
        version: i16,
    },
}
