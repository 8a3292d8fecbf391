//! The crate's integration tests: golden scenarios of the controller, equivalence of image and log, Kafka's own metadata log.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod brokers;
mod configs;
mod describe;
mod harness;
mod kafka_log;
mod partitions;
mod random;
mod schema;
mod topics;
