//! ReplicaManager, Partition, ISR, high watermark, group commit, follower fetching.
