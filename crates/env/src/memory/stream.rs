//! The two halves of an in-memory connection.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::time::Sleep;

use super::pipe::{Pipe, ReadOutcome};

/// The addresses of one end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) local: SocketAddr,
    pub(crate) peer: SocketAddr,
}

pub(crate) struct MemoryReader {
    pipe: Arc<Pipe>,
    addresses: Addresses,
    /// Runs while bytes are under way.
    arrival: Option<Pin<Box<Sleep>>>,
}

pub(crate) struct MemoryWriter {
    pipe: Arc<Pipe>,
    addresses: Addresses,
}

/// Both ends of a connection between two addresses over two pipes.
pub(crate) fn join(
    (a, b): (SocketAddr, SocketAddr),
    (a_to_b, b_to_a): (Arc<Pipe>, Arc<Pipe>),
) -> [(MemoryReader, MemoryWriter); 2] {
    let end = |local, peer, incoming: &Arc<Pipe>, outgoing: &Arc<Pipe>| {
        let addresses = Addresses { local, peer };
        let reader = MemoryReader { pipe: Arc::clone(incoming), addresses, arrival: None };
        (reader, MemoryWriter { pipe: Arc::clone(outgoing), addresses })
    };
    [end(a, b, &b_to_a, &a_to_b), end(b, a, &a_to_b, &b_to_a)]
}

impl MemoryReader {
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            match ready!(self.pipe.poll_read(cx, buffer.initialize_unfilled())) {
                ReadOutcome::Bytes(count) => {
                    self.arrival = None;
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                ReadOutcome::Reset => {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                ReadOutcome::NotBefore(at) => {
                    let arrival = match &mut self.arrival {
                        Some(arrival) if arrival.deadline() == at => arrival,
                        slot => slot.insert(Box::pin(tokio::time::sleep_until(at))),
                    };
                    ready!(arrival.as_mut().poll(cx));
                }
            }
        }
    }

    pub(crate) async fn wait_closed(&self) {
        self.pipe.wait_finished().await;
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }
}

impl MemoryWriter {
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.pipe.poll_write(cx, bytes)
    }

    pub(crate) fn finish(&self) {
        self.pipe.finish();
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }
}

impl Drop for MemoryReader {
    fn drop(&mut self) {
        self.pipe.abandon();
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        self.pipe.finish();
    }
}
