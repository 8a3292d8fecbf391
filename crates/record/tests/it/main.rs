//! Tests against bytes that are not ours: batches from Kafka's client, and inputs that fuzzing found.

mod fuzz_seeds;
mod kafka_batches;
