//! A few configurations, enough for the scenarios.

use klamm_metadata::ConfigSchema;
use klamm_record::config::Synonym;

klamm_record::config_def! {
    pub static TOPICS;
    /// Cleanup.
    "cleanup.policy": list = &["delete"], synonyms(&[Synonym::same("log.cleanup.policy")]);
    /// Throttled.
    "leader.replication.throttled.replicas": list = &[];
    /// Lag, at least.
    "min.compaction.lag.ms": long = 0, at_least(0), synonyms(&[Synonym::same("log.cleaner.min.compaction.lag.ms")]);
    /// Lag, at most.
    "max.compaction.lag.ms": long = i64::MAX, at_least(1), synonyms(&[Synonym::same("log.cleaner.max.compaction.lag.ms")]);
    /// Minimum ISR.
    "min.insync.replicas": int = 1, at_least(1), synonyms(&[Synonym::same("min.insync.replicas")]);
    /// Retention.
    "retention.ms": long = 604_800_000, at_least(-1), synonyms(&[
        Synonym::same("log.retention.ms"), Synonym::minutes("log.retention.minutes"), Synonym::hours("log.retention.hours")]);
    /// Segment size.
    "segment.bytes": int = 1_073_741_824, at_least(1_048_576), synonyms(&[Synonym::same("log.segment.bytes")]);
    /// Tests only.
    "internal.segment.bytes": int, null_default(), internal();
    /// Unclean elections.
    "unclean.leader.election.enable": boolean = false, synonyms(&[Synonym::same("unclean.leader.election.enable")]);
    /// Tiered.
    "remote.storage.enable": boolean = false;
}

klamm_record::config_def! {
    pub static BROKERS;
    /// Listeners.
    "advertised.listeners": string, null_default(), per_broker();
    /// Cleaner threads.
    "log.cleaner.threads": int = 1, at_least(0), cluster_wide();
    /// Segment size.
    "log.segment.bytes": int = 1_073_741_824, at_least(1_048_576), cluster_wide();
    /// Retention.
    "log.retention.ms": long, null_default(), cluster_wide(), synonyms(&[
        Synonym::minutes("log.retention.minutes"), Synonym::hours("log.retention.hours")]);
    /// Retention.
    "log.retention.minutes": int, null_default();
    /// Retention.
    "log.retention.hours": int = 168;
    /// Minimum ISR.
    "min.insync.replicas": int = 1, at_least(1), cluster_wide();
    /// Key.
    "ssl.key.password": password, null_default(), per_broker();
    /// Id.
    "node.id": int;
    /// Unclean elections.
    "unclean.leader.election.enable": boolean = false, cluster_wide();
}

klamm_record::config_def! {
    pub static GROUPS;
    /// Session.
    "consumer.session.timeout.ms": int = 45_000, at_least(1);
}

klamm_record::config_def! {
    pub static CLIENT_METRICS;
    /// Interval.
    "interval.ms": int = 300_000, between(100, 3_600_000);
}

pub fn schema() -> ConfigSchema {
    ConfigSchema {
        topics: &TOPICS,
        brokers: &BROKERS,
        groups: &GROUPS,
        client_metrics: &CLIENT_METRICS,
    }
}
