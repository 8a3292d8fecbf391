//! What belongs to the server as a whole.

use klamm_record::config::{ConfigError, ConfigValue, Validator};
use klamm_record::config_def;

use crate::config::later::{JAVA, NO_COUNTERPART, REPLICATION, SECURITY};

/// zlib's levels, and -1 for its default.
const GZIP_LEVEL: Validator = Validator::Check(check_gzip_level, "[1,...,9] or -1");

fn check_gzip_level(name: &str, value: &ConfigValue) -> Result<(), ConfigError> {
    match value.as_i64() {
        Some(-1 | 1..=9) => Ok(()),
        _ => Err(ConfigError::invalid(name, value, "Value must be between 1 and 9 or equal to -1")),
    }
}

config_def! {
    /// What belongs to the server as a whole.
    pub static GENERAL_CONFIGS;

    /// Older name of `node.id`; if both are set they must be equal.
    "broker.id": int = -1, high();
    /// Largest record batch, as it is sent; topics may override it with `max.message.bytes`.
    "message.max.bytes": int = 1_048_588, at_least(0), high(), cluster_wide();
    /// Threads for requests. Klamm has one task per connection on all cores.
    "num.io.threads": int = 8, at_least(1), high(), cluster_wide(), effect(NO_COUNTERPART);
    /// Threads that move replicas between log directories.
    "num.replica.alter.log.dirs.threads": int, null_default(), high(), effect(REPLICATION);
    /// Threads for work in the background.
    "background.threads": int = 10, at_least(1), high(), cluster_wide(), effect(NO_COUNTERPART);
    /// How long a request that names no timeout may take.
    "request.timeout.ms": int = 30_000, high();
    /// How long the making of a connection to another node may take.
    "socket.connection.setup.timeout.ms": long = 10_000, effect(REPLICATION);
    /// Upper bound of the time for making a connection, after several failures.
    "socket.connection.setup.timeout.max.ms": long = 30_000, effect(REPLICATION);
    /// Providers that fill `${...}` in values.
    "config.providers": list = &[], low(), cluster_wide(), effect(JAVA);
    /// Who decides what a principal may do; empty for everyone may do everything.
    "authorizer.class.name": string = "", validator(Validator::NonNull), low(), effect(SECURITY);
    /// Listeners that open before the authorizer is ready.
    "early.start.listeners": list, null_default(), high(), effect(SECURITY);
    /// Where this broker stands, told to clients and used to spread replicas.
    "broker.rack": string, null_default();
    /// Whether a broker hands its leaderships over before it stops.
    "controlled.shutdown.enable": boolean = true, effect(REPLICATION);
    /// Whether topics can be deleted.
    "delete.topic.enable": boolean = true, high();
    /// Codec of stored batches: `producer` keeps what was sent.
    "compression.type": string = "producer",
        one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), high(),
        cluster_wide();
    /// Level of gzip; -1 for its own default.
    "compression.gzip.level": int = -1, validator(GZIP_LEVEL), cluster_wide();
    /// Level of lz4.
    "compression.lz4.level": int = 9, between(1, 17), cluster_wide();
    /// Level of zstd.
    "compression.zstd.level": int = 3, between(-131_072, 22), cluster_wide();
    /// How many fetch sessions are kept.
    "max.incremental.fetch.session.cache.slots": int = 1000, at_least(0);
    /// Most bytes in one answer to Fetch.
    "fetch.max.bytes": int = 57_671_680, at_least(1024);
    /// Most partitions in one answer to DescribeTopicPartitions.
    "max.request.partition.size.limit": int = 2000, at_least(1);
    /// Whether API versions that are not final are advertised.
    "unstable.api.versions.enable": boolean = false, high(), internal(), effect(NO_COUNTERPART);
    /// Whether feature levels that are not final may be used.
    "unstable.feature.versions.enable": boolean = false, high(), internal(),
        effect(NO_COUNTERPART);
}
