//! The ids that Kafka's protocol and files speak of, each as a type of its own.

mod numbers;
mod topic_partition;
mod uuid;

pub use numbers::{BrokerId, LeaderEpoch, Offset, ProducerId, TopicId};
pub use topic_partition::TopicPartition;
pub use uuid::{Uuid, UuidParseError};
