//! Memory that decoders use again: one chunk, one output, one context per library.

use std::cell::Cell;

use super::gzip::Inflater;
use super::zstd::ZstdContext;

/// Bytes that the stream decoders (gzip, zstd) hand out at a time.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;
/// Buffers above this size are given back when a batch is done.
const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// Reused memory for decompressing. One per worker: it serves one batch at a time.
#[derive(Default)]
pub struct DecompressBuf {
    /// Decoders write here; grows only, so that it is zeroed once.
    pub(super) chunk: Vec<u8>,
    pub(super) zstd: Option<ZstdContext>,
    pub(super) inflater: Option<Inflater>,
    /// Whole output, for readers that want their records in one piece.
    pub(crate) output: Vec<u8>,
}

thread_local! {
    static POOLED: Cell<Option<Box<DecompressBuf>>> = const { Cell::new(None) };
}

impl DecompressBuf {
    /// Empty; memory comes with use.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `f` with the memory that this thread keeps for it (fresh memory if `f` is already running further up).
    pub fn with_pooled<R>(f: impl FnOnce(&mut Self) -> R) -> R {
        let mut scratch = POOLED.take().unwrap_or_default();
        let result = f(&mut scratch);
        scratch.trim();
        POOLED.set(Some(scratch));
        result
    }

    /// Gives back what a large batch needed and a usual one does not.
    pub fn trim(&mut self) {
        if self.chunk.capacity() > KEPT_BYTES_MAX {
            self.chunk = Vec::new();
        }
        if self.output.capacity() > KEPT_BYTES_MAX {
            self.output = Vec::new();
        }
        self.zstd.take_if(|context| context.is_large());
    }

    /// The first `size` bytes of the chunk, which grows to hold them.
    pub(super) fn chunk_of(&mut self, size: usize) -> &mut [u8] {
        if self.chunk.len() < size {
            self.chunk.resize(size, 0);
        }
        &mut self.chunk[..size]
    }
}
