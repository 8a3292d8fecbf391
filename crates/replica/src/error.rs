//! Why a partition cannot serve, whatever was asked of it.

use klamm_record::{BrokerId, LeaderEpoch, TopicId, TopicPartition};

/// A partition that is not here, or not for us to lead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// No such topic or partition in the metadata.
    #[error("this server does not host {0}")]
    UnknownTopicOrPartition(TopicPartition),
    /// The topic was made anew under the same name.
    #[error("{topic_partition} has topic id {here}, not {asked}")]
    InconsistentTopicId {
        /// Which partition.
        topic_partition: TopicPartition,
        /// Its id here.
        here: TopicId,
        /// The id that was asked for.
        asked: TopicId,
    },
}

/// Why a partition refuses what only its leader may do, or what only a working disk can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartitionError {
    /// Another broker leads, or none.
    #[error("broker {leader} leads {topic_partition} in epoch {leader_epoch}, not this one")]
    NotLeader {
        /// Which partition.
        topic_partition: TopicPartition,
        /// Who leads; −1 for nobody.
        leader: BrokerId,
        /// Since which epoch.
        leader_epoch: LeaderEpoch,
    },
    /// The client knows an older leader epoch than we do.
    #[error("leader epoch {asked} is older than the current epoch {current}")]
    FencedLeaderEpoch {
        /// As the client sent it.
        asked: LeaderEpoch,
        /// As it is here.
        current: LeaderEpoch,
    },
    /// The client knows a newer leader epoch than we do.
    #[error("leader epoch {asked} is newer than the current epoch {current}")]
    UnknownLeaderEpoch {
        /// As the client sent it.
        asked: LeaderEpoch,
        /// As it is here.
        current: LeaderEpoch,
    },
    /// The log cannot be opened or its directory has failed.
    #[error("{topic_partition} is offline: {reason}")]
    Offline {
        /// Which partition.
        topic_partition: TopicPartition,
        /// What failed.
        reason: String,
    },
    /// The topic was deleted, or the node is stopping.
    #[error("{0} is closed on this node")]
    Closed(TopicPartition),
}
