//! Tiered storage.

use klamm_record::config::{Bound, Validator};
use klamm_record::config_def;

use crate::config::later::{JAVA, TIERED};

const JITTER: Validator =
    Validator::Range { min: Some(Bound::Integer(0)), max: Some(Bound::Double(0.5)) };

config_def! {
    /// Tiered storage.
    pub static TIERED_CONFIGS;

    /// Whether closed segments go to remote storage.
    "remote.log.storage.system.enable": boolean = false, effect(TIERED);
    /// Prefix of the remote storage manager's own configs.
    "remote.log.storage.manager.impl.prefix": string = "rsm.config.",
        validator(Validator::NonEmpty), effect(JAVA);
    /// Prefix of the remote metadata manager's own configs.
    "remote.log.metadata.manager.impl.prefix": string = "rlmm.config.",
        validator(Validator::NonEmpty), effect(JAVA);
    /// Java class of the remote storage manager.
    "remote.log.storage.manager.class.name": string, null_default(),
        validator(Validator::NonEmpty), effect(JAVA);
    /// Where that class is found.
    "remote.log.storage.manager.class.path": string, null_default(), effect(JAVA);
    /// Java class of the remote metadata manager.
    "remote.log.metadata.manager.class.name": string = "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager",
        validator(Validator::NonEmpty), effect(JAVA);
    /// Where that class is found.
    "remote.log.metadata.manager.class.path": string, null_default(), effect(JAVA);
    /// Listener that the remote metadata manager uses.
    "remote.log.metadata.manager.listener.name": string, null_default(),
        validator(Validator::NonEmpty), effect(TIERED);
    /// Largest custom metadata of a remote segment.
    "remote.log.metadata.custom.metadata.max.bytes": int = 128, at_least(0), low(),
        effect(TIERED);
    /// Size of the cache of remote indexes.
    "remote.log.index.file.cache.total.size.bytes": long = 1_073_741_824, at_least(1), low(),
        cluster_wide(), effect(TIERED);
    /// Age at which a cached remote index is dropped.
    "remote.log.index.file.cache.ttl.ms": long = 900_000, at_least(-1), low(), internal(),
        effect(TIERED);
    /// Threads that plan tiering.
    "remote.log.manager.thread.pool.size": int = 2, at_least(1), effect(TIERED);
    /// Threads that copy segments to remote storage.
    "remote.log.manager.copier.thread.pool.size": int = 10, at_least(1), cluster_wide(),
        effect(TIERED);
    /// Threads that delete remote segments.
    "remote.log.manager.expiration.thread.pool.size": int = 10, at_least(1), cluster_wide(),
        effect(TIERED);
    /// Threads of followers of tiered partitions.
    "remote.log.manager.follower.thread.pool.size": int = 2, at_least(1), cluster_wide(),
        effect(TIERED);
    /// How often each partition's tiering is looked at.
    "remote.log.manager.task.interval.ms": long = 30_000, at_least(1), low(), effect(TIERED);
    /// Pause before tiering is tried again.
    "remote.log.manager.task.retry.backoff.ms": long = 500, at_least(1), low(), internal(),
        effect(TIERED);
    /// Longest pause before tiering is tried again.
    "remote.log.manager.task.retry.backoff.max.ms": long = 30_000, at_least(1), low(),
        internal(), effect(TIERED);
    /// Randomness of that pause.
    "remote.log.manager.task.retry.jitter": double = 0.2, validator(JITTER), low(), internal(),
        effect(TIERED);
    /// Threads that read from remote storage.
    "remote.log.reader.threads": int = 10, at_least(1), cluster_wide(), effect(TIERED);
    /// Most remote reads waiting.
    "remote.log.reader.max.pending.tasks": int = 100, at_least(1), effect(TIERED);
    /// Age at which tiered segments are deleted here; -2 for `log.retention.ms`.
    "log.local.retention.ms": long = -2, at_least(-2), cluster_wide(), effect(TIERED);
    /// Size over which tiered segments are deleted here; -2 for `log.retention.bytes`.
    "log.local.retention.bytes": long = -2, at_least(-2), cluster_wide(), effect(TIERED);
    /// Bytes per second to remote storage.
    "remote.log.manager.copy.max.bytes.per.second": long = i64::MAX, at_least(1), cluster_wide(),
        effect(TIERED);
    /// Samples behind that rate.
    "remote.log.manager.copy.quota.window.num": int = 11, at_least(1), effect(TIERED);
    /// Length of such a sample.
    "remote.log.manager.copy.quota.window.size.seconds": int = 1, at_least(1), effect(TIERED);
    /// Bytes per second from remote storage.
    "remote.log.manager.fetch.max.bytes.per.second": long = i64::MAX, at_least(1),
        cluster_wide(), effect(TIERED);
    /// Samples behind that rate.
    "remote.log.manager.fetch.quota.window.num": int = 11, at_least(1), effect(TIERED);
    /// Length of such a sample.
    "remote.log.manager.fetch.quota.window.size.seconds": int = 1, at_least(1), effect(TIERED);
    /// How long a remote read may keep a fetch waiting.
    "remote.fetch.max.wait.ms": int = 500, at_least(1), cluster_wide(), effect(TIERED);
    /// How long a remote look-up of offsets may take.
    "remote.list.offsets.request.timeout.ms": long = 30_000, at_least(1), cluster_wide(),
        effect(TIERED);
}
