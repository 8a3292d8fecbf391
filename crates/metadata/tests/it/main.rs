//! The crate's integration tests: golden scenarios of the controller, equivalence of image and log, Kafka's own metadata log.

mod brokers;
mod configs;
mod describe;
mod harness;
mod kafka_log;
mod partitions;
mod random;
mod schema;
mod topics;
