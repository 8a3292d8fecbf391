//! `NAME://host:port`: one listener, as `listeners` and `advertised.listeners` write it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

/// A listener's name, upper case (Kafka: `ListenerName.normalised`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerName(Arc<str>);

impl ListenerName {
    /// Upper-cases and trims.
    pub fn new(name: &str) -> ListenerName {
        ListenerName(Arc::from(name.trim().to_uppercase()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The prefix of this listener's own configs.
    pub fn config_prefix(&self) -> String {
        format!("listener.name.{}.", self.0.to_lowercase())
    }
}

impl fmt::Display for ListenerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is spoken below Kafka's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum SecurityProtocol {
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl SecurityProtocol {
    /// By its name, whatever the case.
    pub fn for_name(name: &str) -> Option<SecurityProtocol> {
        match name.to_uppercase().as_str() {
            "PLAINTEXT" => Some(SecurityProtocol::Plaintext),
            "SSL" => Some(SecurityProtocol::Ssl),
            "SASL_PLAINTEXT" => Some(SecurityProtocol::SaslPlaintext),
            "SASL_SSL" => Some(SecurityProtocol::SaslSsl),
            _ => None,
        }
    }

    /// Kafka's name.
    pub fn name(self) -> &'static str {
        match self {
            SecurityProtocol::Plaintext => "PLAINTEXT",
            SecurityProtocol::Ssl => "SSL",
            SecurityProtocol::SaslPlaintext => "SASL_PLAINTEXT",
            SecurityProtocol::SaslSsl => "SASL_SSL",
        }
    }

    /// Kafka's code, as BrokerRegistration writes it.
    pub fn code(self) -> i16 {
        match self {
            SecurityProtocol::Plaintext => 0,
            SecurityProtocol::Ssl => 1,
            SecurityProtocol::SaslPlaintext => 2,
            SecurityProtocol::SaslSsl => 3,
        }
    }
}

/// Where a listener is bound, or what clients are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Which listener.
    pub listener: ListenerName,
    /// Name or address; empty for all interfaces.
    pub host: String,
    /// 0 for any free port.
    pub port: u16,
    /// What is spoken there.
    pub protocol: SecurityProtocol,
}

/// Text that is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not of the form NAME://host:port, like PLAINTEXT://localhost:9092")]
pub struct EndpointError {
    /// As given.
    pub text: String,
}

/// Splits `NAME://host:port`; the host may stand in brackets, or be missing.
pub(super) fn split(text: &str) -> Result<(ListenerName, String, u16), EndpointError> {
    let wrong = || EndpointError { text: text.to_owned() };
    let (name, address) = text.trim().split_once("://").ok_or_else(wrong)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-%._:".contains(c);
    if name.is_empty() || !host.chars().all(allowed) {
        return Err(wrong());
    }
    Ok((ListenerName::new(name), host.to_owned(), port))
}

impl Endpoint {
    /// Whether it means all interfaces.
    pub fn is_wildcard(&self) -> bool {
        self.host.is_empty()
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
    }

    /// Addresses to try to bind where no host is given, best first: both families on one socket, and
    /// where there is no IPv6 the other alone. `None` where a host is given.
    pub fn wildcard_addresses(&self) -> Option<Vec<SocketAddr>> {
        let all = [IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::UNSPECIFIED)];
        self.host
            .is_empty()
            .then(|| all.map(|address| SocketAddr::new(address, self.port)).to_vec())
    }

    /// `host:port`, with brackets where needed.
    pub fn address(&self) -> String {
        match self.host.parse::<Ipv6Addr>() {
            Ok(address) => format!("[{address}]:{}", self.port),
            Err(_) => format!("{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.listener, self.address())
    }
}

/// Addresses of a host, at least one. `localhost` is known without asking anybody.
pub(super) fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)]);
    }
    let addresses: Vec<_> = (host, port).to_socket_addrs()?.collect();
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_as_kafka_reads_them() {
        let read = |text| split(text).map(|(name, host, port)| (name.to_string(), host, port));
        let got = |name: &str, host: &str, port| Ok((name.to_owned(), host.to_owned(), port));
        assert_eq!(read("PLAINTEXT://localhost:9092"), got("PLAINTEXT", "localhost", 9092));
        assert_eq!(read(" client://:0 "), got("CLIENT", "", 0));
        assert_eq!(read("A://[::1]:1"), got("A", "::1", 1));
        assert_eq!(read("A://fe80::1%eth0:1"), got("A", "fe80::1%eth0", 1));
        for bad in
            ["", "localhost:9092", "A://", "A://h", "A://h:x", "A://h:70000", "://h:1", "A://h h:1"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
