//! One task per listener: accepts within the quotas and gives each connection its task.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use klamm_env::{Listener, Stream, TaskScope};

use crate::network::connection::{ConnectionShared, ConnectionTask};
use crate::network::connection_quotas::ConnectionQuotas;
use crate::request_context::{Connection, ListenerContext};

/// Pause after an accept that failed (descriptors are used up), so that the log is not flooded.
const ACCEPT_RETRY: Duration = Duration::from_millis(250);

/// Accepts connections of one listener.
pub struct Acceptor {
    /// Name and kind.
    pub listener: Arc<ListenerContext>,
    /// What its connections share with all others.
    pub shared: Arc<ConnectionShared>,
    /// How many there may be.
    pub quotas: ConnectionQuotas,
    /// Numbers connections across listeners.
    pub next_id: Arc<AtomicU64>,
}

impl Acceptor {
    /// Accepts until `accepting` is cancelled; connections belong to `serving`.
    pub async fn run(self, socket: Listener, accepting: TaskScope, serving: TaskScope) {
        let clock = self.shared.clock.clone();
        loop {
            let next = async {
                self.quotas.ready(&self.listener.name, &clock).await;
                socket.accept().await
            };
            let accepted = tokio::select! {
                biased;
                () = accepting.cancelled() => return,
                accepted = next => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer, &serving),
                Err(error) => {
                    tracing::warn!(listener = %self.listener.name, %error, "cannot accept");
                    clock.sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }

    fn admit(&self, stream: Stream, peer: std::net::SocketAddr, serving: &TaskScope) {
        let now = self.shared.clock.now();
        let slot = match self.quotas.admit(&self.listener.name, peer.ip(), now) {
            Ok(slot) => slot,
            Err(refusal) => {
                self.shared.metrics.refused(&self.listener);
                tracing::debug!(listener = %self.listener.name, reason = %refusal, "dropped a connection");
                return;
            }
        };
        if let Err(error) = self.prepare(&stream) {
            tracing::debug!(%peer, %error, "connection was gone before it was served");
            return;
        }
        let Ok(local) = stream.local_addr() else { return };
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let connection = Connection::new(id, Arc::clone(&self.listener), peer, local);
        let counted = self.shared.metrics.connected(&self.listener);
        let task = ConnectionTask::new(Arc::clone(&self.shared), connection, stream);
        let scope = serving.clone();
        serving.spawn("connection", async move {
            let _end = task.run(scope).await;
            drop((slot, counted));
        });
    }

    fn prepare(&self, stream: &Stream) -> std::io::Result<()> {
        stream.set_nodelay()?;
        let limits = &self.shared.limits;
        if let Some(size_bytes) = limits.send_buffer_bytes {
            stream.set_send_buffer_bytes(size_bytes as usize)?;
        }
        if let Some(size_bytes) = limits.receive_buffer_bytes {
            stream.set_receive_buffer_bytes(size_bytes as usize)?;
        }
        Ok(())
    }
}
