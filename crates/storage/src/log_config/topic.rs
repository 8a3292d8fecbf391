//! Every topic config of Kafka 4.3.

use klamm_record::config::{Effect, Synonym, Validator};
use klamm_record::config_def;

use super::validators::{COMPRESSION_TYPES, GZIP_LEVEL, THROTTLED_REPLICAS};

const CLEANUP_POLICIES: Validator =
    Validator::List { allowed: &["compact", "delete"], empty: true, null: false };
const COMPACTION_LATER: Effect =
    Effect::Later("compaction comes in a later version; until then a compacted topic keeps all");
const FLUSH_LATER: Effect =
    Effect::Later("flushing before the acknowledgement comes in a later version");
const TIERED_LATER: Effect = Effect::Later("tiered storage comes in a later version");
const REPLICATION_LATER: Effect = Effect::Later("replication comes in a later version");

config_def! {
    /// Topic configs, with the broker configs they fall back to.
    pub static TOPIC_CONFIGS;

    /// Size in bytes at which the active segment is closed and a new one begun. Retention and deletion work on whole segments.
    "segment.bytes": int = 1024 * 1024 * 1024, at_least(1024 * 1024), synonyms(&[Synonym::same("log.segment.bytes")]);

    /// Age at which the active segment is closed even if it is not full, so that old records can be deleted or compacted.
    "segment.ms": long = 604_800_000, at_least(1), synonyms(&[Synonym::same("log.roll.ms"), Synonym::hours("log.roll.hours")]);

    /// Upper end of a random time by which a segment is closed early, so that not all partitions do so at once.
    "segment.jitter.ms": long = 0, at_least(0),
        synonyms(&[Synonym::same("log.roll.jitter.ms"), Synonym::hours("log.roll.jitter.hours")]);

    /// Largest size in bytes of an index file; a segment whose index is full is closed. Index files grow with their entries, they
    /// are not preallocated.
    "segment.index.bytes": int = 10 * 1024 * 1024, at_least(4), synonyms(&[Synonym::same("log.index.size.max.bytes")]);

    /// Number of records after which data is forced to the disk.
    "flush.messages": long = i64::MAX, at_least(1), synonyms(&[Synonym::same("log.flush.interval.messages")]), effect(FLUSH_LATER);

    /// Time after which data is forced to the disk.
    "flush.ms": long = i64::MAX, at_least(0),
        synonyms(&[Synonym::same("log.flush.interval.ms"), Synonym::same("log.flush.scheduler.interval.ms")]), effect(FLUSH_LATER);

    /// Size in bytes that a partition may reach before its oldest segments are deleted; −1 for no limit. Counts for each partition,
    /// and only under the cleanup policy `delete`.
    "retention.bytes": long = -1, synonyms(&[Synonym::same("log.retention.bytes")]);

    /// Age after which a segment is deleted, counted from its newest record; −1 for no limit. Only under the cleanup policy `delete`.
    "retention.ms": long = 604_800_000, at_least(-1), synonyms(&[Synonym::same("log.retention.ms"),
        Synonym::minutes("log.retention.minutes"), Synonym::hours("log.retention.hours")]);

    /// Largest record batch accepted, in bytes, after compression.
    "max.message.bytes": int = 1_048_588, at_least(0), synonyms(&[Synonym::same("message.max.bytes")]);

    /// About how many bytes of the log lie between two entries of its index. Smaller finds records faster and makes the index larger.
    "index.interval.bytes": int = 4096, at_least(0), synonyms(&[Synonym::same("log.index.interval.bytes")]);

    /// How long compaction keeps the markers of deleted keys and of transactions, so that a slow reader still sees them.
    "delete.retention.ms": long = 86_400_000, at_least(0), synonyms(&[Synonym::same("log.cleaner.delete.retention.ms")]),
        effect(COMPACTION_LATER);

    /// Records younger than this are not compacted.
    "min.compaction.lag.ms": long = 0, at_least(0), synonyms(&[Synonym::same("log.cleaner.min.compaction.lag.ms")]),
        effect(COMPACTION_LATER);

    /// Records older than this have to be compacted.
    "max.compaction.lag.ms": long = i64::MAX, at_least(1), synonyms(&[Synonym::same("log.cleaner.max.compaction.lag.ms")]),
        effect(COMPACTION_LATER);

    /// How long a file that was taken out of use stays on the disk before it is removed.
    "file.delete.delay.ms": long = 60_000, at_least(0), synonyms(&[Synonym::same("log.segment.delete.delay.ms")]);

    /// Share of a log that has to be uncompacted before it is compacted, from 0 to 1.
    "min.cleanable.dirty.ratio": double = 0.5, between(0, 1), synonyms(&[Synonym::same("log.cleaner.min.cleanable.ratio")]),
        effect(COMPACTION_LATER);

    /// What happens to old records: `delete` removes them by age and size, `compact` keeps the last one of each key, both may be
    /// given, and an empty list keeps everything.
    "cleanup.policy": list = &["delete"], validator(CLEANUP_POLICIES), synonyms(&[Synonym::same("log.cleanup.policy")]),
        effect(Effect::Later("`delete` and the empty list act now; compaction comes in a later version, and until then a compacted topic keeps all"));

    /// Whether a replica that is out of sync may become leader where no other is left. Records may be lost.
    "unclean.leader.election.enable": boolean = false, synonyms(&[Synonym::same("unclean.leader.election.enable")]),
        effect(REPLICATION_LATER);

    /// How many replicas have to be in sync for a write with acks=all to be accepted.
    "min.insync.replicas": int = 1, at_least(1), synonyms(&[Synonym::same("min.insync.replicas")]);

    /// Codec of stored batches: `producer` keeps what the client sent, another value makes the broker compress again,
    /// `uncompressed` makes it unpack.
    "compression.type": string = "producer", one_of(COMPRESSION_TYPES), synonyms(&[Synonym::same("compression.type")]);

    /// Level where the broker compresses with gzip: 1 to 9, or −1 for the codec's default.
    "compression.gzip.level": int = -1, validator(GZIP_LEVEL), synonyms(&[Synonym::same("compression.gzip.level")]);

    /// Level where the broker compresses with lz4.
    "compression.lz4.level": int = 9, between(1, 17), synonyms(&[Synonym::same("compression.lz4.level")]);

    /// Level where the broker compresses with zstd.
    "compression.zstd.level": int = 3, between(-131_072, 22), synonyms(&[Synonym::same("compression.zstd.level")]);

    /// Whether room for a whole segment is reserved when it is begun.
    "preallocate": boolean = false, synonyms(&[Synonym::same("log.preallocate")]),
        effect(Effect::Later("reserving a whole segment comes in a later version; files grow as they are written"));

    /// Whose clock stamps the records: `CreateTime` for the producer's, `LogAppendTime` for the broker's.
    "message.timestamp.type": string = "CreateTime", one_of(&["CreateTime", "LogAppendTime"]),
        synonyms(&[Synonym::same("log.message.timestamp.type")]);

    /// How far a record's timestamp may lie before the broker's clock. Not looked at under `LogAppendTime`.
    "message.timestamp.before.max.ms": long = i64::MAX, at_least(0), synonyms(&[Synonym::same("log.message.timestamp.before.max.ms")]);

    /// How far a record's timestamp may lie after the broker's clock. Not looked at under `LogAppendTime`.
    "message.timestamp.after.max.ms": long = 3_600_000, at_least(0), synonyms(&[Synonym::same("log.message.timestamp.after.max.ms")]);

    /// Replicas whose leader is slowed down while it serves them, as partition:broker, or * for all.
    "leader.replication.throttled.replicas": list = &[], validator(THROTTLED_REPLICAS), effect(REPLICATION_LATER);

    /// Replicas that are slowed down while they follow, as partition:broker, or * for all.
    "follower.replication.throttled.replicas": list = &[], validator(THROTTLED_REPLICAS), effect(REPLICATION_LATER);

    /// Whether closed segments are moved to remote storage.
    "remote.storage.enable": boolean = false, effect(TIERED_LATER);

    /// Age after which a segment that remote storage holds is deleted here; −2 to use retention.ms.
    "local.retention.ms": long = -2, at_least(-2), synonyms(&[Synonym::same("log.local.retention.ms")]), effect(TIERED_LATER);

    /// Size in bytes above which segments that remote storage holds are deleted here; −2 to use retention.bytes.
    "local.retention.bytes": long = -2, at_least(-2), synonyms(&[Synonym::same("log.local.retention.bytes")]), effect(TIERED_LATER);

    /// Whether nothing further is moved to remote storage, which can then only be read.
    "remote.log.copy.disable": boolean = false, effect(TIERED_LATER);

    /// Whether what remote storage holds is deleted once it is switched off.
    "remote.log.delete.on.disable": boolean = false, effect(TIERED_LATER);

    /// For tests: size in bytes at which a segment is closed, also below the bound of segment.bytes, which it replaces.
    "internal.segment.bytes": int, null_default(), internal();
}
