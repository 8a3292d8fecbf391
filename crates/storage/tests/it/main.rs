//! Storage against files that Apache Kafka wrote, against garbage, and against crashes.

mod appends;
mod costs;
mod crashes;
mod faults;
mod garbage;
mod harness;
mod kafka_configs;
mod kafka_directory;
mod kafka_fixtures;
mod manager;

/// So that `costs` can say what an append allocates.
#[global_allocator]
static ALLOCATOR: klamm_env::counting::CountingAllocator = klamm_env::counting::CountingAllocator;
