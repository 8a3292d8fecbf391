//! Record batches v2, CRC, codecs, ids and offsets as types, and `config_def!`.
//!
//! This crate is the bottom of the house: it knows bytes, not files, sockets or clocks (time is an argument).
//!
//! Invariant: nothing here allocates what a length field claims, and no input reaches an assertion.

pub mod batch;
pub mod codec;
pub mod config;
#[doc(hidden)]
pub mod fuzz;
mod ids;
pub mod log_validator;
pub mod varint;

pub use batch::{
    Attributes, Batch, BatchBuilder, BatchError, BatchHeader, BatchOptions, Batches, Codec,
    ControlType, EndTxnMarker, Header, MAGIC_V2, Record, Records, TimestampType, ValidBatch,
};
pub use codec::Compression;
pub use ids::{
    BrokerId, LeaderEpoch, Offset, ProducerId, TopicId, TopicPartition, Uuid, UuidParseError,
};
