//! What can be set for a group.

use klamm_record::config::{Synonym, Validator};
use klamm_record::config_def;

use crate::config::later::{GROUPS, SHARE_GROUPS, STREAMS_GROUPS};

config_def! {
    /// Dynamic configs of groups (Kafka's `GroupConfig`). They are kept for the issue that brings the groups.
    pub static GROUP_RESOURCE_CONFIGS;

    /// Silence after which a consumer group member is removed.
    "consumer.session.timeout.ms": int = 45_000, at_least(1),
        synonyms(&[Synonym::same("group.consumer.session.timeout.ms")]), effect(GROUPS);
    /// Time between heartbeats of a consumer group member.
    "consumer.heartbeat.interval.ms": int = 5000, at_least(1),
        synonyms(&[Synonym::same("group.consumer.heartbeat.interval.ms")]), effect(GROUPS);
    /// Least time between two assignments of a consumer group.
    "consumer.assignment.interval.ms": int = 1000, at_least(0),
        synonyms(&[Synonym::same("group.consumer.assignment.interval.ms")]), effect(GROUPS);
    /// Silence after which a share group member is removed.
    "share.session.timeout.ms": int = 45_000, at_least(1),
        synonyms(&[Synonym::same("group.share.session.timeout.ms")]), effect(SHARE_GROUPS);
    /// Time between heartbeats of a share group member.
    "share.heartbeat.interval.ms": int = 5000, at_least(1),
        synonyms(&[Synonym::same("group.share.heartbeat.interval.ms")]), effect(SHARE_GROUPS);
    /// How long a record is locked for the member that acquired it.
    "share.record.lock.duration.ms": int = 30_000, at_least(1000),
        synonyms(&[Synonym::same("group.share.record.lock.duration.ms")]), effect(SHARE_GROUPS);
    /// How often a record is delivered at most.
    "share.delivery.count.limit": int = 5, at_least(2),
        synonyms(&[Synonym::same("group.share.delivery.count.limit")]), effect(SHARE_GROUPS);
    /// How many records of a partition are locked at most.
    "share.partition.max.record.locks": int = 2000, at_least(100),
        synonyms(&[Synonym::same("group.share.partition.max.record.locks")]), effect(SHARE_GROUPS);
    /// Where a share group begins: latest, earliest or by_duration:PT...
    "share.auto.offset.reset": string = "latest", effect(SHARE_GROUPS);
    /// Which records of transactions a share group sees.
    "share.isolation.level": string = "read_uncommitted",
        validator(Validator::OneOf(&["read_committed", "read_uncommitted"])), effect(SHARE_GROUPS);
    /// Whether members may prolong the lock of a record.
    "share.renew.acknowledge.enable": boolean = true, effect(SHARE_GROUPS);
    /// Least time between two assignments of a share group.
    "share.assignment.interval.ms": int = 1000, at_least(0),
        synonyms(&[Synonym::same("group.share.assignment.interval.ms")]), effect(SHARE_GROUPS);
    /// Silence after which a streams group member is removed.
    "streams.session.timeout.ms": int = 45_000, at_least(1),
        synonyms(&[Synonym::same("group.streams.session.timeout.ms")]), effect(STREAMS_GROUPS);
    /// Time between heartbeats of a streams group member.
    "streams.heartbeat.interval.ms": int = 5000, at_least(1),
        synonyms(&[Synonym::same("group.streams.heartbeat.interval.ms")]), effect(STREAMS_GROUPS);
    /// Standby tasks of each stateful task.
    "streams.num.standby.replicas": int = 0, at_least(0),
        synonyms(&[Synonym::same("group.streams.num.standby.replicas")]), effect(STREAMS_GROUPS);
    /// How long a new streams group waits for more members.
    "streams.initial.rebalance.delay.ms": int = 3000, at_least(0),
        synonyms(&[Synonym::same("group.streams.initial.rebalance.delay.ms")]), effect(STREAMS_GROUPS);
    /// Least time between two assignments of a streams group.
    "streams.assignment.interval.ms": int = 1000, at_least(0),
        synonyms(&[Synonym::same("group.streams.assignment.interval.ms")]), effect(STREAMS_GROUPS);
}
