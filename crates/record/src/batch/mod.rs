//! Record batches in format v2 (KIP-98): header, records, and batches that have been checked.
//!
//! Byte layout: Kafka's `DefaultRecordBatch` and `DefaultRecord`. Older magics are named in errors, never read.

mod attributes;
mod error;
mod header;
mod valid_batch;

pub use attributes::{Attributes, Codec, TimestampType};
pub use error::BatchError;
pub use header::{BatchHeader, HEADER_BYTES, LENGTH_PREFIX_BYTES, MAGIC_V2};
pub use valid_batch::ValidBatch;
