//! Storage against files that Apache Kafka wrote, against garbage, and against crashes.

mod appends;
mod crashes;
mod faults;
mod garbage;
mod harness;
mod kafka_configs;
mod kafka_directory;
mod kafka_fixtures;
mod manager;
