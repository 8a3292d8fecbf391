//! The one place where errors of storage, replica, metadata and quorum become Kafka's codes.
//!
//! Each crate below says what went wrong in its own enum and never names a code. A handler calls
//! `kafka_error(&error)` here and gets the code and, where Kafka sends one, the message.

use klamm_protocol::ErrorCode;

/// A code and the message that goes with it in APIs that have the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaError {
    /// The code.
    pub code: ErrorCode,
    /// The message; `None` lets clients show the code's own.
    pub message: Option<String>,
}

impl KafkaError {
    /// A code alone.
    pub fn code(code: ErrorCode) -> KafkaError {
        KafkaError { code, message: None }
    }

    /// A code with a message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> KafkaError {
        KafkaError { code, message: Some(message.into()) }
    }
}

/// Says which Kafka error an error of ours is to clients.
pub trait ToKafkaError {
    /// The code and its message.
    fn to_kafka_error(&self) -> KafkaError;
}

mod of_offsets;
mod of_records;
mod of_replica;
mod of_services;
