//! Classic, consumer and streams groups.

use klamm_record::config::Validator;
use klamm_record::config_def;

use crate::config::later::{GROUPS, NO_COUNTERPART, STREAMS_GROUPS};

/// Kinds of groups, in the order Kafka lists them.
const PROTOCOLS: Validator = Validator::List {
    allowed: &["consumer", "classic", "share", "streams"],
    empty: false,
    null: false,
};

config_def! {
    /// Classic, consumer and streams groups.
    pub static GROUP_CONFIGS;

    /// Which group protocols are on.
    "group.coordinator.rebalance.protocols": list = &["classic", "consumer", "streams"],
        validator(PROTOCOLS), effect(GROUPS);
    /// Threads of the group coordinator.
    "group.coordinator.threads": int = 4, at_least(1), high(), effect(NO_COUNTERPART);
    /// Background threads of the group coordinator.
    "group.coordinator.background.threads": int = 2, at_least(1), high(), effect(NO_COUNTERPART);
    /// How long the coordinator collects records before it writes; -1 to adapt.
    "group.coordinator.append.linger.ms": int = -1, at_least(-1), effect(GROUPS);
    /// How long an offset commit may take.
    "offsets.commit.timeout.ms": int = 5000, at_least(1), high(), effect(GROUPS);
    /// Bytes read at once when group state is loaded.
    "offsets.load.buffer.size": int = 5_242_880, at_least(1), high(), effect(GROUPS);
    /// Replicas of `__consumer_offsets`.
    "offsets.topic.replication.factor": short = 3, at_least(1), high(), effect(GROUPS);
    /// Partitions of `__consumer_offsets`.
    "offsets.topic.num.partitions": int = 50, at_least(1), high(), effect(GROUPS);
    /// Segment size of `__consumer_offsets`.
    "offsets.topic.segment.bytes": int = 104_857_600, at_least(1), high(), effect(GROUPS);
    /// Codec of `__consumer_offsets`: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
    "offsets.topic.compression.codec": int = 0, high(), effect(GROUPS);
    /// Largest write buffer that is kept for the next write.
    "group.coordinator.cached.buffer.max.bytes": int = 1_048_588, at_least(524_288),
        cluster_wide(), effect(GROUPS);
    /// Longest metadata of a committed offset.
    "offset.metadata.max.bytes": int = 4096, high(), effect(GROUPS);
    /// How long offsets of an empty group are kept.
    "offsets.retention.minutes": int = 10_080, at_least(1), high(), effect(GROUPS);
    /// How often old offsets are looked for.
    "offsets.retention.check.interval.ms": long = 600_000, at_least(1), high(), effect(GROUPS);
    /// Shortest session timeout a member may ask for.
    "group.min.session.timeout.ms": int = 6000, effect(GROUPS);
    /// Longest session timeout a member may ask for.
    "group.max.session.timeout.ms": int = 1_800_000, effect(GROUPS);
    /// How long a new group waits for more members.
    "group.initial.rebalance.delay.ms": int = 3000, effect(GROUPS);
    /// Most members of a classic group.
    "group.max.size": int = i32::MAX, at_least(1), effect(GROUPS);
    /// Silence after which a consumer group member is removed.
    "group.consumer.session.timeout.ms": int = 45_000, at_least(1), effect(GROUPS);
    /// Shortest session timeout of a consumer group.
    "group.consumer.min.session.timeout.ms": int = 45_000, at_least(1), effect(GROUPS);
    /// Longest session timeout of a consumer group.
    "group.consumer.max.session.timeout.ms": int = 60_000, at_least(1), effect(GROUPS);
    /// Time between heartbeats of a consumer group member.
    "group.consumer.heartbeat.interval.ms": int = 5000, at_least(1), effect(GROUPS);
    /// Shortest heartbeat interval of a consumer group.
    "group.consumer.min.heartbeat.interval.ms": int = 5000, at_least(1), effect(GROUPS);
    /// Longest heartbeat interval of a consumer group.
    "group.consumer.max.heartbeat.interval.ms": int = 15_000, at_least(1), effect(GROUPS);
    /// Most members of a consumer group.
    "group.consumer.max.size": int = i32::MAX, at_least(1), effect(GROUPS);
    /// Assignors on the broker's side; the first is the default.
    "group.consumer.assignors": list = &["uniform", "range"], effect(GROUPS);
    /// Which way groups may change between the classic and the consumer protocol.
    "group.consumer.migration.policy": string = "bidirectional",
        validator(Validator::OneOfIgnoringCase(&["disabled", "downgrade", "upgrade", "bidirectional"])),
        effect(GROUPS);
    /// Shortest time between two assignments of a consumer group.
    "group.consumer.assignment.interval.ms": int = 1000, at_least(0), cluster_wide(),
        effect(GROUPS);
    /// Lower bound of a consumer group's assignment interval.
    "group.consumer.min.assignment.interval.ms": int = 0, at_least(0), effect(GROUPS);
    /// Upper bound of a consumer group's assignment interval.
    "group.consumer.max.assignment.interval.ms": int = 15_000, at_least(0), effect(GROUPS);
    /// How often subscribed patterns are matched again.
    "group.consumer.regex.refresh.interval.ms": int = 600_000, at_least(10_000), internal(),
        effect(GROUPS);
    /// Silence after which a streams group member is removed.
    "group.streams.session.timeout.ms": int = 45_000, at_least(1), effect(STREAMS_GROUPS);
    /// Shortest session timeout of a streams group.
    "group.streams.min.session.timeout.ms": int = 45_000, at_least(1), effect(STREAMS_GROUPS);
    /// Longest session timeout of a streams group.
    "group.streams.max.session.timeout.ms": int = 60_000, at_least(1), effect(STREAMS_GROUPS);
    /// Time between heartbeats of a streams group member.
    "group.streams.heartbeat.interval.ms": int = 5000, at_least(1), effect(STREAMS_GROUPS);
    /// Shortest heartbeat interval of a streams group.
    "group.streams.min.heartbeat.interval.ms": int = 5000, at_least(1), effect(STREAMS_GROUPS);
    /// Longest heartbeat interval of a streams group.
    "group.streams.max.heartbeat.interval.ms": int = 15_000, at_least(1), effect(STREAMS_GROUPS);
    /// Most members of a streams group.
    "group.streams.max.size": int = i32::MAX, at_least(1), effect(STREAMS_GROUPS);
    /// Standby tasks for each stateful task.
    "group.streams.num.standby.replicas": int = 0, at_least(0), effect(STREAMS_GROUPS);
    /// Upper bound of the standby tasks.
    "group.streams.max.standby.replicas": int = 2, at_least(0), effect(STREAMS_GROUPS);
    /// How long a new streams group waits for more members.
    "group.streams.initial.rebalance.delay.ms": int = 3000, at_least(0), effect(STREAMS_GROUPS);
    /// Shortest time between two assignments of a streams group.
    "group.streams.assignment.interval.ms": int = 1000, at_least(0), cluster_wide(),
        effect(STREAMS_GROUPS);
    /// Lower bound of a streams group's assignment interval.
    "group.streams.min.assignment.interval.ms": int = 0, at_least(0), effect(STREAMS_GROUPS);
    /// Upper bound of a streams group's assignment interval.
    "group.streams.max.assignment.interval.ms": int = 15_000, at_least(0), effect(STREAMS_GROUPS);
}
