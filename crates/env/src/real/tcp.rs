//! The two halves of a TCP connection.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use rustix::io::Errno;
use rustix::net::RecvFlags;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

#[cfg(target_os = "linux")]
use super::file::RealFile;

/// The most that one `sendfile` is asked for, so that one connection does not keep its thread for long.
#[cfg(target_os = "linux")]
const SEND_BYTES_MAX: u64 = 1024 * 1024;

pub(crate) struct TcpReader {
    half: OwnedReadHalf,
    /// `wait_closed` has told the runtime that nothing is to be read although something may be. Until a read finds the
    /// socket empty, the runtime's own knowledge is not to be trusted.
    readiness_cleared: AtomicBool,
}

pub(crate) struct TcpWriter {
    half: OwnedWriteHalf,
}

#[expect(clippy::disallowed_types, reason = "this is the network that the bans point to")]
pub(crate) fn split(stream: tokio::net::TcpStream) -> (TcpReader, TcpWriter) {
    let (reader, writer) = stream.into_split();
    let reader = TcpReader { half: reader, readiness_cleared: AtomicBool::new(false) };
    (reader, TcpWriter { half: writer })
}

impl TcpReader {
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if *self.readiness_cleared.get_mut() && buffer.remaining() > 0 {
            let unfilled = buffer.initialize_unfilled();
            let wanted = unfilled.len();
            match rustix::net::recv(self.half.as_ref(), unfilled, RecvFlags::empty()) {
                Ok((count, _)) => {
                    // A short read has emptied the socket; what comes later raises a new event.
                    *self.readiness_cleared.get_mut() = count == wanted;
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(Errno::AGAIN) => *self.readiness_cleared.get_mut() = false,
                Err(Errno::INTR) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Err(errno) => return Poll::Ready(Err(errno.into())),
            }
        }
        Pin::new(&mut self.half).poll_read(cx, buffer)
    }

    /// See [`crate::StreamReader::wait_closed`]. Nothing is read meanwhile, since reading takes `&mut self`.
    pub(crate) async fn wait_closed(&self) {
        loop {
            match self.half.ready(Interest::READABLE).await {
                Ok(ready) if !ready.is_read_closed() && !ready.is_error() => {}
                _ => return,
            }
            // Bytes that nobody reads: forget the event, so that the next one (more bytes, or the end) wakes us.
            self.readiness_cleared.store(true, Ordering::Relaxed);
            let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = self.half.as_ref().try_io(Interest::READABLE, nothing);
        }
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.half.peer_addr()
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.half.local_addr()
    }
}

impl TcpWriter {
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.half).poll_write(cx, bytes)
    }

    pub(crate) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.half).poll_write_vectored(cx, slices)
    }

    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.half).poll_shutdown(cx)
    }

    /// See [`crate::StreamWriter::send_file_some`]. Holds a descriptor of the file only while the socket takes bytes.
    #[cfg(target_os = "linux")]
    pub(crate) async fn send_file_some(
        &self,
        file: &std::sync::Arc<RealFile>,
        position: u64,
        len: u64,
    ) -> io::Result<u64> {
        use crate::error::DiskError;
        let socket = self.half.as_ref();
        loop {
            socket.writable().await?;
            let descriptor = file.descriptor()?;
            let result = socket.try_io(Interest::WRITABLE, || {
                let mut from = position;
                let count = len.min(SEND_BYTES_MAX) as usize;
                rustix::fs::sendfile(socket, &*descriptor, Some(&mut from), count)
                    .map_err(io::Error::from)
            });
            drop(descriptor);
            tokio::task::coop::consume_budget().await;
            match result {
                Ok(0) => {
                    let text = format!("file ends {len} bytes early");
                    let cause = io::Error::new(io::ErrorKind::UnexpectedEof, text);
                    return Err(DiskError::wrap("send", &file.path(), cause));
                }
                Ok(count) => return Ok(count as u64),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.raw_os_error() == Some(libc::EIO) => {
                    return Err(DiskError::wrap("send", &file.path(), e));
                }
                Err(e) => return Err(e),
            }
        }
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.half.peer_addr()
    }

    pub(crate) fn set_nodelay(&self) -> io::Result<()> {
        self.half.as_ref().set_nodelay(true)
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn set_cork(&self, corked: bool) -> io::Result<()> {
        SockRef::from(self.half.as_ref()).set_tcp_cork(corked)
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn set_cork(&self, _corked: bool) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn set_keepalive(&self) -> io::Result<()> {
        SockRef::from(self.half.as_ref()).set_keepalive(true)
    }

    pub(crate) fn set_send_buffer_bytes(&self, bytes: usize) -> io::Result<()> {
        SockRef::from(self.half.as_ref()).set_send_buffer_size(bytes)
    }

    pub(crate) fn set_receive_buffer_bytes(&self, bytes: usize) -> io::Result<()> {
        SockRef::from(self.half.as_ref()).set_recv_buffer_size(bytes)
    }
}
