//! The rules for listeners (Kafka: `AbstractKafkaConfig`, `KafkaConfig.validateValues`).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::config::endpoint::{self, Endpoint, ListenerName, SecurityProtocol};
use crate::config::load::Problems;
use crate::config::server_config::Values;

/// What this node listens on and what it tells clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listeners {
    /// Listeners for clients and brokers: these are bound.
    pub broker: Vec<Endpoint>,
    /// Listeners of the controller quorum. Known and checked, so that Kafka's file is read as it
    /// is; a single node talks to its controller in process and nothing is bound here.
    pub controller: Vec<Endpoint>,
    /// What clients are told, by listener. Port 0 stands for the port that was bound.
    pub advertised: Vec<Endpoint>,
    /// The listener of brokers among themselves.
    pub inter_broker: ListenerName,
    /// `controller.listener.names`, in order.
    pub controller_names: Vec<ListenerName>,
}

impl Listeners {
    /// What clients of a listener are told.
    pub fn advertised_on(&self, listener: &ListenerName) -> Option<&Endpoint> {
        self.advertised.iter().find(|endpoint| endpoint.listener == *listener)
    }

    /// Reads and checks all listener configs. `hostname` is advertised where a listener is bound to
    /// all interfaces; `None` if this machine's name cannot be resolved.
    pub(super) fn read(
        values: &Values,
        hostname: Option<&str>,
        problems: &mut Problems,
    ) -> Option<Listeners> {
        let controller_names: Vec<_> = values
            .list("controller.listener.names")
            .iter()
            .map(|name| ListenerName::new(name))
            .collect();
        let protocols = protocol_map(values, &controller_names, problems)?;
        let all = endpoints("listeners", values.list("listeners"), &protocols, problems)?;
        check_distinct(&all, values.list("listeners"), problems);
        for endpoint in &all {
            refuse_insecure_promise(endpoint, problems);
        }
        let (controller, broker): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|endpoint| controller_names.contains(&endpoint.listener));
        let advertised = advertised(values, &broker, &controller_names, &protocols, problems)?;
        let advertised = routable(advertised, hostname, problems);
        let inter_broker = inter_broker(values, &protocols, problems)?;
        let listeners =
            Listeners { broker, controller, advertised, inter_broker, controller_names };
        listeners.check(problems);
        Some(listeners)
    }

    fn check(&self, problems: &mut Problems) {
        let bound: BTreeSet<_> = self.broker.iter().map(|endpoint| &endpoint.listener).collect();
        let told: BTreeSet<_> = self.advertised.iter().map(|endpoint| &endpoint.listener).collect();
        if told.is_empty() {
            problems.add(
                "There must be at least one broker advertised listener. Perhaps all listeners \
                 appear in controller.listener.names?",
            );
            return;
        }
        if !told.contains(&self.inter_broker) {
            problems.add(format!(
                "inter.broker.listener.name must be a listener name defined in \
                 advertised.listeners. The valid options based on currently configured listeners \
                 are {}",
                names(&told)
            ));
        }
        if !told.is_subset(&bound) {
            problems.add(format!(
                "advertised.listeners listener names must be equal to or a subset of the ones \
                 defined in listeners. Found {}. The valid options based on the current \
                 configuration are {}",
                names(&told),
                names(&bound)
            ));
        }
        let bound_controllers: BTreeSet<_> =
            self.controller.iter().map(|endpoint| &endpoint.listener).collect();
        if self.controller_names.iter().any(|name| !bound_controllers.contains(name)) {
            problems.add(
                "controller.listener.names must only contain values appearing in the 'listeners' \
                 configuration when running the KRaft controller role",
            );
        }
        if self.controller_names.is_empty() {
            problems.add(
                "controller.listener.names must contain at least one value appearing in the \
                 'listeners' configuration when running the KRaft controller role",
            );
        }
    }
}

fn names(set: &BTreeSet<&ListenerName>) -> String {
    set.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",")
}

type ProtocolMap = BTreeMap<ListenerName, SecurityProtocol>;

fn protocol_map(
    values: &Values,
    controller_names: &[ListenerName],
    problems: &mut Problems,
) -> Option<ProtocolMap> {
    const KEY: &str = "listener.security.protocol.map";
    let mut map = ProtocolMap::new();
    for entry in values.text(KEY).split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let Some((name, protocol)) = entry.rsplit_once(':') else {
            problems.invalid(KEY, entry, "each entry has the form NAME:PROTOCOL");
            return None;
        };
        let Some(protocol) = SecurityProtocol::for_name(protocol.trim()) else {
            problems.invalid(
                KEY,
                entry,
                "the protocol must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL",
            );
            return None;
        };
        map.insert(ListenerName::new(name), protocol);
    }
    // Controller listeners speak PLAINTEXT where nobody says otherwise and nothing is secured.
    let secured = |name: &ListenerName| {
        SecurityProtocol::for_name(name.as_str())
            .is_some_and(|protocol| protocol != SecurityProtocol::Plaintext)
    };
    let listener_names = values
        .list("listeners")
        .iter()
        .filter_map(|text| text.split_once(':').map(|(name, _)| ListenerName::new(name)));
    if !values.is_set(KEY)
        && !controller_names.iter().any(secured)
        && !listener_names.collect::<Vec<_>>().iter().any(secured)
    {
        for name in controller_names {
            map.insert(name.clone(), SecurityProtocol::Plaintext);
        }
    }
    Some(map)
}

fn endpoints(
    key: &str,
    texts: &[String],
    protocols: &ProtocolMap,
    problems: &mut Problems,
) -> Option<Vec<Endpoint>> {
    let mut endpoints = Vec::with_capacity(texts.len());
    for text in texts {
        match endpoint::split(text) {
            Err(error) => problems.invalid(key, text, &error.to_string()),
            Ok((listener, host, port)) => match protocols.get(&listener) {
                Some(protocol) => {
                    let protocol = *protocol;
                    endpoints.push(Endpoint { listener, host, port, protocol });
                }
                None => problems.invalid(
                    key,
                    text,
                    &format!("listener.security.protocol.map names no protocol for {listener}"),
                ),
            },
        }
    }
    (endpoints.len() == texts.len()).then_some(endpoints)
}

fn check_distinct(endpoints: &[Endpoint], texts: &[String], problems: &mut Problems) {
    let distinct: BTreeSet<_> = endpoints.iter().map(|endpoint| &endpoint.listener).collect();
    if distinct.len() != endpoints.len() {
        let all = texts.join(",");
        problems.invalid("listeners", &all, "each listener must have a different name");
    }
    for (index, one) in endpoints.iter().enumerate() {
        for other in &endpoints[index + 1..] {
            if one.port != 0 && one.port == other.port && !of_both_families(one, other) {
                problems.invalid(
                    "listeners",
                    &texts.join(","),
                    "each listener must have a different port, unless one of the two has an IPv4 \
                     address and the other an IPv6 address",
                );
            }
        }
    }
}

fn of_both_families(one: &Endpoint, other: &Endpoint) -> bool {
    match (one.host.parse::<IpAddr>(), other.host.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one.is_ipv4() != other.is_ipv4(),
        _ => false,
    }
}

/// A listener that promises security which is not there yet is refused, never opened in the clear.
fn refuse_insecure_promise(endpoint: &Endpoint, problems: &mut Problems) {
    if endpoint.protocol != SecurityProtocol::Plaintext {
        problems.invalid(
            "listeners",
            &endpoint.to_string(),
            &format!(
                "{} listeners come with security in a later release; only PLAINTEXT can be served",
                endpoint.protocol.name()
            ),
        );
    }
}

fn advertised(
    values: &Values,
    broker: &[Endpoint],
    controller_names: &[ListenerName],
    protocols: &ProtocolMap,
    problems: &mut Problems,
) -> Option<Vec<Endpoint>> {
    const KEY: &str = "advertised.listeners";
    let texts = values.list(KEY);
    if texts.is_empty() {
        return Some(broker.to_vec());
    }
    let mut told = endpoints(KEY, texts, protocols, problems)?;
    let distinct: BTreeSet<_> = told.iter().map(|endpoint| &endpoint.listener).collect();
    if distinct.len() != told.len() {
        problems.invalid(KEY, &texts.join(","), "each listener must have a different name");
    }
    for endpoint in &told {
        if endpoint.host == "0.0.0.0" {
            problems.invalid(
                KEY,
                &endpoint.to_string(),
                "it cannot use the nonroutable meta-address 0.0.0.0; use an address that clients \
                 can reach",
            );
        }
    }
    told.retain(|endpoint| !controller_names.contains(&endpoint.listener));
    Some(told)
}

/// Gives listeners on all interfaces a name that clients can use, or refuses with a hint.
fn routable(
    advertised: Vec<Endpoint>,
    hostname: Option<&str>,
    problems: &mut Problems,
) -> Vec<Endpoint> {
    let name_it = |mut endpoint: Endpoint| {
        if !endpoint.is_wildcard() {
            return endpoint;
        }
        match hostname {
            Some(hostname) => endpoint.host = hostname.to_owned(),
            None => problems.invalid(
                "listeners",
                &endpoint.to_string(),
                &format!(
                    "it listens on all interfaces, and this machine's own name cannot be resolved, \
                     so clients cannot be told where to go; set advertised.listeners, for example \
                     advertised.listeners={}://localhost:{}",
                    endpoint.listener, endpoint.port
                ),
            ),
        }
        endpoint
    };
    advertised.into_iter().map(name_it).collect()
}

fn inter_broker(
    values: &Values,
    protocols: &ProtocolMap,
    problems: &mut Problems,
) -> Option<ListenerName> {
    const NAME: &str = "inter.broker.listener.name";
    const PROTOCOL: &str = "security.inter.broker.protocol";
    if !values.is_set(NAME) {
        return Some(ListenerName::new(values.text(PROTOCOL)));
    }
    if values.is_set(PROTOCOL) {
        problems.add(format!("Only one of {NAME} and {PROTOCOL} should be set."));
    }
    let name = ListenerName::new(values.text(NAME));
    if !protocols.contains_key(&name) {
        problems.add(format!(
            "Listener with name {name} defined in {NAME} not found in \
             listener.security.protocol.map."
        ));
        return None;
    }
    Some(name)
}
