//! Record batches v2, CRC, codecs, ids and offsets as types, and `config_def!`.
//!
//! This crate is the bottom of the house: it knows bytes, not files, sockets or clocks (time is an argument).
//!
//! Invariant: nothing here allocates what a length field claims, and no input reaches an assertion.

pub mod batch;
pub mod config;
#[doc(hidden)]
pub mod fuzz;
mod ids;
pub mod varint;

pub use batch::{Attributes, BatchError, BatchHeader, Codec, MAGIC_V2, TimestampType, ValidBatch};
pub use ids::{
    BrokerId, LeaderEpoch, Offset, ProducerId, TopicId, TopicPartition, Uuid, UuidParseError,
};
