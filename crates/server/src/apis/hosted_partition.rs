//! Finds a partition of this node by the name a client sent, with Kafka's errors where it is not here.

use std::sync::Arc;

use klamm_protocol::ErrorCode;
use klamm_record::TopicPartition;
use klamm_replica::{LookupError, Partition};

use crate::apis::error::{KafkaError, ToKafkaError};
use crate::broker::Broker;

/// The replica of a partition on this node (Kafka's `ReplicaManager.getPartitionOrError`).
///
/// # Errors
/// NOT_LEADER_OR_FOLLOWER if other nodes have it, so that the client asks for the metadata again;
/// UNKNOWN_TOPIC_OR_PARTITION if nobody has.
pub fn hosted_partition(
    broker: &Broker,
    topic_partition: &TopicPartition,
) -> Result<Arc<Partition>, KafkaError> {
    match broker.replica_manager().partition(topic_partition, None) {
        Ok(partition) => Ok(partition),
        Err(LookupError::UnknownTopicOrPartition(_)) if exists(broker, topic_partition) => {
            Err(KafkaError::code(ErrorCode::NotLeaderOrFollower))
        }
        Err(error) => Err(error.to_kafka_error()),
    }
}

fn exists(broker: &Broker, topic_partition: &TopicPartition) -> bool {
    let image = broker.image();
    let id = image.topics.id_of(&topic_partition.topic);
    id.is_some_and(|id| image.topics.partition(id, topic_partition.partition).is_some())
}
