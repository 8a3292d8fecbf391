//! Connection memory: buffers of 64 KiB that belong to a connection only while bytes arrive.

use std::sync::Arc;

use bytes::BytesMut;
use parking_lot::Mutex;

/// Size of a buffer: what is received of a frame before a permit is asked for.
pub const BUFFER_BYTES: usize = 64 * 1024;

/// How many spare buffers are kept; more are freed.
const SPARES_MAX: usize = 64;

/// The node's spare buffers. An idle connection holds none.
#[derive(Debug, Clone, Default)]
pub struct ReceiveBuffers {
    spares: Arc<Mutex<Vec<BytesMut>>>,
}

impl ReceiveBuffers {
    /// An empty buffer with [`BUFFER_BYTES`] of room.
    pub fn take(&self) -> BytesMut {
        let spare = self.spares.lock().pop();
        spare.unwrap_or_else(|| BytesMut::with_capacity(BUFFER_BYTES))
    }

    /// Takes a buffer back if all of its room can be had again.
    pub fn give(&self, mut buffer: BytesMut) {
        buffer.clear();
        if !buffer.try_reclaim(BUFFER_BYTES) {
            return;
        }
        let mut spares = self.spares.lock();
        if spares.len() < SPARES_MAX {
            spares.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_is_shared_is_not_kept() {
        let buffers = ReceiveBuffers::default();
        let mut buffer = buffers.take();
        buffer.extend_from_slice(b"abc");
        let shared = buffer.split_to(1).freeze();
        buffers.give(buffer);
        assert_eq!(buffers.spares.lock().len(), 0);
        drop(shared);
        let mut buffer = buffers.take();
        buffer.extend_from_slice(b"abc");
        drop(buffer.split_to(2).freeze());
        buffers.give(buffer);
        assert_eq!(buffers.spares.lock().len(), 1);
        assert!(buffers.take().capacity() >= BUFFER_BYTES);
    }
}
