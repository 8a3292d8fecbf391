//! Storage against files that Apache Kafka wrote, and against garbage.

mod garbage;
mod kafka_configs;
mod kafka_fixtures;
