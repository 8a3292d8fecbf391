//! A listener of `env` for axum: bounded in connections, and no connection may sit idle.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use klamm_env::{Clock, Listener, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

/// Pause after an accept that failed, so that a lack of descriptors does not spin.
const ACCEPT_RETRY: Duration = Duration::from_millis(250);

/// Accepts HTTP connections.
pub(crate) struct HttpListener {
    pub(crate) socket: Listener,
    pub(crate) clock: Clock,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) idle_max: Duration,
}

impl axum::serve::Listener for HttpListener {
    type Io = HttpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (HttpStream, SocketAddr) {
        loop {
            let place = Arc::clone(&self.places)
                .acquire_owned()
                .await
                .expect("the semaphore of places is never closed");
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    let idle = Box::pin(self.clock.sleep(self.idle_max));
                    let clock = self.clock.clone();
                    let idle_max = self.idle_max;
                    return (HttpStream { stream, clock, idle, idle_max, _place: place }, peer);
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept on the HTTP port");
                    self.clock.sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// A connection that fails once nothing has moved for too long, and holds its place until dropped.
pub(crate) struct HttpStream {
    stream: Stream,
    clock: Clock,
    idle: Pin<Box<Sleep>>,
    idle_max: Duration,
    _place: OwnedSemaphorePermit,
}

impl HttpStream {
    fn watched<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match polled {
            Poll::Pending if self.idle.as_mut().poll(cx).is_ready() => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
            ready => {
                self.idle.as_mut().reset(self.clock.now() + self.idle_max);
                ready
            }
        }
    }
}

impl AsyncRead for HttpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.watched(cx, polled)
    }
}

impl AsyncWrite for HttpStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
