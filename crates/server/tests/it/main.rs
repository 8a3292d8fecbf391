//! A whole node on a real disk and real sockets, spoken to in Kafka's protocol.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_batches;
mod bad_input;
mod every_api;
mod fetching;
mod idempotence;
mod leader_epochs;
mod node;
mod producing;
mod restarts;
