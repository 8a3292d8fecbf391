//! Quotas.

use klamm_record::config_def;

use crate::config::later::{JAVA, QUOTAS};

config_def! {
    /// Quotas.
    pub static QUOTA_CONFIGS;

    /// Samples behind a client quota.
    "quota.window.num": int = 11, at_least(1), low(), effect(QUOTAS);
    /// Samples behind a replication quota.
    "replication.quota.window.num": int = 11, at_least(1), low(), effect(QUOTAS);
    /// Samples behind the quota of moves between log directories.
    "alter.log.dirs.replication.quota.window.num": int = 11, at_least(1), low(), effect(QUOTAS);
    /// Samples behind a controller mutation quota.
    "controller.quota.window.num": int = 11, at_least(1), low(), effect(QUOTAS);
    /// Length of a client quota's sample.
    "quota.window.size.seconds": int = 1, at_least(1), low(), effect(QUOTAS);
    /// Length of a replication quota's sample.
    "replication.quota.window.size.seconds": int = 1, at_least(1), low(), effect(QUOTAS);
    /// Length of a sample of the quota of moves between log directories.
    "alter.log.dirs.replication.quota.window.size.seconds": int = 1, at_least(1), low(),
        effect(QUOTAS);
    /// Length of a controller mutation quota's sample.
    "controller.quota.window.size.seconds": int = 1, at_least(1), low(), effect(QUOTAS);
    /// Java class that decides quotas.
    "client.quota.callback.class": class, null_default(), low(), effect(JAVA);
    /// Bytes per second that a leader sends to throttled replicas.
    "leader.replication.throttled.rate": long = i64::MAX, at_least(0), cluster_wide(),
        effect(QUOTAS);
    /// Bytes per second that a follower takes for throttled replicas.
    "follower.replication.throttled.rate": long = i64::MAX, at_least(0), cluster_wide(),
        effect(QUOTAS);
    /// Bytes per second for moves between log directories.
    "replica.alter.log.dirs.io.max.bytes.per.second": long = i64::MAX, at_least(0),
        cluster_wide(), effect(QUOTAS);
}
