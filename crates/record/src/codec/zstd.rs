//! Zstandard frames over a reused context.
//!
//! A frame may claim a window of up to 128 MiB (level 22 does). The library reserves that much address space, but touches only
//! what the output fills, and the output has its limit; a context that has grown large is not kept.

use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective, get_error_name};

use super::scratch::{CHUNK_BYTES, DecompressBuf};
use super::stream::Fault;

/// A window of 8 MiB (level 19) and what belongs to it.
const KEPT_BYTES_MAX: usize = 9 * 1024 * 1024;

pub(super) struct ZstdContext(DCtx<'static>);

impl ZstdContext {
    /// True if this holds more than it should keep.
    pub(super) fn is_large(&self) -> bool {
        self.0.sizeof() > KEPT_BYTES_MAX
    }
}

pub(super) struct ZstdReader<'a> {
    input: &'a [u8],
    position: usize,
    in_frame: bool,
}

impl<'a> ZstdReader<'a> {
    pub(super) fn new(input: &'a [u8], scratch: &mut DecompressBuf) -> Self {
        // a stream that was dropped halfway leaves its state behind
        if let Some(context) = &mut scratch.zstd
            && context.0.reset(ResetDirective::SessionOnly).is_err()
        {
            scratch.zstd = None;
        }
        Self { input, position: 0, in_frame: true }
    }

    /// Decompresses up to one chunk; 0 at the end.
    pub(super) fn next_chunk(&mut self, scratch: &mut DecompressBuf) -> Result<usize, Fault> {
        scratch.chunk_of(CHUNK_BYTES);
        let context = match &mut scratch.zstd {
            Some(context) => context,
            None => {
                let fresh = DCtx::try_create().ok_or_else(|| Fault::from("zstd: no memory"))?;
                scratch.zstd.insert(ZstdContext(fresh))
            }
        };
        loop {
            if !self.in_frame && self.position == self.input.len() {
                return Ok(0);
            }
            let mut input = InBuffer { src: self.input, pos: self.position };
            let mut output = OutBuffer::around(&mut scratch.chunk[..CHUNK_BYTES]);
            let hint = context
                .0
                .decompress_stream(&mut output, &mut input)
                .map_err(|code| Fault::Damaged(format!("zstd: {}", get_error_name(code))))?;
            let written = output.pos();
            let progressed = input.pos() > self.position || written > 0;
            self.position = input.pos();
            self.in_frame = hint != 0;
            if written > 0 {
                return Ok(written);
            }
            if self.in_frame && !progressed {
                return Err("zstd: truncated source".into());
            }
        }
    }
}
