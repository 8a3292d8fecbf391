//! Replication between brokers.

use klamm_record::config_def;

use crate::config::later::{JAVA, NO_COUNTERPART, REPLICATION, TIERED};

config_def! {
    /// Replication between brokers.
    pub static REPLICATION_CONFIGS;

    /// How long a request to the controller may take.
    "controller.socket.timeout.ms": int = 30_000, effect(REPLICATION);
    /// Replicas of a topic that is made without saying how many.
    "default.replication.factor": int = 1;
    /// Time behind the leader after which a follower leaves the ISR.
    "replica.lag.time.max.ms": long = 30_000, high(), effect(REPLICATION);
    /// How long a follower's request may take.
    "replica.socket.timeout.ms": int = 30_000, high(), effect(REPLICATION);
    /// Receive buffer of a follower's socket.
    "replica.socket.receive.buffer.bytes": int = 65_536, high(), effect(REPLICATION);
    /// Bytes a follower asks for per partition.
    "replica.fetch.max.bytes": int = 1_048_576, at_least(0), effect(REPLICATION);
    /// How long a follower's fetch may wait.
    "replica.fetch.wait.max.ms": int = 500, high(), effect(REPLICATION);
    /// Pause after a failed fetch.
    "replica.fetch.backoff.ms": int = 1000, at_least(0), effect(REPLICATION);
    /// Bytes a follower's fetch waits for.
    "replica.fetch.min.bytes": int = 1, high(), effect(REPLICATION);
    /// Bytes a follower asks for in all.
    "replica.fetch.response.max.bytes": int = 10_485_760, at_least(0), effect(REPLICATION);
    /// Fetchers per source broker.
    "num.replica.fetchers": int = 1, at_least(1), high(), cluster_wide(), effect(REPLICATION);
    /// How often high watermarks are written to disk.
    "replica.high.watermark.checkpoint.interval.ms": long = 5000, high();
    /// When finished waits are swept. Waiting is awaiting here; there is nothing to sweep.
    "fetch.purgatory.purge.interval.requests": int = 1000, effect(NO_COUNTERPART);
    /// When finished waits are swept. Waiting is awaiting here; there is nothing to sweep.
    "producer.purgatory.purge.interval.requests": int = 1000, effect(NO_COUNTERPART);
    /// When finished waits are swept. Waiting is awaiting here; there is nothing to sweep.
    "delete.records.purgatory.purge.interval.requests": int = 1, effect(NO_COUNTERPART);
    /// Whether leaderships go back to preferred replicas by themselves.
    "auto.leader.rebalance.enable": boolean = true, high(), effect(REPLICATION);
    /// How often leaderships are checked for balance.
    "leader.imbalance.check.interval.seconds": long = 300, at_least(1), high(),
        effect(REPLICATION);
    /// How often partitions without a leader are looked at for an unclean election.
    "unclean.leader.election.interval.ms": long = 300_000, at_least(1), internal(),
        effect(REPLICATION);
    /// Whether a replica outside the ISR may become leader, losing data.
    "unclean.leader.election.enable": boolean = false, high(), cluster_wide(),
        effect(REPLICATION);
    /// Security protocol between brokers, where `inter.broker.listener.name` is not set.
    "security.inter.broker.protocol": string = "PLAINTEXT",
        one_of(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]);
    /// Listener that brokers use among themselves.
    "inter.broker.listener.name": string, null_default();
    /// How a consumer's nearest replica is chosen.
    "replica.selector.class": string, null_default(), effect(JAVA);
    /// Whether a new follower starts at the last tiered offset.
    "follower.fetch.last.tiered.offset.enable": boolean = false, cluster_wide(), effect(TIERED);
}
