//! A node from start to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use klamm_env::{Env, TaskScope};
use prometheus_client::registry::Registry;

use crate::broker::Broker;
use crate::config::{Endpoint, ListenerName, ServerConfig};
use crate::lifecycle::{
    self, ConnectionLimitPublisher, FeaturePublisher, Lifecycle, Started, StorageStartError,
};
use crate::network::socket_server::{BindError, BoundListeners, SocketServer};

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener could not be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// What stands behind the sockets could not be brought up.
    #[error(transparent)]
    Storage(#[from] StorageStartError),
}

/// Starts nodes.
#[derive(Debug)]
pub struct Server;

/// A running node.
pub struct ServerHandle {
    env: Env,
    broker: Arc<Broker>,
    sockets: SocketServer,
    lifecycle: Lifecycle,
    scope: TaskScope,
    addresses: Vec<(ListenerName, SocketAddr)>,
}

impl Server {
    /// Starts a node: sockets are bound first (so that ports are known), then everything behind
    /// them comes up, and connections are accepted last.
    ///
    /// # Errors
    /// When a listener cannot be opened.
    pub async fn start(config: ServerConfig, env: Env) -> Result<ServerHandle, StartError> {
        let config = Arc::new(with_descriptors(config, &env));
        let bound =
            BoundListeners::bind(&env, &config.listeners.broker, config.network.backlog).await?;
        let addresses = bound.addresses();
        let advertised = with_ports(&config.listeners.advertised, &addresses);
        let scope = env.scope("server");
        let mut registry = Registry::default();
        let Started { services, lifecycle } =
            lifecycle::start(&env, &config, &advertised, &mut registry).await?;
        let broker =
            Arc::new(Broker::new(env.clone(), Arc::clone(&config), advertised, services, registry));
        let features = FeaturePublisher::new(&broker);
        broker
            .controller()
            .add_publisher(Arc::new(features))
            .await
            .map_err(StorageStartError::from)?;
        let sockets = SocketServer::start(bound, Arc::clone(&broker), &config.network, &scope);
        let limits = ConnectionLimitPublisher { config, quotas: sockets.quotas().clone() };
        broker
            .controller()
            .add_publisher(Arc::new(limits))
            .await
            .map_err(StorageStartError::from)?;
        Ok(ServerHandle { env, broker, sockets, lifecycle, scope, addresses })
    }
}

/// Descriptors that are neither files' nor connections': listeners, directories, the HTTP port.
const DESCRIPTORS_KEPT_FREE: usize = 64;

/// Accepts no more connections than there are descriptors for them.
fn with_descriptors(mut config: ServerConfig, env: &Env) -> ServerConfig {
    let descriptors = env.descriptors();
    let for_connections = descriptors
        .process_max
        .saturating_sub(descriptors.files_max + config.http_connections_max + DESCRIPTORS_KEPT_FREE)
        .max(16);
    let for_connections = u32::try_from(for_connections).unwrap_or(u32::MAX);
    config.connections_possible = for_connections;
    let quotas = &mut config.network.quotas;
    quotas.connections_max = quotas.connections_max.min(for_connections);
    config
}

/// Fills in the ports that were free and taken.
fn with_ports(advertised: &[Endpoint], bound: &[(ListenerName, SocketAddr)]) -> Vec<Endpoint> {
    let mut advertised = advertised.to_vec();
    for endpoint in advertised.iter_mut().filter(|endpoint| endpoint.port == 0) {
        if let Some((_, address)) = bound.iter().find(|(name, _)| *name == endpoint.listener) {
            endpoint.port = address.port();
        }
    }
    advertised
}

impl ServerHandle {
    /// Where each listener is bound, with the port it got.
    pub fn addresses(&self) -> &[(ListenerName, SocketAddr)] {
        &self.addresses
    }

    /// What handlers work on.
    pub fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    /// Stops in order: no new connections, answers that are due until the drain deadline, then
    /// everything behind. Returns when no task of the node is left.
    pub async fn shutdown(self) {
        self.sockets.stop_accepting().await;
        self.lifecycle.controlled_shutdown().await;
        self.sockets.drain(&self.env, self.broker.config().drain_timeout).await;
        self.scope.cancel();
        self.scope.join().await;
        self.lifecycle.stop().await;
    }

    /// Completes when the node cannot go on, with the reason. Cancel safe.
    pub async fn failed(&self) -> String {
        self.lifecycle.failed().await
    }
}

impl std::fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerHandle").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
