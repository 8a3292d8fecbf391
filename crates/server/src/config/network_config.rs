//! The bounds of connections, from their configs.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::config::endpoint::{self, ListenerName};
use crate::config::load::Problems;
use crate::config::server_config::Values;
use crate::network::limits::ConnectionLimits;

/// Request bytes in memory where `queued.max.request.bytes` is not set.
const REQUEST_POOL_BYTES_DEFAULT: i64 = 128 * 1024 * 1024;

/// Everything the network needs to know.
#[derive(Debug, Clone)]
pub struct NetworkConfig {
    /// Bounds of one connection.
    pub limits: ConnectionLimits,
    /// How many connections.
    pub quotas: ConnectionQuotaConfig,
    /// Bytes of requests beyond connection memory; at least one largest frame.
    pub request_pool_bytes: u32,
    /// Bytes of responses built in memory.
    pub response_pool_bytes: u32,
    /// `socket.listen.backlog.size`.
    pub backlog: u32,
}

/// How many connections there may be, and how fast new ones come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionQuotaConfig {
    /// `max.connections`.
    pub connections_max: u32,
    /// `max.connections.per.ip`.
    pub per_address_max: u32,
    /// `max.connections.per.ip.overrides`.
    pub per_address_overrides: BTreeMap<IpAddr, u32>,
    /// `listener.name.X.max.connections`.
    pub per_listener_max: BTreeMap<ListenerName, u32>,
    /// `max.connection.creation.rate`, per second; `None` for no bound.
    pub creation_rate_max: Option<u32>,
    /// `listener.name.X.max.connection.creation.rate`.
    pub per_listener_rate: BTreeMap<ListenerName, u32>,
    /// The inter-broker listener, where there are others beside it: `max.connections` does not bind
    /// it, so that clients cannot lock brokers out.
    pub protected: Option<ListenerName>,
}

impl ConnectionQuotaConfig {
    /// How many connections an address may have.
    pub fn max_per_address(&self, address: IpAddr) -> u32 {
        let address = address.to_canonical();
        self.per_address_overrides.get(&address).copied().unwrap_or(self.per_address_max)
    }

    /// How many connections a listener may have.
    pub fn max_on_listener(&self, listener: &ListenerName) -> u32 {
        self.per_listener_max.get(listener).copied().unwrap_or(u32::MAX)
    }

    /// How many connections per second a listener may take.
    pub fn creation_rate_on_listener(&self, listener: &ListenerName) -> Option<u32> {
        self.per_listener_rate.get(listener).copied()
    }

    /// Whether the listener may exceed `max.connections`.
    pub fn is_protected(&self, listener: &ListenerName) -> bool {
        self.protected.as_ref() == Some(listener)
    }
}

impl NetworkConfig {
    pub(super) fn read(
        values: &Values,
        prefixed: &BTreeMap<String, String>,
        listeners: &crate::config::Listeners,
        problems: &mut Problems,
    ) -> NetworkConfig {
        let frame_bytes_max = positive(values.integer("socket.request.max.bytes"));
        let idle = values.integer("connections.max.idle.ms");
        let limits = ConnectionLimits {
            frame_bytes_max,
            idle_max: (idle >= 0).then(|| values.millis("connections.max.idle.ms")),
            stall_max: values.millis("klamm.connection.stall.timeout.ms"),
            send_buffer_bytes: system_unless_set(values, "socket.send.buffer.bytes"),
            receive_buffer_bytes: system_unless_set(values, "socket.receive.buffer.bytes"),
        };
        NetworkConfig {
            quotas: quotas(values, prefixed, listeners, problems),
            request_pool_bytes: request_pool(values, frame_bytes_max, problems),
            response_pool_bytes: positive(values.integer("klamm.response.memory.bytes")),
            backlog: positive(values.integer("socket.listen.backlog.size")),
            limits,
        }
    }
}

fn request_pool(values: &Values, frame_bytes_max: u32, problems: &mut Problems) -> u32 {
    const KEY: &str = "queued.max.request.bytes";
    let configured = values.integer(KEY);
    if configured > 0 && configured < i64::from(frame_bytes_max) {
        problems.invalid(
            KEY,
            &configured.to_string(),
            &format!("it must be -1 or at least socket.request.max.bytes ({frame_bytes_max})"),
        );
    }
    let bytes = if configured > 0 { configured } else { REQUEST_POOL_BYTES_DEFAULT };
    positive(bytes).max(frame_bytes_max)
}

fn quotas(
    values: &Values,
    prefixed: &BTreeMap<String, String>,
    listeners: &crate::config::Listeners,
    problems: &mut Problems,
) -> ConnectionQuotaConfig {
    let per_address_overrides = overrides(values, problems);
    let per_address_max = count(values.integer("max.connections.per.ip"));
    if per_address_max == 0 && per_address_overrides.is_empty() {
        problems.invalid(
            "max.connections.per.ip",
            "0",
            "zero is allowed only if max.connections.per.ip.overrides is set",
        );
    }
    let mut per_listener = |key: &str| {
        let mut numbers = BTreeMap::new();
        for endpoint in &listeners.broker {
            let name = format!("{}{key}", endpoint.listener.config_prefix());
            let Some(text) = prefixed.get(&name) else { continue };
            match text.trim().parse::<u32>() {
                Ok(number) => {
                    numbers.insert(endpoint.listener.clone(), number);
                }
                Err(_) => problems.invalid(&name, text, "a whole number, at least 0"),
            }
        }
        numbers
    };
    let per_listener_max = per_listener("max.connections");
    let per_listener_rate = per_listener("max.connection.creation.rate");
    let rate = count(values.integer("max.connection.creation.rate"));
    ConnectionQuotaConfig {
        connections_max: count(values.integer("max.connections")),
        per_address_max,
        per_address_overrides,
        per_listener_max,
        creation_rate_max: (rate < i32::MAX as u32).then_some(rate),
        per_listener_rate,
        protected: (listeners.broker.len() > 1).then(|| listeners.inter_broker.clone()),
    }
}

fn overrides(values: &Values, problems: &mut Problems) -> BTreeMap<IpAddr, u32> {
    const KEY: &str = "max.connections.per.ip.overrides";
    let text = values.text(KEY);
    parse_overrides(text).unwrap_or_else(|| {
        problems.invalid(
            KEY,
            text,
            "each entry has the form host:count, with a host that can be resolved",
        );
        BTreeMap::new()
    })
}

/// Reads `host:count,...`; none if an entry has no meaning. Looks up names.
pub(crate) fn parse_overrides(text: &str) -> Option<BTreeMap<IpAddr, u32>> {
    let mut overrides = BTreeMap::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (host, count) = entry.rsplit_once(':')?;
        let addresses = endpoint::resolve(host.trim_matches(['[', ']']), 0).ok()?;
        let count = count.trim().parse().ok()?;
        overrides.extend(addresses.into_iter().map(|address| (address.ip().to_canonical(), count)));
    }
    Some(overrides)
}

/// A socket buffer that somebody asked for; the system's own tuning otherwise, which a fixed size would switch off
/// (docs/adr/0011).
fn system_unless_set(values: &Values, name: &str) -> Option<u32> {
    let asked = values.is_set(name).then(|| values.integer(name))?;
    u32::try_from(asked).ok().filter(|size_bytes| *size_bytes > 0)
}

fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn positive(number: i64) -> u32 {
    u32::try_from(number.max(1)).unwrap_or(u32::MAX)
}
