//! Wire messages (generated), framing, headers, API versions, error codes, SASL payloads.
//!
//! Invariant: nothing here does I/O, and nothing that a peer sends makes it panic or allocate more than a small
//! multiple of the bytes that were sent.

pub mod api_versions;
pub mod codec;
mod error_code;
pub mod frame;
#[doc(hidden)]
pub mod fuzz;
mod generated;
pub mod record_frame;

pub use codec::{
    Decode, DecodeError, Encode, EncodeError, Message, Piece, Reader, Records, Request, Str,
    VersionRange, Writer,
};
pub use error_code::ErrorCode;
pub use generated::api_key::ApiKey;
pub use generated::messages;
pub use record_frame::RecordError;
