//! Everything a handler may know about where a request came from.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use klamm_protocol::{ApiKey, Str};
use tokio::time::Instant;

use crate::config::ListenerName;

/// Who is asking, as Kafka's `KafkaPrincipal`: a type and a name, `User:ANONYMOUS` unless a
/// listener authenticates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Principal {
    /// The kind of principal; `User` for all that clients can be.
    pub kind: Arc<str>,
    /// The name within the kind.
    pub name: Arc<str>,
}

impl Principal {
    /// A user by name.
    pub fn user(name: &str) -> Principal {
        Principal { kind: Arc::from("User"), name: Arc::from(name) }
    }

    /// `User:ANONYMOUS`, whoever comes in on a plain listener.
    pub fn anonymous() -> Principal {
        Principal::user("ANONYMOUS")
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)
    }
}

/// Name and version that a client told in ApiVersions (KIP-511); empty until then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientSoftware {
    /// For example `apache-kafka-java`.
    pub name: Str,
    /// For example `4.3.1`.
    pub version: Str,
}

/// Whether a listener serves clients and brokers, or the controller quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// An ordinary listener.
    Broker,
    /// One of `controller.listener.names`.
    Controller,
}

/// The listener a connection came in on.
#[derive(Debug, Clone)]
pub struct ListenerContext {
    /// Its name, upper case, as Metadata needs it to find the advertised address.
    pub name: ListenerName,
    /// What may be asked here.
    pub kind: ListenerKind,
}

/// One accepted connection, shared by its requests.
#[derive(Debug)]
pub struct Connection {
    /// Unique within the life of this process.
    pub id: u64,
    /// Where it came in.
    pub listener: Arc<ListenerContext>,
    /// The other end.
    pub peer: SocketAddr,
    /// Our end.
    pub local: SocketAddr,
    /// Who it is. Anonymous until the security issue brings authentication.
    pub principal: Principal,
    software: ArcSwap<ClientSoftware>,
}

impl Connection {
    /// A connection that has said nothing yet.
    pub fn new(
        id: u64,
        listener: Arc<ListenerContext>,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Connection {
        Connection {
            id,
            listener,
            peer,
            local,
            principal: Principal::anonymous(),
            software: ArcSwap::from_pointee(ClientSoftware::default()),
        }
    }

    /// What the client said it is.
    pub fn software(&self) -> Arc<ClientSoftware> {
        self.software.load_full()
    }

    /// Remembers what the client said it is, for this connection's later requests.
    pub fn set_software(&self, software: ClientSoftware) {
        self.software.store(Arc::new(software));
    }
}

/// One request's surroundings. Cheap to clone into a future.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Which API.
    pub api_key: ApiKey,
    /// In which version; within the range of its row.
    pub api_version: i16,
    /// Echoed in the response header.
    pub correlation_id: i32,
    /// As sent; an absent id is `None`, an empty one stays empty.
    pub client_id: Option<Str>,
    /// The connection, its listener, its addresses.
    pub connection: Arc<Connection>,
    /// Who is asking.
    pub principal: Principal,
    /// What is asking.
    pub software: Arc<ClientSoftware>,
    /// When the last byte of the request had arrived.
    pub received_at: Instant,
    /// When an answer is due if the request names no timeout of its own (`request.timeout.ms`).
    pub deadline: Instant,
    /// Size of the frame without its length prefix, in bytes.
    pub request_size_bytes: usize,
    /// The span that log lines of this request belong to.
    pub span: tracing::Span,
}

impl RequestContext {
    /// The listener the client came in on.
    pub fn listener(&self) -> &ListenerContext {
        &self.connection.listener
    }

    /// The client id, or `""`.
    pub fn client_id(&self) -> &str {
        self.client_id.as_deref().unwrap_or("")
    }
}
