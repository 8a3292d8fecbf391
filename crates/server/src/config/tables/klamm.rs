//! Configs of our own; their names begin with `klamm.`.

use klamm_record::config_def;

use crate::config::later::GROUP_COMMIT;

config_def! {
    /// Configs of our own.
    pub static KLAMM_CONFIGS;

    /// Where the HTTP port listens (`/healthz`, `/metrics`), as `host:port`; `none` for no HTTP.
    "klamm.http.listener": string = "127.0.0.1:9080";
    /// Most open HTTP connections; more wait to be accepted.
    "klamm.http.max.connections": int = 64, at_least(1), low();
    /// How long a connection may hold memory without a byte moving in or out before it is closed.
    "klamm.connection.stall.timeout.ms": int = 30_000, at_least(100);
    /// Bytes of responses built in memory (records are not: they go from file to socket).
    "klamm.response.memory.bytes": long = 67_108_864, between(1_048_576, 4_294_967_295);
    /// How long a stop waits for answers that are due before it closes their connections.
    "klamm.shutdown.drain.timeout.ms": int = 5_000, at_least(0);
    /// Whether internal topics are synced to disk before a write to them is acknowledged.
    "klamm.internal.topics.flush": boolean = true, effect(GROUP_COMMIT);
}
