//! Listeners, sockets and connections.

use klamm_record::config::Validator;
use klamm_record::config_def;

use crate::config::later::{NO_COUNTERPART, SECURITY};

config_def! {
    /// Listeners, sockets and connections.
    pub static NETWORK_CONFIGS;

    /// Where to listen: `NAME://host:port`, separated by commas. No host: all interfaces. Port 0:
    /// any free port.
    "listeners": list = &["PLAINTEXT://:9092"],
        validator(Validator::List { allowed: &[], empty: false, null: false }), high(),
        per_broker();
    /// What clients are told to connect to, where it differs from `listeners`.
    "advertised.listeners": list, null_default(),
        validator(Validator::List { allowed: &[], empty: false, null: true }), high();
    /// Which security protocol each listener name speaks.
    "listener.security.protocol.map": string = "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
        low(), per_broker();
    /// Send buffer of a socket (SO_SNDBUF); -1 for the system's, which also holds where it is not set.
    "socket.send.buffer.bytes": int = 102_400, high();
    /// Receive buffer of a socket (SO_RCVBUF); -1 for the system's, which also holds where it is not set.
    "socket.receive.buffer.bytes": int = 102_400, high();
    /// Largest request; a larger one closes its connection.
    "socket.request.max.bytes": int = 104_857_600, at_least(1), high();
    /// How many connections may wait to be accepted.
    "socket.listen.backlog.size": int = 50, at_least(1);
    /// Most connections from one address; more are dropped.
    "max.connections.per.ip": int = i32::MAX, at_least(0), cluster_wide();
    /// Exceptions from `max.connections.per.ip`, as `host:count`, separated by commas.
    "max.connections.per.ip.overrides": string = "", cluster_wide();
    /// Most connections in all; more wait to be accepted. Also
    /// `listener.name.NAME.max.connections`.
    "max.connections": int = i32::MAX, at_least(0), cluster_wide();
    /// Most connections made per second; more wait. Also
    /// `listener.name.NAME.max.connection.creation.rate`.
    "max.connection.creation.rate": int = i32::MAX, at_least(0), cluster_wide();
    /// Silence after which a connection is closed; negative for never.
    "connections.max.idle.ms": long = 600_000;
    /// Pause before a connection that failed to authenticate is closed.
    "connection.failed.authentication.delay.ms": int = 100, at_least(0), low(), effect(SECURITY);
    /// Requests waiting for a thread. Klamm works each connection's requests off in its own task
    /// and has no such queue.
    "queued.max.requests": int = 500, at_least(1), high(), effect(NO_COUNTERPART);
    /// Bytes of requests in memory, beyond the first 64 KiB of each; -1 for 128 MiB (or one
    /// largest request).
    "queued.max.request.bytes": long = -1;
    /// Threads for sockets. Klamm has one task per connection on all cores.
    "num.network.threads": int = 3, at_least(1), high(), cluster_wide(), effect(NO_COUNTERPART);
}
