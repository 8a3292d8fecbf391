//! `Stream`: a connection, over TCP or within the process.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use crate::file::File;
use crate::memory::{self, MemoryReader, MemoryWriter, Pipe};
use crate::real::{TcpReader, TcpWriter};

/// What `send_file` reads at a time where it cannot hand the file to the kernel.
const COPY_BYTES: usize = 64 * 1024;

/// A connection. Dropping it closes both directions.
pub struct Stream {
    reader: StreamReader,
    writer: StreamWriter,
}

/// The half that receives.
pub struct StreamReader {
    kind: ReaderKind,
}

/// The half that sends. Dropping it, or shutting it down, tells the peer that nothing more comes.
pub struct StreamWriter {
    kind: WriterKind,
}

enum ReaderKind {
    Tcp(TcpReader),
    Memory(MemoryReader),
}

enum WriterKind {
    Tcp(TcpWriter),
    Memory(MemoryWriter),
}

impl Stream {
    pub(crate) fn tcp((reader, writer): (TcpReader, TcpWriter)) -> Stream {
        Stream {
            reader: StreamReader { kind: ReaderKind::Tcp(reader) },
            writer: StreamWriter { kind: WriterKind::Tcp(writer) },
        }
    }

    pub(crate) fn memory((reader, writer): (MemoryReader, MemoryWriter)) -> Stream {
        Stream {
            reader: StreamReader { kind: ReaderKind::Memory(reader) },
            writer: StreamWriter { kind: WriterKind::Memory(writer) },
        }
    }

    /// Both ends of a connection within the process that buffers so many bytes in each direction. Both addresses are
    /// `127.0.0.1:0`.
    pub fn pair(buffer_bytes: usize) -> (Stream, Stream) {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let pipe = || Arc::new(Pipe::new(buffer_bytes, None));
        let [a, b] = memory::join((nowhere, nowhere), (pipe(), pipe()));
        (Stream::memory(a), Stream::memory(b))
    }

    /// The halves, for a task that reads and writes at once.
    pub fn into_split(self) -> (StreamReader, StreamWriter) {
        (self.reader, self.writer)
    }

    /// As [`StreamWriter::send_file`].
    pub async fn send_file(&mut self, file: &File, position: u64, len: u64) -> io::Result<()> {
        self.writer.send_file(file, position, len).await
    }

    /// As [`StreamWriter::send_file_some`].
    pub async fn send_file_some(
        &mut self,
        file: &File,
        position: u64,
        len: u64,
    ) -> io::Result<u64> {
        self.writer.send_file_some(file, position, len).await
    }

    /// As [`StreamReader::wait_closed`].
    pub async fn wait_closed(&self) {
        self.reader.wait_closed().await;
    }

    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.reader.peer_addr()
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.reader.local_addr()
    }

    /// Sends small writes at once (`TCP_NODELAY`). Without effect within the process, as all options here.
    pub fn set_nodelay(&self) -> io::Result<()> {
        match &self.writer.kind {
            WriterKind::Tcp(tcp) => tcp.set_nodelay(),
            WriterKind::Memory(_) => Ok(()),
        }
    }

    /// Holds back what does not fill a segment until it is uncorked (`TCP_CORK`), so that what is written in several calls leaves
    /// as if in one. Linux alone; elsewhere without effect.
    pub fn set_cork(&self, corked: bool) -> io::Result<()> {
        match &self.writer.kind {
            WriterKind::Tcp(tcp) => tcp.set_cork(corked),
            WriterKind::Memory(_) => Ok(()),
        }
    }

    /// Finds out in the end that a silent peer is gone (`SO_KEEPALIVE`).
    pub fn set_keepalive(&self) -> io::Result<()> {
        match &self.writer.kind {
            WriterKind::Tcp(tcp) => tcp.set_keepalive(),
            WriterKind::Memory(_) => Ok(()),
        }
    }

    /// The kernel's buffer for what is sent (`SO_SNDBUF`).
    pub fn set_send_buffer_bytes(&self, bytes: usize) -> io::Result<()> {
        match &self.writer.kind {
            WriterKind::Tcp(tcp) => tcp.set_send_buffer_bytes(bytes),
            WriterKind::Memory(_) => Ok(()),
        }
    }

    /// The kernel's buffer for what is received (`SO_RCVBUF`).
    pub fn set_receive_buffer_bytes(&self, bytes: usize) -> io::Result<()> {
        match &self.writer.kind {
            WriterKind::Tcp(tcp) => tcp.set_receive_buffer_bytes(bytes),
            WriterKind::Memory(_) => Ok(()),
        }
    }
}

impl StreamReader {
    /// Completes when the peer has closed its sending side or the connection broke, even if bytes that nobody has read
    /// wait before that. Consumes nothing. For cancelling waits while nothing is being read. Cancel safe.
    pub async fn wait_closed(&self) {
        match &self.kind {
            ReaderKind::Tcp(tcp) => tcp.wait_closed().await,
            ReaderKind::Memory(memory) => memory.wait_closed().await,
        }
    }

    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.kind {
            ReaderKind::Tcp(tcp) => tcp.peer_addr(),
            ReaderKind::Memory(memory) => Ok(memory.addresses().peer),
        }
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.kind {
            ReaderKind::Tcp(tcp) => tcp.local_addr(),
            ReaderKind::Memory(memory) => Ok(memory.addresses().local),
        }
    }
}

impl StreamWriter {
    /// Sends `len` bytes of the file from `position`: without copying them (`sendfile`) on TCP under Linux, through a
    /// buffer elsewhere. Reads of bytes outside the page cache block the thread. Not cancel safe: a part may be sent.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends before; part of it is sent then.
    pub async fn send_file(&mut self, file: &File, position: u64, len: u64) -> io::Result<()> {
        let mut sent = 0;
        while sent < len {
            sent += self.send_file_some(file, position + sent, len - sent).await?;
        }
        Ok(())
    }

    /// Sends as much of the stretch as the socket takes at once, at least one byte, and says how much that was: so a caller
    /// sees that a slow peer still reads. Otherwise as [`StreamWriter::send_file`].
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends before.
    pub async fn send_file_some(
        &mut self,
        file: &File,
        position: u64,
        len: u64,
    ) -> io::Result<u64> {
        if len == 0 {
            return Ok(0);
        }
        #[cfg(target_os = "linux")]
        if let (WriterKind::Tcp(tcp), Some(real)) = (&self.kind, file.as_real()) {
            return tcp.send_file_some(real, position, len).await;
        }
        let mut buffer = vec![0; len.min(COPY_BYTES as u64) as usize];
        file.read_exact_at(&mut buffer, position)?;
        self.write_all(&buffer).await?;
        Ok(buffer.len() as u64)
    }

    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.kind {
            WriterKind::Tcp(tcp) => tcp.peer_addr(),
            WriterKind::Memory(memory) => Ok(memory.addresses().peer),
        }
    }
}

impl AsyncRead for StreamReader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            ReaderKind::Tcp(tcp) => tcp.poll_read(cx, buffer),
            ReaderKind::Memory(memory) => memory.poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for StreamWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            WriterKind::Tcp(tcp) => tcp.poll_write(cx, bytes),
            WriterKind::Memory(memory) => memory.poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            WriterKind::Tcp(tcp) => tcp.poll_write_vectored(cx, slices),
            WriterKind::Memory(memory) => {
                let first = slices.iter().find(|slice| !slice.is_empty());
                memory.poll_write(cx, first.map_or(&[][..], |slice| slice))
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self.kind, WriterKind::Tcp(_))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            WriterKind::Tcp(tcp) => tcp.poll_shutdown(cx),
            WriterKind::Memory(memory) => {
                memory.finish();
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.writer.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
