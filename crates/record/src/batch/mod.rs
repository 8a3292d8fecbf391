//! Record batches in format v2 (KIP-98): header, records, builder, control records, and batches that have been checked.
//!
//! Byte layout: Kafka's `DefaultRecordBatch` and `DefaultRecord`. Older magics are named in errors, never read.

mod attributes;
mod builder;
mod control;
mod error;
mod header;
mod record;
mod records;
mod valid_batch;
mod view;
mod walk;

pub use attributes::{Attributes, Codec, TimestampType};
pub use builder::{BatchBuilder, BatchOptions};
pub use control::{ControlType, EndTxnMarker};
pub use error::BatchError;
pub use header::{BatchHeader, HEADER_BYTES, LENGTH_PREFIX_BYTES, MAGIC_V2, increment_sequence};
pub use record::{Header, Headers, Record};
pub use records::Records;
pub use valid_batch::ValidBatch;
pub use view::{Batch, Batches};
pub(crate) use walk::{RecordFacts, Walker};

#[cfg(test)]
mod tests;
