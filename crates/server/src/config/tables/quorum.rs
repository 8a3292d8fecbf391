//! Node identity, the controller quorum and the metadata log.

use klamm_record::config::{ConfigError, ConfigValue, Validator};
use klamm_record::config_def;

use crate::config::later::{CONTROLLERS, NO_COUNTERPART, SECURITY};

/// Kafka's words for a list whose items are not empty; the list itself may be.
const NON_EMPTY_LIST: Validator = Validator::Check(check_items, "non-empty list");

fn check_items(name: &str, value: &ConfigValue) -> Result<(), ConfigError> {
    match value.as_list() {
        Some(items) if items.iter().any(String::is_empty) => {
            Err(ConfigError::invalid(name, value, "no item may be empty"))
        }
        _ => Ok(()),
    }
}

config_def! {
    /// Node identity, the controller quorum and the metadata log.
    pub static QUORUM_CONFIGS;

    /// What this node is: `broker`, `controller` or both.
    "process.roles": list,
        validator(Validator::List { allowed: &["broker", "controller"], empty: false, null: false }),
        high();
    /// Id of this node, unique in the cluster.
    "node.id": int, at_least(0), high();
    /// How long the broker tries to register with the controllers before it gives up.
    "initial.broker.registration.timeout.ms": int = 60_000, effect(CONTROLLERS);
    /// Time between two heartbeats of a broker to the controller.
    "broker.heartbeat.interval.ms": int = 2000, effect(CONTROLLERS);
    /// Silence after which the controller fences a broker.
    "broker.session.timeout.ms": int = 9000, effect(CONTROLLERS);
    /// Names of the listeners that serve the controller quorum. On a single node the name is
    /// known and checked, and nothing listens on it.
    "controller.listener.names": list, high();
    /// SASL mechanism between brokers and controllers.
    "sasl.mechanism.controller.protocol": string = "GSSAPI", high(), effect(SECURITY);
    /// How often the controller reports its slow events.
    "controller.performance.sample.period.ms": long = 60_000, at_least(100), internal(),
        effect(NO_COUNTERPART);
    /// Time over which a controller event is always reported.
    "controller.performance.always.log.threshold.ms": long = 2000, at_least(0), internal(),
        effect(NO_COUNTERPART);
    /// How long a start may take before the node gives up.
    "server.max.startup.time.ms": long = i64::MAX, at_least(0), internal(),
        effect(NO_COUNTERPART);
    /// The controllers as `id@host:port`, for a quorum that does not change.
    "controller.quorum.voters": list = &[], validator(NON_EMPTY_LIST), high();
    /// Where controllers can be found.
    "controller.quorum.bootstrap.servers": list = &[], validator(NON_EMPTY_LIST), high();
    /// How long a candidate waits for votes.
    "controller.quorum.election.timeout.ms": int = 1000, at_least(0), high(), effect(CONTROLLERS);
    /// Silence of the leader after which a new one is elected.
    "controller.quorum.fetch.timeout.ms": int = 2000, at_least(0), high(), effect(CONTROLLERS);
    /// Longest pause between two elections.
    "controller.quorum.election.backoff.max.ms": int = 1000, at_least(0), high(),
        effect(CONTROLLERS);
    /// How long the leader collects records before it writes them.
    "controller.quorum.append.linger.ms": int = 25, at_least(0), effect(CONTROLLERS);
    /// How long a controller waits for another's answer.
    "controller.quorum.request.timeout.ms": int = 2000, at_least(0), effect(CONTROLLERS);
    /// Pause before a request to another controller is tried again.
    "controller.quorum.retry.backoff.ms": int = 20, at_least(0), low(), effect(CONTROLLERS);
    /// Whether a new controller becomes a voter by itself.
    "controller.quorum.auto.join.enable": boolean = false, low(), effect(CONTROLLERS);
    /// Most bytes of a snapshot in one answer.
    "controller.quorum.fetch.snapshot.max.bytes": int = 1_048_576, at_least(1), low(),
        effect(CONTROLLERS);
    /// Most bytes of the metadata log in one answer.
    "controller.quorum.fetch.max.bytes": int = 1_048_576, at_least(1), low(), effect(CONTROLLERS);
    /// Bytes of metadata records after which a snapshot is taken.
    "metadata.log.max.record.bytes.between.snapshots": long = 20_971_520, at_least(1), high();
    /// Longest time between two snapshots; 0 for none by time.
    "metadata.log.max.snapshot.interval.ms": long = 3_600_000, at_least(0), high();
    /// Directory of the metadata log; the first of `log.dirs` if not set.
    "metadata.log.dir": string, null_default(), high();
    /// Size at which a segment of the metadata log is rolled.
    "metadata.log.segment.bytes": int = 1_073_741_824, at_least(8_388_608), high();
    /// Age at which a segment of the metadata log is rolled.
    "metadata.log.segment.ms": long = 604_800_000, high();
    /// Size of metadata log and snapshots over which the oldest are deleted.
    "metadata.max.retention.bytes": long = 104_857_600, high();
    /// Age at which old snapshots and their log are deleted.
    "metadata.max.retention.ms": long = 604_800_000, high();
    /// How often an idle leader writes a no-op record; 0 for never.
    "metadata.max.idle.interval.ms": int = 500, at_least(0), low(), effect(CONTROLLERS);
    /// Overrides the size of metadata segments in tests.
    "internal.metadata.log.segment.bytes": int, null_default(), low(), internal(),
        effect(NO_COUNTERPART);
    /// Largest batch of metadata records.
    "internal.metadata.max.batch.size.in.bytes": int = 8_388_608, low(), internal(),
        effect(NO_COUNTERPART);
    /// Time between renaming and deleting a metadata segment.
    "internal.metadata.delete.delay.millis": long = 60_000, low(), internal(),
        effect(NO_COUNTERPART);
}
