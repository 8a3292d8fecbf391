//! The HTTP port from start to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener as _;
use klamm_env::{Env, TaskScope};
use tokio::sync::Semaphore;

use crate::http_listener::HttpListener;
use crate::introspect::Introspect;
use crate::routes::routes;

/// How long a stop waits for answers on their way before it cuts them off.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

const BACKLOG: u32 = 64;

/// Bounds of the HTTP port.
#[derive(Debug, Clone, Copy)]
pub struct GatewayOptions {
    /// Most open connections; more wait to be accepted.
    pub connections_max: usize,
    /// How long a connection may sit without a byte moving.
    pub idle_max: Duration,
}

impl Default for GatewayOptions {
    fn default() -> GatewayOptions {
        GatewayOptions { connections_max: 64, idle_max: Duration::from_secs(30) }
    }
}

/// A running HTTP port.
pub struct HttpHandle {
    address: SocketAddr,
    env: Env,
    scope: TaskScope,
}

/// Opens the HTTP port and serves the node behind `node`. Port 0 takes a free one.
///
/// # Errors
/// When the address cannot be taken.
pub fn serve(
    env: &Env,
    address: SocketAddr,
    node: Arc<dyn Introspect>,
    options: GatewayOptions,
) -> io::Result<HttpHandle> {
    let listener = HttpListener {
        socket: env.net().listen(address, BACKLOG)?,
        clock: env.clock().clone(),
        places: Arc::new(Semaphore::new(options.connections_max)),
        idle_max: options.idle_max,
    };
    let address = listener.local_addr()?;
    let scope = env.scope("http");
    let stop = scope.cancelled();
    scope.spawn("serve", async move {
        let served = axum::serve(listener, routes(node)).with_graceful_shutdown(stop).await;
        if let Err(error) = served {
            tracing::error!(%error, "the HTTP port has failed");
        }
    });
    Ok(HttpHandle { address, env: env.clone(), scope })
}

impl HttpHandle {
    /// Where it listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets answers on their way finish for a second, and closes.
    pub async fn shutdown(self) {
        self.scope.cancel();
        if self.env.clock().timeout(STOP_PATIENCE, self.scope.join()).await.is_err() {
            self.scope.abort_all();
            self.scope.join().await;
        }
    }
}
