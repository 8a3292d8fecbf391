//! Logs, retention and compaction.

use klamm_record::config::Validator;
use klamm_record::config_def;

use crate::config::later::{COMPACTION, GROUP_COMMIT, JAVA, REPLICATION};

config_def! {
    /// Logs, retention and compaction.
    pub static LOG_CONFIGS;

    /// Partitions of a topic that is made without saying how many.
    "num.partitions": int = 1, at_least(1);
    /// Where logs lie, if `log.dirs` is not set.
    "log.dir": list = &["/tmp/kafka-logs"];
    /// Directories where logs lie, separated by commas.
    "log.dirs": list, null_default();
    /// Log directories that get no new partitions; `*` for all.
    "cordoned.log.dirs": list = &[], per_broker(), effect(REPLICATION);
    /// Size at which a segment is rolled.
    "log.segment.bytes": int = 1_073_741_824, at_least(1_048_576), cluster_wide();
    /// Age at which a segment is rolled; goes before `log.roll.hours`.
    "log.roll.ms": long, null_default(), cluster_wide();
    /// Age at which a segment is rolled, in hours.
    "log.roll.hours": int = 168, at_least(1);
    /// Most that is taken off that age at random; goes before `log.roll.jitter.hours`.
    "log.roll.jitter.ms": long, null_default(), cluster_wide();
    /// Most that is taken off that age at random, in hours.
    "log.roll.jitter.hours": int = 0, at_least(0);
    /// Age at which segments are deleted; -1 for never. Goes before minutes and hours.
    "log.retention.ms": long, null_default(), cluster_wide();
    /// Age at which segments are deleted, in minutes; goes before hours.
    "log.retention.minutes": int, null_default();
    /// Age at which segments are deleted, in hours.
    "log.retention.hours": int = 168;
    /// Size of a partition over which its oldest segments are deleted; -1 for none.
    "log.retention.bytes": long = -1, cluster_wide();
    /// How often segments to delete are looked for.
    "log.retention.check.interval.ms": long = 300_000, at_least(1);
    /// `delete`, `compact`, or both.
    "log.cleanup.policy": list = &["delete"],
        validator(Validator::List { allowed: &["compact", "delete"], empty: true, null: false }),
        cluster_wide();
    /// Largest offset index.
    "log.index.size.max.bytes": int = 10_485_760, at_least(4), cluster_wide();
    /// Bytes of log between two entries of the offset index.
    "log.index.interval.bytes": int = 4096, at_least(0), cluster_wide();
    /// Records after which a partition is synced to disk.
    "log.flush.interval.messages": long = i64::MAX, at_least(1), cluster_wide(),
        effect(GROUP_COMMIT);
    /// Time between taking a file out of use and deleting it.
    "log.segment.delete.delay.ms": long = 60_000, at_least(0), cluster_wide();
    /// How often partitions to sync by time are looked for.
    "log.flush.scheduler.interval.ms": long = i64::MAX, effect(GROUP_COMMIT);
    /// Time after which a partition is synced to disk.
    "log.flush.interval.ms": long, null_default(), cluster_wide(), effect(GROUP_COMMIT);
    /// How often recovery points are written to disk.
    "log.flush.offset.checkpoint.interval.ms": int = 60_000, at_least(0);
    /// How often log start offsets are written to disk.
    "log.flush.start.offset.checkpoint.interval.ms": int = 60_000, at_least(0);
    /// Whether a new segment gets all its space at once.
    "log.preallocate": boolean = false, cluster_wide();
    /// How many logs of a directory are recovered at once.
    "num.recovery.threads.per.data.dir": int = 2, at_least(1), high(), cluster_wide();
    /// Whether asking for the metadata of a missing topic makes it.
    "auto.create.topics.enable": boolean = true, high();
    /// Least in-sync replicas for a write with `acks=all`.
    "min.insync.replicas": int = 1, at_least(1), high(), cluster_wide();
    /// Whose time a record carries: `CreateTime` (the producer's) or `LogAppendTime` (the
    /// broker's).
    "log.message.timestamp.type": string = "CreateTime",
        one_of(&["CreateTime", "LogAppendTime"]), cluster_wide();
    /// How far before the broker's time a record's may lie.
    "log.message.timestamp.before.max.ms": long = i64::MAX, at_least(0), cluster_wide();
    /// How far after the broker's time a record's may lie.
    "log.message.timestamp.after.max.ms": long = 3_600_000, at_least(0), cluster_wide();
    /// Java class that has a say in the making of topics.
    "create.topic.policy.class.name": class, null_default(), low(), effect(JAVA);
    /// Java class that has a say in the altering of configs.
    "alter.config.policy.class.name": class, null_default(), low(), effect(JAVA);
    /// How long a broker tries to tell the controller of a failed directory.
    "log.dir.failure.timeout.ms": long = 30_000, at_least(1), effect(REPLICATION);
    /// Time after start before retention and checkpoints begin.
    "log.initial.task.delay.ms": long = 30_000, at_least(0), internal();
    /// Threads that compact.
    "log.cleaner.threads": int = 1, at_least(0), cluster_wide(), effect(COMPACTION);
    /// Bytes per second that compaction reads and writes.
    "log.cleaner.io.max.bytes.per.second": double = f64::MAX, cluster_wide(), effect(COMPACTION);
    /// Memory for the keys of a compaction, in all.
    "log.cleaner.dedupe.buffer.size": long = 134_217_728, cluster_wide(), effect(COMPACTION);
    /// Memory for the reads and writes of compaction, in all.
    "log.cleaner.io.buffer.size": int = 524_288, at_least(0), cluster_wide(), effect(COMPACTION);
    /// How full the memory for keys may get.
    "log.cleaner.io.buffer.load.factor": double = 0.9, cluster_wide(), effect(COMPACTION);
    /// Pause when nothing is to be compacted.
    "log.cleaner.backoff.ms": long = 15_000, at_least(0), cluster_wide(), effect(COMPACTION);
    /// Share of uncompacted bytes from which a log is compacted.
    "log.cleaner.min.cleanable.ratio": double = 0.5, between_fractions(0.0, 1.0), cluster_wide(),
        effect(COMPACTION);
    /// Whether anything is compacted.
    "log.cleaner.enable": boolean = true, effect(COMPACTION);
    /// How long a tombstone is kept.
    "log.cleaner.delete.retention.ms": long = 86_400_000, at_least(0), cluster_wide(),
        effect(COMPACTION);
    /// Age before which a record is not compacted.
    "log.cleaner.min.compaction.lag.ms": long = 0, at_least(0), cluster_wide(),
        effect(COMPACTION);
    /// Age after which a record must be compacted.
    "log.cleaner.max.compaction.lag.ms": long = i64::MAX, at_least(1), cluster_wide(),
        effect(COMPACTION);
}
