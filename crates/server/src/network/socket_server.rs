//! All listeners of a node: bind, serve, stop in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use klamm_env::{Env, Listener, TaskScope};

use crate::broker::Broker;
use crate::config::{Endpoint, ListenerName, NetworkConfig};
use crate::network::acceptor::Acceptor;
use crate::network::byte_pool::BytePool;
use crate::network::connection::ConnectionShared;
use crate::network::connection_quotas::ConnectionQuotas;
use crate::network::metrics::NetworkMetrics;
use crate::network::receive_buffers::ReceiveBuffers;
use crate::request_context::{ListenerContext, ListenerKind};

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The host has no address.
    #[error("listener {listener}: host {host} cannot be resolved: {source}")]
    Resolve {
        /// Which listener.
        listener: ListenerName,
        /// As configured.
        host: String,
        /// Why.
        source: std::io::Error,
    },
    /// The address is taken or not ours.
    #[error("listener {listener}: cannot listen on {address}: {source}")]
    Listen {
        /// Which listener.
        listener: ListenerName,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Listeners that are bound (so their ports are known) and do not accept yet.
pub struct BoundListeners {
    sockets: Vec<(Endpoint, Listener)>,
}

/// The running network of a node.
pub struct SocketServer {
    accepting: TaskScope,
    serving: TaskScope,
    quotas: ConnectionQuotas,
}

impl BoundListeners {
    /// Binds every endpoint. Port 0 takes a free one.
    ///
    /// # Errors
    /// When a host cannot be resolved or an address not be taken.
    pub async fn bind(
        env: &Env,
        endpoints: &[Endpoint],
        backlog: u32,
    ) -> Result<BoundListeners, BindError> {
        let mut sockets = Vec::with_capacity(endpoints.len());
        for endpoint in endpoints {
            let socket = bind_one(env, endpoint, backlog).await?;
            sockets.push((endpoint.clone(), socket));
        }
        Ok(BoundListeners { sockets })
    }

    /// Where each listener is bound, with the port it got.
    pub fn addresses(&self) -> Vec<(ListenerName, SocketAddr)> {
        self.sockets
            .iter()
            .filter_map(|(endpoint, socket)| {
                Some((endpoint.listener.clone(), socket.local_addr().ok()?))
            })
            .collect()
    }
}

async fn bind_one(env: &Env, endpoint: &Endpoint, backlog: u32) -> Result<Listener, BindError> {
    let addresses = match endpoint.wildcard_addresses() {
        Some(addresses) => addresses,
        None => env.net().resolve(&endpoint.host, endpoint.port).await.map_err(|source| {
            let listener = endpoint.listener.clone();
            BindError::Resolve { listener, host: endpoint.host.clone(), source }
        })?,
    };
    let mut last = None;
    for address in addresses {
        match env.net().listen(address, backlog) {
            Ok(socket) => return Ok(socket),
            Err(source) => {
                let listener = endpoint.listener.clone();
                last = Some(BindError::Listen { listener, address, source });
            }
        }
    }
    Err(last.expect("a resolved host has an address"))
}

impl SocketServer {
    /// Starts accepting. Every task belongs to a child of `scope`.
    pub fn start(
        bound: BoundListeners,
        broker: Arc<Broker>,
        config: &NetworkConfig,
        scope: &TaskScope,
    ) -> SocketServer {
        let metrics = broker.with_registry(NetworkMetrics::new);
        let shared = Arc::new(ConnectionShared {
            clock: broker.env().clock().clone(),
            buffers: ReceiveBuffers::default(),
            request_bytes: BytePool::new(
                config.request_pool_bytes,
                metrics.request_bytes_in_use.clone(),
            ),
            response_bytes: BytePool::new(
                config.response_pool_bytes,
                metrics.response_bytes_in_use.clone(),
            ),
            limits: config.limits.clone(),
            metrics,
            broker,
        });
        let server = SocketServer {
            accepting: scope.child("acceptors"),
            serving: scope.child("connections"),
            quotas: ConnectionQuotas::new(config.quotas.clone()),
        };
        let next_id = Arc::new(AtomicU64::new(1));
        for (endpoint, socket) in bound.sockets {
            let acceptor = Acceptor {
                listener: Arc::new(ListenerContext {
                    name: endpoint.listener,
                    kind: ListenerKind::Broker,
                }),
                shared: Arc::clone(&shared),
                quotas: server.quotas.clone(),
                next_id: Arc::clone(&next_id),
            };
            let serving = server.serving.clone();
            let accepting = server.accepting.clone();
            server.accepting.spawn("acceptor", acceptor.run(socket, accepting, serving));
        }
        server
    }

    /// How many connections there may be; for dynamic configs.
    pub fn quotas(&self) -> &ConnectionQuotas {
        &self.quotas
    }

    /// Takes no more connections. The first step of a stop.
    pub async fn stop_accepting(&self) {
        self.accepting.cancel();
        self.accepting.join().await;
    }

    /// Reads no more requests, gives the answers that are due until `deadline` has passed, then
    /// closes what is left.
    pub async fn drain(&self, env: &Env, deadline: Duration) {
        self.serving.cancel();
        if env.clock().timeout(deadline, self.serving.join()).await.is_err() {
            let left = self.serving.running().len();
            tracing::warn!(connections = left, "closed connections with answers still due");
            self.serving.abort_all();
            self.serving.join().await;
        }
    }
}
