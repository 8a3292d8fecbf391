//! Share groups and their coordinator.

use klamm_record::config_def;

use crate::config::later::{JAVA, NO_COUNTERPART, SHARE_GROUPS};

config_def! {
    /// Share groups and their coordinator.
    pub static SHARE_GROUP_CONFIGS;

    /// Silence after which a share group member is removed.
    "group.share.session.timeout.ms": int = 45_000, at_least(1), effect(SHARE_GROUPS);
    /// Shortest session timeout of a share group.
    "group.share.min.session.timeout.ms": int = 45_000, at_least(1), effect(SHARE_GROUPS);
    /// Longest session timeout of a share group.
    "group.share.max.session.timeout.ms": int = 60_000, at_least(1), effect(SHARE_GROUPS);
    /// Time between heartbeats of a share group member.
    "group.share.heartbeat.interval.ms": int = 5000, at_least(1), effect(SHARE_GROUPS);
    /// Shortest heartbeat interval of a share group.
    "group.share.min.heartbeat.interval.ms": int = 5000, at_least(1), effect(SHARE_GROUPS);
    /// Longest heartbeat interval of a share group.
    "group.share.max.heartbeat.interval.ms": int = 15_000, at_least(1), effect(SHARE_GROUPS);
    /// Most members of a share group.
    "group.share.max.size": int = 200, between(1, 1000), effect(SHARE_GROUPS);
    /// Assignors of share groups.
    "group.share.assignors": list = &["simple"], effect(SHARE_GROUPS);
    /// Shortest time between two assignments of a share group.
    "group.share.assignment.interval.ms": int = 1000, at_least(0), cluster_wide(),
        effect(SHARE_GROUPS);
    /// Lower bound of a share group's assignment interval.
    "group.share.min.assignment.interval.ms": int = 0, at_least(0), effect(SHARE_GROUPS);
    /// Upper bound of a share group's assignment interval.
    "group.share.max.assignment.interval.ms": int = 15_000, at_least(0), effect(SHARE_GROUPS);
    /// Pause before share state is initialized again.
    "group.share.initialize.retry.interval.ms": int = 30_000, at_least(1), low(), internal(),
        effect(SHARE_GROUPS);
    /// How often a record is delivered before it is given up.
    "group.share.delivery.count.limit": int = 5, between(2, 10), effect(SHARE_GROUPS);
    /// Upper bound of the delivery count limit.
    "group.share.max.delivery.count.limit": int = 10, between(5, 25), effect(SHARE_GROUPS);
    /// Lower bound of the delivery count limit.
    "group.share.min.delivery.count.limit": int = 2, between(2, 5), effect(SHARE_GROUPS);
    /// How long an acquired record stays locked.
    "group.share.record.lock.duration.ms": int = 30_000, between(1000, 3_600_000),
        effect(SHARE_GROUPS);
    /// Lower bound of the lock duration.
    "group.share.min.record.lock.duration.ms": int = 15_000, between(1000, 30_000),
        effect(SHARE_GROUPS);
    /// Upper bound of the lock duration.
    "group.share.max.record.lock.duration.ms": int = 60_000, between(30_000, 3_600_000),
        effect(SHARE_GROUPS);
    /// Most records in flight per share partition.
    "group.share.partition.max.record.locks": int = 2000, between(100, 10_000),
        effect(SHARE_GROUPS);
    /// Upper bound of the records in flight.
    "group.share.max.partition.max.record.locks": int = 4000, between(2000, 10_000),
        effect(SHARE_GROUPS);
    /// Lower bound of the records in flight.
    "group.share.min.partition.max.record.locks": int = 100, between(100, 2000),
        effect(SHARE_GROUPS);
    /// When finished waits are swept. Waiting is awaiting here; there is nothing to sweep.
    "share.fetch.purgatory.purge.interval.requests": int = 1000, effect(NO_COUNTERPART);
    /// Most share sessions per broker.
    "group.share.max.share.sessions": int = 2000, at_least(1), effect(SHARE_GROUPS);
    /// Where the state of share groups is kept.
    "group.share.persister.class.name": string = "org.apache.kafka.server.share.persister.DefaultStatePersister",
        internal(), effect(JAVA);
    /// Partitions of `__share_group_state`.
    "share.coordinator.state.topic.num.partitions": int = 50, at_least(1), high(),
        effect(SHARE_GROUPS);
    /// Replicas of `__share_group_state`.
    "share.coordinator.state.topic.replication.factor": short = 3, at_least(1), high(),
        effect(SHARE_GROUPS);
    /// Least in-sync replicas of `__share_group_state`.
    "share.coordinator.state.topic.min.isr": short = 2, at_least(1), high(), effect(SHARE_GROUPS);
    /// Segment size of `__share_group_state`.
    "share.coordinator.state.topic.segment.bytes": int = 104_857_600, at_least(1), high(),
        effect(SHARE_GROUPS);
    /// Threads of the share coordinator.
    "share.coordinator.threads": int = 1, at_least(1), effect(NO_COUNTERPART);
    /// Updates between two snapshots of a share partition's state.
    "share.coordinator.snapshot.update.records.per.snapshot": int = 500, between(0, 500),
        effect(SHARE_GROUPS);
    /// Bytes read at once when share state is loaded.
    "share.coordinator.load.buffer.size": int = 5_242_880, at_least(1), high(),
        effect(SHARE_GROUPS);
    /// Codec of `__share_group_state`.
    "share.coordinator.state.topic.compression.codec": int = 0, high(), effect(SHARE_GROUPS);
    /// How long the share coordinator collects records; -1 to adapt.
    "share.coordinator.append.linger.ms": int = -1, at_least(-1), effect(SHARE_GROUPS);
    /// How long a write of share state may take.
    "share.coordinator.write.timeout.ms": int = 5000, at_least(1), high(), effect(SHARE_GROUPS);
    /// How often old share state is deleted.
    "share.coordinator.state.topic.prune.interval.ms": int = 300_000, at_least(1), low(),
        internal(), effect(SHARE_GROUPS);
    /// How often state of quiet share partitions is snapshotted.
    "share.coordinator.cold.partition.snapshot.interval.ms": int = 300_000, at_least(1), low(),
        internal(), effect(SHARE_GROUPS);
    /// Largest write buffer that is kept for the next write.
    "share.coordinator.cached.buffer.max.bytes": int = 1_048_588, at_least(524_288),
        cluster_wide(), effect(SHARE_GROUPS);
}
