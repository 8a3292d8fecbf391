//! Frames in: a length, then that many bytes, without believing the length before it is checked.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use klamm_env::{Clock, Stream};
use tokio::io::AsyncReadExt;

use crate::network::byte_pool::{BytePermit, BytePool};
use crate::network::limits::ConnectionLimits;
use crate::network::receive_buffers::{BUFFER_BYTES, ReceiveBuffers};

/// Frames up to this size are copied out of connection memory, so that a few bytes which somebody
/// keeps (a client id) never hold a whole buffer.
const COPIED_FRAME_BYTES_MAX: usize = 4 * 1024;

const LENGTH_BYTES: usize = 4;

/// Why no further frame comes.
#[derive(Debug, thiserror::Error)]
pub enum ReadEnd {
    /// The client closed between two frames.
    #[error("closed by the client")]
    Closed,
    /// The client closed in the middle of a frame.
    #[error("closed by the client in the middle of a frame, after {received} of {expected} bytes")]
    Truncated {
        /// Bytes that came, length prefix included.
        received: usize,
        /// Bytes announced, length prefix included.
        expected: usize,
    },
    /// Nothing came for `connections.max.idle.ms`.
    #[error("idle for longer than connections.max.idle.ms")]
    Idle,
    /// A frame with a permit made no progress.
    #[error("no byte of a large request arrived for klamm.connection.stall.timeout.ms")]
    Stalled,
    /// The length prefix is negative.
    #[error("frame length {0} is negative")]
    NegativeLength(i32),
    /// The length prefix is over the limit.
    #[error("frame length {length} is larger than socket.request.max.bytes ({max})")]
    TooLarge {
        /// As announced.
        length: i32,
        /// The limit.
        max: u32,
    },
    /// The socket failed.
    #[error("cannot read: {0}")]
    Io(#[from] std::io::Error),
}

impl ReadEnd {
    /// Whether the client broke the protocol or a limit (worth a line in the log).
    pub fn is_fault(&self) -> bool {
        !matches!(self, ReadEnd::Closed | ReadEnd::Idle | ReadEnd::Io(_))
    }
}

/// Reads frames off a stream.
#[derive(Debug)]
pub struct FrameReader {
    buffers: ReceiveBuffers,
    permits: BytePool,
    frame_bytes_max: u32,
    idle_max: Option<Duration>,
    stall_max: Duration,
    /// Bytes received and not yet handed out.
    buffer: BytesMut,
    large: Option<LargeFrame>,
}

/// A frame larger than connection memory, on its way in.
#[derive(Debug)]
struct LargeFrame {
    bytes: BytesMut,
    size: usize,
    permit: BytePermit,
}

/// The owner of a large frame's memory: the permit goes back when the last slice of it is dropped,
/// which is when the request's bytes are done with.
struct PermittedBytes {
    bytes: BytesMut,
    _permit: BytePermit,
}

impl AsRef<[u8]> for PermittedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl FrameReader {
    /// A reader that takes connection memory from `buffers` and permits from `permits`.
    pub fn new(buffers: ReceiveBuffers, permits: BytePool, limits: &ConnectionLimits) -> Self {
        FrameReader {
            buffers,
            permits,
            frame_bytes_max: limits.frame_bytes_max,
            idle_max: limits.idle_max,
            stall_max: limits.stall_max,
            buffer: BytesMut::new(),
            large: None,
        }
    }

    /// The next frame without its length prefix. Cancel safe: what has arrived stays here.
    ///
    /// # Errors
    /// With the reason why no further frame comes; the connection is to be closed.
    pub async fn next(&mut self, stream: &mut Stream, clock: &Clock) -> Result<Bytes, ReadEnd> {
        loop {
            if self.large.is_some() {
                return self.finish_large(stream, clock).await;
            }
            match self.announced()? {
                Some(size) if self.buffer.len() >= LENGTH_BYTES + size => {
                    return Ok(self.split_frame(size));
                }
                Some(size) if LENGTH_BYTES + size > BUFFER_BYTES => self.begin_large(size).await,
                announced => self.fill(stream, clock, announced).await?,
            }
        }
    }

    /// Whether a whole frame lies in memory already, so that [`Self::next`] will not wait.
    pub fn has_buffered_bytes(&self) -> bool {
        !self.buffer.is_empty() || self.large.is_some()
    }

    /// The length of the frame that begins the buffer, once its prefix is there.
    fn announced(&self) -> Result<Option<usize>, ReadEnd> {
        let Some(prefix) = self.buffer.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let length = i32::from_be_bytes(*prefix);
        let size = u32::try_from(length).map_err(|_| ReadEnd::NegativeLength(length))?;
        if size > self.frame_bytes_max {
            return Err(ReadEnd::TooLarge { length, max: self.frame_bytes_max });
        }
        Ok(Some(size as usize))
    }

    fn split_frame(&mut self, size: usize) -> Bytes {
        self.buffer.advance(LENGTH_BYTES);
        if size <= COPIED_FRAME_BYTES_MAX {
            let frame = Bytes::copy_from_slice(&self.buffer[..size]);
            self.buffer.advance(size);
            return frame;
        }
        self.buffer.split_to(size).freeze()
    }

    async fn begin_large(&mut self, size: usize) {
        let size_bytes = u32::try_from(size).unwrap_or(u32::MAX);
        let permit = self.permits.acquire(size_bytes).await;
        self.buffer.advance(LENGTH_BYTES);
        let mut bytes = BytesMut::with_capacity(size);
        bytes.extend_from_slice(&self.buffer);
        self.buffers.give(std::mem::take(&mut self.buffer));
        self.large = Some(LargeFrame { bytes, size, permit });
    }

    async fn finish_large(&mut self, stream: &mut Stream, clock: &Clock) -> Result<Bytes, ReadEnd> {
        if let Some(large) = &mut self.large {
            while large.bytes.len() < large.size {
                let missing = large.size - large.bytes.len();
                let mut rest = (&mut large.bytes).limit(missing);
                let read = clock.timeout(self.stall_max, stream.read_buf(&mut rest)).await;
                if read.map_err(|_| ReadEnd::Stalled)?? == 0 {
                    return Err(ReadEnd::Truncated {
                        received: LENGTH_BYTES + large.bytes.len(),
                        expected: LENGTH_BYTES + large.size,
                    });
                }
            }
        }
        let large = self.large.take().expect("finish_large is called while a large frame is here");
        Ok(Bytes::from_owner(PermittedBytes { bytes: large.bytes, _permit: large.permit }))
    }

    async fn fill(
        &mut self,
        stream: &mut Stream,
        clock: &Clock,
        announced: Option<usize>,
    ) -> Result<(), ReadEnd> {
        let idle_max = self.idle_max;
        let read = poll_fn(|cx| self.poll_fill(cx, stream));
        let received = match idle_max {
            None => read.await?,
            Some(idle) => clock.timeout(idle, read).await.map_err(|_| ReadEnd::Idle)??,
        };
        match (received, self.buffer.len()) {
            (0, 0) => Err(ReadEnd::Closed),
            (0, received) => Err(ReadEnd::Truncated {
                received,
                expected: LENGTH_BYTES + announced.unwrap_or(0),
            }),
            _ => Ok(()),
        }
    }

    /// Reads once into connection memory, which goes back to the spares if there is nothing to read.
    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
    ) -> Poll<std::io::Result<usize>> {
        let mut buffer = self.roomy_buffer();
        // `read_buf` keeps no state of its own, so a new future at each poll loses nothing.
        let polled = pin!(stream.read_buf(&mut buffer)).poll(cx);
        match polled {
            Poll::Pending => self.park(buffer),
            Poll::Ready(_) => self.buffer = buffer,
        }
        polled
    }

    /// What has been received, with room for a frame that fits connection memory.
    fn roomy_buffer(&mut self) -> BytesMut {
        let mut kept = std::mem::take(&mut self.buffer);
        if kept.try_reclaim(BUFFER_BYTES.saturating_sub(kept.len()).max(1)) {
            return kept;
        }
        let mut roomy = self.buffers.take();
        roomy.extend_from_slice(&kept);
        roomy
    }

    /// Puts the buffer away while the client is silent: a thousand connections that said little
    /// hold little.
    fn park(&mut self, buffer: BytesMut) {
        if buffer.len() > COPIED_FRAME_BYTES_MAX {
            self.buffer = buffer;
            return;
        }
        self.buffer = BytesMut::from(&buffer[..]);
        self.buffers.give(buffer);
    }
}

impl Drop for FrameReader {
    fn drop(&mut self) {
        self.buffers.give(std::mem::take(&mut self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use klamm_env::sim::Sim;
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[test]
    fn a_thousand_connections_that_said_little_hold_little() {
        Sim::new(1).run(|env| async move {
            let limits = ConnectionLimits {
                frame_bytes_max: 1_000_000,
                idle_max: None,
                stall_max: Duration::from_secs(1),
                send_buffer_bytes: None,
                receive_buffer_bytes: None,
            };
            let buffers = ReceiveBuffers::default();
            let permits = BytePool::new(1_000_000, Default::default());
            let mut connections = Vec::new();
            for _ in 0..1_000 {
                let (mut client, mut server) = Stream::pair(1024);
                client.write_all(&[0, 0, 200, 0, 1]).await.unwrap();
                let mut reader = FrameReader::new(buffers.clone(), permits.clone(), &limits);
                let next = reader.next(&mut server, env.clock());
                assert!(env.clock().timeout(Duration::from_millis(10), next).await.is_err());
                connections.push((client, server, reader));
            }
            let held: usize =
                connections.iter().map(|(_, _, reader)| reader.buffer.capacity()).sum();
            assert!(held < 1_000 * COPIED_FRAME_BYTES_MAX, "{held} bytes");
        });
    }
}
