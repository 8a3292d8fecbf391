//! The broker configs on logs and on compaction of Kafka 4.3.

use klamm_record::config::{Effect, Validator};
use klamm_record::config_def;

const COMPACTION_LATER: Effect = Effect::Later("compaction comes in a later version");
const FLUSH_LATER: Effect =
    Effect::Later("flushing before the acknowledgement comes in a later version");
const NO_CLASSES: Effect =
    Effect::Later("policies are Java classes, which this broker does not load");
const CLEANUP_POLICIES: Validator =
    Validator::List { allowed: &["compact", "delete"], empty: true, null: false };
const DIRS: Validator = Validator::List { allowed: &[], empty: false, null: false };
const DIRS_OR_NULL: Validator = Validator::List { allowed: &[], empty: false, null: true };
const DIRS_OR_NONE: Validator = Validator::List { allowed: &[], empty: true, null: true };

config_def! {
    /// Broker configs on logs.
    pub static LOG_BROKER_CONFIGS;

    /// Number of partitions of topics that are created without a number.
    "num.partitions": int = 1, at_least(1);

    /// Directory that holds the logs, where log.dirs is not set.
    "log.dir": list = &["/tmp/kafka-logs"], validator(DIRS), high();

    /// Directories that hold the logs; if not set, log.dir is used.
    "log.dirs": list, null_default(), validator(DIRS_OR_NULL), high();

    /// Log dirs that get no new replicas, or * for all.
    "cordoned.log.dirs": list = &[], validator(DIRS_OR_NONE), per_broker(),
        effect(Effect::Later("keeping replicas away from some log dirs comes in a later version"));

    /// Size in bytes at which a segment is closed.
    "log.segment.bytes": int = 1024 * 1024 * 1024, at_least(1024 * 1024), high(), cluster_wide();

    /// Age at which a segment is closed, in milliseconds; if not set, log.roll.hours is used.
    "log.roll.ms": long, null_default(), high(), cluster_wide();

    /// Age at which a segment is closed, in hours.
    "log.roll.hours": int = 168, at_least(1), high();

    /// Upper end of the random time by which a segment is closed early, in milliseconds; if not set, log.roll.jitter.hours is used.
    "log.roll.jitter.ms": long, null_default(), high(), cluster_wide();

    /// Upper end of the random time by which a segment is closed early, in hours.
    "log.roll.jitter.hours": int = 0, at_least(0), high();

    /// Age after which a segment is deleted, in milliseconds, −1 for never; if not set, log.retention.minutes is used.
    "log.retention.ms": long, null_default(), high(), cluster_wide();

    /// Age after which a segment is deleted, in minutes; if not set, log.retention.hours is used.
    "log.retention.minutes": int, null_default(), high();

    /// Age after which a segment is deleted, in hours, −1 for never.
    "log.retention.hours": int = 168, high();

    /// Size in bytes that a partition may reach before its oldest segments are deleted; −1 for no limit.
    "log.retention.bytes": long = -1, high(), cluster_wide();

    /// How often logs are looked through for segments to delete, in milliseconds.
    "log.retention.check.interval.ms": long = 300_000, at_least(1);

    /// What happens to old records: delete, compact, both, or nothing.
    "log.cleanup.policy": list = &["delete"], validator(CLEANUP_POLICIES), cluster_wide();

    /// Largest size in bytes of an index file.
    "log.index.size.max.bytes": int = 10 * 1024 * 1024, at_least(4), cluster_wide();

    /// About how many bytes of the log lie between two entries of its index.
    "log.index.interval.bytes": int = 4096, at_least(0), cluster_wide();

    /// Number of records after which data is forced to the disk.
    "log.flush.interval.messages": long = i64::MAX, at_least(1), high(), cluster_wide(), effect(FLUSH_LATER);

    /// How long a file that was taken out of use stays on the disk, in milliseconds.
    "log.segment.delete.delay.ms": long = 60_000, at_least(0), high(), cluster_wide();

    /// How often logs are looked through for data to force to the disk, in milliseconds.
    "log.flush.scheduler.interval.ms": long = i64::MAX, high(), effect(FLUSH_LATER);

    /// Time after which data is forced to the disk, in milliseconds; if not set, log.flush.scheduler.interval.ms is used.
    "log.flush.interval.ms": long, null_default(), high(), cluster_wide(), effect(FLUSH_LATER);

    /// How often recovery points are written down, in milliseconds.
    "log.flush.offset.checkpoint.interval.ms": int = 60_000, at_least(0), high();

    /// How often log start offsets are written down, in milliseconds.
    "log.flush.start.offset.checkpoint.interval.ms": int = 60_000, at_least(0), high();

    /// Whether room for a whole segment is reserved when it is begun.
    "log.preallocate": boolean = false, cluster_wide(),
        effect(Effect::Later("reserving a whole segment comes in a later version; files grow as they are written"));

    /// How many logs of one log dir are recovered at the same time after an unclean stop.
    "num.recovery.threads.per.data.dir": int = 2, at_least(1), high(), cluster_wide();

    /// Whether a client that asks for metadata of a topic that does not exist, and allows it, creates the topic.
    "auto.create.topics.enable": boolean = true, high();

    /// How many replicas have to be in sync for a write with acks=all to be accepted.
    "min.insync.replicas": int = 1, at_least(1), high(), cluster_wide();

    /// Whose clock stamps the records: CreateTime for the producer's, LogAppendTime for the broker's.
    "log.message.timestamp.type": string = "CreateTime", one_of(&["CreateTime", "LogAppendTime"]), cluster_wide();

    /// How far a record's timestamp may lie before the broker's clock, in milliseconds.
    "log.message.timestamp.before.max.ms": long = i64::MAX, at_least(0), cluster_wide();

    /// How far a record's timestamp may lie after the broker's clock, in milliseconds.
    "log.message.timestamp.after.max.ms": long = 3_600_000, at_least(0), cluster_wide();

    /// Class that decides whether a topic may be created.
    "create.topic.policy.class.name": class, null_default(), low(), effect(NO_CLASSES);

    /// Class that decides whether a config may be changed.
    "alter.config.policy.class.name": class, null_default(), low(), effect(NO_CLASSES);

    /// How long the broker tries to tell the controller of a failed log dir before it stops, in milliseconds.
    "log.dir.failure.timeout.ms": long = 30_000, at_least(1), low(),
        effect(Effect::Later("a node that is its own controller needs no time to tell it"));

    /// For tests: how long after its start the log manager begins its background work, in milliseconds.
    "log.initial.task.delay.ms": long = 30_000, at_least(0), low(), internal();
}

config_def! {
    /// Broker configs on compaction.
    pub static COMPACTION_CONFIGS;

    /// How many threads compact logs.
    "log.cleaner.threads": int = 1, at_least(0), cluster_wide(), effect(COMPACTION_LATER);

    /// Bytes that compaction may read and write in a second.
    "log.cleaner.io.max.bytes.per.second": double = f64::MAX, cluster_wide(), effect(COMPACTION_LATER);

    /// Memory in which compaction notes keys, in bytes, for all threads together.
    "log.cleaner.dedupe.buffer.size": long = 134_217_728, cluster_wide(), effect(COMPACTION_LATER);

    /// Memory through which compaction reads and writes, in bytes, for all threads together.
    "log.cleaner.io.buffer.size": int = 524_288, at_least(0), cluster_wide(), effect(COMPACTION_LATER);

    /// How full the memory for keys may become, from 0 to 1.
    "log.cleaner.io.buffer.load.factor": double = 0.9, cluster_wide(), effect(COMPACTION_LATER);

    /// How long compaction rests when nothing is to be done, in milliseconds.
    "log.cleaner.backoff.ms": long = 15_000, at_least(0), cluster_wide(), effect(COMPACTION_LATER);

    /// Share of a log that has to be uncompacted before it is compacted.
    "log.cleaner.min.cleanable.ratio": double = 0.5, between(0, 1), cluster_wide(), effect(COMPACTION_LATER);

    /// Whether logs are compacted at all.
    "log.cleaner.enable": boolean = true, effect(COMPACTION_LATER);

    /// How long compaction keeps the markers of deleted keys, in milliseconds.
    "log.cleaner.delete.retention.ms": long = 86_400_000, at_least(0), cluster_wide(), effect(COMPACTION_LATER);

    /// Records younger than this are not compacted, in milliseconds.
    "log.cleaner.min.compaction.lag.ms": long = 0, at_least(0), cluster_wide(), effect(COMPACTION_LATER);

    /// Records older than this have to be compacted, in milliseconds.
    "log.cleaner.max.compaction.lag.ms": long = i64::MAX, at_least(1), cluster_wide(), effect(COMPACTION_LATER);
}
